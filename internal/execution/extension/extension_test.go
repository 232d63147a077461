package extension

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// client calls the API of a Set.
type client struct {
	t   *testing.T
	url string
}

func newClient(t *testing.T, s *Set) client {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(s.End)
	return client{t, server.URL + Path}
}

// call returns status and body, and the header that names an extension.
func (c client) call(method, path, body string, header ...string) (answer, id string) {
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return "", ""
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "no answer", ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Error(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimSpace(string(text))), resp.Header.Get(identifierHeader)
}

func (c client) register(name, events string) (id string) {
	c.t.Helper()
	answer, id := c.call("POST", "register", `{"events": [`+events+`]}`, "Lambda-Extension-Name", name)
	if want := `200 {"functionName":"fn","functionVersion":"7","handler":"app.handler"}`; answer != want {
		c.t.Fatalf("register %s: got %s, want %s", name, answer, want)
	}
	return id
}

// next asks for an event in the background.
func (c client) next(id string) <-chan string {
	answers := make(chan string, 1)
	go func() {
		answer, _ := c.call("GET", "event/next", "", identifierHeader, id)
		answers <- answer
	}()
	return answers
}

// await waits until a condition holds that requests change.
func await(t *testing.T, s *Set, holds func(*Set) bool) {
	t.Helper()
	for !holds(s) {
		select {
		case <-s.Changed():
		case <-time.After(10 * time.Second):
			t.Fatal("nothing changed for ten seconds")
		}
	}
}

func newSet() *Set {
	return New(Function{Name: "fn", Version: "7", Handler: "app.handler", Account: "123456789012"})
}

