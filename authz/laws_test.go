package authz_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
)

// FuzzLaws checks, on requests and policies made from the input, what must hold whatever the policies say.
func FuzzLaws(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(20) {
		f.Add(authztest.Bytes(seed))
	}
	f.Fuzz(checkLaws)
}

// TestLaws runs the laws on many random inputs, also where nobody fuzzes.
func TestLaws(t *testing.T) {
	for seed := range authztest.Seeds(400) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { checkLaws(t, authztest.Bytes(seed)) })
	}
}

// checkLaws adds to the laws of every evaluator those of the trace.
func checkLaws(t *testing.T, data []byte) {
	authztest.CheckLaws(t, decide, data)
	g := authztest.NewGenerator(data)
	req, p := g.Request(), g.Policies()
	d := authz.Compile(p).Trace(&req)

	explicit := slices.ContainsFunc(d.Types, func(tt authz.TypeTrace) bool { return tt.Verdict == authz.ExplicitDeny })
	if d.Explicit != explicit {
		t.Errorf("explicit %v, a type denies explicitly: %v", d.Explicit, explicit)
	}
	for _, tt := range d.Types {
		for _, pt := range tt.Policies {
			if doc := pt.Policy.Document; doc != nil && len(pt.Statements) != len(doc.Statements) {
				t.Errorf("%s: %d of %d statements in the trace", tt.Type, len(pt.Statements), len(doc.Statements))
			}
		}
	}
	if fix := authz.SmallestFix(req, p); !d.Allowed && !fix.Verified && canBeAllowed(req, fix) {
		t.Errorf("the fix of %d changes does not help:\n%s\n%s", len(fix.Changes), authz.Explain(req, p).Text(), authztest.Describe(req, p))
	}
}

// canBeAllowed tells whether policies could allow the request: whether they can name its caller, action and resource.
func canBeAllowed(req authz.Request, fix *authz.Fix) bool {
	caller := req.Principal
	switch caller.Kind {
	case authz.AssumedRole:
		if caller.IssuerARN == "" {
			return false
		}
		fallthrough
	case authz.User, authz.FederatedUser, authz.Root:
		if caller.Account == "" || caller.ARN == "" {
			return false
		}
	case authz.Service:
		// The statement is kept to the request's source, which no policy can name if it is not UTF-8.
		for _, key := range []string{"aws:SourceArn", "aws:SourceAccount"} {
			if source, ok := req.Context.Get(key); ok && !utf8.ValidString(strings.Join(source.Values, "")) {
				return false
			}
		}
	case authz.Anonymous, authz.WebIdentity, authz.SAML:
	default:
		return false
	}
	hasSegments := req.Resource == "" || req.Resource == "*" || strings.Count(req.Resource, ":") >= 5
	return hasSegments && strings.Contains(req.Action, ":") && utf8.ValidString(req.Action+req.Resource+caller.ARN) &&
		fix.Note != "access never crosses partitions" && fix.Note != "a policy without a document denies everything"
}

func decide(req authz.Request, p authz.Policies) authz.Decision { return authz.Compile(p).Decide(&req) }
