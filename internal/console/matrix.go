package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// How large a matrix may be: each cell is a decision.
const (
	matrixFunctions = 20
	matrixCallers   = 60
)

type matrixPage struct {
	Function, Principal string
	Functions           []string
	Rows                []matrixRow
	// FunctionsLeft and CallersLeft are what did not fit.
	FunctionsLeft, CallersLeft int
	Notes                      []string
	Denied                     []*refusal
}

type matrixRow struct {
	Kind, Name string
	// For is the resource for which a service calls.
	For   string
	Cells []matrixCell
}

type matrixCell struct {
	Allowed bool
	// By is the type of policy that decided.
	By      string
	URL     string
	Problem string
}

// matrixCaller is who might invoke.
type matrixCaller struct {
	kind, arn, purpose, context string
}

func (c *Console) matrix(w http.ResponseWriter, v *visit) error {
	q := v.URL.Query()
	body := matrixPage{Function: strings.TrimSpace(q.Get("function")), Principal: strings.TrimSpace(q.Get("principal"))}
	functions, err := c.listFunctions(v)
	if err != nil {
		return err
	}
	body.refuse(functions.Denied)
	var arns, names []string
	for _, f := range functions.Items {
		if strings.Contains(text(f.FunctionName), body.Function) {
			arns, names = append(arns, text(f.FunctionArn)), append(names, text(f.FunctionName))
		}
	}
	if n := len(names); n > matrixFunctions {
		arns, names, body.FunctionsLeft = arns[:matrixFunctions], names[:matrixFunctions], n-matrixFunctions
	}
	body.Functions = names
	callers, err := c.callers(v, names, &body)
	if err != nil {
		return err
	}
	if n := len(callers); n > matrixCallers {
		callers, body.CallersLeft = callers[:matrixCallers], n-matrixCallers
	}
	for _, caller := range callers {
		row := matrixRow{Kind: caller.kind, Name: caller.arn, For: caller.purpose}
		for _, arn := range arns {
			cell, denied, err := c.cell(v, caller, arn)
			if err != nil {
				return err
			}
			if denied != nil { // it is the same for all cells
				body.refuse(denied)
				body.Rows = nil
				return c.show(w, v, "matrix", "Who can invoke what", body)
			}
			row.Cells = append(row.Cells, cell)
		}
		body.Rows = append(body.Rows, row)
	}
	return c.show(w, v, "matrix", "Who can invoke what", body)
}

func (m *matrixPage) refuse(r *refusal) {
	if r != nil {
		m.Denied = append(m.Denied, r)
	}
}

// callers are the account's principals, and the services that the functions' policies speak of, as far as the visitor may see them.
func (c *Console) callers(v *visit, functions []string, body *matrixPage) ([]matrixCaller, error) {
	all := []matrixCaller{{kind: "root", arn: "arn:" + c.config.Partition + ":iam::" + v.caller.Account + ":root"}}
	users, err := c.listUsers(v)
	if err != nil {
		return nil, err
	}
	body.refuse(users.Denied)
	for _, u := range users.Items {
		all = append(all, matrixCaller{kind: "user", arn: text(u.Arn)})
	}
	roles, err := c.listRoles(v)
	if err != nil {
		return nil, err
	}
	body.refuse(roles.Denied)
	for _, r := range roles.Items {
		all = append(all, matrixCaller{kind: "role", arn: text(r.Arn)})
	}
	for _, name := range functions {
		out, err := ask[lambda.GetPolicyOutput](c, v, "lambda", "GetPolicy", &lambda.GetPolicyInput{FunctionName: &name})
		denied, err := refused(err)
		body.refuse(denied)
		if err != nil {
			if _, ok := forClient(err); !ok {
				return nil, err
			}
			continue // it has none
		}
		if denied != nil {
			continue
		}
		services, err := servicesOf(text(out.Policy))
		if err != nil {
			return nil, err
		}
		for _, s := range services {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return slices.DeleteFunc(all, func(m matrixCaller) bool { return !strings.Contains(m.arn+" "+m.purpose, body.Principal) }), nil
}

// servicesOf finds the services that a function's policy lets in, each for the resource and account that the statement's conditions
// name. A pattern stands for itself: what it matches is not known, but that it matches is.
func servicesOf(source string) ([]matrixCaller, error) {
	d, err := policy.Parse([]byte(source))
	if err != nil {
		return nil, err
	}
	var out []matrixCaller
	for _, s := range d.Statements {
		if s.Principal == nil || s.Effect != policy.Allow {
			continue
		}
		var keys []string
		purpose := ""
		for _, condition := range s.Condition {
			if len(condition.Values) == 0 {
				continue
			}
			name, value := condition.Key.Value, condition.Values[0].Value
			switch authz.FoldKey(name) {
			case authz.FoldKey("aws:SourceArn"):
				purpose = value
				keys = append(keys, name+"="+value)
			case authz.FoldKey("aws:SourceAccount"):
				purpose = cmp.Or(purpose, "account "+value)
				keys = append(keys, name+"="+value)
			}
		}
		for _, p := range s.Principal.Entries {
			if p.Type == "Service" {
				out = append(out, matrixCaller{kind: "service", arn: p.Value.Value, purpose: purpose, context: strings.Join(keys, "\n")})
			}
		}
	}
	return out, nil
}

func (c *Console) cell(v *visit, caller matrixCaller, function string) (matrixCell, *refusal, error) {
	form := supposeForm{As: caller.arn, Action: "lambda:InvokeFunction", Resource: function, Context: caller.context}
	if caller.kind == "role" { // a role calls by its sessions
		form.As = sessionOf(caller.arn)
	}
	cell := matrixCell{URL: form.SupposeURL()}
	x, err := c.supposed(v, form)
	denied, err := refused(err)
	if err != nil {
		message, ok := forClient(err)
		if !ok {
			return cell, nil, err
		}
		cell.Problem = message
	}
	if denied == nil && err == nil && len(x.Decisions) == 1 {
		d := x.Decisions[0].Decision
		cell.Allowed, cell.By = d.Allowed, policyType(d.By)
		if d.By == "" {
			cell.By = d.Note
		}
	}
	return cell, denied, nil
}

// sessionOf is a session of a role: arn:aws:iam::ACCOUNT:role/PATH/NAME becomes arn:aws:sts::ACCOUNT:assumed-role/NAME/console.
func sessionOf(role string) string {
	head, _, ok := strings.Cut(role, ":role/")
	if !ok {
		return role
	}
	return strings.Replace(head, ":iam:", ":sts:", 1) + ":assumed-role/" + role[strings.LastIndexByte(role, '/')+1:] + "/console"
}
