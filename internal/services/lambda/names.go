package lambda

import (
	"strings"

	"github.com/licet/licet/internal/service"
)

// latest is the version that is not published.
const latest = "$LATEST"

// reference names a function, or a version or alias of one, as a request does.
type reference struct {
	partition, region, account, name string
	// qualifier is "" for an unqualified request.
	qualifier string
}

// functionARN is the unqualified ARN.
func (r reference) functionARN() string {
	return "arn:" + r.partition + ":lambda:" + r.region + ":" + r.account + ":function:" + r.name
}

// arn is the ARN as requested: qualified if the request was.
func (r reference) arn() string {
	if r.qualifier == "" {
		return r.functionARN()
	}
	return r.functionARN() + ":" + r.qualifier
}

// exists tells whether the qualifier names something of an existing function: there are no versions and aliases yet.
func (r reference) exists() bool { return r.qualifier == "" || r.qualifier == latest }

// isVersion tells a version's number from an alias's name.
func isVersion(qualifier string) bool {
	return strings.Trim(qualifier, "0123456789") == ""
}

// name reads the member FunctionName. Lambda takes a name, a partial ARN (account:function:name) and a full ARN, each with an
// optional qualifier (https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html, FunctionName).
func (v *validator) name(c *service.Call, name *string, t text) reference {
	if !v.required("functionName", name != nil) {
		return reference{}
	}
	r, ok := parseName(c, *name, t.pattern)
	if !ok {
		v.fail("'"+*name+"'", "functionName", "Member must satisfy regular expression pattern: "+t.pattern.source)
	}
	for _, constraint := range t.length(*name) {
		v.fail("'"+*name+"'", "functionName", constraint)
	}
	return r
}

// resolve gives the function that a valid request names: r with the member Qualifier, if there is one.
func (v *validator) resolve(c *service.Call, r reference, qualifier *string) (reference, error) {
	v.text("qualifier", qualifier, qualifierText)
	if err := v.err(); err != nil {
		return reference{}, err
	}
	if qualifier != nil {
		if r.qualifier != "" && r.qualifier != *qualifier {
			return reference{}, invalidParameter(
				"The derived qualifier from the function name does not match the specified qualifier.")
		}
		r.qualifier = *qualifier
	}
	return r, r.reachable(c)
}

// reachable is the error for a function of another region: lambda.md 1.2.
func (r reference) reachable(c *service.Call) error {
	if r.region != c.Region {
		return notFound("Functions from '%s' are not reachable in this region ('%s')", r.region, c.Region)
	}
	if r.partition != c.Partition {
		return functionNotFound(r.arn())
	}
	return nil
}

// parseName takes a function's name apart. Parts that it does not have are those of the call. The pattern allows more than the
// documented forms; what it allows and no form covers is not ok either.
func parseName(c *service.Call, name string, p *pattern) (reference, bool) {
	r := reference{partition: c.Partition, region: c.Region, account: c.Account, name: name}
	if isPlainName(name) { // the common case, without a regular expression
		return r, true
	}
	if !p.compiled.MatchString(name) {
		return r, false
	}
	parts := strings.Split(name, ":")
	switch n := indexOf(parts, "function"); {
	case parts[0] == "arn":
		if n != 5 {
			return r, false
		}
		r.partition, r.region, r.account = parts[1], parts[3], parts[4]
		parts = parts[6:]
	case n == 2:
		r.region, r.account = parts[0], parts[1]
		parts = parts[3:]
	case n == 1:
		r.account = parts[0]
		parts = parts[2:]
	case n == 0:
		parts = parts[1:]
	}
	r.name = parts[0]
	if len(parts) == 2 {
		r.qualifier = parts[1]
	}
	return r, len(parts) <= 2 && r.partition != "" && isAccount(r.account)
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

func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }
