package upstream

import (
	"context"
	"net/http"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
)

// question is a call of which the needs are to be found.
type question struct {
	*remote
	call *service.Call
	in   *Input
}

// needs finds what a call needs authorized: by the rule of its service, else by that of all.
func (r *remote) needs(_ context.Context, c *service.Call, in *Input) ([]service.Need, error) {
	q := &question{remote: r, call: c, in: in}
	needs, known := q.byRule()
	if !known {
		needs = q.general(r.prefix + ":" + in.operation)
	}
	needs = append(needs, q.passedRoles()...)
	if len(needs) == 0 {
		return nil, awserr.New("ValidationException", http.StatusBadRequest, "The request names nothing that %s could act on.", in.operation)
	}
	return needs, nil
}

// byRule asks the rule of the service. It does not know all operations.
func (q *question) byRule() (needs []service.Need, known bool) {
	if rule, ok := rules()[q.prefix]; ok {
		return rule(q)
	}
	return nil, false
}

// rules are those of services whose operations are not simply actions, or whose requests name resources in their own way.
func rules() map[string]func(*question) ([]service.Need, bool) {
	return map[string]func(*question) ([]service.Need, bool){
		"apigateway":     (*question).apigateway,
		"bedrock":        (*question).bedrock,
		"dynamodb":       (*question).dynamodb,
		"events":         (*question).events,
		"execute-api":    (*question).executeAPI,
		"kms":            (*question).kms,
		"rds-data":       (*question).rdsData,
		"secretsmanager": (*question).secretsManager,
		"sns":            (*question).sns,
		"ssm":            (*question).ssm,
	}
}

// resource is what an action acts on.
type resource struct {
	arn string
	// partly tells that parts of the ARN are not known.
	partly bool
}

// anything is the resource of a call of which nothing says what it acts on.
func anything() resource { return resource{arn: "*", partly: true} }

// about makes a need with the condition keys that the request has for its action.
func (q *question) about(action string, on resource) service.Need {
	k := q.keys(action)
	target := service.Target{ARN: on.arn, Keys: k.context}
	if parsed, err := arn.Parse(on.arn); err == nil {
		target.Account = parsed.AccountID
	}
	return service.Need{Action: action, Target: target, Doubt: &service.Doubt{
		Resource: on.partly,
		Key:      func(name string) bool { return k.mayHave(name, on) },
	}}
}

// set adds a condition key that the request says all about to a need.
func set(n *service.Need, name, value string) {
	n.Target = n.Target.With(func(k *authz.Context) { k.Set(name, value) })
}

// setList is set for a key that holds a list.
func setList(n *service.Need, name string, values ...string) {
	n.Target = n.Target.With(func(k *authz.Context) { k.SetList(name, values...) })
}

// without tells that AWS does not give a need these condition keys.
func without(n *service.Need, names ...string) {
	may := n.Doubt.Key
	n.Doubt.Key = func(name string) bool {
		for _, absent := range names {
			if strings.EqualFold(name, absent) || strings.HasSuffix(absent, "*") && len(name) >= len(absent) &&
				strings.EqualFold(name[:len(absent)-1], absent[:len(absent)-1]) {
				return false
			}
		}
		return may(name)
	}
}

// here makes an ARN of the service in the call's account and region.
func (q *question) here(format string) string {
	return arn.ARN{
		Partition: q.call.Partition, Service: q.prefix, Region: q.call.Region, AccountID: q.call.Account, Resource: format,
	}.String()
}

// named is the resource of this kind that a member names: by its ARN, or its name. An upstream may not look at the region in an ARN.
func (q *question) named(kind, value string) resource {
	switch {
	case value == "":
		return resource{arn: q.here(kind + "*"), partly: true}
	case strings.HasPrefix(value, "arn:"):
		parsed, err := arn.Parse(value)
		if err != nil || parsed.Service != q.prefix || parsed.Region != q.call.Region || !strings.HasPrefix(parsed.Resource, kind) {
			return anything()
		}
		return resource{arn: value}
	}
	return resource{arn: q.here(kind + value)}
}

// isOne tells whether the operation is one of these.
func (q *question) isOne(names ...string) bool {
	for _, name := range names {
		if q.in.operation == name {
			return true
		}
	}
	return false
}
