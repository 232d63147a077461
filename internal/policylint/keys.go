package policylint

import (
	"slices"
	"strings"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/policy"
)

// tokenService has the keys of identity providers, such as saml:aud.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
const tokenService = "sts"

// keys checks the keys of conditions.
func (c *checker) keys(s *policy.Statement, actions []named) {
	for i := range s.Condition {
		cond := &s.Condition[i]
		service, name, ok := strings.Cut(strings.ToLower(cond.Key.Value), ":")
		if !ok || service == "" || name == "" {
			continue // malformed, which package policy reports
		}
		if service != awsdata.GlobalService && !strings.Contains(service, ".") { // else a global key, or one of an identity provider by its host
			if _, global := policy.LookupKey(cond.Key.Value); !global {
				c.serviceKey(s, cond, service)
			}
		}
		c.supported(cond, service, actions)
	}
}

// serviceKey checks a key of a service: that it is there, and that its operator takes what it holds.
func (c *checker) serviceKey(s *policy.Statement, cond *policy.Condition, service string) {
	key, known := c.key(s, service, cond.Key.Value)
	if !known {
		if c.data.Names(service) == nil {
			c.note(policy.Error, "INVALID_SERVICE_CONDITION_KEY", cond.Key.Span, "AWS has no service %q, and no request has the key %s%s",
				brief(service), brief(cond.Key.Value), meant(service, c.data.Services()))
			return
		}
		c.note(policy.Error, "INVALID_SERVICE_CONDITION_KEY", cond.Key.Span, "%s has no condition key %s, and no request has it%s",
			service, brief(cond.Key.Value), meant(cond.Key.Value, c.data.ConditionKeys(service)))
		return
	}
	op, ok := policy.ParseOperator(cond.Operator.Value)
	switch {
	case !ok || op.Name == "Null":
	case key.Multi() && op.Set == policy.NoSet:
		// An error for Access Analyzer; the tables call some keys lists whose lists have one value always, such as events:detail-type.
		c.note(policy.Warning, "MISSING_QUALIFIER", cond.Key.Span,
			"%s holds a list of values; put ForAnyValue: or ForAllValues: before %s.", key.Name, op)
	case !key.Multi() && op.Set == policy.ForAllValues:
		c.note(policy.SecurityWarning, "FORALLVALUES_WITH_SINGLE_VALUED_KEY", cond.Key.Span,
			"%s has one value, and ForAllValues holds when it is absent; remove ForAllValues:.", key.Name)
	}
}

// key finds a key in the tables of its own service, of STS, and of the services whose actions the statement names: some keys are listed
// where they are used alone.
func (c *checker) key(s *policy.Statement, service, key string) (awsdata.ConditionKey, bool) {
	services := []string{service, tokenService}
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		if of, _, _ := strings.Cut(a.Value, ":"); !slices.Contains(services, of) && len(services) < 100 {
			services = append(services, of)
		}
	}
	for _, of := range services {
		if k, ok := c.data.ConditionKey(of, key); ok {
			return k, true
		}
	}
	// Some tables write a tag's name without a placeholder: secretsmanager:ResourceTag/tag-key.
	if family, _, ok := strings.Cut(key, "/"); ok {
		for _, k := range c.data.ConditionKeys(service) {
			if of, _, tagged := strings.Cut(k, "/"); tagged && strings.EqualFold(of, family) {
				return c.data.ConditionKey(service, k)
			}
		}
	}
	return awsdata.ConditionKey{}, false
}

// supported reports actions that a condition keeps out of the statement, because requests for them never have its key. Only conditions
// that do not hold without the key do so, and only keys are judged that are listed for each action: those of its service, and of tags.
func (c *checker) supported(cond *policy.Condition, service string, actions []named) {
	op, ok := policy.ParseOperator(cond.Operator.Value)
	if !ok || op.Name == "Null" || op.IfExists || op.Set == policy.ForAllValues || strings.Contains(op.Name, "Not") {
		return
	}
	key := strings.ToLower(cond.Key.Value)
	requestTag := strings.HasPrefix(key, "aws:requesttag/") || key == "aws:tagkeys"
	if _, global := policy.LookupKey(cond.Key.Value); global && !requestTag {
		return
	}
	for _, a := range actions {
		if !requestTag && (a.Service != service || !c.listed(service, key)) || c.data.Supports(a.Action, key) {
			continue
		}
		c.note(policy.Error, "UNSUPPORTED_ACTION_FOR_CONDITION_KEY", a.text.Span,
			"Requests for %s:%s have no %s, so that the statement never applies to them; give the action a statement without that condition.",
			a.Service, a.Name, brief(cond.Key.Value))
	}
}

// listed tells whether a key is a service's own. One that is not is reported already.
func (c *checker) listed(service, key string) bool {
	_, ok := c.data.ConditionKey(service, key)
	return ok
}

// tags reports conditions on the tags of resources in statements about a service that knows none.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html (authorization based on tags)
func (c *checker) tags(s *policy.Statement) {
	for i := range s.Condition {
		cond := &s.Condition[i]
		op, ok := policy.ParseOperator(cond.Operator.Value)
		if !strings.HasPrefix(strings.ToLower(cond.Key.Value), "aws:resourcetag/") || !ok || op.Name == "Null" || op.IfExists {
			continue
		}
		var reported []string
		for _, a := range s.Action {
			service, _, _ := strings.Cut(strings.ToLower(a.Value), ":")
			if slices.Contains(reported, service) || c.data.Names(service) == nil || c.knowsTags(service) || len(reported) > 100 {
				continue
			}
			reported = append(reported, service)
			if s.Effect == policy.Deny {
				c.note(policy.SecurityWarning, "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", cond.Key.Span,
					"Requests to %s have no %s: the statement does not decide about them by tags.", service, brief(cond.Key.Value))
			} else {
				c.note(policy.Suggestion, "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", cond.Key.Span,
					"Requests to %s have no %s: the statement does not decide about them by tags.", service, brief(cond.Key.Value))
			}
		}
	}
}

// knowsTags tells whether some resource or action of a service has tags.
func (c *checker) knowsTags(service string) bool {
	_, ok := c.data.ConditionKey(service, "aws:ResourceTag/t")
	return ok && slices.ContainsFunc(c.data.ConditionKeys(service), func(k string) bool { return strings.HasPrefix(k, "aws:ResourceTag/") })
}
