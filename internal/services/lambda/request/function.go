package request

import (
	"strings"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
)

// Latest is the version that is not published.
const Latest = "$LATEST"

// Function names a function, or a version or alias of one, as a request does.
type Function struct {
	Partition string `json:"partition"`
	Region    string `json:"region"`
	Account   string `json:"account"`
	Name      string `json:"name"`
	// Qualifier is "" for an unqualified request.
	Qualifier string `json:"qualifier,omitempty"`
}

// FunctionARN is the unqualified ARN.
func (r Function) FunctionARN() string {
	return "arn:" + r.Partition + ":lambda:" + r.Region + ":" + r.Account + ":function:" + r.Name
}

// ARN is the ARN as requested: qualified if the request was.
func (r Function) ARN() string {
	if r.Qualifier == "" {
		return r.FunctionARN()
	}
	return r.FunctionARN() + ":" + r.Qualifier
}

// IsAlias tells whether the qualifier is a name that an alias can have.
func (r Function) IsAlias() bool {
	return !IsVersion(r.Qualifier) && !strings.Contains(r.Qualifier, "$")
}

// IsVersion tells a version's number from an alias's name.
func IsVersion(qualifier string) bool {
	return strings.Trim(qualifier, "0123456789") == ""
}

// Function reads the member FunctionName. Lambda takes a name, a partial ARN (account:function:name) and a full ARN, each with an
// optional qualifier (https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html, FunctionName).
func (v *Validator) Function(c *service.Call, name *string, t Text) Function {
	if !v.Required("functionName", name != nil) {
		return Function{}
	}
	r, ok := parseName(c, *name, t.Pattern)
	if !ok {
		v.Fail("'"+*name+"'", "functionName", "Member must satisfy regular expression pattern: "+t.Pattern.Source)
	}
	for _, constraint := range t.length(*name) {
		v.Fail("'"+*name+"'", "functionName", constraint)
	}
	return r
}

// Resolve gives the function that a valid request names: r with the member Qualifier, if there is one.
func (v *Validator) Resolve(c *service.Call, r Function, qualifier *string) (Function, error) {
	v.Text("qualifier", qualifier, Qualifier)
	if err := v.Err(); err != nil {
		return Function{}, err
	}
	if qualifier != nil {
		if r.Qualifier != "" && r.Qualifier != *qualifier {
			return Function{}, fault.InvalidParameter(
				"The derived qualifier from the function name does not match the specified qualifier.")
		}
		r.Qualifier = *qualifier
	}
	return r, r.Reachable(c)
}

// Reachable is the error for a function of another Region: lambda.md 1.2.
func (r Function) Reachable(c *service.Call) error {
	if r.Region != c.Region {
		return fault.NotFound("Functions from '%s' are not reachable in this region ('%s')", r.Region, c.Region)
	}
	if r.Partition != c.Partition {
		return fault.FunctionNotFound(r.ARN())
	}
	return nil
}

// Unpublished is the error for a version or an alias where only the function itself, or $LATEST, will do. AWS's text for
// UpdateFunctionCode (appleboy/lambda-action, issue 6).
func (r Function) Unpublished() error {
	if r.Qualifier != "" && r.Qualifier != Latest {
		return fault.InvalidParameter("Current operation does not support versions other than $LATEST")
	}
	return nil
}

// Qualified is the version or the alias of this name.
func (r Function) Qualified(qualifier string) Function {
	r.Qualifier = qualifier
	return r
}

// parseName takes a function's name apart. Parts that it does not have are those of the call. The pattern allows more than the
// documented forms; what it allows and no form covers is not ok either.
func parseName(c *service.Call, name string, p *Pattern) (Function, bool) {
	r := Function{Partition: c.Partition, Region: c.Region, Account: c.Account, Name: name}
	if isPlainName(name) { // the common case, without a regular expression
		return r, true
	}
	if !p.Matches(name) {
		return r, false
	}
	parts := strings.Split(name, ":")
	switch n := indexOf(parts, "function"); {
	case parts[0] == "arn":
		if n != 5 {
			return r, false
		}
		r.Partition, r.Region, r.Account = parts[1], parts[3], parts[4]
		parts = parts[6:]
	case n == 2:
		r.Region, r.Account = parts[0], parts[1]
		parts = parts[3:]
	case n == 1:
		r.Account = parts[0]
		parts = parts[2:]
	case n == 0:
		parts = parts[1:]
	}
	r.Name = parts[0]
	if len(parts) == 2 {
		r.Qualifier = parts[1]
	}
	return r, len(parts) <= 2 && r.Partition != "" && IsAccount(r.Account)
}

// indexOf finds word among the parts that have a name after them.
func indexOf(parts []string, word string) int {
	for i, p := range parts[:len(parts)-1] {
		if p == word {
			return i
		}
	}
	return -1
}

func isPlainName(s string) bool {
	for i := range len(s) {
		if b := s[i]; !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_') {
			return false
		}
	}
	return s != ""
}

// IsAccount tells an account id.
func IsAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }
