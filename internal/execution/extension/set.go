package extension

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// maxExtensions is how many a function may have, external and internal together.
const maxExtensions = 10

// The faults that the platform names.
const (
	FaultInit   = "Extension.InitError"   // it said so by init/error
	FaultExit   = "Extension.ExitError"   // it said so by exit/error
	FaultCrash  = "Extension.Crash"       // its process ended
	FaultLaunch = "Extension.LaunchError" // its program could not be started
)

// ErrTooMany has the text of Lambda's agent.
var ErrTooMany = errors.New("ErrTooManyExtensions")

// state of an extension, in the words of the API's error messages.
type state string

const (
	started    state = "Started"
	registered state = "Registered"
	ready      state = "Ready"
	running    state = "Running"
	initError  state = "InitError"
	exitError  state = "ExitError"
	exited     state = "Exited" // in texts only
)

// Events that an extension may register for.
const (
	invoke   = "INVOKE"
	shutdown = "SHUTDOWN"
)

// Function is what extensions are told of it.
type Function struct{ Name, Version, Handler, Account string }

// extension is one of a Set, whose mu guards it.
type extension struct {
	name     string
	id       uuid.UUID
	external bool
	state    state
	wants    []string
	awaited  bool        // its next request for an event is waited for
	events   chan []byte // capacity 1: JSON that it has not fetched yet
}

// Set is the extensions of one run of a runtime.
type Set struct {
	function Function
	count    atomic.Int32  // of extensions; also read without mu
	changed  chan struct{} // capacity 1
	ended    chan struct{}

	mu         sync.Mutex
	extensions []*extension
	sealed     bool
	over       bool
	fault      string
}

// New makes a Set without extensions.
func New(f Function) *Set {
	return &Set{function: f, changed: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Any tells whether there are extensions, registered or expected. It takes no lock.
func (s *Set) Any() bool { return s.count.Load() > 0 }

// Expect adds an external extension, which is about to be started and then registers by this name. The error is ErrTooMany, or says
// that the name is taken.
func (s *Set) Expect(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.extensions) >= maxExtensions:
		return ErrTooMany
	case s.named(name) != nil:
		return fmt.Errorf("extension %s is there already", name)
	}
	s.add(name, true)
	return nil
}

// add is under mu.
func (s *Set) add(name string, external bool) *extension {
	x := &extension{name: name, id: uuid.New(), external: external, state: started, events: make(chan []byte, 1)}
	s.extensions = append(s.extensions, x)
	s.count.Add(1)
	return x
}

// Changed receives after what Registered and Settled tell may have changed. One reader at a time.
func (s *Set) Changed() <-chan struct{} { return s.changed }

// Registered tells whether every external extension has registered.
func (s *Set) Registered() bool {
	return !s.some(func(x *extension) bool { return x.external && x.state == started })
}

// Settled tells whether no extension is waited for.
func (s *Set) Settled() bool {
	return !s.Any() || !s.some(func(x *extension) bool { return x.awaited })
}

func (s *Set) some(holds func(*extension) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.extensions, holds)
}

// Seal ends registration: the runtime is ready. From now on every extension is waited for until it asks for its first event.
func (s *Set) Seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	for _, x := range s.extensions {
		x.awaited = x.state != ready && x.state != running
	}
}

// Event is an invocation as extensions see it.
type Event struct {
	RequestID  string
	InvokedARN string
	TraceID    string // X-Amzn-Trace-Id; "" for none
	Deadline   time.Time
}

// Invoke gives the event to the extensions that registered for it. They are waited for until they ask for another.
func (s *Set) Invoke(e Event) {
	type tracing struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	body := struct {
		EventType  string   `json:"eventType"`
		DeadlineMs int64    `json:"deadlineMs"`
		RequestID  string   `json:"requestId"`
		InvokedARN string   `json:"invokedFunctionArn"`
		Tracing    *tracing `json:"tracing,omitempty"`
	}{EventType: invoke, DeadlineMs: e.Deadline.UnixMilli(), RequestID: e.RequestID, InvokedARN: e.InvokedARN}
	if e.TraceID != "" {
		body.Tracing = &tracing{"X-Amzn-Trace-Id", e.TraceID}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.subscribers(invoke) {
		x.awaited = true
		x.give(body)
	}
}

// Shutdown gives the event of that name, for a reason that is "spindown", "timeout" or "failure", to the extensions that registered
// for it, in the place of what they have not fetched. It returns their names. Nothing can be registered any more.
func (s *Set) Shutdown(reason string, deadline time.Time) (told map[string]bool) {
	body := struct {
		EventType  string `json:"eventType"`
		DeadlineMs int64  `json:"deadlineMs"`
		Reason     string `json:"shutdownReason"`
	}{shutdown, deadline.UnixMilli(), reason}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	told = map[string]bool{}
	for _, x := range s.subscribers(shutdown) {
		x.give(body)
		told[x.name] = true
	}
	return told
}

// subscribers is under mu.
func (s *Set) subscribers(event string) []*extension {
	var who []*extension
	for _, x := range s.extensions {
		if slices.Contains(x.wants, event) {
			who = append(who, x)
		}
	}
	return who
}

// give keeps an event for x in the place of one that it has not fetched. The Set's mu is held, so that nobody else gives.
func (x *extension) give(body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings and numbers always have a JSON form
	}
	select {
	case <-x.events:
	default:
	}
	x.events <- data
}

