package codesign

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io/fs"
	"math/big"
	"testing"
	"time"
)

const profile = "arn:aws:signer:us-east-1:111122223333:/signing-profiles/p/0123456789"

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func newCertificate(t testing.TB, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

type entry struct {
	name, text string
	mode       fs.FileMode
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(e.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// entriesOf reads an archive again.
func entriesOf(t testing.TB, a []byte) []entry {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(a), int64(len(a)))
	if err != nil {
		t.Fatal(err)
	}
	var all []entry
	for _, f := range r.File {
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(content); err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{f.Name, b.String(), f.Mode()})
	}
	return all
}

func TestSignature(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	plain := archive(t, entry{"app.py", "code", 0o644}, entry{"bin/tool", "x", 0o755})
	said := Signature{Profile: profile, Job: "job", Signed: now, Expires: now.Add(time.Hour)}
	for _, key := range []crypto.Signer{newKey(t), rsaKey} {
		known := map[string]*x509.Certificate{profile: newCertificate(t, key)}
		signed, err := Sign(plain, said, key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Verify(signed, known, now); err != nil || got != said {
			t.Errorf("got %+v, %v", got, err)
		}
		if got, err := Verify(signed, known, now.Add(time.Hour)); !errors.Is(err, ErrExpired) || got != said {
			t.Errorf("late: got %+v, %v", got, err)
		}
		if _, err := Verify(signed, nil, now); !errors.Is(err, ErrUntrusted) {
			t.Errorf("unknown profile: got %v", err)
		}
		if _, err := Sign(signed, said, key); err == nil {
			t.Error("signed twice")
		}
		// Order and compression do not count.
		entries := entriesOf(t, signed)
		entries[0], entries[1] = entries[1], entries[0]
		if _, err := Verify(archive(t, entries...), known, now); err != nil {
			t.Errorf("in another order: %v", err)
		}
	}
	if _, err := Verify(plain, nil, now); !errors.Is(err, ErrUnsigned) {
		t.Errorf("unsigned: got %v", err)
	}
	if _, err := Verify(archive(t, entry{Entry, "of another kind", 0o644}), nil, now); !errors.Is(err, ErrUntrusted) {
		t.Errorf("of another kind: got %v", err)
	}
	if _, err := Verify([]byte("no zip"), nil, now); err == nil {
		t.Error("what is no archive was taken")
	}
	if _, err := Sign(archive(t), said, newKey(t)); err == nil {
		t.Error("an empty archive was signed")
	}
}

func TestTampering(t *testing.T) {
	key := newKey(t)
	known := map[string]*x509.Certificate{profile: newCertificate(t, key)}
	said := Signature{Profile: profile, Signed: now, Expires: now.Add(time.Hour)}
	sign := func(key crypto.Signer, s Signature) []entry {
		signed, err := Sign(archive(t, entry{"app.py", "code", 0o644}), s, key)
		if err != nil {
			t.Fatal(err)
		}
		return entriesOf(t, signed)
	}
	good := sign(key, said)
	for name, c := range map[string]struct {
		entries []entry
		want    error
	}{
		"content":         {[]entry{{"app.py", "evil", 0o644}, good[1]}, ErrIntegrity},
		"mode":            {[]entry{{"app.py", "code", 0o755}, good[1]}, ErrIntegrity},
		"name":            {[]entry{{"evil.py", "code", 0o644}, good[1]}, ErrIntegrity},
		"one more":        {[]entry{good[0], {"evil.py", "x", 0o644}, good[1]}, ErrIntegrity},
		"one less":        {[]entry{good[1]}, ErrIntegrity},
		"the same twice":  {[]entry{good[0], good[0], good[1]}, ErrIntegrity},
		"two signatures":  {[]entry{good[0], good[1], good[1]}, ErrIntegrity},
		"another's key":   {sign(newKey(t), said), ErrIntegrity},
		"another profile": {sign(key, Signature{Profile: "other", Signed: now, Expires: now.Add(time.Hour)}), ErrUntrusted},
		"before the certificate": {
			sign(key, Signature{Profile: profile, Signed: now.Add(-2 * time.Hour), Expires: now.Add(time.Hour)}), ErrUntrusted,
		},
	} {
		if _, err := Verify(archive(t, c.entries...), known, now); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// FuzzVerify: no signature that this key did not make is taken, whatever it says, and nothing crashes.
func FuzzVerify(f *testing.F) {
	key := newKey(f)
	known := map[string]*x509.Certificate{profile: newCertificate(f, key)}
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(`{"payload":"","signatures":[]}`)
	f.Fuzz(func(t *testing.T, signature string) {
		if got, err := Verify(archive(t, entry{"app.py", "code", 0o644}, entry{Entry, signature, 0o644}), known, now); err == nil {
			t.Errorf("%q was taken as %+v", signature, got)
		}
	})
}
