package saml

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	validator "github.com/mattermost/xml-roundtrip-validator"
	"github.com/russellhaering/gosaml2/types"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// The ways in which a response is not good.
var (
	// ErrMalformed means that it is no response with one assertion.
	ErrMalformed = errors.New("saml: not a response with one assertion")
	// ErrSignature means that no key of the provider signed it.
	ErrSignature = errors.New("saml: invalid signature")
	// ErrEncryption means that the assertion is encrypted for another, or is not although it should be.
	ErrEncryption = errors.New("saml: the assertion cannot be decrypted")
	// ErrStatus means that the provider says that the user was not authenticated.
	ErrStatus = errors.New("saml: the status is not success")
)

// Namespaces and values of SAML 2.0.
const (
	protocolNamespace  = "urn:oasis:names:tc:SAML:2.0:protocol"
	assertionNamespace = "urn:oasis:names:tc:SAML:2.0:assertion"
	statusSuccess      = "urn:oasis:names:tc:SAML:2.0:status:Success"
	bearer             = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
)

// Assertion is what a provider vouches for.
type Assertion struct {
	Issuer string
	// Subject is the NameID, SubjectFormat its Format.
	Subject, SubjectFormat string
	// Recipient and ConfirmedUntil are of the subject's bearer confirmation.
	Recipient      string
	ConfirmedUntil time.Time
	Issued         time.Time
	// NotBefore and NotOnOrAfter are zero when there is no such condition; SessionUntil when the session has no end.
	NotBefore, NotOnOrAfter, SessionUntil time.Time
	// Audiences has a list for each restriction, all of which must hold.
	Audiences [][]string
	// Attributes are the values by name, in the order of the document.
	Attributes map[string][]string
}

// Keys decrypt assertions.
type Keys struct {
	Private []*rsa.PrivateKey
	// Required refuses assertions that are not encrypted.
	Required bool
}

// survives tells that text means the same after it was read and written again: what is verified and what is read must not differ.
func survives(text []byte) error { return validator.Validate(bytes.NewReader(text)) }

// Verify reads a response, in base64, that a provider signed as a whole or in its assertion. The error wraps one of the Err… values.
func Verify(encoded string, m *Metadata, keys Keys) (*Assertion, error) {
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	response, err := readElement(text, protocolNamespace, "Response")
	if err != nil {
		return nil, err
	}
	if err := checkShape(response); err != nil {
		return nil, err
	}
	signed := signatureOf(response) != nil
	if signed {
		if response, err = verified(response, m); err != nil {
			return nil, err
		}
	}
	if err := checkStatus(response); err != nil {
		return nil, err
	}
	assertion, err := assertionOf(response, keys)
	if err != nil {
		return nil, err
	}
	if !signed || signatureOf(assertion) != nil {
		if assertion, err = verified(assertion, m); err != nil {
			return nil, err
		}
	}
	return readAssertion(assertion)
}

// readElement reads a document whose root is a certain element.
func readElement(text []byte, namespace, tag string) (*etree.Element, error) {
	if err := checkText(text); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	root := doc.Root()
	if root == nil || root.Tag != tag || root.NamespaceURI() != namespace {
		return nil, fmt.Errorf("%w: its root is not %s", ErrMalformed, tag)
	}
	return root, nil
}

