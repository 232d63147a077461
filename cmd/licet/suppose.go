package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
)

// suppositions answers what would be decided.
type suppositions struct {
	*server
	data *awsdata.Data
}

// Suppose gathers what a call of the question would be judged by.
func (s suppositions) Suppose(ctx context.Context, account string, q edge.Question) (edge.Supposition, error) {
	if _, ok := s.data.Action(q.Action); !ok {
		if near := nearAction(s.data, q.Action); near != "" {
			return edge.Supposition{}, invalidQuestion("AWS has no action %s; did you mean %s?", q.Action, near)
		}
		return edge.Supposition{}, invalidQuestion("AWS has no action %s.", q.Action)
	}
	owner, region := account, ""
	if q.Resource != "*" {
		a, err := arn.Parse(q.Resource)
		if err != nil {
			return edge.Supposition{}, invalidQuestion("The resource must be an ARN, or *.")
		}
		if a.AccountID != "" {
			owner = a.AccountID
		}
		region = a.Region
	}
	caller, err := s.supposedCaller(ctx, account, q.Principal)
	if err != nil {
		return edge.Supposition{}, err
	}
	signingName, _, _ := strings.Cut(q.Action, ":")
	c := s.door.Internal(caller, account, signingName, "", service.Internal{})
	c.Internal = nil // as a client's call
	if region != "" {
		c.Region = region
	}
	target, known, err := s.door.Target(ctx, c, q.Action, q.Resource, naming(q.Resource))
	if err != nil {
		return edge.Supposition{}, err
	}
	if target.Account == "" && q.Resource != "*" {
		target.Account = owner
	}
	if q.Resource != "*" {
		owner = target.Account // the ARNs of buckets do not tell
	}
	if owner != account && caller.Account == "" {
		return edge.Supposition{}, invalidQuestion("What services may do in other accounts is theirs to ask.")
	}
	if owner != account && q.Context.Len() > 0 {
		return edge.Supposition{}, invalidQuestion("Context keys cannot be made up for resources of other accounts: their policies are secret.")
	}
	var out edge.Supposition
	out.Request, out.Policies, err = s.door.Suppose(ctx, c, service.Need{Action: q.Action, Target: target})
	out.Request.Context.Merge(q.Context)
	if q.Resource != "*" && !known {
		out.Notes = append(out.Notes,
			"No operation of this server is judged by this action and ARN: whether the resource has a policy and tags is not known.")
	}
	return out, err
}

// supposedCaller is a principal of the account, or a service.
func (s suppositions) supposedCaller(ctx context.Context, account, name string) (principal.Caller, error) {
	if caller, ok := directory.ServicePrincipal(name); ok {
		return caller, nil
	}
	if a, err := arn.Parse(name); err != nil || a.AccountID != account {
		return principal.Caller{}, invalidQuestion(
			"The principal must be the ARN of the account's root, or of a user, role or role session in it, or the name of a service such as %s.",
			lambdaPrincipal)
	}
	caller, err := s.directory.Caller(ctx, name)
	if errors.Is(err, directory.ErrNoPrincipal) {
		return principal.Caller{}, awserr.New("ResourceNotFoundException", http.StatusNotFound, "There is no principal %s.", name)
	}
	return caller, err
}

func invalidQuestion(format string, args ...any) error {
	return awserr.New("ValidationException", http.StatusBadRequest, format, args...)
}

// naming gives members of operations' inputs that name the resource of an ARN, by the words of its service. A resource that has none is
// judged without its policy, and the answer says so.
func naming(resource string) map[string]any {
	members := map[string]any{"Resource": resource, "ResourceArn": resource, "ResourceARN": resource}
	a, err := arn.Parse(resource)
	if err != nil {
		return members
	}
	kind, name, _ := strings.Cut(a.Resource, ":")
	path, last, _ := strings.Cut(a.Resource, "/")
	switch a.Service {
	case "lambda":
		switch kind {
		case "function":
			members["FunctionName"] = resource
		case "layer":
			layer, version, _ := strings.Cut(name, ":")
			members["LayerName"] = strings.TrimSuffix(resource, ":"+version)
			if n, err := strconv.ParseInt(version, 10, 64); err == nil && layer != "" {
				members["VersionNumber"] = n
			}
		case "event-source-mapping":
			members["UUID"] = name
		case "code-signing-config":
			members["CodeSigningConfigArn"] = resource
		}
	case "sqs":
		members["QueueUrl"] = "http://localhost/" + a.AccountID + "/" + a.Resource
	case "logs":
		group, stream, _ := strings.Cut(name, ":log-stream:")
		members["LogGroupName"] = group
		if stream != "" {
			members["LogStreamName"] = stream
		}
	case "iam":
		base := last[strings.LastIndexByte(last, '/')+1:]
		switch path {
		case "role":
			members["RoleArn"], members["RoleName"], members["RoleSessionName"] = resource, base, "licet-explain"
		case "user":
			members["UserName"] = base
		case "group":
			members["GroupName"] = base
		case "policy":
			members["PolicyArn"] = resource
		}
	case "s3":
		members["Bucket"] = path
		if last != "" {
			members["Key"] = last
		}
	}
	return members
}
