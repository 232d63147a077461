package json_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/services/logs/logsapi"
	"github.com/licet/licet/internal/services/organizations/organizationsapi"
	"github.com/licet/licet/internal/services/sqs/sqsapi"
)

func service() protocoltest.Service {
	return protocoltest.Service{
		Module: "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs",
		API:    logsapi.API(),
		Codec:  json.New(logsapi.API(), json.Version11),
		Client: func(c aws.Config) any { return cloudwatchlogs.NewFromConfig(c) },
		Prepare: func(out any) {
			if out, ok := out.(*cloudwatchlogs.GetIntegrationOutput); ok {
				out.IntegrationDetails = &types.IntegrationDetailsMemberOpenSearchIntegrationDetails{
					Value: types.OpenSearchIntegrationDetails{AccessPolicy: &types.OpenSearchDataAccessPolicy{PolicyName: aws.String("p")}},
				}
			}
		},
		Unwritable: map[string]string{
			"GetLogObject":  "its output is an event stream",
			"StartLiveTail": "its output is an event stream",
		},
	}
}

func organizationsService() protocoltest.Service {
	return protocoltest.Service{
		Module: "github.com/aws/aws-sdk-go-v2/service/organizations",
		API:    organizationsapi.API(),
		Codec:  json.New(organizationsapi.API(), json.Version11),
		Client: func(c aws.Config) any { return organizations.NewFromConfig(c) },
	}
}

func sqsService() protocoltest.Service {
	return protocoltest.Service{
		Module: "github.com/aws/aws-sdk-go-v2/service/sqs",
		API:    sqsapi.API(),
		Codec:  json.New(sqsapi.API(), json.Version10),
		Client: func(c aws.Config) any {
			return sqs.NewFromConfig(c, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
		},
	}
}

func TestRequests(t *testing.T) {
	sqsService().Requests(t)
	service().Requests(t)
	organizationsService().Requests(t)
}

func TestResponses(t *testing.T) {
	sqsService().Responses(t)
	service().Responses(t)
	organizationsService().Responses(t)
}

func TestErrors(t *testing.T) {
	sqsService().Errors(t, "ListQueues", nil)
	organizationsService().Errors(t, "ListRoots", nil)
	service().Errors(t, "DescribeLogGroups", map[string]string{
		"MalformedQueryException": "its member queryCompileError is a structure",
	})
}

// A service that had the query protocol before tells its clients the code that they know from there.
func TestErrorsForOlderClients(t *testing.T) {
	for code, want := range map[string]string{
		"QueueDoesNotExist":              "AWS.SimpleQueueService.NonExistentQueue;Sender",
		"QueueNameExists":                "QueueAlreadyExists;Sender",
		"InvalidParameterValueException": "InvalidParameterValue;Sender",
		"AccessDeniedException":          "AccessDenied;Sender",
		"InvalidAttributeName":           "InvalidAttributeName;Sender",
	} {
		w := httptest.NewRecorder()
		sqsService().Codec.EncodeError(w, awserr.New(code, http.StatusBadRequest, "m"), protocoltest.RequestID)
		if got := w.Header().Get("X-Amzn-Query-Error"); got != want || !strings.Contains(w.Body.String(), `"`+code+`"`) {
			t.Errorf("%s: got %q, body %s", code, got, w.Body)
		}
	}
	w := httptest.NewRecorder()
	service().Codec.EncodeError(w, awserr.New("ResourceNotFoundException", http.StatusBadRequest, "m"), protocoltest.RequestID)
	if got := w.Header().Get("X-Amzn-Query-Error"); got != "" {
		t.Errorf("a service without such clients: got %q", got)
	}
}
