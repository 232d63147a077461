package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/leastpolicy"
	"github.com/licet/licet/policy"
)

const (
	// denialAge is how far back a function's denials are looked for.
	denialAge = 7 * 24 * time.Hour
	// shownDenials and shownMissing bound the lists of a function.
	shownDenials = 10
	shownMissing = 20
)

func (c *Console) listFunctions(v *visit) (listed[types.FunctionConfiguration], error) {
	return list(pages(func(marker *string) ([]types.FunctionConfiguration, *string, error) {
		out, err := ask[lambda.ListFunctionsOutput](c, v, "lambda", "ListFunctions", &lambda.ListFunctionsInput{Marker: marker})
		if err != nil {
			return nil, nil, err
		}
		return out.Functions, out.NextMarker, nil
	}))
}

func (c *Console) functions(w http.ResponseWriter, v *visit) error {
	body, err := c.listFunctions(v)
	if err != nil {
		return err
	}
	return c.show(w, v, "functions", "Functions", body)
}

type functionPage struct {
	Name   string
	Config *lambda.GetFunctionConfigurationOutput
	// Refused stands in the place of Config.
	Refused *refusal
	// Policy is the function's resource-based policy; nil when it has none.
	Policy       *policyText
	PolicyDenied *refusal
	// Denied is what the function was denied as its role, Refusals who was denied at the function.
	Denied, Refusals listed[entry]
	Missing          missing
	// Unused are elements of the role's policies that nobody needed; Since when.
	Unused       []leastpolicy.Element
	UnusedDenied *refusal
	UnusedNote   string
}

// missing is what a function was denied lately and still would be.
type missing struct {
	Needs  []missingNeed
	Mended int
	// Document has the statements of all needs that nothing else keeps from being met than that the role's policies lack them; "" for none.
	// That each is enough was verified, and one Allow takes nothing from another.
	Document string
	// More tells that there is more than was looked at.
	More   bool
	Denied *refusal
}

type missingNeed struct {
	RequestID, Action, Resource string
	Fix                         *fixView
	// Covered tells that the document is the whole fix.
	Covered bool
	Problem string
	// Again asks the question again.
	Again string
}

func (c *Console) function(w http.ResponseWriter, v *visit) error {
	name := v.PathValue("name")
	body := functionPage{Name: name}
	config, err := ask[lambda.GetFunctionConfigurationOutput](c, v, "lambda", "GetFunctionConfiguration",
		&lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if body.Refused, err = refused(err); err != nil {
		return err
	}
	if body.Policy, body.PolicyDenied, err = c.functionPolicy(v, name); err != nil {
		return err
	}
	if body.Config = config; config != nil {
		if err := c.fillFunction(v, &body); err != nil {
			return err
		}
	}
	return c.show(w, v, "function", name, body)
}

// fillFunction reads what the decision log has of a function.
func (c *Console) fillFunction(v *visit, body *functionPage) error {
	role, function := text(body.Config.Role), text(body.Config.FunctionArn)
	since := c.config.Now().Add(-denialAge)
	ofFunction := func(rec audit.Record) bool {
		return rec.Caller.Session != nil && rec.Caller.Session.SourceFunctionARN == function
	}
	var err error
	body.Denied, err = c.entries(v, audit.Filter{Principal: role, DeniedOnly: true, Since: since}, shownDenials, ofFunction)
	if err != nil {
		return err
	}
	body.Refusals, err = c.entries(v, audit.Filter{Resource: function + "*", DeniedOnly: true, Since: since}, shownDenials, func(rec audit.Record) bool {
		return slices.ContainsFunc(rec.Decisions, func(d audit.Decision) bool {
			return d.Request.Resource == function || strings.HasPrefix(d.Request.Resource, function+":")
		})
	})
	if err != nil {
		return err
	}
	if body.Missing, err = c.missing(v, audit.Filter{Principal: role, DeniedOnly: true, Since: since}, ofFunction); err != nil {
		return err
	}
	least, err := c.config.Log.LeastPolicyOf(v.Context(), v.caller, role, audit.Filter{Since: since})
	body.UnusedDenied, err = refused(err)
	if message, ok := forClient(err); ok {
		body.UnusedNote, err = message, nil
	}
	body.Unused = least.Check.Unused
	return err
}

// functionPolicy reads a function's policy.
func (c *Console) functionPolicy(v *visit, name string) (*policyText, *refusal, error) {
	out, err := ask[lambda.GetPolicyOutput](c, v, "lambda", "GetPolicy", &lambda.GetPolicyInput{FunctionName: &name})
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Status == http.StatusNotFound {
		return nil, nil, nil
	}
	denied, err := refused(err)
	if err != nil || denied != nil {
		return nil, denied, err
	}
	t, err := textOfDocument("resource-based policy of "+name, "", text(out.Policy))
	return t, nil, err
}

// missing judges what was denied again, by the policies that there are now, and looks for the least that would mend it.
func (c *Console) missing(v *visit, f audit.Filter, keep func(audit.Record) bool) (missing, error) {
	var out missing
	known := make(map[[3]string]bool)
	type denial struct {
		requestID string
		request   authz.Request
	}
	var denials []denial
	err := c.config.Log.EachDecision(v.Context(), v.caller, f, func(rec audit.Record) bool {
		if !keep(rec) {
			return true
		}
		for _, d := range rec.Decisions {
			key := [3]string{d.Request.Action, d.Request.Resource, leastpolicy.ConditionValue(d.Request)}
			if d.Allowed || d.Note != "" || known[key] {
				continue
			}
			if out.More = len(denials) == shownMissing; out.More {
				return false
			}
			known[key] = true
			denials = append(denials, denial{rec.RequestID, d.Request})
		}
		return true
	})
	if out.Denied, err = refused(err); err != nil {
		return out, err
	}
	var statements []string
	for _, d := range denials {
		form := supposeForm{As: d.request.Principal.ARN, Action: d.request.Action, Resource: d.request.Resource}
		if !crosses(d.request) {
			form.Context = strings.Join(ownKeys(d.request.Context), "\n")
		}
		n := missingNeed{RequestID: d.requestID, Action: form.Action, Resource: form.Resource, Again: form.SupposeURL()}
		x, err := c.supposed(v, form)
		if err != nil {
			message, ok := forClient(err)
			if !ok {
				return out, err
			}
			n.Problem = message
		} else if len(x.Decisions) == 1 {
			if x.Decisions[0].Decision.Allowed {
				out.Mended++
				continue
			}
			if fix := x.Decisions[0].Fix; fix != nil {
				n.Fix = fixOf(x.Decisions[0].Explanation)
				if n.Covered = covered(fix); n.Covered && !slices.Contains(statements, fix.Changes[0].Statement) {
					statements = append(statements, fix.Changes[0].Statement)
				}
			}
		}
		out.Needs = append(out.Needs, n)
	}
	if len(statements) > 0 {
		out.Document = documentOf(statements)
	}
	return out, nil
}

// covered tells that a fix is one statement for an identity-based policy.
func covered(fix *authz.Fix) bool {
	return fix.Verified && len(fix.Changes) == 1 && fix.Changes[0].Kind == authz.AddStatement && fix.Changes[0].Type == authz.IdentityBasedPolicy
}

// textOfDocument shows a policy that AWS's operations answer.
func textOfDocument(name, arn, source string) (*policyText, error) {
	d, err := policy.Parse([]byte(source))
	if err != nil {
		return nil, err
	}
	t := textOf(authz.Policy{Name: name, ARN: arn, Document: d}, nil)
	return &t, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
