package upstream

import (
	"regexp"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
)

// apigateway: actions are HTTP methods, resources paths
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/security_iam_service-with-iam.html).
func (q *question) apigateway() ([]service.Need, bool) {
	path := arn.ARN{
		Partition: q.call.Partition, Service: "apigateway", Region: q.call.Region,
		Resource: strings.TrimSuffix(strings.TrimPrefix(q.in.request.HTTP.URL.Path, "/v2"), "/"),
	}
	return []service.Need{q.about("apigateway:"+q.in.request.HTTP.Method, resource{arn: path.String()})}, true
}

// executeAPI: the connections of WebSocket APIs, whose API and stage the host names, which is licet's here
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html).
func (q *question) executeAPI() ([]service.Need, bool) {
	if !q.isOne("PostToConnection", "GetConnection", "DeleteConnection") {
		return nil, false
	}
	connection := q.in.request.HTTP.URL.Path
	connection = connection[strings.Index(connection, "@connections/"):]
	on := resource{arn: q.here("*/*/" + q.in.request.HTTP.Method + "/" + connection), partly: true}
	return []service.Need{q.about("execute-api:ManageConnections", on)}, true
}

// bedrock: the operations that run a model have two actions between them
// (https://docs.aws.amazon.com/bedrock/latest/userguide/security_iam_id-based-policy-examples.html).
func (q *question) bedrock() ([]service.Need, bool) {
	action := map[string]string{
		"InvokeModel": "bedrock:InvokeModel", "Converse": "bedrock:InvokeModel", "StartAsyncInvoke": "bedrock:InvokeModel",
		"InvokeModelWithResponseStream": "bedrock:InvokeModelWithResponseStream", "ConverseStream": "bedrock:InvokeModelWithResponseStream",
		"InvokeModelWithBidirectionalStream": "bedrock:InvokeModelWithBidirectionalStream",
	}[q.in.operation]
	model := q.in.text("modelId")
	if action == "" || model == "" {
		return nil, false
	}
	switch {
	case strings.HasPrefix(model, "arn:"):
		return []service.Need{q.about(action, q.named("", model))}, true
	case profileID.MatchString(model):
		return []service.Need{q.about(action, q.named("inference-profile/", model))}, true
	}
	foundation := arn.ARN{Partition: q.call.Partition, Service: "bedrock", Region: q.call.Region, Resource: "foundation-model/" + model}
	return []service.Need{q.about(action, resource{arn: foundation.String()})}, true
}

// profileID is the id of a model for several Regions: us.anthropic.claude-…
// (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html).
var profileID = regexp.MustCompile(`^(us|us-gov|eu|apac|jp|au|ca|global)\.`)

// rdsData: the secret with which the database is signed in to is read as the caller
// (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.access.html).
func (q *question) rdsData() ([]service.Need, bool) {
	needs := q.general("rds-data:" + q.in.operation)
	if secret := q.in.text("secretArn"); secret != "" {
		n := q.about("secretsmanager:GetSecretValue", resource{arn: secret})
		n.Doubt.Key = func(name string) bool {
			name = strings.ToLower(name)
			return strings.HasPrefix(name, "secretsmanager:") || strings.HasPrefix(name, "aws:resourcetag/")
		}
		needs = append(needs, n)
	}
	return needs, true
}
