package provider

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/saml/samltest"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// What an account may do with its providers is tested in package iam. Here is what must not happen whatever was decided.

const (
	account = "111122223333"
	other   = "444455556666"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newRoom(t *testing.T) *handlers {
	t.Helper()
	c := directory.Config{
		DB: storetest.New(t), Keyring: secret.New([secret.KeySize]byte{1}), Partition: "aws", Now: func() time.Time { return now },
	}
	d := directory.New(c)
	t.Cleanup(d.Close)
	return &handlers{Store: target.New(c, d), keyring: c.Keyring, issuer: func(id string) string { return "https://issuer/" + id }}
}

func callIn(account string) *service.Call { return &service.Call{Account: account, Time: now} }

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != code {
		t.Errorf("got error %v, want %s", err, code)
	}
}

// holds tells whether a text stands anywhere in the store.
func holds(t *testing.T, db store.DB, text string) (found bool) {
	t.Helper()
	err := db.View(t.Context(), func(tx store.Reader) error {
		items, err := tx.Scan("", "", 0)
		if len(items) == 0 {
			t.Error("nothing is stored")
		}
		for _, item := range items {
			found = found || bytes.Contains(item.Value, []byte(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The URL of an issuer becomes a part of its ARN and the prefix of condition keys. What would mean something else in a policy, or could
// be taken for another issuer or for a service, is none.
func TestProviderURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://idp.example.com":            "idp.example.com",
		"https://idp.example.com/tenant/a-b": "idp.example.com/tenant/a-b",
		"https://idp.example.com:8443/t":     "idp.example.com:8443/t",
		"https://192.0.2.7:8443":             "192.0.2.7:8443",
		"https://[2001:db8::7]:8443":         "[2001:db8::7]:8443",
		"http://127.0.0.1:8080/realm":        "127.0.0.1:8080/realm",

		"":                                             "",
		"idp.example.com":                              "",
		"http://idp.example.com":                       "", // only this machine is asked without TLS
		"ftp://idp.example.com":                        "",
		"HTTPS://idp.example.com":                      "",
		"https://":                                     "",
		"https://s3":                                   "", // s3:… are the keys of a service
		"https://aws:443":                              "",
		"https://idp.example.com:x":                    "",
		"https://.example.com":                         "",
		"https://user@idp.example.com":                 "",
		"https://user:password@idp.example.com":        "",
		"https://idp.example.com?tenant=a":             "",
		"https://idp.example.com?":                     "",
		"https://idp.example.com#a":                    "",
		"https://idp.example.com/#":                    "",
		"https://idp.example.com/*":                    "",
		"https://*.example.com":                        "",
		"https://idp.example.com/${aws:username}":      "",
		"https://idp.example.com/a b":                  "",
		"https://idp.example.com/\u00e9":               "",
		"https://idp.example.com/%zz":                  "",
		"https://idp.example.com\\@evil.test":          "",
		"https://idp.example.com/\n":                   "",
		"https://" + strings.Repeat("a", 244) + ".com": "", // 256 characters
	} {
		got, insecure, err := checkProviderURL(&text)
		if got != want || (err == nil) != (want != "") || insecure != (err == nil && strings.HasPrefix(text, "http:")) {
			t.Errorf("%q: got %q, insecure %v, %v, want %q", text, got, insecure, err, want)
		}
	}
}

func FuzzProviderURL(f *testing.F) {
	f.Add("https://idp.example.com/tenant")
	f.Add("http://localhost:8080")
	f.Add("https://[::1]:80/%2F..")
	f.Fuzz(func(t *testing.T, text string) {
		name, insecure, err := checkProviderURL(&text)
		if err != nil {
			return
		}
		scheme := "https://"
		if insecure {
			scheme = "http://"
		}
		if scheme+name != text || strings.ContainsAny(name, "*?$# \"\\<>\n") {
			t.Fatalf("%q is called %q, insecure %v", text, name, insecure)
		}
		n := record.Names{Partition: "aws"}
		owner, again, ok := n.ParseProviderARN(record.OIDCKind, n.ProviderARN(account, record.OIDCKind, name))
		if !ok || owner != account || again != name {
			t.Fatalf("the ARN of %q is that of %q in %s", name, again, owner)
		}
	})
}

// A private key is sealed with its id, and is not shown again.
func TestPrivateKeysAreSealed(t *testing.T) {
	s := newRoom(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	made, err := s.createSAMLProvider(t.Context(), callIn(account), &sdk.CreateSAMLProviderInput{
		Name: aws.String("corp"), SAMLMetadataDocument: aws.String(samltest.New(t, "https://idp.example.com").Metadata()),
		AddPrivateKey: &text, AssertionEncryptionMode: types.AssertionEncryptionModeTypeRequired,
	})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if len(line) > 40 && holds(t, s.DB, strings.TrimSpace(line)) {
			t.Fatalf("the store has %q", line)
		}
	}
	p, err := s.ownProvider(t.Context(), callIn(account), record.SAMLKind, made.SAMLProviderArn)
	if err != nil {
		t.Fatal(err)
	}
	sealed := p.PrivateKeys[0]
	if got, err := record.OpenSecret(s.keyring, record.SAMLKeyPurpose, sealed.ID, sealed.PEM); err != nil || got != text {
		t.Errorf("got %v, want the key", err)
	}
	if _, err := record.OpenSecret(s.keyring, record.SAMLKeyPurpose, sealed.ID+"x", sealed.PEM); err == nil {
		t.Error("the key opens as another")
	}
	// A provider that demands encryption keeps the last key that it decrypts with.
	_, err = s.updateSAMLProvider(t.Context(), callIn(account), &sdk.UpdateSAMLProviderInput{
		SAMLProviderArn: made.SAMLProviderArn, RemovePrivateKey: &sealed.ID,
	})
	wantCode(t, err, "InvalidInput")
}

// Providers of another account are not there, whoever names them: not to read, not to change, not to delete.
func TestProvidersOfOthersAreOutOfReach(t *testing.T) {
	s := newRoom(t)
	metadata := aws.String(samltest.New(t, "https://idp.example.com").Metadata())
	corp, err := s.createSAMLProvider(t.Context(), callIn(account), &sdk.CreateSAMLProviderInput{Name: aws.String("corp"), SAMLMetadataDocument: metadata})
	if err != nil {
		t.Fatal(err)
	}
	idp, err := s.createOpenIDConnectProvider(t.Context(), callIn(account), &sdk.CreateOpenIDConnectProviderInput{Url: aws.String("https://idp.example.com")})
	if err != nil {
		t.Fatal(err)
	}
	c, client := callIn(other), aws.String("client")
	for name, call := range map[string]func() error{
		"GetSAMLProvider": func() error {
			_, err := s.getSAMLProvider(t.Context(), c, &sdk.GetSAMLProviderInput{SAMLProviderArn: corp.SAMLProviderArn})
			return err
		},
		"UpdateSAMLProvider": func() error {
			_, err := s.updateSAMLProvider(t.Context(), c, &sdk.UpdateSAMLProviderInput{
				SAMLProviderArn: corp.SAMLProviderArn, SAMLMetadataDocument: aws.String(samltest.New(t, "https://evil.example.com").Metadata()),
			})
			return err
		},
		"DeleteSAMLProvider": func() error {
			_, err := s.deleteSAMLProvider(t.Context(), c, &sdk.DeleteSAMLProviderInput{SAMLProviderArn: corp.SAMLProviderArn})
			return err
		},
		"GetOpenIDConnectProvider": func() error {
			_, err := s.getOpenIDConnectProvider(t.Context(), c, &sdk.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: idp.OpenIDConnectProviderArn})
			return err
		},
		"AddClientIDToOpenIDConnectProvider": func() error {
			_, err := s.addClientIDToOpenIDConnectProvider(t.Context(), c, &sdk.AddClientIDToOpenIDConnectProviderInput{
				OpenIDConnectProviderArn: idp.OpenIDConnectProviderArn, ClientID: client,
			})
			return err
		},
		"UpdateOpenIDConnectProviderThumbprint": func() error {
			_, err := s.updateOpenIDConnectProviderThumbprint(t.Context(), c, &sdk.UpdateOpenIDConnectProviderThumbprintInput{
				OpenIDConnectProviderArn: idp.OpenIDConnectProviderArn, ThumbprintList: []string{strings.Repeat("0", 40)},
			})
			return err
		},
		"DeleteOpenIDConnectProvider": func() error {
			_, err := s.deleteOpenIDConnectProvider(t.Context(), c, &sdk.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: idp.OpenIDConnectProviderArn})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, call(), "NoSuchEntity") })
	}
	p, err := s.ownProvider(t.Context(), callIn(account), record.SAMLKind, corp.SAMLProviderArn)
	if err != nil || p.Metadata != *metadata {
		t.Errorf("corp is another: %v", err)
	}
	p, err = s.ownProvider(t.Context(), callIn(account), record.OIDCKind, idp.OpenIDConnectProviderArn)
	if err != nil || len(p.ClientIDs) != 0 || len(p.Thumbprints) != 0 {
		t.Errorf("the OpenID Connect provider is another: %v, %v", p, err)
	}
}
