package json_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/services/logs/logsapi"
	"github.com/licet/licet/internal/services/organizations/organizationsapi"
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

func TestRequests(t *testing.T) {
	service().Requests(t)
	organizationsService().Requests(t)
}

func TestResponses(t *testing.T) {
	service().Responses(t)
	organizationsService().Responses(t)
}

func TestErrors(t *testing.T) {
	organizationsService().Errors(t, "ListRoots", nil)
	service().Errors(t, "DescribeLogGroups", map[string]string{
		"MalformedQueryException": "its member queryCompileError is a structure",
	})
}
