package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// maxPolicyLength of a resource-based policy: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const maxPolicyLength = 20480

// resourcePolicy is the record of a function's policy. It has at least one statement: a policy without is deleted.
type resourcePolicy struct {
	// RevisionID is the policy's own, not the function's (lambda.md 1.3).
	RevisionID string       `json:"revision_id"`
	Statements []permission `json:"statements"`

	compiled authz.Policy
}

// permission is a statement that AddPermission made.
type permission struct {
	Sid string `json:"sid"`
	// Text is the statement as it is judged. A user or role stands in it by its unique id, PrincipalID, so that who is made again
	// under an old name inherits no grant and who is renamed keeps it (iam.md P4).
	Text        string `json:"text"`
	PrincipalID string `json:"principal_id,omitempty"`
	// Principal and FunctionURLAuthType as they were asked for: condition keys of RemovePermission.
	Principal           string `json:"principal"`
	FunctionURLAuthType string `json:"function_url_auth_type,omitempty"`
}

// policyKey of the ARN as requested: the function, a version and an alias have policies of their own (lambda.md 1.1).
func policyKey(r request.Function) string { return belongings(r) + "policy/" + r.Qualifier }

// decodePolicy makes a policy from its item, parsed once for all calls that it is consulted for.
func decodePolicy(item store.Item) (*resourcePolicy, error) {
	p, err := store.DecodeJSON[resourcePolicy](item)
	if err != nil {
		return nil, err
	}
	document, err := policy.Parse([]byte(p.text()))
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", item.Key, err)
	}
	p.compiled = authz.Policy{Name: "resource policy of " + strings.TrimPrefix(item.Key, "lambda/"), Document: document}
	return &p, nil
}

// putPolicy keeps a policy, or deletes it if no statement is left. What does not parse is never stored.
func putPolicy(tx store.Tx, r request.Function, p *resourcePolicy) error {
	if len(p.Statements) == 0 {
		return tx.Delete(policyKey(r))
	}
	if _, err := policy.Parse([]byte(p.text())); err != nil {
		return fmt.Errorf("parse new policy of %s: %w", r.ARN(), err)
	}
	return store.PutJSON(tx, policyKey(r), p)
}

// text is the document as it is judged.
func (p *resourcePolicy) text() string {
	texts := make([]string, len(p.Statements))
	for i, s := range p.Statements {
		texts[i] = s.Text
	}
	return documentOf(texts)
}

func documentOf(statements []string) string {
	return `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(statements, ",") + `]}`
}

// shown is the document as GetPolicy gives it: with the ARNs of users and roles who exist, the unique ids of those who are gone.
func (s *Service) shown(ctx context.Context, p *resourcePolicy) (string, error) {
	texts := make([]string, len(p.Statements))
	for i, st := range p.Statements {
		texts[i] = st.Text
		if st.PrincipalID == "" {
			continue
		}
		arn, err := s.Principals.PrincipalARN(ctx, st.PrincipalID)
		if err != nil {
			return "", fmt.Errorf("look up principal %s: %w", st.PrincipalID, err)
		}
		if arn == "" {
			continue
		}
		if texts[i], err = replacePrincipal(st.Text, st.PrincipalID, arn); err != nil {
			return "", err
		}
	}
	return documentOf(texts), nil
}

// replacePrincipal puts one AWS principal of a statement in the place of another.
func replacePrincipal(text, old, instead string) (string, error) {
	from, err := encodeJSON(statementPrincipal{AWS: old})
	if err != nil {
		return "", fmt.Errorf("encode principal: %w", err)
	}
	to, err := encodeJSON(statementPrincipal{AWS: instead})
	if err != nil {
		return "", fmt.Errorf("encode principal: %w", err)
	}
	return strings.Replace(text, from, to, 1), nil // Sid and Effect, which stand before it, have no braces
}

// find gives the position of a statement, or -1.
func (p *resourcePolicy) find(sid string) int {
	for i, s := range p.Statements {
		if s.Sid == sid {
			return i
		}
	}
	return -1
}

// statement has the order of members, and the casing of condition keys, in which AWS writes them (lambda.md 1.2).
type statement struct {
	Sid       string
	Effect    string
	Principal any // "*" or statementPrincipal
	Action    string
	Resource  string
	Condition *conditions `json:",omitempty"`
}

type statementPrincipal struct {
	Service string `json:",omitempty"`
	AWS     string `json:",omitempty"`
}

type conditions struct {
	StringEquals *stringEquals `json:",omitempty"`
	Bool         *boolKeys     `json:",omitempty"`
	ArnLike      *arnLike      `json:",omitempty"`
}

type stringEquals struct {
	SourceAccount       string `json:"AWS:SourceAccount,omitempty"`
	PrincipalOrgID      string `json:"aws:PrincipalOrgID,omitempty"`
	FunctionURLAuthType string `json:"lambda:FunctionUrlAuthType,omitempty"`
	EventSourceToken    string `json:"lambda:EventSourceToken,omitempty"`
}

type boolKeys struct {
	InvokedViaFunctionURL string `json:"lambda:InvokedViaFunctionUrl"`
}

type arnLike struct {
	SourceARN string `json:"AWS:SourceArn"`
}

// encodeJSON is compact JSON without HTML escapes, as AWS writes it.
func encodeJSON(v any) (string, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(buf.String(), "\n"), nil
}