// checkShape insists on one assertion, as a child of the response, and on ids that are not given twice.
func checkShape(response *etree.Element) error {
	ids, assertions := make(map[string]bool), 0
	var walk func(e *etree.Element) error
	walk = func(e *etree.Element) error {
		for _, a := range e.Attr {
			if a.Space != "" || !strings.EqualFold(a.Key, "ID") {
				continue
			}
			if ids[a.Value] {
				return fmt.Errorf("%w: two elements have the id %q", ErrMalformed, a.Value)
			}
			ids[a.Value] = true
		}
		if e.Tag == "Assertion" || e.Tag == "EncryptedAssertion" {
			assertions++
			if e.Parent() != response {
				return fmt.Errorf("%w: an assertion is inside %s", ErrMalformed, e.Parent().Tag)
			}
		}
		for _, child := range e.ChildElements() {
			if err := walk(child); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(response); err != nil {
		return err
	}
	if assertions != 1 {
		return fmt.Errorf("%w: it has %d", ErrMalformed, assertions)
	}
	return nil
}

func checkStatus(response *etree.Element) error {
	if status := child(response, protocolNamespace, "Status"); status != nil {
		if code := child(status, protocolNamespace, "StatusCode"); code != nil && code.SelectAttrValue("Value", "") == statusSuccess {
			return nil
		}
	}
	return ErrStatus
}

// child is the only child of a name; nil when there is none or more than one.
func child(e *etree.Element, namespace, tag string) *etree.Element {
	var found *etree.Element
	for _, c := range e.ChildElements() {
		if c.Tag != tag || c.NamespaceURI() != namespace {
			continue
		}
		if found != nil {
			return nil
		}
		found = c
	}
	return found
}

func signatureOf(e *etree.Element) *etree.Element { return child(e, dsig.Namespace, "Signature") }

// assertionOf takes the assertion out of a response, as a document of its own.
func assertionOf(response *etree.Element, keys Keys) (*etree.Element, error) {
	if encrypted := child(response, assertionNamespace, "EncryptedAssertion"); encrypted != nil {
		return decrypt(encrypted, keys)
	}
	if keys.Required {
		return nil, fmt.Errorf("%w: it is not encrypted", ErrEncryption)
	}
	plain := child(response, assertionNamespace, "Assertion")
	if plain == nil {
		return nil, fmt.Errorf("%w: the assertion is of another namespace", ErrMalformed)
	}
	return detach(plain)
}

// detach copies an element with the namespaces that it inherits.
func detach(e *etree.Element) (*etree.Element, error) {
	context, err := etreeutils.NSBuildParentContext(e)
	if err == nil {
		e, err = etreeutils.NSDetatch(context, e)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return e, nil
}

// decrypt tries the keys in turn.
func decrypt(e *etree.Element, keys Keys) (*etree.Element, error) {
	e, err := detach(e)
	if err != nil {
		return nil, err
	}
	var encrypted types.EncryptedAssertion
	if err := unmarshal(e, &encrypted); err != nil {
		return nil, err
	}
	// The certificate by which a provider names the key is not kept here, only keys are.
	encrypted.EncryptedKey.X509Data, encrypted.DetEncryptedKey.X509Data = "", ""
	for _, key := range keys.Private {
		text, err := encrypted.DecryptBytes(&tls.Certificate{Certificate: [][]byte{nil}, PrivateKey: key})
		if err != nil {
			continue
		}
		assertion, err := readElement(text, assertionNamespace, "Assertion")
		if err != nil {
			continue // of a wrong key, too, something may come out
		}
		return assertion, nil
	}
	return nil, ErrEncryption
}

// verified gives an element as its signature's bytes have it.
func verified(e *etree.Element, m *Metadata) (*etree.Element, error) {
	signature := signatureOf(e)
	if signature == nil {
		return nil, fmt.Errorf("%w: there is none", ErrSignature)
	}
	if info := child(signature, dsig.Namespace, "KeyInfo"); info != nil {
		signature.RemoveChild(info) // the keys are those of the metadata
	}
	var problem error
	for _, cert := range m.Certificates {
		context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
		context.Clock = dsig.NewFakeClockAt(cert.NotBefore) // the certificate's dates do not count
		found, err := context.Validate(e)
		if err == nil && found.Tag == e.Tag && found.NamespaceURI() == e.NamespaceURI() {
			return found, nil
		}
		problem = errors.Join(problem, err)
	}
	return nil, fmt.Errorf("%w: %v", ErrSignature, problem)
}

func unmarshal(e *etree.Element, into any) error {
	doc := etree.NewDocument()
	doc.SetRoot(e.Copy())
	text, err := doc.WriteToBytes()
	if err == nil {
		err = xml.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return nil
}

// readAssertion reads a verified assertion.
func readAssertion(e *etree.Element) (*Assertion, error) {
	var a types.Assertion
	if err := unmarshal(e, &a); err != nil {
		return nil, err
	}
	malformed := func(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
	switch {
	case a.Version != "2.0":
		return nil, malformed("the version is not 2.0")
	case a.Issuer == nil || strings.TrimSpace(a.Issuer.Value) == "":
		return nil, malformed("there is no Issuer")
	case a.Subject == nil || a.Subject.NameID == nil || strings.TrimSpace(a.Subject.NameID.Value) == "":
		return nil, malformed("there is no NameID")
	case a.Subject.SubjectConfirmation == nil || a.Subject.SubjectConfirmation.Method != bearer:
		return nil, malformed("the subject is not confirmed as a bearer")
	case a.Subject.SubjectConfirmation.SubjectConfirmationData == nil:
		return nil, malformed("there is no SubjectConfirmationData")
	}
	data := a.Subject.SubjectConfirmation.SubjectConfirmationData
	out := &Assertion{
		Issuer: strings.TrimSpace(a.Issuer.Value), Subject: strings.TrimSpace(a.Subject.NameID.Value), SubjectFormat: a.Subject.NameID.Format,
		Recipient: data.Recipient, Issued: a.IssueInstant, Attributes: make(map[string][]string),
	}
	err := parseTime(data.NotOnOrAfter, &out.ConfirmedUntil)
	if c := a.Conditions; c != nil {
		err = errors.Join(err, parseTime(c.NotBefore, &out.NotBefore), parseTime(c.NotOnOrAfter, &out.NotOnOrAfter))
		for _, r := range c.AudienceRestrictions {
			var list []string
			for _, audience := range r.Audiences {
				list = append(list, strings.TrimSpace(audience.Value))
			}
			out.Audiences = append(out.Audiences, list)
		}
	}
	if err != nil {
		return nil, malformed(err.Error())
	}
	if out.ConfirmedUntil.IsZero() || out.Issued.IsZero() {
		return nil, malformed("NotOnOrAfter or IssueInstant is missing")
	}
	if s := a.AuthnStatement; s != nil && s.SessionNotOnOrAfter != nil {
		out.SessionUntil = *s.SessionNotOnOrAfter
	}
	if s := a.AttributeStatement; s != nil {
		for _, attribute := range s.Attributes {
			for _, v := range attribute.Values {
				out.Attributes[attribute.Name] = append(out.Attributes[attribute.Name], strings.TrimSpace(v.Value))
			}
		}
	}
	return out, nil
}

// parseTime reads a time that may be missing.
func parseTime(text string, into *time.Time) (err error) {
	if text != "" {
		*into, err = time.Parse(time.RFC3339, text)
	}
	return err
}

// Provider is a provider as somebody trusts it.
type Provider struct {
	Metadata *Metadata
	Keys     Keys
	// UUID is its identifier in the URL of AWS's sign-in.
	UUID string
	// ValidUntil is when the trust ends.
	ValidUntil time.Time
}
