package compat

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// streaming does what its event asks for.
const streaming = `export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if (event === "early") throw new RangeError("early");
  stream.write("one ");
  if (event === "late") throw new RangeError("late");
  if (event === "hangs") await new Promise(() => setInterval(() => {}, 1000));
  if (event === "large") for (let i = 0; i < 300; i++) await new Promise((ok) => stream.write("x".repeat(10000), ok));
  stream.write("two ");
  stream.end(context.invokedFunctionArn.split(":").pop());
});`

// answered is a streamed response as a client saw it.
type answered struct {
	Text, ErrorCode string
	Details, Log    bool // whether there are any
}

func (c clients) stream(t *testing.T, in *lambda.InvokeWithResponseStreamInput) (answered, error) {
	t.Helper()
	out, err := c.lambda.InvokeWithResponseStream(t.Context(), in)
	if err != nil {
		return answered{}, err
	}
	events := out.GetStream()
	defer events.Close()
	var got answered
	for event := range events.Events() {
		switch e := event.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			got.Text += string(e.Value.Payload)
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			got.ErrorCode = aws.ToString(e.Value.ErrorCode)
			got.Details, got.Log = e.Value.ErrorDetails != nil, e.Value.LogResult != nil
		}
	}
	return got, events.Err()
}

// Responses of Node.js and Python functions arrive as streams of events in an unmodified SDK, with the errors of their end.
func TestInvokeWithResponseStream(t *testing.T) {
	t.Parallel()
	within := func(seconds int32) function {
		return server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
			in.Runtime, in.Handler, in.Timeout = types.RuntimeNodejs20x, aws.String("index.handler"), &seconds
			in.Code = &types.FunctionCode{ZipFile: archive(t, file{name: "index.mjs", text: streaming})}
		})
	}
	f, short := within(30), within(3)
	plain := server.newFunction(t, echo)
	root := server.as(server.root)
	for name, c := range map[string]struct {
		function, event string
		tail            types.LogType
		want            answered
	}{
		"whole":        {f.name, `1`, "", answered{Text: "one two " + f.name}},
		"with a tail":  {f.name, `1`, types.LogTypeTail, answered{Text: "one two " + f.name, Log: true}},
		"large":        {f.name, `"large"`, "", answered{Text: "one " + strings.Repeat("x", 3_000_000) + "two " + f.name}},
		"fails early":  {f.name, `"early"`, "", answered{ErrorCode: "Unhandled", Details: true}},
		"fails late":   {f.name, `"late"`, "", answered{Text: "one ", ErrorCode: "RangeError", Details: true}},
		"times out":    {short.name, `"hangs"`, "", answered{Text: "one ", ErrorCode: "Sandbox.Timedout"}},
		"not streamed": {plain.name, `{"a":1}`, "", answered{Text: `{"a": 1}`}},
	} {
		got, err := root.stream(t, &lambda.InvokeWithResponseStreamInput{FunctionName: &c.function, Payload: []byte(c.event), LogType: c.tail})
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, answer (-want +got):\n%s", name, err, diff)
		}
	}
	// Invoke collects what is streamed.
	if got, err := root.invoke(t, f.name, `1`); err != nil || got != "one two "+f.name {
		t.Errorf("Invoke: got %q, %v", got, err)
	}
	_, err := root.stream(t, &lambda.InvokeWithResponseStreamInput{FunctionName: aws.String("missing")})
	check(t, err, failure{404, "ResourceNotFoundException", "Function not found: " + strings.TrimSuffix(f.arn, f.name) + "missing:$LATEST"})
	stranger := server.newUser(t)
	_, err = stranger.stream(t, &lambda.InvokeWithResponseStreamInput{FunctionName: &f.name})
	if got := failureOf(err); got.Code != "AccessDeniedException" || !strings.Contains(got.Message, "lambda:InvokeFunction") {
		t.Errorf("a stranger: got %+v, want to be denied", got)
	}
}
