package layer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// maxPolicyLength of a resource-based policy: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const maxPolicyLength = 20480

// versionPolicy is the record of a layer version's policy. It has at least one statement: a policy without is deleted.
type versionPolicy struct {
	RevisionID string       `json:"revision_id"`
	Statements []permission `json:"statements"`

	compiled authz.Policy
}

// permission is a statement that AddLayerVersionPermission made.
type permission struct {
	Sid  string `json:"sid"`
	Text string `json:"text"`
}

// statement has the order of members in which AWS writes them (lambda.md 1.2, 1.6).
type statement struct {
	Sid       string
	Effect    string
	Principal any // "*" or awsPrincipal
	Action    string
	Resource  string
	Condition *condition `json:",omitempty"`
}

type awsPrincipal struct{ AWS string }

type condition struct{ StringEquals organization }

type organization struct {
	PrincipalOrgID string `json:"aws:PrincipalOrgID"`
}

// newStatement writes the statement that lets a principal get a layer version. Nothing in it needs a JSON escape: the constraints of its
// parts see to that.
func newStatement(r Reference, sid, principal string, organizationID *string) (string, error) {
	st := statement{Sid: sid, Effect: "Allow", Principal: principal, Action: "lambda:GetLayerVersion", Resource: r.ARN()}
	switch {
	case request.IsAccount(principal):
		st.Principal = awsPrincipal{"arn:" + r.Partition + ":iam::" + principal + ":root"}
	case principal != "*":
		st.Principal = awsPrincipal{principal}
	}
	if organizationID != nil {
		st.Condition = &condition{organization{*organizationID}}
	}
	text, err := json.Marshal(st)
	if err != nil {
		return "", fmt.Errorf("encode statement: %w", err)
	}
	return string(text), nil
}

// text is the document.
func (p *versionPolicy) text() string {
	texts := make([]string, len(p.Statements))
	for i, s := range p.Statements {
		texts[i] = s.Text
	}
	return `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(texts, ",") + `]}`
}

// find gives the position of a statement, or -1.
func (p *versionPolicy) find(sid string) int {
	return slices.IndexFunc(p.Statements, func(s permission) bool { return s.Sid == sid })
}

// decodePolicy makes a policy from its item, parsed once for all calls that it is consulted for.
func decodePolicy(item store.Item) (*versionPolicy, error) {
	p, err := store.DecodeJSON[versionPolicy](item)
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
func putPolicy(tx store.Tx, r Reference, p *versionPolicy) error {
	if len(p.Statements) == 0 {
		return tx.Delete(r.policyKey())
	}
	if _, err := policy.Parse([]byte(p.text())); err != nil {
		return fmt.Errorf("parse new policy of %s: %w", r.ARN(), err)
	}
	return store.PutJSON(tx, r.policyKey(), p)
}

// policyOf gives the policy of a layer version that exists.
func policyOf(reader store.Reader, r Reference) (*versionPolicy, error) {
	if err := existing(reader, r); err != nil {
		return nil, err
	}
	p, err := store.GetJSON[versionPolicy](reader, r.policyKey())
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound("No policy is associated with the given resource.") // recorded from GetLayerVersionPolicy
	}
	return &p, err
}

// target is a layer version as a resource, with its policy. It has no condition keys: layers have no tags (lambda.md 2.6).
func (s *Service) target(ctx context.Context, r Reference) (service.Target, error) {
	t := service.Target{ARN: r.ARN(), Account: r.Account}
	p, err := s.policies.Get(ctx, r.policyKey())
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find policy of %s: %w", t.ARN, err)
	}
	t.Policy = &p.compiled
	return t, nil
}

// Target is the layer version that an ARN names as a resource, also if there is none. The ARN has the form of the model's constraint.
func (s *Service) Target(ctx context.Context, versionARN string) (service.Target, error) {
	r, ok := parse(versionARN)
	if !ok {
		return service.Target{}, fmt.Errorf("%q is not the ARN of a layer version", versionARN)
	}
	return s.target(ctx, r)
}
