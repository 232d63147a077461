package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/licet/licet/authz"
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
	// Text is the statement as the client was given it.
	Text string `json:"text"`
	// Principal and FunctionURLAuthType as they were asked for: condition keys of RemovePermission.
	Principal           string `json:"principal"`
	FunctionURLAuthType string `json:"function_url_auth_type,omitempty"`
}

func policyKey(r reference) string {
	return "lambda/" + r.account + "/" + r.region + "/policy/" + r.name
}

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
func putPolicy(tx store.Tx, r reference, p *resourcePolicy) error {
	if len(p.Statements) == 0 {
		return tx.Delete(policyKey(r))
	}
	if _, err := policy.Parse([]byte(p.text())); err != nil {
		return fmt.Errorf("parse new policy of %s: %w", r.arn(), err)
	}
	return store.PutJSON(tx, policyKey(r), p)
}

// text is the document as GetPolicy gives it.
func (p *resourcePolicy) text() string {
	texts := make([]string, len(p.Statements))
	for i, s := range p.Statements {
		texts[i] = s.Text
	}
	return `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(texts, ",") + `]}`
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
