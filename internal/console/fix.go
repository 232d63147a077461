package console

import (
	"bytes"
	"encoding/json"

	"github.com/licet/licet/authz"
)

// fixView is the smallest change of policies that lets a request pass.
type fixView struct {
	Verified bool
	Note     string
	Changes  []changeView
}

type changeView struct {
	Kind authz.ChangeKind
	// Where says which policy to change.
	Where string
	Sid   string
	// Condition that is not met, as "operator key".
	Condition string
	// Statement to add, indented.
	Statement string
}

func fixOf(x authz.Explanation) *fixView {
	out := &fixView{Verified: x.Fix.Verified, Note: x.Fix.Note}
	for _, c := range x.Fix.Changes {
		v := changeView{Kind: c.Kind, Sid: c.Sid, Statement: indented(c.Statement)}
		switch {
		case c.Policy != nil && c.Policy.Name != "":
			v.Where = policyType(c.Type) + " " + c.Policy.Name
		case c.Policy != nil:
			v.Where = policyType(c.Type) + " " + c.Policy.ARN
		case c.Type == authz.IdentityBasedPolicy:
			v.Where = "an identity-based policy of " + owner(x.Request.Principal)
		default:
			v.Where = "the " + policyType(c.Type)
		}
		if c.Condition != nil {
			v.Condition = c.Condition.Operator + " " + c.Condition.Key
		}
		out.Changes = append(out.Changes, v)
	}
	return out
}

func owner(p authz.Principal) string {
	if p.IssuerARN != "" {
		return p.IssuerARN
	}
	return p.ARN
}

func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil { // what is not JSON is not for a policy, but may be read
		return text
	}
	return b.String()
}

// documentOf is a policy of statements.
func documentOf(statements []string) string {
	raw := make([]json.RawMessage, len(statements))
	for i, s := range statements {
		raw[i] = json.RawMessage(s)
	}
	text, err := json.MarshalIndent(struct {
		Version   string
		Statement []json.RawMessage
	}{"2012-10-17", raw}, "", "  ")
	if err != nil { // a statement that is not JSON
		return ""
	}
	return string(text)
}
