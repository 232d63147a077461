package lambda

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/restjson"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/lambdaapi"
	"github.com/licet/licet/internal/store"
)

// urlHarness makes requests to function URLs as edge and dispatch do, but for authentication and decision.
type urlHarness struct {
	*harness
	requests service.Service
}

func newURLHarness(t *testing.T) urlHarness {
	codec, err := restjson.New(lambdaapi.API())
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t)
	return urlHarness{h, h.lambda.FunctionURLRequests(codec)}
}

// newURL gives a function a URL, and its host.
func (h urlHarness) newURL(mode types.InvokeMode) string {
	h.t.Helper()
	out := must[sdk.CreateFunctionUrlConfigOutput](h.harness, &sdk.CreateFunctionUrlConfigInput{
		FunctionName: aws.String("f"), AuthType: types.FunctionUrlAuthTypeNone, InvokeMode: mode,
	})
	return hostOf(h.t, *out.FunctionUrl)
}

// hostOf is the host of a URL as clients have it; the test's address has another form.
func hostOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(u.Host, ".")
	return id + ".lambda-url." + region + ".localhost"
}

// get makes a request to a host, and gives what the client sees; detail is what the decision log has of an error.
func (h urlHarness) get(host string, headers ...string) (w *httptest.ResponseRecorder, detail string) {
	h.t.Helper()
	r := httptest.NewRequest("GET", "/path", nil)
	r.Host = host
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w = httptest.NewRecorder()
	if err := h.serve(w, r); err != nil {
		var e *awserr.Error
		if !errors.As(err, &e) {
			e = awserr.Internal(err)
		}
		h.requests.Codec.EncodeError(w, e, "id")
		detail = e.Detail
	}
	return w, detail
}

func (h urlHarness) serve(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	req := &protocol.Request{HTTP: r, Body: body}
	op, err := h.requests.Codec.Operation(req)
	if err != nil {
		return err
	}
	in, err := h.requests.Codec.Decode(req, op)
	if err != nil {
		return err
	}
	c := h.newCall(op.Name)
	c.TraceID = r.Header.Get("X-Amzn-Trace-Id")
	if op.Open {
		c.Caller, c.Account = principal.Caller{Principal: authz.Principal{Kind: authz.Anonymous}}, ""
	}
	o := h.requests.Operations[0]
	if c, err = o.Identify(h.t.Context(), c, in); err != nil {
		return err
	}
	needs, err := o.Needs(h.t.Context(), c, in)
	if err != nil {
		return err
	}
	h.lastNeeds = needs
	out, err := o.Handle(h.t.Context(), c, in)
	if err != nil {
		return err
	}
	return h.requests.Codec.Encode(w, op, out, "id")
}

