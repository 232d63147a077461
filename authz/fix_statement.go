package authz

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/licet/licet/policy"
)

// newStatement is a statement to add, its elements in AWS's order.
type newStatement struct {
	Effect    string
	Principal any                          `json:",omitempty"`
	Action    string                       `json:",omitempty"`
	Resource  string                       `json:",omitempty"`
	Condition map[string]map[string]string `json:",omitempty"`
}

// statementFor writes the narrowest Allow statement for the request in a policy of this type and version.
func statementFor(req Request, typ PolicyType, version policy.Version) string {
	s := newStatement{Effect: "Allow", Action: req.Action, Resource: "*"}
	if req.Resource != "" {
		s.Resource = literally(req.Resource, version)
	}
	switch typ {
	case ResourceControlPolicy:
		s.Principal = "*" // RCPs take no other (iam.md D11)
	case RoleTrustPolicy:
		s.Resource = "" // trust policies have no Resource
		s.Principal, s.Condition = principalFor(req.Principal), conditionFor(req, version)
	case ResourceBasedPolicy, VPCEndpointPolicy:
		s.Principal, s.Condition = principalFor(req.Principal), conditionFor(req, version)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return "" // strings always encode; an empty statement does not parse
	}
	return strings.TrimSpace(b.String())
}

// principalFor names the caller; for a session its role, which outlives it.
func principalFor(p Principal) any {
	switch p.Kind {
	case Anonymous:
		return "*"
	case Service:
		return map[string]string{"Service": p.ARN}
	case WebIdentity, SAML:
		return map[string]string{"Federated": p.ARN}
	case AssumedRole:
		return map[string]string{"AWS": p.IssuerARN}
	default:
		return map[string]string{"AWS": p.ARN}
	}
}

// conditionFor keeps a grant from reaching further than the request, where the principal is shared by everybody: the source of a
// service's call (the confused deputy), the audience and subject of a provider's token, the way by a function URL for what nobody signed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html, https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func conditionFor(req Request, version policy.Version) map[string]map[string]string {
	out := map[string]map[string]string{}
	for name, v := range req.Context.All {
		if v.Multi || len(v.Values) != 1 {
			continue
		}
		operator := ""
		switch key := strings.ToLower(name); req.Principal.Kind {
		case Service:
			switch key {
			case "aws:sourcearn":
				operator = "ArnLike"
				if strings.ContainsAny(v.Values[0], "*?") || strings.Count(v.Values[0], ":") < arnColons {
					operator = "StringEquals" // what is no ARN, or would be a pattern
				}
			case "aws:sourceaccount":
				operator = "StringEquals"
			}
		case Anonymous:
			switch key {
			case "lambda:functionurlauthtype":
				operator = "StringEquals"
			case "lambda:invokedviafunctionurl":
				operator = "Bool"
			}
		case WebIdentity, SAML:
			if strings.HasSuffix(key, ":aud") || strings.HasSuffix(key, ":sub") {
				operator = "StringEquals"
			}
		}
		if operator == "" {
			continue
		}
		if out[operator] == nil {
			out[operator] = map[string]string{}
		}
		out[operator][name] = literally(v.Values[0], version)
	}
	return out
}

// literally escapes what looks like a variable, in documents that have variables.
func literally(text string, version policy.Version) string {
	if version != policy.Version2012 {
		return text
	}
	return strings.ReplaceAll(text, "${", "${$}{")
}
