package restjson_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/protocol/restjson"
	"github.com/licet/licet/internal/services/lambda/lambdaapi"
)

func newCodec(t testing.TB) *restjson.Codec {
	t.Helper()
	c, err := restjson.New(lambdaapi.API())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func service(t testing.TB) protocoltest.Service {
	t.Helper()
	return protocoltest.Service{
		Module: "github.com/aws/aws-sdk-go-v2/service/lambda",
		API:    lambdaapi.API(),
		Codec:  newCodec(t),
		Client: func(c aws.Config) any { return lambda.NewFromConfig(c) },
		Prepare: func(out any) {
			switch out := out.(type) {
			case *lambda.InvokeOutput:
				out.StatusCode = 202
			case *lambda.InvokeAsyncOutput:
				out.Status = 202
			case *lambda.DeleteFunctionOutput:
				out.StatusCode = 204
			}
		},
		Unwritable: map[string]string{
			"InvokeWithResponseStream": "its output is an event stream",
		},
	}
}

func TestRequests(t *testing.T) { service(t).Requests(t) }

func TestResponses(t *testing.T) { service(t).Responses(t) }

func TestErrors(t *testing.T) { service(t).Errors(t, "GetFunction", nil) }
