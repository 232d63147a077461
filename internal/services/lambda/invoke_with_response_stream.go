package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/stream"
)

// eventStream is the type of the answer's content, "the type of data the stream is returning"
// (https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html).
const eventStream = "application/vnd.amazon.eventstream"

func invokeWithResponseStreamReference(c *service.Call, in *sdk.InvokeWithResponseStreamInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	request.Enum(&v, "invocationType", in.InvocationType, in.InvocationType.Values())
	request.Enum(&v, "logType", in.LogType, in.LogType.Values())
	v.Text("tenantId", in.TenantId, tenantIDText)
	return v.Resolve(c, r, in.Qualifier)
}

// invokeWithResponseStream runs a function as Invoke does. What keeps the event from an environment is the answer; all later errors are
// events.
func (s *Service) invokeWithResponseStream(
	ctx context.Context, c *service.Call, in *sdk.InvokeWithResponseStreamInput,
) (*protocol.Stream, error) {
	r, err := invokeWithResponseStreamReference(c, in)
	if err != nil {
		return nil, err
	}
	run, call, err := s.prepare(ctx, c, r, &sdk.InvokeInput{
		InvocationType: types.InvocationType(in.InvocationType), ClientContext: in.ClientContext, LogType: in.LogType, Payload: in.Payload,
		TenantId: in.TenantId,
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.InvokeWithResponseStreamOutput{StatusCode: http.StatusOK, ResponseStreamContentType: aws.String(eventStream)}
	if run == nil {
		out.StatusCode, out.ResponseStreamContentType = http.StatusNoContent, nil
		return &protocol.Stream{Output: out, Send: func(context.Context, *protocol.Events) error { return nil }}, nil
	}
	out.ExecutedVersion = aws.String(run.Version)
	pipe, err := s.startStream(ctx, r, *run, *call)
	if err != nil {
		return nil, err
	}
	return &protocol.Stream{Output: out, Send: func(_ context.Context, events *protocol.Events) error {
		return sendResponse(events, pipe, in.LogType == types.LogTypeTail)
	}}, nil
}

// startStream begins an invocation whose response is streamed. An error says that no environment has the event.
func (s *Service) startStream(
	ctx context.Context, r request.Function, run execution.Function, call execution.Invocation,
) (*stream.Pipe, error) {
	pipe := stream.New(ctx)
	call.Stream = pipe
	go func() { // the end of the invocation ends it, whether or not the caller waits (execution.Manager.Invoke)
		pipe.End(s.Runner.Invoke(ctx, run, call))
	}()
	if err := pipe.Begun(); err != nil {
		return nil, invokeError(err, r)
	}
	return pipe, nil
}

// sendResponse sends the parts of a response, and how it ended.
func sendResponse(events *protocol.Events, pipe *stream.Pipe, tail bool) error {
	result, err := pipe.Copy(func(part []byte) error {
		return events.Send("PayloadChunk", "application/octet-stream", part)
	})
	if err != nil {
		return err
	}
	end, err := json.Marshal(completion(result, tail))
	if err != nil {
		return err
	}
	return events.Send("InvokeComplete", "application/json", end)
}

// complete is the event InvokeComplete.
type complete struct {
	ErrorCode    string `json:"ErrorCode,omitempty"`
	ErrorDetails string `json:"ErrorDetails,omitempty"`
	LogResult    string `json:"LogResult,omitempty"`
}

func completion(result execution.Result, tail bool) complete {
	var end complete
	if tail {
		end.LogResult = base64.StdEncoding.EncodeToString(result.LogTail)
	}
	if result.FunctionError != "" {
		end.ErrorCode, end.ErrorDetails = result.ErrorType, string(result.Payload)
		if end.ErrorCode == "" {
			end.ErrorCode = result.FunctionError
		}
	}
	return end
}