func TestLife(t *testing.T) {
	s := newSet()
	if s.Any() || !s.Registered() || !s.Settled() {
		t.Error("a set without extensions waits for some")
	}
	if err := s.Expect("agent"); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s)
	if s.Registered() {
		t.Error("registered before it did")
	}
	agent := c.register("agent", `"INVOKE", "SHUTDOWN"`)
	await(t, s, (*Set).Registered)
	inside := c.register("inside", `"INVOKE"`)
	quiet := c.register("quiet", ``)
	s.Seal()
	if s.Settled() {
		t.Error("settled before any asked")
	}
	first, second, third := c.next(agent), c.next(inside), c.next(quiet)
	await(t, s, (*Set).Settled)

	s.Invoke(Event{RequestID: "r1", InvokedARN: "arn", TraceID: "Root=1", Deadline: time.UnixMilli(1234)})
	want := `200 {"eventType":"INVOKE","deadlineMs":1234,"requestId":"r1","invokedFunctionArn":"arn",` +
		`"tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}}`
	for _, got := range []string{<-first, <-second} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if s.Settled() {
		t.Error("settled while extensions work")
	}
	first, second = c.next(agent), c.next(inside)
	await(t, s, (*Set).Settled)

	told := s.Shutdown("spindown", time.UnixMilli(99))
	if diff := cmp.Diff(told, map[string]bool{"agent": true}); diff != "" {
		t.Errorf("told (-got +want):\n%s", diff)
	}
	if got, want := <-first, `200 {"eventType":"SHUTDOWN","deadlineMs":99,"shutdownReason":"spindown"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.End()
	s.End()
	for _, got := range []string{<-second, <-third} {
		if got != "no answer" {
			t.Errorf("got %s after the end", got)
		}
	}
}

// An extension that is still at its event when the end comes gets SHUTDOWN next, whatever it has missed.
func TestShutdownReplacesInvoke(t *testing.T) {
	s := newSet()
	c := newClient(t, s)
	if err := s.Expect("agent"); err != nil {
		t.Fatal(err)
	}
	agent := c.register("agent", `"INVOKE", "SHUTDOWN"`)
	s.Seal()
	s.Invoke(Event{RequestID: "r1", Deadline: time.UnixMilli(1)})
	s.Shutdown("timeout", time.UnixMilli(2))
	if got, want := <-c.next(agent), `200 {"eventType":"SHUTDOWN","deadlineMs":2,"shutdownReason":"timeout"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAccountID(t *testing.T) {
	c := newClient(t, newSet())
	got, _ := c.call("POST", "register", `{"events": []}`, "Lambda-Extension-Name", "x",
		"Lambda-Extension-Accept-Feature", "other, accountId")
	want := `200 {"accountId":"123456789012","functionName":"fn","functionVersion":"7","handler":"app.handler"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An operation asked for by another method is told which, as the agent's router does.
func TestMethods(t *testing.T) {
	s := newSet()
	for call, allowed := range map[string]string{
		"GET register": "POST", "HEAD register": "POST", "POST event/next": "GET", "GET init/error": "POST", "PUT exit/error": "POST",
	} {
		method, path, _ := strings.Cut(call, " ")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, Path+path, strings.NewReader("{}")))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != allowed || w.Body.Len() > 0 {
			t.Errorf("%s: got %d %s, Allow %q; want 405 and Allow %q", call, w.Code, w.Body, w.Header().Get("Allow"), allowed)
		}
	}
}

// The texts are those of the agent's source: see the package comment.
func TestRefusals(t *testing.T) {
	s := newSet()
	c := newClient(t, s)
	if err := s.Expect("agent"); err != nil {
		t.Fatal(err)
	}
	agent := c.register("agent", `"SHUTDOWN"`)
	inside := c.register("inside", `"INVOKE"`)
	name := func(n string) []string { return []string{"Lambda-Extension-Name", n} }
	id := func(n string, more ...string) []string { return append([]string{identifierHeader, n}, more...) }
	stranger := "11111111-2222-3333-4444-555555555555"
	fault := []string{faultHeader, "Extension.Broken"}
	tests := []struct {
		call, body string
		header     []string
		kind, text string
	}{
		{"POST register", `{}`, nil, "Extension.InvalidExtensionName", "Empty extension name"},
		{"POST register", `{`, name("x"), "InvalidRequestFormat", "unexpected end of JSON input"},
		{"POST register", `{"events": [` + strings.Repeat(`"INVOKE",`, maxRegistration/9) + `"INVOKE"]}`, name("x"), "InvalidRequestFormat",
			"http: request body too large"},
		{"POST register", `{"configurationKeys": ["A"]}`, name("x"), "InvalidRequestFormat",
			"configurationKeys are deprecated; use environment variables instead"},
		{"POST register", `{"events": ["SHUTDOWN"]}`, name("x"), "Extension.InvalidEventType",
			"SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"},
		{"POST register", `{"events": ["OTHER"]}`, name("agent"), "Extension.InvalidEventType", "OTHER: ErrorInvalidEventType"},
		{"POST register", `{}`, name("agent"), "Extension.InvalidExtensionState",
			"State transition from Registered to Registered failed for extension agent. Error: State transition is not allowed"},
		{"POST register", `{}`, name("inside"), "Extension.InvalidExtensionState", "Extension with this name already registered"},
		{"GET event/next", ``, nil, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"},
		{"GET event/next", ``, id("x"), "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"},
		{"GET event/next", ``, id(stranger), "Extension.UnknownExtensionIdentifier", "Unknown extension " + stranger},
		{"POST init/error", ``, id(agent), "Extension.MissingHeader", faultHeader + " not found"},
		{"POST init/error", ``, id(stranger, fault...), "Extension.UnknownExtensionIdentifier", "Unknown Lambda-Extension-Identifier"},
		{"POST exit/error", ``, fault, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"},
	}
	for _, test := range tests {
		method, path, _ := strings.Cut(test.call, " ")
		got, _ := c.call(method, path, test.body, test.header...)
		if want := fmt.Sprintf(`403 {"errorMessage":%q,"errorType":%q}`, test.text, test.kind); got != want {
			t.Errorf("%s %s: got %s, want %s", test.call, test.body, got, want)
		}
	}
	for n := range maxExtensions - 2 {
		c.register(fmt.Sprint("inside", n), "")
	}
	if got, _ := c.call("POST", "register", `{}`, name("x")...); !strings.Contains(got, "Extension limit (10) reached") {
		t.Errorf("got %s for one too many", got)
	}
	if err := s.Expect("y"); err != ErrTooMany {
		t.Errorf("got %v, want ErrTooMany", err)
	}
	s.Seal()
	if got, _ := c.call("POST", "register", `{}`, name("x")...); !strings.Contains(got, "Extension.RegistrationClosed") {
		t.Errorf("got %s after registration", got)
	}
	if got, _ := c.call("GET", "other", ""); !strings.HasPrefix(got, "404 ") {
		t.Errorf("got %s for an operation that is not there", got)
	}
	answer := c.next(inside)
	await(t, s, func(s *Set) bool { return s.some(func(x *extension) bool { return x.state == ready }) })
	if got, _ := c.call("POST", "init/error", "", id(inside, fault...)...); !strings.Contains(got, "from Ready to InitError") {
		t.Errorf("got %s for an error of initialization after it", got)
	}
	if got, _ := c.call("GET", "event/next", "", identifierHeader, inside); !strings.Contains(got, "from Ready to Ready") {
		t.Errorf("got %s for a second request", got)
	}
	s.End()
	<-answer
}

func TestFaults(t *testing.T) {
	s := newSet()
	c := newClient(t, s)
	one, two := c.register("one", `"INVOKE"`), c.register("two", `"INVOKE"`)
	tests := []struct{ path, id, want string }{
		{"init/error", one, `202 {"status":"OK"}`},
		{"init/error", one, `202 {"status":"OK"}`},
		{"exit/error", two, `202 {"status":"OK"}`},
		{"exit/error", one, `403 {"errorMessage":"State transition from InitError to Exited failed for extension ` + one +
			`. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
	}
	for _, test := range tests {
		if got, _ := c.call("POST", test.path, `{}`, identifierHeader, test.id, faultHeader, "Extension.Broken"); got != test.want {
			t.Errorf("%s: got %s, want %s", test.path, got, test.want)
		}
	}
	if got := s.Fault(); got != FaultInit {
		t.Errorf("got %s, want the first fault", got)
	}
	s.Seal()
	if s.Settled() {
		t.Error("settled though none asked for an event")
	}
}

// Every warm invocation asks this of its environment.
func TestNoExtensionsCostNothing(t *testing.T) {
	s := newSet()
	if n := testing.AllocsPerRun(100, func() {
		if s.Any() || !s.Settled() {
			t.Error("a set without extensions waits for some")
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}
