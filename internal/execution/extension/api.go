package extension

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Path begins the path of every operation.
const Path = "/2020-01-01/extension/"

const (
	identifierHeader = "Lambda-Extension-Identifier"
	faultHeader      = "Lambda-Extension-Function-Error-Type"
)

// What is read of a request: registrations are small, and kept while they are read, by as many as the environment has connections; what is
// told of an error is not kept.
const (
	maxRegistration = 64 << 10
	maxError        = 1 << 20
)

// ServeHTTP serves the operations. After End it closes connections.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.ended:
		panic(http.ErrAbortHandler)
	default:
	}
	method, serve := s.operation(strings.TrimPrefix(r.URL.Path, Path))
	switch {
	case serve == nil:
		http.NotFound(w, r)
	case r.Method != method:
		w.Header().Set("Allow", method)
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		serve(w, r)
	}
}

// operation is the table of operations; serve is nil for a name that is none.
func (s *Set) operation(name string) (method string, serve http.HandlerFunc) {
	switch name {
	case "register":
		return http.MethodPost, s.serveRegister
	case "event/next":
		return http.MethodGet, s.serveNext
	case "init/error":
		return http.MethodPost, func(w http.ResponseWriter, r *http.Request) { s.serveError(w, r, initError, FaultInit) }
	case "exit/error":
		return http.MethodPost, func(w http.ResponseWriter, r *http.Request) { s.serveError(w, r, exitError, FaultExit) }
	}
	return "", nil
}

func (s *Set) serveRegister(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	if name == "" {
		(&apiError{"Extension.InvalidExtensionName", "Empty extension name"}).write(w)
		return
	}
	events, err := readRegistration(http.MaxBytesReader(w, r.Body, maxRegistration))
	if err != nil {
		(&apiError{"InvalidRequestFormat", err.Error()}).write(w)
		return
	}
	x, refused := s.register(name, events)
	if refused != nil {
		refused.write(w)
		return
	}
	answer := struct {
		AccountID string `json:"accountId,omitempty"`
		Name      string `json:"functionName"`
		Version   string `json:"functionVersion"`
		Handler   string `json:"handler"`
	}{Name: s.function.Name, Version: s.function.Version, Handler: s.function.Handler}
	features := strings.Split(r.Header.Get("Lambda-Extension-Accept-Feature"), ",")
	if slices.ContainsFunc(features, func(f string) bool { return strings.TrimSpace(f) == "accountId" }) {
		answer.AccountID = s.function.Account
	}
	w.Header().Set(identifierHeader, x.id.String())
	writeJSON(w, http.StatusOK, answer)
}

func readRegistration(body io.Reader) (events []string, err error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	var request struct {
		Events            []string `json:"events"`
		ConfigurationKeys []string `json:"configurationKeys"`
	}
	if err := json.Unmarshal(data, &request); err != nil {
		return nil, err
	}
	if len(request.ConfigurationKeys) != 0 {
		return nil, errors.New("configurationKeys are deprecated; use environment variables instead")
	}
	return request.Events, nil
}

// serveNext is the long poll: it answers when there is an event, and ends without an answer at the end of the Set.
func (s *Set) serveNext(w http.ResponseWriter, r *http.Request) {
	id, refused := identifier(r)
	var x *extension
	if refused == nil {
		x, refused = s.asks(id)
	}
	if refused != nil {
		refused.write(w)
		return
	}
	select {
	case event := <-x.events:
		s.takes(x)
		h := w.Header()
		h["Content-Type"] = []string{"application/json"}
		h["Content-Length"] = []string{strconv.Itoa(len(event))}
		h["Lambda-Extension-Event-Identifier"] = []string{uuid.NewString()}
		_, _ = w.Write(event) // a connection that broke shows as an extension that ends or does not ask again
	case <-s.ended:
		panic(http.ErrAbortHandler) // close the connection: there is nobody left to answer
	case <-r.Context().Done():
	}
}

func (s *Set) serveError(w http.ResponseWriter, r *http.Request, next state, fault string) {
	id, refused := identifier(r)
	switch {
	case refused != nil:
	case r.Header.Get(faultHeader) == "":
		refused = &apiError{"Extension.MissingHeader", faultHeader + " not found"}
	default:
		refused = s.fails(id, next, fault)
	}
	if refused != nil {
		refused.write(w)
		return
	}
	_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxError)) // so that the connection can be used again
	writeJSON(w, http.StatusAccepted, struct {
		Status string `json:"status"`
	}{"OK"})
}

// Identify finds which extension asks, by the header with its identifier. Another asker is refused, and ok is false.
func (s *Set) Identify(w http.ResponseWriter, r *http.Request) (name string, ok bool) {
	id, refused := identifier(r)
	if refused == nil {
		name, refused = s.nameOf(id)
	}
	if refused != nil {
		refused.write(w)
		return "", false
	}
	return name, true
}

// identifier is who asks.
func identifier(r *http.Request) (uuid.UUID, *apiError) {
	header := r.Header.Get(identifierHeader)
	if header == "" {
		return uuid.UUID{}, &apiError{"Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"}
	}
	id, err := uuid.Parse(header)
	if err != nil {
		return uuid.UUID{}, &apiError{"Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"}
	}
	return id, nil
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a connection that broke is the client's to notice
}
