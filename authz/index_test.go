package authz_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/authz/reference"
	"github.com/licet/licet/policy"
)

// actionAlphabet is what the index by service looks at, and what may mislead it: colons at odd places, wildcards before and behind them,
// both cases, a letter that only Unicode folds to one of ASCII, bytes that are no text, marks of compiled patterns, and variables, of
// which actions have none.
var actionAlphabet = []string{"s", "S", "3", ":", ":", ":", "*", "*", "?", "G", "g", "\u017f", "\u212a", "\u00e9", "-", "$", "${aws:username}", "${*}", "\x01"}

func randomText(r *rand.Rand, alphabet []string, most int) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

// randomAction makes a pattern of actions or, without wildcards, an action.
func randomAction(r *rand.Rand, wild bool) string {
	known := []string{"s3:g", "S3:G*", "s3:*", "*", "*:*", "s*:g*", "?3:g", "s3*", "*s3:g", "s3:?", "s3:g:*", ":*", ":", "::", "*:", "", "s3", "s3:", "s3::g", "3:*g", "s?:*"}
	if r.IntN(3) == 0 {
		if text := known[r.IntN(len(known))]; wild || !strings.ContainsAny(text, "*?") {
			return text
		}
	}
	text := randomText(r, actionAlphabet, 6)
	if !wild {
		text = strings.NewReplacer("*", "", "?", "").Replace(text)
	}
	return text
}

// TestIndexOfActionsAgrees compares the evaluators on many statements that differ in little but how they list actions.
func TestIndexOfActionsAgrees(t *testing.T) {
	for seed := range authztest.Seeds(600) {
		r := rand.New(rand.NewPCG(seed, 3))
		pool := make([]string, 1+r.IntN(40)) // so that statements share patterns
		for i := range pool {
			pool[i] = randomAction(r, true)
		}
		count := []int{1, 15, 16, 17, 63, 64, 65, 128, 129, 255, 256, 257, 300}[r.IntN(13)]
		mostDeny := r.IntN(3)
		var docs [3]policy.Document
		for i := range count {
			doc := &docs[r.IntN(len(docs))]
			doc.Version = policy.Version2012
			effect, element := "Allow", "Action"
			if r.IntN(10) < mostDeny {
				effect = "Deny"
			}
			if r.IntN(12) == 0 {
				element = "NotAction"
			}
			actions := make([]string, 1+r.IntN(3))
			for j := range actions {
				actions[j] = pool[r.IntN(len(pool))]
			}
			quoted, err := json.Marshal(actions)
			if err != nil {
				t.Fatal(err)
			}
			// The resource leaves few statements that match, wherever they stand.
			resource := fmt.Sprintf("arn:aws:s3:::b/%d", i%7)
			doc.Statements = append(doc.Statements, document(t, fmt.Sprintf(`{"Effect":%q,%q:%s,"Resource":%q}`, effect, element, quoted, resource)).Statements...)
		}
		p := authz.Policies{Identity: []authz.Policy{{Name: "0", Document: &docs[0]}, {Name: "1", Document: &docs[1]}}}
		switch r.IntN(4) {
		case 0:
			p.Boundary = &authz.Policy{Name: "2", Document: &docs[2]}
		case 1:
			p.SCPs = [][]authz.Policy{{{Name: "2", Document: &docs[2]}}, {{Name: "1", Document: &docs[1]}, {Name: "0", Document: &docs[0]}}}
		case 2:
			p.Session = []authz.Policy{{Name: "2", Document: &docs[2]}}
		}
		set := authz.Compile(p)
		for range 12 {
			req := alice(randomAction(r, r.IntN(8) == 0), fmt.Sprintf("arn:aws:s3:::b/%d", r.IntN(8)))
			want := reference.Decide(req, p)
			want.Types = nil
			if diff := cmp.Diff(walk(want), walk(set.Decide(&req))); diff != "" {
				t.Fatalf("seed %d (-reference +compiled):\n%s\n%s", seed, diff, authztest.Describe(req, p))
			}
			if diff := cmp.Diff(walk(want), walk(authz.CompileIndexed(p).Decide(&req))); diff != "" {
				t.Fatalf("seed %d (-reference +indexed):\n%s\n%s", seed, diff, authztest.Describe(req, p))
			}
		}
	}
}

// TestOneSetDecidesManyAtOnce: sets that share groups decide the same one after the other and all at once, whatever was asked before.
func TestOneSetDecidesManyAtOnce(t *testing.T) {
	type question struct {
		set  *authz.Set
		req  authz.Request
		want string
	}
	var questions []question
	for seed := range uint64(200) {
		g := authztest.NewGenerator(authztest.Bytes(seed))
		req, p, other := g.Request(), g.Policies(), g.Policies()
		a, b := authz.Compile(p), authz.CompileIndexed(other)
		ab, ba := a.WithResource(b), b.WithOrganization(a, a)
		for _, set := range []*authz.Set{a, b, &ab, &ba} {
			d := reference.Decide(req, set.Policies())
			d.Types = nil
			questions = append(questions, question{set, req, walk(d)})
		}
	}
	var wg sync.WaitGroup
	for worker := range uint64(4) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(worker, 4))
			for _, i := range r.Perm(len(questions)) {
				q := &questions[i]
				if got := walk(q.set.Decide(&q.req)); got != q.want {
					t.Errorf("question %d: got %s want %s", i, got, q.want)
				}
			}
		})
	}
	wg.Wait()
}