// What keeps a function from running, or is wrong with its answer, has the status that clients of a URL see.
func TestFunctionURLFailures(t *testing.T) {
	const loop = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage="
	for name, c := range map[string]struct {
		mode    types.InvokeMode
		prepare func(h urlHarness)
		trace   string
		status  int
		body    string
		detail  string
	}{
		"throttled": {prepare: func(h urlHarness) { h.runner.fail = execution.ErrThrottled{Reason: "x"} },
			status: 429, body: `{"Reason":"x","Type":"User","message":"Rate Exceeded."}`},
		"throttled stream": {mode: types.InvokeModeResponseStream, prepare: func(h urlHarness) { h.runner.fail = execution.ErrThrottled{Reason: "x"} },
			status: 429, body: `{"Reason":"x","Type":"User","message":"Rate Exceeded."}`},
		"role": {prepare: func(h urlHarness) { h.runner.fail = execution.ErrRole{} },
			status: 502, body: "Internal Server Error", detail: "AccessDeniedException: The role defined for the function cannot be assumed by Lambda."},
		"restore": {prepare: func(h urlHarness) { h.runner.fail = execution.ErrSnapStart{Timeout: true} }, status: 502,
			body: "Internal Server Error", detail: "SnapStartTimeoutException: Lambda couldn't restore the snapshot within the timeout limit."},
		"server": {prepare: func(h urlHarness) { h.runner.fail = errors.New("secret") }, status: 500,
			body: `{"message":"The request processing has failed because of an unknown error, exception or failure."}`},
		"function": {prepare: func(h urlHarness) {
			h.runner.outcome = &execution.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"E"}`)}
		}, status: 502, body: "Internal Server Error", detail: `the function failed: {"errorType":"E"}`},
		"answer": {prepare: func(h urlHarness) { h.runner.outcome = &execution.Result{Payload: []byte(`{"statusCode":1}`)} },
			status: 502, body: "Internal Server Error", detail: "the statusCode 1 is not a number from 200 to 599"},
		"stream": {mode: types.InvokeModeResponseStream, prepare: func(h urlHarness) {
			h.runner.parts, h.runner.outcome = nil, &execution.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"E"}`)}
		}, status: 502, body: "Internal Server Error", detail: `the function failed: {"errorType":"E"}`},
		"prelude": {mode: types.InvokeModeResponseStream, prepare: func(h urlHarness) {
			h.runner.contentType, h.runner.parts = "application/vnd.awslambda.http-integration-response", []string{"{}"}
		}, status: 502, body: "Internal Server Error", detail: "the stream has ended before eight bytes of zero"},
		"loop": {trace: loop + lineageHash(arnOfF) + ":16", prepare: func(urlHarness) {}, status: 400,
			body: `{"Message":"Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and ` +
				`stopped your function's invocation.","Type":"User"}`},
		"whole": {prepare: func(h urlHarness) { h.runner.outcome = &execution.Result{Payload: []byte(`"fine"`)} }, status: 200, body: "fine"},
		"whole stream": {mode: types.InvokeModeResponseStream, prepare: func(h urlHarness) {
			h.runner.contentType, h.runner.parts = "application/vnd.awslambda.http-integration-response",
				[]string{`{"statusCode":`, `202}` + "\x00\x00\x00\x00\x00", "\x00\x00\x00a", "b"}
		}, status: 202, body: "ab"},
	} {
		h := newURLHarness(t)
		h.create("f")
		host := h.newURL(c.mode)
		c.prepare(h)
		w, detail := h.get(host, "X-Amzn-Trace-Id", c.trace)
		if w.Code != c.status || w.Body.String() != c.body || detail != c.detail {
			t.Errorf("%s: got %d %s, detail %q, want %d %s, %q", name, w.Code, w.Body, detail, c.status, c.body, c.detail)
		}
	}
}

// A stream that the function breaks off must not look whole.
func TestFunctionURLStreamBreaksOff(t *testing.T) {
	h := newURLHarness(t)
	h.create("f")
	host := h.newURL(types.InvokeModeResponseStream)
	h.runner.contentType, h.runner.parts = "text/plain", []string{"part"}
	h.runner.outcome = &execution.Result{FunctionError: "Unhandled", ErrorType: "E"}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("got %v, want the answer broken off", p)
		}
	}()
	h.get(host)
	t.Error("the answer is whole")
}

