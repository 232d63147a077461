package lambda

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/protocol"
)

// events sends a stream to its end and reads it as a client does: type and payload of each event.
func events(t *testing.T, s *protocol.Stream) (got []string) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Send(t.Context(), protocol.NewEvents(w, func() error { return nil })); err != nil {
		t.Fatal(err)
	}
	decoder, body := eventstream.NewDecoder(), bytes.NewReader(w.Body.Bytes())
	for body.Len() > 0 {
		m, err := decoder.Decode(body, nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Headers.Get(":event-type").String()+" "+string(m.Payload))
	}
	return got
}

func TestInvokeWithResponseStream(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.runner.parts = []string{"one", "two"}
	in := &sdk.InvokeWithResponseStreamInput{FunctionName: aws.String("f"), Payload: []byte(`{}`)}
	got := must[protocol.Stream](h, in)
	head := got.Output.(*sdk.InvokeWithResponseStreamOutput)
	if *head.ExecutedVersion != "$LATEST" || *head.ResponseStreamContentType != eventStream || head.StatusCode != 200 {
		t.Errorf("got %+v", head)
	}
	if diff := cmp.Diff([]string{"PayloadChunk one", "PayloadChunk two", "InvokeComplete {}"}, events(t, got)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		outcome execution.Result
		tail    types.LogType
		want    string
	}{
		"fails": {execution.Result{Payload: []byte(`{"errorType":"E"}`), FunctionError: "Unhandled", ErrorType: "E"}, "",
			`InvokeComplete {"ErrorCode":"E","ErrorDetails":"{\"errorType\":\"E\"}"}`},
		"fails without a name": {execution.Result{FunctionError: "Unhandled"}, "", `InvokeComplete {"ErrorCode":"Unhandled"}`},
		"tail":                 {execution.Result{LogTail: []byte("END")}, types.LogTypeTail, `InvokeComplete {"LogResult":"RU5E"}`},
	} {
		h.runner.outcome, in.LogType = &c.outcome, c.tail
		got := events(t, must[protocol.Stream](h, in))
		if diff := cmp.Diff([]string{"PayloadChunk one", "PayloadChunk two", c.want}, got); diff != "" {
			t.Errorf("%s: events (-want +got):\n%s", name, diff)
		}
	}
	in.InvocationType = types.ResponseStreamingInvocationTypeDryRun
	calls := len(h.runner.invocations)
	got = must[protocol.Stream](h, in)
	if code := got.Output.(*sdk.InvokeWithResponseStreamOutput).StatusCode; code != 204 || len(events(t, got)) > 0 || len(h.runner.invocations) > calls {
		t.Errorf("dry run: got status %d, %d invocations", code, len(h.runner.invocations)-calls)
	}
}

// What keeps an event from the function is an error, and no stream.
func TestInvokeWithResponseStreamRefused(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	in := func(name string) *sdk.InvokeWithResponseStreamInput {
		return &sdk.InvokeWithResponseStreamInput{FunctionName: aws.String(name), Payload: []byte(`{}`)}
	}
	refuse[protocol.Stream](h, in("g"), "ResourceNotFoundException", 404, "Function not found: "+strings.TrimSuffix(arnOfF, "f")+"g:$LATEST")
	bad := in("f")
	bad.Payload = []byte("{")
	_, err := do[protocol.Stream](h, bad)
	if err == nil || !strings.Contains(err.Error(), "Could not parse request body into json") {
		t.Errorf("got %v, want a complaint of the payload", err)
	}
	h.runner.fail = execution.ErrThrottled{Reason: "ReservedFunctionConcurrentInvocationLimitExceeded"}
	if _, err := do[protocol.Stream](h, in("f")); err == nil || !strings.Contains(err.Error(), "Rate Exceeded") {
		t.Errorf("got %v, want to be throttled", err)
	}
}
