package totp_test

import (
	"testing"
	"time"

	"github.com/licet/licet/internal/totp"
)

// seed is that of both RFCs.
var seed = []byte("12345678901234567890")

// RFC 6238, appendix B, SHA-1: the last six of the eight digits.
func TestCodesOfRFC6238(t *testing.T) {
	for unix, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := totp.Code(seed, totp.Step(time.Unix(unix, 0))); got != want {
			t.Errorf("at %d: got %s, want %s", unix, got, want)
		}
	}
}

// RFC 4226, appendix D: codes by counter.
func TestCodesOfRFC4226(t *testing.T) {
	for step, want := range []string{
		"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		if got := totp.Code(seed, int64(step)); got != want {
			t.Errorf("step %d: got %s, want %s", step, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		first, last int64
		codes       []string
		want        int64
		ok          bool
	}{
		{0, 9, []string{"969429"}, 3, true},
		{3, 3, []string{"969429"}, 3, true},
		{4, 9, []string{"969429"}, 0, false},
		{0, 2, []string{"969429"}, 0, false},
		{0, 9, []string{"969429", "338314"}, 3, true},
		{0, 9, []string{"969429", "254676"}, 0, false}, // one step is left out
		{0, 9, []string{"338314", "969429"}, 0, false},
		{0, 9, []string{"969429", "969429"}, 0, false},
		{0, 9, []string{""}, 0, false},
		{0, 9, []string{"9694290"}, 0, false},
	} {
		if got, ok := totp.Find(seed, tt.first, tt.last, tt.codes...); got != tt.want || ok != tt.ok {
			t.Errorf("%v in %d to %d: got %d, %v; want %d, %v", tt.codes, tt.first, tt.last, got, ok, tt.want, tt.ok)
		}
	}
}