// A URL is known as long as its configuration is there, and only the id says whose it is.
func TestFunctionURLIndex(t *testing.T) {
	h := newURLHarness(t)
	h.create("f")
	h.qualified("f")
	h.runner.outcome = &execution.Result{Payload: []byte(`"fine"`)}
	host := h.newURL("")
	alias := must[sdk.CreateFunctionUrlConfigOutput](h.harness, &sdk.CreateFunctionUrlConfigInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("live"), AuthType: types.FunctionUrlAuthTypeNone,
	})
	ofAlias := hostOf(t, *alias.FunctionUrl)
	known := func(host string, want bool) {
		t.Helper()
		w, _ := h.get(host)
		if got := w.Code == 200; got != want || !got && w.Body.String() != `{"Message":null}` {
			t.Errorf("%s: got %d %s, known should be %t", host, w.Code, w.Body, want)
		}
	}
	known(host, true)
	known(ofAlias, true)
	h.sweep() // as at the next start
	if r := h.lastNeeds; len(r) != 2 || r[0].Target.ARN != arnOfF+":live" || r[1].Target.ARN != arnOfF+":live" {
		t.Errorf("got needs %+v", r)
	}
	known("x"+host, false)
	known(strings.Replace(host, region, "us-east-1", 1), false)

	// One that was made before there was an index is known once it is written again.
	id, _, _ := strings.Cut(host, ".")
	err := h.db.Update(t.Context(), func(tx store.Tx) error { return tx.Delete("lambda-url/" + id) })
	if err != nil {
		t.Fatal(err)
	}
	known(host, false)
	must[sdk.UpdateFunctionUrlConfigOutput](h.harness, &sdk.UpdateFunctionUrlConfigInput{FunctionName: aws.String("f")})
	known(host, true)

	must[sdk.DeleteAliasOutput](h.harness, &sdk.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
	known(ofAlias, false)
	known(host, true)
	must[sdk.DeleteFunctionUrlConfigOutput](h.harness, &sdk.DeleteFunctionUrlConfigInput{FunctionName: aws.String("f")})
	known(host, false)
	again := h.newURL("")
	known(host, false)
	known(again, true)
	must[sdk.DeleteFunctionOutput](h.harness, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	known(again, false)
	err = h.db.View(t.Context(), func(r store.Reader) error {
		left, err := r.Scan("lambda-url/", "", 0)
		if len(left) > 0 {
			t.Errorf("%d ids are left behind", len(left))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What is not for a URL is no operation: clients that sign nothing are guessed to be those of the service whose codec knows one.
func TestFunctionURLOfAnotherHost(t *testing.T) {
	h := newURLHarness(t)
	op, err := h.requests.Codec.Operation(&protocol.Request{HTTP: httptest.NewRequest("GET", "http://127.0.0.1:4566/2015-03-31/functions", nil)})
	wantError(t, err, "UnknownOperationException", 404, "The request is not for a function URL.")
	if op != nil {
		t.Errorf("got %s", op.Name)
	}
}

// Nobody comes in by a URL that wants signatures who does not sign, whatever its function's policy says, nor by one that has changed since
// the request was looked at.
func TestFunctionURLWantsSignatures(t *testing.T) {
	h := newURLHarness(t)
	h.create("f")
	host := h.newURL("")
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = host
	req := &protocol.Request{HTTP: r}
	open, err := h.requests.Codec.Operation(req)
	if err != nil || !open.Open {
		t.Fatalf("got operation %+v, %v", open, err)
	}
	must[sdk.UpdateFunctionUrlConfigOutput](h.harness, &sdk.UpdateFunctionUrlConfigInput{
		FunctionName: aws.String("f"), AuthType: types.FunctionUrlAuthTypeAwsIam,
	})
	const forbidden = "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
	_, err = h.requests.Codec.Decode(req, open)
	wantError(t, err, "AccessDeniedException", 403, forbidden)
	signed, err := h.requests.Codec.Operation(req)
	if err != nil || signed.Open {
		t.Fatalf("got operation %+v, %v", signed, err)
	}
	in, err := h.requests.Codec.Decode(req, signed)
	if err != nil {
		t.Fatal(err)
	}
	c := h.newCall(signed.Name)
	c.Caller = principal.Caller{Principal: authz.Principal{Kind: authz.Anonymous}}
	_, err = h.requests.Operations[0].Identify(t.Context(), c, in)
	wantError(t, err, "AccessDeniedException", 403, forbidden)
}

// A body that no event can have is refused before one is made, which takes more memory by far than the body.
func TestFunctionURLBodyTooLong(t *testing.T) {
	h := newURLHarness(t)
	h.create("f")
	host := h.newURL(types.InvokeModeBuffered)
	body := strings.Repeat("\x00", maxPayload+1)
	send := func() (*httptest.ResponseRecorder, error) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Host = host
		r.Header.Set("Content-Type", "text/plain")
		w := httptest.NewRecorder()
		return w, h.serve(w, r)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := send()
	runtime.ReadMemStats(&after)
	if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("got %v", err)
	}
	// Reading the body takes up to six times its length.
	if took := after.TotalAlloc - before.TotalAlloc; took > 8*uint64(len(body)) {
		t.Errorf("%d bytes took %d", len(body), took)
	}
}
