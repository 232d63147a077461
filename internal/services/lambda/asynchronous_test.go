package lambda

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/services/lambda/async"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func eventInput(name, payload string) *sdk.InvokeInput {
	return &sdk.InvokeInput{FunctionName: aws.String(name), InvocationType: types.InvocationTypeEvent, Payload: []byte(payload)}
}

// events are the events that wait in the store, with what they carry.
func (h *harness) events() (all []string) {
	h.t.Helper()
	if err := h.db.View(h.t.Context(), func(r store.Reader) error {
		items, err := r.Scan("lambda/event/", "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			e, err := store.DecodeJSON[async.Event](item)
			if err != nil {
				return err
			}
			payload, err := r.Get("lambda/payload/" + e.Function.Account + "/" + e.Function.Region + "/" + e.Function.Name + "/" + e.RequestID)
			if err != nil {
				return err
			}
			all = append(all, e.Function.ARN()+" "+string(payload.Value))
		}
		return nil
	}); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// deliver runs the worker, once, until no event is left.
func (h *harness) deliver() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error)
	go func() { ended <- h.lambda.RunEvents(ctx) }()
	for deadline := time.Now().Add(time.Minute); len(h.events()) > 0; {
		if time.Now().After(deadline) {
			h.t.Fatalf("not delivered: %q", h.events())
		}
	}
	cancel()
	if err := <-ended; err != nil {
		h.t.Error(err)
	}
}

func TestInvokeEvent(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{FunctionName: aws.String("f")})
	must[sdk.CreateAliasOutput](h, &sdk.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")})
	in := eventInput("f:live", `{"a":1}`)
	in.ClientContext, in.LogType = aws.String("no JSON"), types.LogTypeTail // of no meaning for an event
	out := must[sdk.InvokeOutput](h, in)
	if out.StatusCode != 202 || len(out.Payload) > 0 || out.ExecutedVersion != nil || out.LogResult != nil || out.FunctionError != nil {
		t.Errorf("got %+v", out)
	}
	if got := h.lastNeeds; len(got) != 1 || got[0].Action != "lambda:InvokeFunction" || got[0].Target.ARN != arnOfF+":live" {
		t.Errorf("needs: %+v", got)
	}
	if diff := cmp.Diff([]string{arnOfF + `:live {"a":1}`}, h.events()); diff != "" || len(h.runner.invocations) > 0 {
		t.Errorf("%d ran before it was delivered; stored (-want +got):\n%s", len(h.runner.invocations), diff)
	}
	// The alias is resolved when the event is delivered.
	must[sdk.UpdateAliasOutput](h, &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("$LATEST")})
	h.deliver()
	want := execution.Invocation{RequestID: h.newCall("").RequestID, TraceID: madeUp, InvokedARN: arnOfF + ":live", Payload: []byte(`{"a":1}`),
		Event: true}
	if diff := cmp.Diff([]execution.Invocation{want}, h.runner.invocations); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := h.runner.functions[0]; got.Version != "$LATEST" || got.Role != role {
		t.Errorf("ran %+v", got)
	}
	must[sdk.InvokeOutput](h, eventInput("f", ""))
	if diff := cmp.Diff([]string{arnOfF + " {}"}, h.events()); diff != "" {
		t.Errorf("no payload (-want +got):\n%s", diff)
	}
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	if got := h.events(); len(got) > 0 {
		t.Errorf("events outlive their function: %q", got)
	}
}

