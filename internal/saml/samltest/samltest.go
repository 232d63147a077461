// Package samltest makes SAML 2.0 identity providers for tests: metadata, and responses that they sign.
//
// A Provider is immutable and safe for concurrent use.
package samltest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Provider is an identity provider.
type Provider struct {
	t        testing.TB
	key      *rsa.PrivateKey
	cert     []byte
	EntityID string
}

// New makes a provider with a key of its own. Its certificate ended long ago, which does not matter.
func New(t testing.TB, entityID string) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"},
		NotBefore: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2002, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &Provider{t: t, key: key, cert: cert, EntityID: entityID}
}

// GetKeyPair is for dsig.
func (p *Provider) GetKeyPair() (*rsa.PrivateKey, []byte, error) { return p.key, p.cert, nil }

// Metadata is the provider's metadata, with attributes of its root element if there are any.
func (p *Provider) Metadata(attributes ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="` + p.EntityID +
		`" ` + strings.Join(attributes, " ") + `>` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data>` +
		`<ds:X509Certificate>` + base64.StdEncoding.EncodeToString(p.cert) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>` +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="` + p.EntityID + `/sso"/>` +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`
}

// Statement is what a response says.
type Statement struct {
	Issuer, Subject, Format  string
	Recipient, Audience      string
	Issued, NotBefore, Until time.Time
	SessionUntil             time.Time
	Attributes               []Attribute
	SignResponse, Unsigned   bool
	Status                   string
	// Change, if set, changes the response before it is signed.
	Change func(response *etree.Element)
}

// Attribute is one attribute with its values.
type Attribute struct {
	Name   string
	Values []string
}

// AWS is the place of AWS's sign-in, which is recipient and audience of assertions for it.
const AWS = "https://signin.aws.amazon.com/saml"

// Good is a statement that is issued now, and good for five minutes.
func (p *Provider) Good(now time.Time, attributes ...Attribute) Statement {
	return Statement{
		Issuer: p.EntityID, Subject: "alice@example.com", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", Recipient: AWS, Audience: AWS,
		Issued: now, NotBefore: now.Add(-time.Minute), Until: now.Add(5 * time.Minute), Attributes: attributes,
		Status: "urn:oasis:names:tc:SAML:2.0:status:Success",
	}
}

// Response gives the statement as a response, in base64.
func (p *Provider) Response(s Statement) string {
	p.t.Helper()
	return Encode(p.t, p.Document(s))
}

// Document gives the response as a document.
func (p *Provider) Document(s Statement) *etree.Element {
	p.t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(p.text(s)); err != nil {
		p.t.Fatal(err)
	}
	response := doc.Root()
	if s.Change != nil {
		s.Change(response)
	}
	switch {
	case s.Unsigned:
		return response
	case s.SignResponse:
		return p.Sign(response)
	}
	assertion := response.SelectElement("saml:Assertion")
	response.RemoveChild(assertion)
	assertion.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	response.AddChild(p.Sign(assertion))
	return response
}

// Sign gives an element with a signature as its second child, where the schema wants it.
func (p *Provider) Sign(e *etree.Element) *etree.Element {
	p.t.Helper()
	context := dsig.NewDefaultSigningContext(p)
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := context.ConstructSignature(e, true)
	if err != nil {
		p.t.Fatal(err)
	}
	signed := e.Copy()
	signed.InsertChildAt(1, signature)
	return signed
}

// Encode gives a document in base64.
func Encode(t testing.TB, root *etree.Element) string {
	t.Helper()
	doc := etree.NewDocument()
	doc.SetRoot(root)
	text, err := doc.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(text)
}

func (p *Provider) text(s Statement) string {
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
	var attributes strings.Builder
	for _, a := range s.Attributes {
		fmt.Fprintf(&attributes, `<saml:Attribute Name="%s">`, a.Name)
		for _, v := range a.Values {
			fmt.Fprintf(&attributes, `<saml:AttributeValue>%s</saml:AttributeValue>`, v)
		}
		attributes.WriteString(`</saml:Attribute>`)
	}
	session := ""
	if !s.SessionUntil.IsZero() {
		session = ` SessionNotOnOrAfter="` + stamp(s.SessionUntil) + `"`
	}
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_response" ` +
		`Version="2.0" IssueInstant="` + stamp(s.Issued) + `" Destination="` + AWS + `"><saml:Issuer>` + s.Issuer + `</saml:Issuer>` +
		`<samlp:Status><samlp:StatusCode Value="` + s.Status + `"/></samlp:Status>` +
		`<saml:Assertion ID="_assertion" Version="2.0" IssueInstant="` + stamp(s.Issued) + `"><saml:Issuer>` + s.Issuer + `</saml:Issuer>` +
		`<saml:Subject><saml:NameID Format="` + s.Format + `">` + s.Subject + `</saml:NameID>` +
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="` + stamp(s.Until) +
		`" Recipient="` + s.Recipient + `"/></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="` + stamp(s.NotBefore) + `" NotOnOrAfter="` + stamp(s.Until) + `"><saml:AudienceRestriction><saml:Audience>` + s.Audience +
		`</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AuthnStatement AuthnInstant="` + stamp(s.Issued) + `"` + session + `/>` +
		`<saml:AttributeStatement>` + attributes.String() + `</saml:AttributeStatement></saml:Assertion></samlp:Response>`
}
