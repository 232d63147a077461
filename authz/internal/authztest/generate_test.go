package authztest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/policy"
)

// FuzzGenerator wants of every input a request and policies, the same each time.
func FuzzGenerator(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(20) {
		f.Add(authztest.Bytes(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if first, second := describe(data), describe(data); first != second {
			t.Errorf("the same bytes made\n%s\nand then\n%s", first, second)
		}
	})
}

// TestGenerator does the same where nobody fuzzes, with inputs of all lengths.
func TestGenerator(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for seed := range uint64(1000) {
		data := authztest.Bytes(seed)
		data = data[:r.IntN(len(data)+1)]
		if first, second := describe(data), describe(data); first != second {
			t.Fatalf("seed %d: the same bytes made\n%s\nand then\n%s", seed, first, second)
		}
	}
}

func describe(data []byte) string {
	g := authztest.NewGenerator(data)
	text := authztest.Describe(g.Request(), g.Policies())
	text += authztest.Describe(g.Request(), g.Policies())
	for _, effect := range []string{"Allow", "Deny"} {
		text += string(g.Statement(policy.Effect(effect), effect == "Deny").Effect)
	}
	return text
}