func TestInvokeEventRefused(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	// A text of so many bytes with its quotes.
	text := func(size int) string { return `"` + strings.Repeat("x", size-2) + `"` }
	for _, c := range []struct {
		in      any
		code    string
		status  int
		message string
	}{
		{eventInput("g", "{}"), "ResourceNotFoundException", 404,
			"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g:$LATEST"},
		{eventInput("f:live", "{}"), "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":live"},
		{eventInput("f", "{"), "InvalidRequestContentException", 400,
			"Could not parse request body into json: Could not parse payload into json: unexpected end of JSON input"},
		{eventInput("f", text(1<<20+1)), "RequestEntityTooLargeException", 413,
			"1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"},
		{invokeAsyncInput("f", text(256<<10+1)), "RequestEntityTooLargeException", 413,
			"262145 byte payload is too large for the Event invocation type (limit 262144 bytes)"},
		{invokeAsyncInput("f", "{"), "InvalidRequestContentException", 400,
			"Could not parse request body into json: Could not parse payload into json: unexpected end of JSON input"},
		{func() any {
			in := eventInput("f", "{}")
			in.DurableExecutionName = aws.String("d")
			return in
		}(), "NotImplemented", 501, "licet does not implement DurableExecutionName of the operation Invoke of lambda."},
	} {
		if _, ok := c.in.(*sdk.InvokeAsyncInput); ok {
			refuse[sdk.InvokeAsyncOutput](h, c.in, c.code, c.status, c.message)
		} else {
			refuse[sdk.InvokeOutput](h, c.in, c.code, c.status, c.message)
		}
	}
	h.lambda.Runtimes = func(types.Runtime) bool { return false }
	refuse[sdk.InvokeOutput](h, eventInput("f", "{}"), "InvalidRuntimeException", 502, "The runtime python3.12 is not supported here.")
	h.lambda.Runtimes = func(types.Runtime) bool { return true }
	h.lambda.Room = func() bool { return false }
	_, err := do[sdk.InvokeOutput](h, eventInput("f", "{}"))
	var full *awserr.Error
	if !errors.As(err, &full) || full.Code != "ServiceException" || full.Status != 500 {
		t.Errorf("no room: got %v", err)
	}
	if got := h.events(); len(got) > 0 {
		t.Errorf("refused, but stored: %q", got)
	}
	h.lambda.Room = func() bool { return true }
	must[sdk.InvokeOutput](h, eventInput("f", text(1<<20)))
	must[sdk.InvokeAsyncOutput](h, invokeAsyncInput("f", text(256<<10)))
	must[sdk.InvokeAsyncOutput](h, &sdk.InvokeAsyncInput{FunctionName: aws.String("f")})
}

func invokeAsyncInput(name, payload string) *sdk.InvokeAsyncInput {
	return &sdk.InvokeAsyncInput{FunctionName: aws.String(name), InvokeArgs: strings.NewReader(payload)}
}

func TestInvokeAsync(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	must[sdk.AddPermissionOutput](h, permissionInput("f", "s", "*"))
	out := must[sdk.InvokeAsyncOutput](h, &sdk.InvokeAsyncInput{FunctionName: aws.String("f"), InvokeArgs: bytes.NewReader([]byte(`[1]`))})
	if out.Status != http.StatusAccepted {
		t.Errorf("got %+v", out)
	}
	// Either action can be denied, and the policy of the function counts for both.
	var got []string
	for _, need := range h.lastNeeds {
		got = append(got, need.Action+" "+need.Target.ARN)
		if need.Target.Policy == nil {
			t.Errorf("%s has no resource policy", need.Action)
		}
	}
	if diff := cmp.Diff([]string{"lambda:InvokeAsync " + arnOfF, "lambda:InvokeFunction " + arnOfF}, got); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	h.deliver()
	if got := h.runner.invocations; len(got) != 1 || string(got[0].Payload) != "[1]" || got[0].InvokedARN != arnOfF {
		t.Errorf("ran %+v", got)
	}
}

// What an event's function is, by its configuration at that time.
func TestCallable(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	const after = "arn:aws:lambda:eu-central-1:111122223333:function:after"
	h.create("after")
	h.allowed["lambda:InvokeFunction "+after] = true
	h.allowed["sqs:SendMessage arn:aws:sqs:eu-central-1:111122223333:q"] = true
	f := request.Function{Partition: "aws", Region: region, Account: account, Name: "f"}
	check := func(r request.Function, want async.Function) {
		t.Helper()
		got, err := callable{h.lambda}.Function(t.Context(), &async.Event{Function: r, TraceID: "Root=1-x"})
		if err != nil {
			t.Fatal(err)
		}
		got.Run = nil
		want.Role, want.TraceID = role, "Root=1-x;Lineage="+lineageHash(arnOfF)+":1"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.ARN(), diff)
		}
	}
	check(f, async.Function{Version: "$LATEST", RetryLimit: 2, MaxAge: 6 * time.Hour})
	must[sdk.UpdateFunctionConfigurationOutput](h, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"),
		DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:eu-central-1:111122223333:q")}})
	must[sdk.PutFunctionEventInvokeConfigOutput](h, &sdk.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("f"),
		MaximumRetryAttempts: aws.Int32(0), MaximumEventAgeInSeconds: aws.Int32(60),
		DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: aws.String(after)},
			OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:eu-central-1:111122223333:q")}}})
	must[sdk.PutFunctionConcurrencyOutput](h, &sdk.PutFunctionConcurrencyInput{FunctionName: aws.String("f"),
		ReservedConcurrentExecutions: aws.Int32(0)})
	configured := async.Function{Version: "$LATEST", MaxAge: time.Minute, Blocked: true, OnSuccess: after,
		OnFailure: "arn:aws:sqs:eu-central-1:111122223333:q", DeadLetter: "arn:aws:sqs:eu-central-1:111122223333:q"}
	check(f, configured)
	check(f.Qualified("$LATEST"), configured)
	// A configuration is of one qualifier: others have the defaults. What is of the whole function holds for all.
	must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{FunctionName: aws.String("f")})
	must[sdk.CreateAliasOutput](h, &sdk.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")})
	for _, qualifier := range []string{"1", "live"} {
		check(f.Qualified(qualifier), async.Function{Version: "1", RetryLimit: 2, MaxAge: 6 * time.Hour, Blocked: true,
			DeadLetter: configured.DeadLetter})
	}
	for _, r := range []request.Function{f.Qualified("gone"), f.Qualified("9"), {Partition: "aws", Region: region, Account: account, Name: "gone"}} {
		if _, err := (callable{h.lambda}).Function(t.Context(), &async.Event{Function: r, TraceID: "Root=1-x"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %v", r.ARN(), err)
		}
	}
}

// The trace of the caller is kept with the event, unless it is a large one.
func TestEventTrace(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{"Root=1-2", "Root=1-2;Lineage=" + lineageHash(arnOfF) + ":1"},
		{"Root=1-2;X=" + strings.Repeat("x", maxTrace), madeUp},
	} {
		h := newHarness(t)
		h.create("f")
		call := h.newCall("Invoke")
		call.TraceID = c.header
		if _, err := h.operation("Invoke").Handle(t.Context(), call, eventInput("f", "{}")); err != nil {
			t.Fatal(err)
		}
		h.deliver()
		if got := h.runner.invocations[len(h.runner.invocations)-1].TraceID; got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// A failure is written to its destination with the role of the function.
func TestEventDestination(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("after")
	const after = "arn:aws:lambda:eu-central-1:111122223333:function:after"
	h.allowed["lambda:InvokeFunction "+after] = true
	must[sdk.PutFunctionEventInvokeConfigOutput](h, &sdk.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("f"),
		MaximumRetryAttempts: aws.Int32(0),
		DestinationConfig:    &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String(after)}}})
	h.runner.outcome = &execution.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"x"}`)}
	must[sdk.InvokeOutput](h, eventInput("f", "{}"))
	h.deliver()
	if len(h.acts) != 1 {
		t.Fatalf("got %+v", h.acts)
	}
	got := h.acts[0]
	in := got.in.(*sdk.InvokeInput)
	want := async.Role{ARN: role, Function: arnOfF, Name: "f", Account: account, Region: region, TraceID: madeUp}
	if got.as != want || got.operation != "lambda:Invoke" || *in.FunctionName != after || in.InvocationType != types.InvocationTypeEvent {
		t.Errorf("got %+v", got)
	}
}
