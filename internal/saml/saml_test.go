package saml_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/saml"
	"github.com/licet/licet/internal/saml/samltest"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func metadata(t testing.TB, p *samltest.Provider) *saml.Metadata {
	t.Helper()
	m, err := saml.ParseMetadata(p.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMetadata(t *testing.T) {
	p := samltest.New(t, "https://idp.example.com")
	m, err := saml.ParseMetadata(p.Metadata(`validUntil="2030-01-02T03:04:05Z"`))
	if err != nil {
		t.Fatal(err)
	}
	if m.EntityID != p.EntityID || !m.ValidUntil.Equal(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)) || len(m.Certificates) != 1 {
		t.Errorf("got %+v", m)
	}
	good := p.Metadata()
	for name, text := range map[string]string{
		"empty":          "",
		"not XML":        "metadata",
		"cut off":        good[:len(good)-5],
		"two roots":      good + "<a/>",
		"no entityID":    strings.Replace(good, "entityID", "id", 1),
		"no IdP":         strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"),
		"no endpoint":    strings.ReplaceAll(good, "SingleSignOnService", "SingleLogoutService"),
		"no key":         strings.ReplaceAll(good, `use="signing"`, `use="encryption"`),
		"bad key":        strings.ReplaceAll(good, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
		"document type":  strings.Replace(good, "<md:", `<!DOCTYPE a [<!ENTITY b "c">]><md:`, 1),
		"bad validUntil": p.Metadata(`validUntil="soon"`),
		"deep":           strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
	} {
		if _, err := saml.ParseMetadata(text); !errors.Is(err, saml.ErrMetadata) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestVerify(t *testing.T) {
	p := samltest.New(t, "https://idp.example.com")
	s := p.Good(now, samltest.Attribute{Name: "Role", Values: []string{"a", "b"}})
	s.SessionUntil = now.Add(time.Hour)
	want := &saml.Assertion{
		Issuer: p.EntityID, Subject: "alice@example.com", SubjectFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		Recipient: samltest.AWS, Issued: now, NotBefore: now.Add(-time.Minute), NotOnOrAfter: now.Add(5 * time.Minute),
		ConfirmedUntil: now.Add(5 * time.Minute), SessionUntil: now.Add(time.Hour), Audiences: [][]string{{samltest.AWS}},
		Attributes: map[string][]string{"Role": {"a", "b"}},
	}
	for _, whole := range []bool{true, false} {
		s.SignResponse = whole
		got, err := saml.Verify(p.Response(s), metadata(t, p), saml.Keys{})
		if err != nil {
			t.Errorf("response signed %v: %v", whole, err)
			continue
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("response signed %v (-got +want):\n%s", whole, diff)
		}
	}
}

// Wrapped signatures: what is signed is there, and something else with it.
func TestWrapping(t *testing.T) {
	p := samltest.New(t, "https://idp.example.com")
	forged := func() *etree.Element {
		s := p.Good(now)
		s.Subject, s.Unsigned = "root@example.com", true
		return p.Document(s).SelectElement("saml:Assertion")
	}
	renamed := func(id string) *etree.Element {
		e := forged()
		e.CreateAttr("ID", id)
		return e
	}
	signed := func() *etree.Element { return p.Document(p.Good(now)) }
	assertion := func(r *etree.Element) *etree.Element { return r.SelectElement("saml:Assertion") }
	tests := map[string]func() *etree.Element{
		"a second assertion first": func() *etree.Element {
			r := signed()
			r.InsertChildAt(2, renamed("_x"))
			return r
		},
		"a second assertion of the same id": func() *etree.Element {
			r := signed()
			r.InsertChildAt(2, forged())
			return r
		},
		"the signed one inside the forged one": func() *etree.Element {
			r := signed()
			inner := assertion(r)
			r.RemoveChild(inner)
			outer := renamed("_x")
			outer.AddChild(inner)
			r.AddChild(outer)
			return r
		},
		"the signed one inside the signature of the forged one": func() *etree.Element {
			r := signed()
			inner := assertion(r)
			r.RemoveChild(inner)
			signature := inner.SelectElement("ds:Signature")
			inner.RemoveChild(signature)
			object := signature.CreateElement("ds:Object")
			object.AddChild(inner)
			outer := renamed("_x")
			outer.InsertChildAt(1, signature)
			r.AddChild(outer)
			return r
		},
		"the signed one in extensions": func() *etree.Element {
			r := signed()
			inner := assertion(r)
			r.RemoveChild(inner)
			r.CreateElement("samlp:Extensions").AddChild(inner)
			r.AddChild(renamed("_x"))
			return r
		},
		"the signature moved to the forged one": func() *etree.Element {
			r := signed()
			inner := assertion(r)
			r.RemoveChild(inner)
			outer := forged()
			outer.InsertChildAt(1, inner.SelectElement("ds:Signature").Copy())
			r.AddChild(outer)
			return r
		},
		"a signed response inside another": func() *etree.Element {
			s := p.Good(now)
			s.SignResponse = true
			inner := p.Document(s)
			s.Unsigned, s.Subject = true, "root@example.com"
			outer := p.Document(s)
			outer.CreateAttr("ID", "_x")
			outer.InsertChildAt(1, inner.SelectElement("ds:Signature").Copy())
			outer.CreateElement("samlp:Extensions").AddChild(inner)
			return outer
		},
		"two signatures": func() *etree.Element {
			r := signed()
			a := assertion(r)
			a.InsertChildAt(1, a.SelectElement("ds:Signature").Copy())
			return r
		},
	}
	for name, document := range tests {
		got, err := saml.Verify(samltest.Encode(t, document()), metadata(t, p), saml.Keys{})
		if err == nil {
			t.Errorf("%s: got the assertion of %s", name, got.Subject)
		}
	}
}

func TestBadResponses(t *testing.T) {
	p, stranger := samltest.New(t, "https://idp.example.com"), samltest.New(t, "https://idp.example.com")
	edit := func(change func(*etree.Element)) string {
		r := p.Document(p.Good(now))
		change(r)
		return samltest.Encode(t, r)
	}
	with := func(change func(*samltest.Statement)) string {
		s := p.Good(now)
		change(&s)
		return p.Response(s)
	}
	good, err := base64.StdEncoding.DecodeString(p.Response(p.Good(now)))
	if err != nil {
		t.Fatal(err)
	}
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	tests := map[string]struct {
		text string
		want error
	}{
		"not base64":    {"%", saml.ErrMalformed},
		"not XML":       {b64("hello"), saml.ErrMalformed},
		"metadata":      {b64(p.Metadata()), saml.ErrMalformed},
		"document type": {b64(`<!DOCTYPE a [<!ENTITY b "c">]>` + string(good)), saml.ErrMalformed},
		"another's key": {stranger.Response(stranger.Good(now)), saml.ErrSignature},
		"unsigned":      {with(func(s *samltest.Statement) { s.Unsigned = true }), saml.ErrSignature},
		"another subject": {edit(func(r *etree.Element) {
			r.FindElement("//saml:NameID").SetText("root@example.com")
		}), saml.ErrSignature},
		"a comment in the subject": {strings.TrimSpace(b64(strings.Replace(string(good), "alice@example.com", "alice@<!-- -->example.com", 1))), nil},
		"no assertion":             {edit(func(r *etree.Element) { r.RemoveChild(r.SelectElement("saml:Assertion")) }), saml.ErrMalformed},
		"a refusal":                {with(func(s *samltest.Statement) { s.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }), saml.ErrStatus},
		"no subject": {with(func(s *samltest.Statement) {
			s.Change = func(r *etree.Element) {
				a := r.SelectElement("saml:Assertion")
				a.RemoveChild(a.SelectElement("saml:Subject"))
			}
		}), saml.ErrMalformed},
		"a bad time": {with(func(s *samltest.Statement) {
			s.Change = func(r *etree.Element) { r.FindElement("//saml:Conditions").CreateAttr("NotBefore", "soon") }
		}), saml.ErrMalformed},
	}
	for name, tt := range tests {
		got, err := saml.Verify(tt.text, metadata(t, p), saml.Keys{})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
		if err == nil && got.Subject != "alice@example.com" {
			t.Errorf("%s: got subject %s", name, got.Subject)
		}
	}
	if _, err := saml.Verify(p.Response(p.Good(now)), metadata(t, p), saml.Keys{Required: true}); !errors.Is(err, saml.ErrEncryption) {
		t.Errorf("not encrypted: got %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	p := samltest.New(f, "https://idp.example.com")
	m := metadata(f, p)
	s := p.Good(now)
	for _, whole := range []bool{true, false} {
		s.SignResponse = whole
		text, err := base64.StdEncoding.DecodeString(p.Response(s))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := saml.Verify(base64.StdEncoding.EncodeToString(text), m, saml.Keys{})
		if err == nil && got.Subject != s.Subject {
			t.Errorf("forged: %s", text)
		}
	})
}

func FuzzParseMetadata(f *testing.F) {
	f.Add(samltest.New(f, "https://idp.example.com").Metadata())
	f.Fuzz(func(t *testing.T, text string) {
		m, err := saml.ParseMetadata(text)
		if err == nil && (m.EntityID == "" || len(m.Certificates) == 0) || err != nil && !errors.Is(err, saml.ErrMetadata) {
			t.Errorf("%q: got %+v, %v", text, m, err)
		}
	})
}

// encrypt gives a response whose assertion is encrypted for a key, as https://www.w3.org/TR/xmlenc-core1/ has it.
func encrypt(t *testing.T, response *etree.Element, key *rsa.PublicKey) string {
	t.Helper()
	plain := response.SelectElement("saml:Assertion")
	response.RemoveChild(plain)
	plain.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	doc := etree.NewDocument()
	doc.SetRoot(plain)
	text, err := doc.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	secret, nonce := make([]byte, 16), make([]byte, 12)
	rand.Read(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	sealedKey, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	encrypted := etree.NewDocument()
	err = encrypted.ReadFromString(`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` +
		`<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"><xenc:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes128-gcm"/>` +
		`<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey>` +
		`<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/><xenc:CipherData><xenc:CipherValue>` + b64(sealedKey) +
		`</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>` +
		b64(append(nonce, sealer.Seal(nil, nonce, text, nil)...)) + `</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>`)
	if err != nil {
		t.Fatal(err)
	}
	response.AddChild(encrypted.Root())
	return samltest.Encode(t, response)
}

func TestEncryptedAssertion(t *testing.T) {
	p := samltest.New(t, "https://idp.example.com")
	mine, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := encrypt(t, p.Document(p.Good(now)), &mine.PublicKey)
	for _, keys := range [][]*rsa.PrivateKey{{mine}, {other, mine}} {
		got, err := saml.Verify(text, metadata(t, p), saml.Keys{Private: keys, Required: true})
		if err != nil || got.Subject != "alice@example.com" {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	for _, keys := range [][]*rsa.PrivateKey{nil, {other}} {
		if _, err := saml.Verify(text, metadata(t, p), saml.Keys{Private: keys}); !errors.Is(err, saml.ErrEncryption) {
			t.Errorf("without the key: got %v", err)
		}
	}
	s := p.Good(now)
	s.Unsigned = true // whoever has the public key can encrypt: that proves nothing
	text = encrypt(t, p.Document(s), &mine.PublicKey)
	if _, err := saml.Verify(text, metadata(t, p), saml.Keys{Private: []*rsa.PrivateKey{mine}}); !errors.Is(err, saml.ErrSignature) {
		t.Errorf("unsigned: got %v", err)
	}
}
