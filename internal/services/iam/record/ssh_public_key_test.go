package record

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

func TestSSHPublicKeyForms(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(ec.Public())
	if err != nil {
		t.Fatal(err)
	}
	good, _ := rsaKey(t, 2048)
	wire, err := base64.StdEncoding.DecodeString(strings.Fields(good)[1])
	if err != nil {
		t.Fatal(err)
	}
	line := func(wire []byte) string { return "ssh-rsa " + base64.StdEncoding.EncodeToString(wire) }
	const (
		unrecognized = "UnrecognizedPublicKeyEncoding"
		invalid      = "Invalid public key uploaded."
	)
	for name, body := range map[string]string{
		"nothing": "x", "one word": "ssh-rsa", "no base64": "ssh-rsa !", "another type": "ssh-ed25519 " + strings.Fields(good)[1],
		"cut": line(wire[:len(wire)-1]), "longer": line(append(slices.Clone(wire), 0)), "cut in a length": line(wire[:2]),
		"a length beyond the end": line([]byte{255, 255, 255, 255}), "another type within": line(bytes.Replace(wire, []byte("ssh-rsa"), []byte("ssh-dss"), 1)),
		"PEM of EC": pemText("PUBLIC KEY", der), "PEM of nothing": pemText("PUBLIC KEY", []byte("x")),
		"no exponent": line([]byte("\x00\x00\x00\x07ssh-rsa\x00\x00\x00\x00\x00\x00\x00\x01\x05")),
	} {
		if _, err := ParseSSHPublicKey(body); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			wantError(t, err, unrecognized, invalid)
		}
	}
	n := bytes.Repeat([]byte{0xff}, 128)
	small := slices.Concat([]byte("\x00\x00\x00\x07ssh-rsa\x00\x00\x00\x03\x01\x00\x01\x00\x00\x00\x80"), n)
	_, err = ParseSSHPublicKey(line(small))
	wantError(t, err, "InvalidPublicKey", "Invalid body for public key")
}

// The key is that of https://git-scm.com/book/en/v2/Git-on-the-Server-Generating-Your-SSH-Public-Key, the fingerprint ssh-keygen's.
func TestSSHFingerprint(t *testing.T) {
	const line = "ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEAklOUpkDHrfHY17SbrmTIpNLTGK9Tjom/BWDSUGPl+nafzlHDTYW7hdI4yZ5ew18JH4JW9jbhUFrviQzM7xlELEVf4h9l" +
		"FX5QVkbPppSwg0cda3Pbv7kOdJ/MTyBlWXFCR+HAo3FXRitBqxiX1nKhXpHAZsMciLq8V6RjsNAQwdsdMFvSlVK/7XAt3FaoJoAsncM1Q9x5+3V0Ww68/eIFmb1zuUFljQJKprrX88X" +
		"ypNDvjYNby6vw/Pb0rwert/EnmZ+AW4OZPnTPI89ZPmVMLuayrD2cE86Z/il8b+gw3r3+1nKatmIkjn2so1d01QraTlMqVSsbxNrRFi9wrf+M7Q== schacon@mylaptop.local"
	wire, err := ParseSSHPublicKey(line)
	if err != nil {
		t.Fatal(err)
	}
	k := SSHPublicKey{Key: wire}
	if got, want := k.SSH(), strings.TrimSuffix(line, " schacon@mylaptop.local"); got != want {
		t.Errorf("got %s", got)
	}
	if got, want := k.fingerprint(), "43:c5:5b:5f:b1:f1:50:43:ad:20:a6:92:6a:1f:9a:3a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzSSHPublicKey(f *testing.F) {
	ssh, pem := rsaKey(f, 2048)
	f.Add(ssh)
	f.Add(pem)
	f.Fuzz(func(t *testing.T, body string) {
		wire, err := ParseSSHPublicKey(body)
		if err != nil {
			return
		}
		again, err := ParseSSHPublicKey(SSHPublicKey{Key: wire}.SSH())
		if err != nil || !bytes.Equal(wire, again) {
			t.Errorf("%q does not come back: %v", body, err)
		}
	})
}
