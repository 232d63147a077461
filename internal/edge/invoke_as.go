package edge

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/licet/licet/internal/dispatch"
)

// InvokeAsPage calls a function by the name of a service: POST ?service=&function=&qualifier=&source-arn=&source-account=
// &source-org-id=&mode=, with the event as body. The answer tells of a refusal, too: its own status is 200 once the call was made.
const InvokeAsPage = pagePrefix + "invoke-as"

// Modes of an Invocation; without one it is as the service does.
const (
	InvokeEvent = "event"
	InvokeSync  = "sync"
)

// Invocation is a call of a function that a service would make.
type Invocation struct {
	// Service is its name, such as s3.amazonaws.com.
	Service string
	// SourceARN, SourceAccount and SourceOrgID are what the service says of the resource for which it calls; "": it does not.
	SourceARN, SourceAccount, SourceOrgID string
	// Function is a name or ARN, Qualifier a version, an alias or "".
	Function, Qualifier string
	// Mode is InvokeEvent, InvokeSync or "".
	Mode    string
	Payload json.RawMessage
}

// Invoked is how an invocation ended.
type Invoked struct {
	RequestID string `json:"request_id"`
	// Type is the InvocationType.
	Type string `json:"invocation_type"`
	// Status, FunctionError, Version and Payload are Lambda's answer.
	Status        int    `json:"status"`
	FunctionError string `json:"function_error,omitempty"`
	Version       string `json:"executed_version,omitempty"`
	Payload       string `json:"payload,omitempty"`
	// Denied tells that the function's policy does not let the service in; Code and Message are Lambda's error.
	Denied  bool   `json:"denied"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// Invocations call functions of an account by the name of services. Their errors are for the client.
type Invocations interface {
	InvokeAs(ctx context.Context, account string, q Invocation) (Invoked, error)
}

// invokeAs answers InvokeAsPage. It reads the body before anything, for the signature is of it, too.
func (s *Server) invokeAs(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, id: dispatch.NewRequestID(), codec: s.fallback, service: SigningName}
	if err := s.invokeFor(x, r); err != nil {
		s.fail(r.Context(), x, err)
	}
}

func (s *Server) invokeFor(x *exchange, r *http.Request) error {
	body, release, err := s.readBody(x, r)
	if err != nil {
		return err
	}
	defer release()
	account, err := s.root(x, r, body, "invoke its functions as a service")
	if err != nil {
		return err
	}
	q := r.URL.Query()
	call := Invocation{
		Service: q.Get("service"), Function: q.Get("function"), Qualifier: q.Get("qualifier"), Mode: q.Get("mode"), Payload: body,
		SourceARN: q.Get("source-arn"), SourceAccount: q.Get("source-account"), SourceOrgID: q.Get("source-org-id"),
	}
	switch {
	case call.Service == "" || call.Function == "" || call.SourceARN == "":
		return invalidPage("service, function and source-arn must be given.")
	case call.Mode != "" && call.Mode != InvokeEvent && call.Mode != InvokeSync:
		return invalidPage("mode must be event or sync.")
	}
	result, err := s.config.Invocations.InvokeAs(r.Context(), account, call)
	if err != nil {
		return err
	}
	return writeJSON(x, result)
}
