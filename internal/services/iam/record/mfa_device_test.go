package record

import (
	"testing"
	"time"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/totp"
)

// The codes that were used are remembered as long as they could be good again, and no longer.
func TestUsedCodesAreForgotten(t *testing.T) {
	const serial, text = "arn:aws:iam::111122223333:mfa/phone", "a seed of twenty byte"
	k, now := secret.New([secret.KeySize]byte{1}), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	seed, err := SealSecret(k, MFASeedPurpose, serial, text)
	if err != nil {
		t.Fatal(err)
	}
	d := &MFADevice{Serial: serial, Seed: seed, LastPair: totp.Step(now)}
	for range 3 * maxBehind {
		now = now.Add(30 * time.Second)
		if ok, err := d.Take(k, now, totp.Code([]byte(text), totp.Step(now))); !ok || err != nil {
			t.Fatalf("got %v, %v", ok, err)
		}
	}
	if got, most := len(d.Used), maxBehind+codeWindow+1; got != most {
		t.Errorf("%d codes are remembered, want %d", got, most)
	}
}