// Info is what is told of an extension.
type Info struct {
	Name      string
	State     string // "Ready" when all went well
	Events    []string
	ErrorType string // what it reported itself, FaultInit or FaultExit, or ""
}

// List tells of every extension, in order of their first appearance.
func (s *Set) List() []Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Info
	for _, x := range s.extensions {
		info := Info{Name: x.name, State: string(x.state), Events: append([]string{}, x.wants...)}
		switch x.state {
		case initError:
			info.ErrorType = FaultInit
		case exitError:
			info.ErrorType = FaultExit
		}
		list = append(list, info)
	}
	return list
}

// Fault is the first that an extension reported itself, FaultInit or FaultExit, or "".
func (s *Set) Fault() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// End cuts off every request that waits for an event. It may be called again.
func (s *Set) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over, s.sealed = true, true
		close(s.ended)
	}
}

func (s *Set) notify() {
	select {
	case s.changed <- struct{}{}:
	default: // the reader has not looked since the last change
	}
}

// named is under mu.
func (s *Set) named(name string) *extension {
	return s.find(func(x *extension) bool { return x.name == name })
}

// find is under mu.
func (s *Set) find(is func(*extension) bool) *extension {
	if i := slices.IndexFunc(s.extensions, is); i >= 0 {
		return s.extensions[i]
	}
	return nil
}

// register makes an extension known, or lets an expected one begin.
func (s *Set) register(name string, events []string) (*extension, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.named(name)
	external := x != nil && x.external
	for _, e := range events {
		switch {
		case !external && e == shutdown:
			return nil, &apiError{"Extension.InvalidEventType", e + ": ShutdownEventNotSupportedForInternalExtension"}
		case e != invoke && e != shutdown:
			return nil, &apiError{"Extension.InvalidEventType", e + ": ErrorInvalidEventType"}
		}
	}
	switch {
	case external && x.state != started:
		return nil, x.refuses(registered, name)
	case external:
	case s.sealed:
		return nil, &apiError{"Extension.RegistrationClosed", "Extension registration closed already"}
	case len(s.extensions) >= maxExtensions:
		return nil, &apiError{"Extension.TooManyExtensions", fmt.Sprintf("Extension limit (%d) reached", maxExtensions)}
	case x != nil:
		return nil, &apiError{"Extension.InvalidExtensionState", "Extension with this name already registered"}
	default:
		x = s.add(name, false)
	}
	x.state, x.wants = registered, slices.Compact(slices.Sorted(slices.Values(events))) // at most one of each is kept
	s.notify()
	return x, nil
}

// asks is an extension that has done what it had to do and asks for its next event.
func (s *Set) asks(id uuid.UUID) (*extension, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(func(x *extension) bool { return x.id == id })
	if x == nil {
		return nil, &apiError{"Extension.UnknownExtensionIdentifier", "Unknown extension " + id.String()}
	}
	if x.state != registered && x.state != running {
		return nil, x.refuses(ready, id.String())
	}
	x.state, x.awaited = ready, false
	s.notify()
	return x, nil
}

func (s *Set) nameOf(id uuid.UUID) (string, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(func(x *extension) bool { return x.id == id })
	if x == nil {
		return "", &apiError{"Extension.UnknownExtensionIdentifier", "Unknown extension " + id.String()}
	}
	return x.name, nil
}

// takes notes that an extension has its event.
func (s *Set) takes(x *extension) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.state == ready {
		x.state = running
	}
}

// fails notes what an extension says of itself. It may say so again; the first time counts.
func (s *Set) fails(id uuid.UUID, next state, fault string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(func(x *extension) bool { return x.id == id })
	switch {
	case x == nil:
		return &apiError{"Extension.UnknownExtensionIdentifier", "Unknown " + identifierHeader}
	case x.state != next && x.state != registered && (next == initError || x.state != ready && x.state != running):
		if next == exitError {
			next = exited // as the agent has it in this text alone (rapi/handler/agentexiterror.go)
		}
		return x.refuses(next, id.String())
	}
	x.state = next
	if s.fault == "" {
		s.fault = fault
	}
	return nil
}

func (x *extension) refuses(next state, who string) *apiError {
	return &apiError{"Extension.InvalidExtensionState",
		fmt.Sprintf("State transition from %s to %s failed for extension %s. Error: State transition is not allowed", x.state, next, who)}
}

// apiError is an answer of 403, which is all that this API answers to mistakes.
type apiError struct{ kind, message string }

func (e *apiError) write(w http.ResponseWriter) {
	writeJSON(w, http.StatusForbidden, struct {
		ErrorMessage string `json:"errorMessage"`
		ErrorType    string `json:"errorType"`
	}{e.message, e.kind})
}
