package record

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"

	"github.com/licet/licet/internal/awserr"
)

// wantError holds an error against code and message.
func wantError(t testing.TB, err error, code, message string) {
	t.Helper()
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok || e.Code != code || e.Message != message {
		t.Errorf("got error %v, want %s: %s", err, code, message)
	}
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// rsaKey makes a key in the form of SSH and of PEM.
func rsaKey(t testing.TB, bits int) (ssh, pem string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return SSHPublicKey{Key: sshWire(&key.PublicKey)}.SSH(), pemText("PUBLIC KEY", der)
}
