package query_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/protocol/query"
	"github.com/licet/licet/internal/services/iam/iamapi"
	"github.com/licet/licet/internal/services/sts/stsapi"
)

func services() map[string]protocoltest.Service {
	return map[string]protocoltest.Service{
		"iam": {
			Module: "github.com/aws/aws-sdk-go-v2/service/iam",
			API:    iamapi.API(),
			Codec:  query.New(iamapi.API()),
			Client: func(c aws.Config) any { return iam.NewFromConfig(c) },
		},
		"sts": {
			Module: "github.com/aws/aws-sdk-go-v2/service/sts",
			API:    stsapi.API(),
			Codec:  query.New(stsapi.API()),
			Client: func(c aws.Config) any { return sts.NewFromConfig(c) },
		},
	}
}

func TestRequests(t *testing.T) {
	for name, s := range services() {
		t.Run(name, s.Requests)
	}
}

func TestResponses(t *testing.T) {
	for name, s := range services() {
		t.Run(name, s.Responses)
	}
}
