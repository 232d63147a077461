package principal_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
)

func TestIDsCarryTheirAccount(t *testing.T) {
	for _, account := range []string{"000000000000", "000000000001", "123456789012", "999999999999"} {
		key, err := principal.NewAccessKeyID(principal.AccessKeyPrefix, account)
		if err != nil || len(key) != 20 || !strings.HasPrefix(key, "AKIA") {
			t.Fatalf("got key id %q, %v", key, err)
		}
		id, err := principal.NewUniqueID(principal.RoleIDPrefix, account)
		if err != nil || len(id) != 21 || !strings.HasPrefix(id, "AROA") {
			t.Fatalf("got unique id %q, %v", id, err)
		}
		for _, text := range []string{key, id} {
			if got, ok := principal.AccountOf(text); !ok || got != account {
				t.Errorf("AccountOf(%q): got %q, %v; want %q", text, got, ok, account)
			}
		}
		if other, _ := principal.NewAccessKeyID(principal.AccessKeyPrefix, account); other == key {
			t.Errorf("got %q twice", key)
		}
	}
	for _, account := range []string{"", "1", "12345678901x", "1234567890123", "-00000000001"} {
		if id, err := principal.NewAccessKeyID(principal.AccessKeyPrefix, account); err == nil {
			t.Errorf("account %q: got %q, want an error", account, id)
		}
	}
	// The documentation's example has no account in it.
	for _, text := range []string{"AKIAIOSFODNN7EXAMPLE", "", "test", "AKIA1111111111111111", "AKIA7777777777777777"} {
		if got, ok := principal.AccountOf(text); ok {
			t.Errorf("AccountOf(%q): got %q", text, got)
		}
	}
}

func TestTokens(t *testing.T) {
	keys := secret.New([secret.KeySize]byte{1})
	token := principal.Token{
		AccessKeyID: "ASIAX", SecretAccessKey: "s", Session: principal.Session{
			RoleARN: "arn:aws:iam::1:role/r", RoleID: "AROAX", Name: "n", Generation: 3, Policy: "{}", PolicyARNs: []string{"p"}, HasPolicies: true,
			Tags: map[string]string{"a": "b"}, TransitiveTagKeys: []string{"a"}, SourceIdentity: "i", SourceFunctionARN: "f",
			IssuedAt: time.Unix(1, 0).UTC(), Expires: time.Unix(2, 0).UTC(),
		},
	}
	c, err := token.Seal(keys)
	if err != nil {
		t.Fatal(err)
	}
	if c.AccessKeyID != "ASIAX" || c.SecretAccessKey != "s" || !c.Expires.Equal(token.Session.Expires) {
		t.Errorf("got %+v", c)
	}
	got, err := principal.OpenToken(keys, c.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, token); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	// No other text opens: not one changed byte, no second spelling.
	for i := range c.SessionToken {
		b := []byte(c.SessionToken)
		b[i] ^= 1
		if _, err := principal.OpenToken(keys, string(b)); !errors.Is(err, principal.ErrToken) {
			t.Fatalf("byte %d changed: got %v", i, err)
		}
	}
	for _, text := range []string{"", c.SessionToken + "=", c.SessionToken + "\n", c.SessionToken[:len(c.SessionToken)-1]} {
		if _, err := principal.OpenToken(keys, text); !errors.Is(err, principal.ErrToken) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if _, err := principal.OpenToken(secret.New([secret.KeySize]byte{2}), c.SessionToken); !errors.Is(err, principal.ErrToken) {
		t.Errorf("another key: got %v", err)
	}
}

func FuzzAccountOf(f *testing.F) {
	f.Add("AKIAIOSFODNN7EXAMPLE")
	f.Fuzz(func(t *testing.T, id string) {
		if account, ok := principal.AccountOf(id); ok && len(account) != 12 {
			t.Errorf("%q: got %q", id, account)
		}
	})
}
