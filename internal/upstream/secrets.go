package upstream

import (
	"regexp"
	"strings"

	"github.com/licet/licet/internal/service"
)

// The permissions of Secrets Manager: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html. The
// ARN of a secret ends with six characters that only the server knows.

func (q *question) secretsManager() ([]service.Need, bool) {
	switch {
	case q.isOne("BatchGetSecretValue"):
		needs := []service.Need{q.about("secretsmanager:BatchGetSecretValue", resource{arn: "*"})}
		for _, id := range q.in.texts("SecretIdList") {
			needs = append(needs, q.ofSecret("secretsmanager:GetSecretValue", id))
		}
		if q.in.members["Filters"] != nil || len(needs) == 1 {
			needs = append(needs, q.about("secretsmanager:GetSecretValue", q.named("secret:", "")))
		}
		return needs, true
	case q.isOne("CreateSecret"):
		return []service.Need{q.ofSecret("secretsmanager:CreateSecret", q.in.text("Name"))}, true
	case q.in.text("SecretId") != "" && q.hasResources("secretsmanager:"+q.in.operation):
		return []service.Need{q.ofSecret("secretsmanager:"+q.in.operation, q.in.text("SecretId"))}, true
	}
	return nil, false
}

// ofSecret is a need on a secret by its name, its ARN, or its ARN without the characters at the end.
func (q *question) ofSecret(action, id string) service.Need {
	on := q.named("secret:", id)
	if !on.partly && !wholeSecret.MatchString(id) {
		on = resource{arn: on.arn + "-??????", partly: true}
	}
	return q.about(action, on)
}

// wholeSecret is an ARN with the six characters.
var wholeSecret = regexp.MustCompile(`^arn:.*-[A-Za-z0-9]{6}$`)

// The permissions of Systems Manager's parameters: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html

func (q *question) ssm() ([]service.Need, bool) {
	var names []string
	switch {
	case q.isOne("GetParameter", "PutParameter", "DeleteParameter", "GetParameterHistory", "LabelParameterVersion", "UnlabelParameterVersion"):
		names = []string{q.in.text("Name")}
	case q.isOne("GetParameters", "DeleteParameters"):
		names = q.in.texts("Names")
	case q.isOne("GetParametersByPath"):
		names = []string{q.in.text("Path")}
	default:
		return nil, false
	}
	var needs []service.Need
	for _, name := range names {
		needs = append(needs, q.about("ssm:"+q.in.operation, q.parameter(name)))
	}
	return needs, true
}

// parameter is a parameter or a path of some: "/app/db", or "db" with a version or label, or an ARN.
func (q *question) parameter(name string) resource {
	if !strings.HasPrefix(name, "arn:") {
		name, _, _ = strings.Cut(name, ":")
		return q.named("parameter/", strings.TrimSuffix(strings.TrimPrefix(name, "/"), "/"))
	}
	parts := strings.SplitN(name, ":", 7)
	if len(parts) > 6 {
		name = strings.Join(parts[:6], ":")
	}
	return q.named("parameter/", name)
}
