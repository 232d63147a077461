package resourcepolicy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// record is a policy as it is kept. Values from the cache are shared.
type record struct {
	// RevisionID is the policy's own, not the function's (lambda.md 1.3).
	RevisionID string `json:"revision_id"`
	// Text is the document as it is judged: users and roles stand in it by their unique ids.
	Text string `json:"text"`
	// Whole is true of a policy that PutResourcePolicy wrote, whatever AddPermission and RemovePermission did to it since.
	Whole bool `json:"whole,omitempty"`

	compiled authz.Policy
	joined   atomic.Pointer[joined]
}

// joined is a policy together with its function's.
type joined struct {
	with     *record
	compiled authz.Policy
}

// Prefix begins the keys of a function's policies.
func (m *Service) Prefix(r request.Function) string { return m.functions.Belongings(r) + "policy/" }

// key of the ARN as requested: the function, a version and an alias have policies of their own (lambda.md 1.1).
func (m *Service) key(r request.Function) string { return m.Prefix(r) + r.Qualifier }

// decode makes a policy from its item, parsed once for all calls that it is consulted for.
func decode(item store.Item) (*record, error) {
	p, err := store.DecodeJSON[*record](item)
	if err != nil {
		return nil, err
	}
	document, err := policy.Parse([]byte(p.Text))
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", item.Key, err)
	}
	p.compiled = authz.Policy{Name: "resource policy of " + strings.TrimPrefix(item.Key, "lambda/"), Document: document}
	return p, nil
}

// document is the policy as it is judged.
func (p *record) document() *policy.Document { return p.compiled.Document }

// Consulted gives the policy that speaks about a resource as requested; nil when there is none. prefix is Prefix of its function.
//
// It is the policy of that very ARN: there is no fall-back from an alias or a version to the function, nor from an alias to its version
// (lambda.md 1.4). But a function's policy that PutResourcePolicy wrote says in its Resource elements whether it speaks about versions
// and aliases, too, as AWS's examples do ("function:my-function:*"); so it is consulted for them as well. What AddPermission adds to it
// names the unqualified ARN and does not match them. AWS does not say this clearly (lambda.md U1): to go back to one policy for each ARN,
// end this function after the first look-up.
func (m *Service) Consulted(ctx context.Context, prefix, qualifier string) (*authz.Policy, error) {
	own, err := m.find(ctx, prefix+qualifier)
	if err != nil {
		return nil, err
	}
	if qualifier == "" {
		return own.policy(), nil
	}
	whole, err := m.find(ctx, prefix)
	switch {
	case err != nil:
		return nil, err
	case whole == nil || !whole.Whole:
		return own.policy(), nil
	case own == nil:
		return whole.policy(), nil
	}
	return own.join(whole)
}

// find gives the policy at a key; nil when there is none.
func (m *Service) find(ctx context.Context, key string) (*record, error) {
	p, err := m.cache.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find policy %s: %w", key, err)
	}
	return p, nil
}

// policy may be called on nil.
func (p *record) policy() *authz.Policy {
	if p == nil {
		return nil
	}
	return &p.compiled
}

// join gives one policy that says what both say. It is made once for as long as both stay the same.
func (p *record) join(other *record) (*authz.Policy, error) {
	if j := p.joined.Load(); j != nil && j.with == other {
		return &j.compiled, nil
	}
	document, err := policy.Parse([]byte(joinedText(p.document(), other.document())))
	if err != nil {
		return nil, fmt.Errorf("join %s and %s: %w", p.compiled.Name, other.compiled.Name, err)
	}
	j := &joined{with: other, compiled: authz.Policy{Name: p.compiled.Name + " and " + other.compiled.Name, Document: document}}
	p.joined.Store(j)
	return &j.compiled, nil
}

// load reads the policy of a reference in a transaction; nil when there is none.
func (m *Service) load(reader store.Reader, r request.Function) (*record, error) {
	item, err := reader.Get(m.key(r))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decode(item)
}

// put keeps a new text of a policy under a revision of its own. What does not parse is never stored.
func (m *Service) put(tx store.Tx, r request.Function, text string, whole bool) (*record, error) {
	if len(text) > maxLength {
		return nil, fault.New("PolicyLengthExceededException", http.StatusBadRequest,
			"The final policy size (%d) is bigger than the limit (%d).", len(text), maxLength)
	}
	document, err := policy.Parse([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("parse new policy of %s: %w", r.ARN(), err)
	}
	p := &record{RevisionID: uuid.NewString(), Text: text, Whole: whole, compiled: authz.Policy{Document: document}}
	return p, store.PutJSON(tx, m.key(r), p)
}

// maxLength of a policy: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const maxLength = 20480
