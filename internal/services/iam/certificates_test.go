package iam

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// certificateOf says what certificate to make: valid for an hour before and a day after now, signed by issuer or by itself.
type certificateOf struct {
	now    time.Time
	issuer *testCertificate
}

// testCertificate is a certificate with its key, as texts and read.
type testCertificate struct {
	body, key string
	parsed    *x509.Certificate
	signer    crypto.Signer
}

func newCertificate(t testing.TB, of certificateOf) testCertificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: serial.String()}, NotBefore: of.now.Add(-time.Hour),
		NotAfter: of.now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	parent, signer := template, crypto.Signer(key)
	if of.issuer != nil {
		parent, signer = of.issuer.parsed, of.issuer.signer
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return testCertificate{pemText("CERTIFICATE", der), privateKeyText(t, key), parsed, key}
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func privateKeyText(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemText("PRIVATE KEY", der)
}

func (c testCertificate) upload(name string) *sdk.UploadServerCertificateInput {
	return &sdk.UploadServerCertificateInput{ServerCertificateName: &name, CertificateBody: &c.body, PrivateKey: &c.key}
}

func TestSigningCertificates(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	w.user("bob")
	cert := newCertificate(t, certificateOf{now: w.now})
	upload := func(user, body string) (*sdk.UploadSigningCertificateOutput, error) {
		out, err := w.do(&sdk.UploadSigningCertificateInput{UserName: &user, CertificateBody: &body})
		made, _ := out.(*sdk.UploadSigningCertificateOutput)
		return made, err
	}
	made, err := upload("alice", cert.body)
	if err != nil {
		t.Fatal(err)
	}
	id := *made.Certificate.CertificateId
	want := types.SigningCertificate{
		CertificateBody: s(cert.body), CertificateId: &id, Status: "Active", UploadDate: aws.Time(w.now.Truncate(time.Second)), UserName: s("alice"),
	}
	ignore := cmpopts.IgnoreUnexported(types.SigningCertificate{})
	if diff := cmp.Diff(*made.Certificate, want, ignore); diff != "" || len(id) != 32 {
		t.Errorf("id %s: -got +want:\n%s", id, diff)
	}
	_, err = upload("bob", cert.body)
	wantError(t, err, "DuplicateCertificate", "Duplicate certificate uploaded.")
	update := func(id, status string) error {
		_, err := w.do(&sdk.UpdateSigningCertificateInput{UserName: s("alice"), CertificateId: &id, Status: types.StatusType(status)})
		return err
	}
	if err := update(id, "Inactive"); err != nil {
		t.Error(err)
	}
	wantError(t, update(id, "Expired"), "InvalidInput", "Operation does not support status Expired")
	wantError(t, update(id, "active"), "ValidationError", "1 validation error detected: Value at 'status' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [Active, Inactive, Expired]")
	other := strings.Repeat("A", 32)
	wantError(t, update(other, "Active"), "NoSuchEntity", "The Certificate with id "+other+" cannot be found.")

	// Uploaded again it is answered as active, and stays what it is.
	w.now = w.now.Add(time.Minute)
	again, err := upload("alice", cert.body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*again.Certificate, want, ignore); diff != "" {
		t.Errorf("again: -got +want:\n%s", diff)
	}
	want.Status = "Inactive"
	list := must[sdk.ListSigningCertificatesOutput](w, &sdk.ListSigningCertificatesInput{UserName: s("alice")}).Certificates
	if diff := cmp.Diff(list, []types.SigningCertificate{want}, ignore); diff != "" {
		t.Errorf("list: -got +want:\n%s", diff)
	}
	if _, err := upload("alice", newCertificate(t, certificateOf{now: w.now}).body); err != nil {
		t.Error(err)
	}
	_, err = upload("alice", newCertificate(t, certificateOf{now: w.now}).body)
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for CertificatesPerUser: 2")

	expired := newCertificate(t, certificateOf{now: w.now.Add(-48 * time.Hour)}).body
	for _, body := range []string{"not a certificate", expired, cert.key, newCertificate(t, certificateOf{now: w.now.Add(48 * time.Hour)}).body} {
		_, err := upload("bob", body)
		wantError(t, err, "MalformedCertificate", "Certificate "+body+" is malformed.")
	}
	_, err = w.do(&sdk.DeleteUserInput{UserName: s("alice")})
	wantError(t, err, "DeleteConflict", "Cannot delete entity, must delete certificates first.")
	_, err = w.do(&sdk.DeleteSigningCertificateInput{UserName: s("bob"), CertificateId: &id})
	wantError(t, err, "NoSuchEntity", "The Certificate with id "+id+" cannot be found.")
	must[sdk.DeleteSigningCertificateOutput](w, &sdk.DeleteSigningCertificateInput{UserName: s("alice"), CertificateId: &id})
	if _, err := upload("bob", cert.body); err != nil { // it is free again
		t.Error(err)
	}
}

func TestServerCertificate(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	root := newCertificate(t, certificateOf{now: w.now})
	middle := newCertificate(t, certificateOf{now: w.now, issuer: &root})
	leaf := newCertificate(t, certificateOf{now: w.now, issuer: &middle})
	in := leaf.upload("Web")
	in.Path, in.CertificateChain, in.Tags = s("/cloudfront/"), s(middle.body+root.body), []types.Tag{{Key: s("team"), Value: s("red")}}
	made := must[sdk.UploadServerCertificateOutput](w, in)
	want := &types.ServerCertificateMetadata{
		Arn: s("arn:aws:iam::111122223333:server-certificate/cloudfront/Web"), Path: s("/cloudfront/"), ServerCertificateName: s("Web"),
		ServerCertificateId: made.ServerCertificateMetadata.ServerCertificateId, UploadDate: aws.Time(w.now.Truncate(time.Second)),
		Expiration: aws.Time(leaf.parsed.NotAfter),
	}
	ignore := cmpopts.IgnoreUnexported(types.ServerCertificateMetadata{}, types.ServerCertificate{}, types.Tag{})
	if diff := cmp.Diff(made.ServerCertificateMetadata, want, ignore); diff != "" || !strings.HasPrefix(*want.ServerCertificateId, "ASCA") {
		t.Errorf("id %s: -got +want:\n%s", *want.ServerCertificateId, diff)
	}
	if err := w.db.View(t.Context(), func(r store.Reader) error {
		item, err := r.Get("iam/111122223333/server-certificate/web")
		if bytes.Contains(item.Value, []byte("PRIVATE KEY")) {
			t.Error("the private key shows in the store")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	get := func(name string) *types.ServerCertificate {
		t.Helper()
		return must[sdk.GetServerCertificateOutput](w, &sdk.GetServerCertificateInput{ServerCertificateName: &name}).ServerCertificate
	}
	full := &types.ServerCertificate{
		CertificateBody: s(strings.TrimSpace(leaf.body)), CertificateChain: s(strings.TrimSpace(middle.body + root.body)),
		ServerCertificateMetadata: want, Tags: in.Tags,
	}
	if diff := cmp.Diff(get("Web"), full, ignore); diff != "" {
		t.Errorf("get: -got +want:\n%s", diff)
	}
	_, err := w.do(root.upload("WEB"))
	wantError(t, err, "EntityAlreadyExists", "The Server Certificate with name WEB already exists.")

	must[sdk.UploadServerCertificateOutput](w, root.upload("other"))
	_, err = w.do(&sdk.UpdateServerCertificateInput{ServerCertificateName: s("Web"), NewServerCertificateName: s("OTHER")})
	wantError(t, err, "EntityAlreadyExists", "The Server Certificate with name OTHER already exists.")
	must[sdk.UpdateServerCertificateOutput](w, &sdk.UpdateServerCertificateInput{ServerCertificateName: s("Web"), NewServerCertificateName: s("web")})
	must[sdk.UpdateServerCertificateOutput](w, &sdk.UpdateServerCertificateInput{
		ServerCertificateName: s("web"), NewServerCertificateName: s("shop"), NewPath: s("/"),
	})
	must[sdk.UpdateServerCertificateOutput](w, &sdk.UpdateServerCertificateInput{ServerCertificateName: s("shop")})
	want.Arn, want.Path, want.ServerCertificateName = s("arn:aws:iam::111122223333:server-certificate/shop"), s("/"), s("shop")
	if diff := cmp.Diff(get("shop"), full, ignore); diff != "" {
		t.Errorf("after rename: -got +want:\n%s", diff)
	}
	_, err = w.do(&sdk.GetServerCertificateInput{ServerCertificateName: s("Web")})
	wantError(t, err, "NoSuchEntity", "The Server Certificate with name Web cannot be found.")

	must[sdk.TagServerCertificateOutput](w, &sdk.TagServerCertificateInput{ServerCertificateName: s("shop"), Tags: []types.Tag{{Key: s("a"), Value: s("1")}}})
	must[sdk.UntagServerCertificateOutput](w, &sdk.UntagServerCertificateInput{ServerCertificateName: s("shop"), TagKeys: []string{"team"}})
	tags := must[sdk.ListServerCertificateTagsOutput](w, &sdk.ListServerCertificateTagsInput{ServerCertificateName: s("shop")}).Tags
	if diff := cmp.Diff(tags, []types.Tag{{Key: s("a"), Value: s("1")}}, ignore); diff != "" {
		t.Errorf("tags: -got +want:\n%s", diff)
	}
	_, err = w.do(&sdk.TagServerCertificateInput{ServerCertificateName: s("shop")})
	wantError(t, err, "InvalidInput", "The provided tag map must not be null/empty.")
	_, err = w.do(&sdk.UntagServerCertificateInput{ServerCertificateName: s("shop")})
	wantError(t, err, "InvalidInput", "The provided tag keys must not be null/empty.")

	names := func(in *sdk.ListServerCertificatesInput) (out []string) {
		for _, m := range must[sdk.ListServerCertificatesOutput](w, in).ServerCertificateMetadataList {
			out = append(out, *m.ServerCertificateName)
		}
		return out
	}
	if diff := cmp.Diff(names(&sdk.ListServerCertificatesInput{}), []string{"other", "shop"}); diff != "" {
		t.Errorf("list: -got +want:\n%s", diff)
	}
	if got := names(&sdk.ListServerCertificatesInput{PathPrefix: s("/cloudfront/")}); got != nil {
		t.Errorf("list below a path: got %v", got)
	}
	must[sdk.DeleteServerCertificateOutput](w, &sdk.DeleteServerCertificateInput{ServerCertificateName: s("shop")})
	_, err = w.do(&sdk.DeleteServerCertificateInput{ServerCertificateName: s("shop")})
	wantError(t, err, "NoSuchEntity", "The Server Certificate with name shop cannot be found.")
	for i := range request.MaxServerCertificates {
		_, err = w.do(root.upload("n" + string(rune('a'+i))))
	}
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: 20")
}

func TestServerCertificateRefused(t *testing.T) {
	w := newWorld(t)
	root := newCertificate(t, certificateOf{now: w.now})
	leaf := newCertificate(t, certificateOf{now: w.now, issuer: &root})
	stranger := newCertificate(t, certificateOf{now: w.now})
	old, future := newCertificate(t, certificateOf{now: w.now.Add(-48 * time.Hour)}), newCertificate(t, certificateOf{now: w.now.Add(48 * time.Hour)})
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const (
		unreadable = "Unable to parse certificate. Please ensure the certificate is in PEM format."
		noKey      = "Unable to parse key. Please ensure the key is in PEM format."
		chained    = "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any " +
			"intermediaries in order. The index within the chain of the invalid certificate is: "
	)
	for _, tt := range []struct {
		body, key, chain string
		code, message    string
	}{
		{"x", leaf.key, "", "MalformedCertificate", unreadable},
		{leaf.key, leaf.key, "", "MalformedCertificate", unreadable},
		{leaf.body + root.body, leaf.key, "", "MalformedCertificate", unreadable},
		{leaf.body, "x", "", "MalformedCertificate", noKey},
		{leaf.body, leaf.body, "", "MalformedCertificate", noKey},
		{leaf.body, privateKeyText(t, edKey), "", "MalformedCertificate", noKey},
		{leaf.body, root.key, "", "KeyPairMismatch", "The private key did not match the public key provided. Please verify the key material and try again."},
		{old.body, old.key, "", "MalformedCertificate", "Certificate is no longer valid. The 'Not After' date restriction on the certificate has passed."},
		{future.body, future.key, "", "MalformedCertificate", "Certificate is not yet valid. The 'Not Before' date restriction on the certificate has not passed."},
		{leaf.body, leaf.key, "x", "MalformedCertificate", ""},
		{leaf.body, leaf.key, stranger.body, "MalformedCertificate", chained + "-1"},
		{leaf.body, leaf.key, root.body + leaf.body, "MalformedCertificate", chained + "1"},
	} {
		in := testCertificate{body: tt.body, key: tt.key}.upload("web")
		if tt.chain != "" {
			in.CertificateChain = &tt.chain
		}
		_, err := w.do(in)
		wantError(t, err, tt.code, tt.message)
	}
	in := leaf.upload("web")
	in.CertificateChain = aws.String(root.body + root.body) // the root twice is good (recorded)
	must[sdk.UploadServerCertificateOutput](w, in)
}

// A new name or path needs the permission on both.
func TestUpdateServerCertificateTargets(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	must[sdk.UploadServerCertificateOutput](w, newCertificate(t, certificateOf{now: w.now}).upload("web"))
	for _, tt := range []struct {
		in   *sdk.UpdateServerCertificateInput
		want []string
	}{
		{&sdk.UpdateServerCertificateInput{ServerCertificateName: s("web")}, []string{"web"}},
		{&sdk.UpdateServerCertificateInput{ServerCertificateName: s("web"), NewServerCertificateName: s("shop")}, []string{"web", "shop"}},
		{&sdk.UpdateServerCertificateInput{ServerCertificateName: s("none"), NewPath: s("/a/")}, []string{"none", "a/none"}},
	} {
		needs, err := w.ops["UpdateServerCertificate"].Needs(t.Context(), w.call(), tt.in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range needs {
			got = append(got, strings.TrimPrefix(n.Target.ARN, "arn:aws:iam::111122223333:server-certificate/"))
		}
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
	}
}
