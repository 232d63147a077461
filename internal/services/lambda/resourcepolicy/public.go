package resourcepolicy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/policy"
)

// checkPublic refuses a document that would let everybody in
// (https://docs.aws.amazon.com/lambda/latest/api/API_PutResourcePolicy.html, PublicPolicyException; the text is that of the page). AWS
// does not say what counts as public for Lambda. Here it is an Allow for "*" without a condition on fixed values, which is how AWS
// Config's rule lambda-function-public-access-prohibited has it, of keys that say who calls or what for. The two statements that open a
// function URL to everybody are not public: AWS documents them as the way to do so
// (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html). AddPermission refuses none (recorded: it takes "*").
func checkPublic(d *policy.Document) error {
	if slices.ContainsFunc(d.Statements, isPublic) {
		return fault.New("PublicPolicyException", http.StatusBadRequest,
			"The resource-based policy you tried to add to the Lambda resource would grant public access to it, which isn't allowed.")
	}
	return nil
}

func isPublic(s policy.Statement) bool {
	return s.Effect == policy.Allow && namesEverybody(s.Principal) && !slices.ContainsFunc(s.Condition, limits)
}

func namesEverybody(p *policy.Principals) bool {
	return p != nil && (p.Any || slices.ContainsFunc(p.Entries, func(e policy.PrincipalEntry) bool { return e.Value.Value == "*" }))
}

// limits tells whether a condition holds for known callers only: it wants the key to be there and to have one of fixed values.
func limits(c policy.Condition) bool {
	op, ok := policy.ParseOperator(c.Operator.Value)
	if !ok || op.IfExists || op.Set == policy.ForAllValues || len(c.Values) == 0 {
		return false
	}
	switch op.Name {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress", "Bool":
	default:
		return false
	}
	switch strings.ToLower(c.Key.Value) {
	case "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid", "aws:username",
		"aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths",
		"aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "lambda:eventsourcetoken", "lambda:functionurlauthtype":
	case "lambda:invokedviafunctionurl":
		return !slices.ContainsFunc(c.Values, func(v policy.Text) bool { return v.Value != "true" })
	default:
		return false
	}
	return !slices.ContainsFunc(c.Values, func(v policy.Text) bool { return !isFixed(v.Value) })
}

// isFixed tells values that name somebody: without variables, and with wildcards only behind the account or the name of an ARN, or behind
// the organization of a path ("o-a1b2c3d4e5/*", as in the examples of access-control-resource-based). A range of addresses must not be all.
func isFixed(value string) bool {
	if strings.Contains(value, "${") || strings.HasSuffix(value, "/0") {
		return false
	}
	i := strings.IndexAny(value, "*?")
	if i < 0 {
		return value != ""
	}
	fixed := value[:i]
	if strings.HasPrefix(fixed, "o-") {
		return strings.Contains(fixed, "/")
	}
	parts := strings.SplitN(fixed, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && (parts[4] != "" || parts[5] != "")
}
