package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"unicode"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/leastpolicy"
	"github.com/licet/licet/policy"
)

// PolicyPage answers the least policy of a role for what the decision log has of it: ?role=&since=&generalize=.
const PolicyPage = pagePrefix + "least-policy"

// LeastPolicy is the least identity-based policy for what a role was seen to do.
type LeastPolicy struct {
	Role string `json:"role"`
	// Calls is how many decisions it was made from, Permissions how many pairs of action and resource.
	Calls       int `json:"calls"`
	Permissions int `json:"permissions"`
	// Policy is the document.
	Policy json.RawMessage `json:"policy"`
	// Check compares the policies that the role has now.
	Check leastpolicy.Comparison `json:"check"`
	// StillDenied are permissions that other policies deny whatever the role's own say.
	StillDenied []StillDenied `json:"still_denied"`
	// Notes say what a person should know before using the policy.
	Notes []string `json:"notes,omitempty"`
}

// StillDenied is a permission that no identity-based policy gives.
type StillDenied struct {
	Action   string           `json:"action"`
	Resource string           `json:"resource"`
	By       authz.PolicyType `json:"by"`
}

// Sizes of a role's policies, without white space. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	inlineSize  = 10240
	managedSize = 6144
)

// leastPolicy answers PolicyPage.
func (s *Server) leastPolicy(w http.ResponseWriter, r *http.Request, account string) error {
	q := r.URL.Query()
	how := leastpolicy.Generalization(q.Get("generalize"))
	switch how {
	case "":
		how = leastpolicy.Exact
	case leastpolicy.Exact, leastpolicy.Prefix, leastpolicy.Wildcard:
	default:
		return invalidPage("generalize must be exact, prefix or wildcard.")
	}
	f, err := filterOf(r)
	if err != nil {
		return err
	}
	out, err := s.leastOf(r.Context(), account, q.Get("role"), how, f)
	if err != nil {
		return err
	}
	return writeJSON(w, out)
}

// leastOf makes the least policy of a role, by name or ARN.
func (s *Server) leastOf(
	ctx context.Context, account, role string, how leastpolicy.Generalization, f audit.Filter,
) (out LeastPolicy, err error) {
	role, present, err := s.roleOf(ctx, account, role)
	if err != nil {
		return out, err
	}
	f.Principal, f.DeniedOnly = role, false
	seen, err := s.seenOf(ctx, account, role, f)
	if err != nil {
		return out, err
	}
	out = LeastPolicy{Role: role, Calls: seen.calls, Permissions: len(seen.decisions), StillDenied: []StillDenied{}}
	requests := make([]authz.Request, len(seen.decisions))
	for i, d := range seen.decisions {
		requests[i] = d.Request
		if isForeign(account, d.Request) { // a role's policies could be changed until they have found a tag out
			requests[i].Context = withoutTheirs(d.Request.Context)
		}
	}
	text, err := leastpolicy.Generate(requests, how)
	if errors.Is(err, leastpolicy.ErrNothing) {
		return out, awserr.New("ResourceNotFoundException", http.StatusNotFound, "The decision log has no calls of %s in that time.", role)
	}
	if err != nil {
		return out, fmt.Errorf("least policy of %s: %w", role, err)
	}
	document, err := policy.Parse(text)
	if err != nil {
		return out, fmt.Errorf("least policy of %s: %w", role, err)
	}
	out.Policy, out.Check = text, leastpolicy.Compare(requests, present, document)
	if out.StillDenied, err = s.replay(ctx, seen.decisions, document); err != nil {
		return out, err
	}
	out.Notes = append(seen.notes, sizeNotes(text)...)
	return out, nil
}

// seen is what a role did: one decision for each action, resource and set of keys on which a policy may depend.
type seen struct {
	calls     int
	decisions []audit.Decision
	notes     []string
}

// seenOf reads what sessions of a role asked for, in whatever mode, whether they got it or not.
func (s *Server) seenOf(ctx context.Context, account, role string, f audit.Filter) (seen, error) {
	var out seen
	known := make(map[[3]string]bool)
	err := s.config.Decisions.Each(ctx, account, f, func(rec audit.Record) bool {
		if rec.Caller.IssuerARN != role || rec.Exempt != "" {
			return true
		}
		for _, d := range rec.Decisions {
			if d.Note != "" { // no policy could allow it
				continue
			}
			out.calls++
			key := [3]string{d.Request.Action, d.Request.Resource, leastpolicy.ConditionValue(d.Request)}
			if known[key] {
				continue
			}
			known[key] = true
			if err := leastpolicy.Nameable(d.Request); err != nil {
				out.notes = append(out.notes, "Left out: "+err.Error())
				continue
			}
			out.decisions = append(out.decisions, d)
		}
		return true
	})
	if err != nil {
		return seen{}, fmt.Errorf("read what %s did: %w", role, err)
	}
	return out, nil
}

// replay decides what was seen again, by the new policy in place of the role's own and all others as they were. That the policy suffices
// for itself is insisted on.
func (s *Server) replay(ctx context.Context, decisions []audit.Decision, document *policy.Document) ([]StillDenied, error) {
	least := []authz.Policy{{Name: "least policy", Document: document}}
	denied := []StillDenied{}
	alone := authz.Compile(authz.Policies{Identity: least})
	for _, d := range decisions {
		own := d.Request
		own.ResourceAccount = own.Principal.Account
		if !alone.Decide(&own).Allowed {
			return nil, fmt.Errorf("the least policy does not allow %s on %s", d.Request.Action, d.Request.Resource)
		}
		policies, err := s.config.Decisions.Policies(ctx, d.Policies)
		if err != nil {
			return nil, fmt.Errorf("restore policies: %w", err)
		}
		policies.Identity = least
		if decision := authz.Compile(policies).Decide(&d.Request); !decision.Allowed {
			denied = append(denied, StillDenied{d.Request.Action, d.Request.Resource, decision.By})
		}
	}
	return denied, nil
}

func sizeNotes(text []byte) []string {
	n := 0
	for _, c := range string(text) {
		if !unicode.IsSpace(c) {
			n++
		}
	}
	switch {
	case n > inlineSize:
		return []string{fmt.Sprintf("The policy has %d characters; a role's inline policies take %d together, a managed one %d. Generalize it.",
			n, inlineSize, managedSize)}
	case n > managedSize:
		return []string{fmt.Sprintf("The policy has %d characters: more than the %d of a managed policy, but it can be an inline one.", n, managedSize)}
	default:
		return nil
	}
}
