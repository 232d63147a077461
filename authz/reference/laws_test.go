package reference_test

import (
	"strconv"
	"testing"

	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/authz/reference"
)

// FuzzLaws checks, on requests and policies made from the input, what must hold whatever the policies say.
func FuzzLaws(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(20) {
		f.Add(authztest.Bytes(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { authztest.CheckLaws(t, reference.Decide, data) })
}

// TestLaws runs the laws on many random inputs, also where nobody fuzzes.
func TestLaws(t *testing.T) {
	for seed := range authztest.Seeds(400) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { authztest.CheckLaws(t, reference.Decide, authztest.Bytes(seed)) })
	}
}
