package compat

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// certificate is a certificate with its private key.
type certificate struct {
	body, key string
	parsed    *x509.Certificate
	signer    crypto.Signer
}

// newCertificate makes a certificate that is signed by issuer, or by itself.
func newCertificate(t *testing.T, issuer *certificate) certificate {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: must(rand.Int(rand.Reader, big.NewInt(1<<62)))(t), Subject: pkix.Name{CommonName: unique("name")},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	parent, signer := template, crypto.Signer(key)
	if issuer != nil {
		parent, signer = issuer.parsed, issuer.signer
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))(t)
	return certificate{
		pemText("CERTIFICATE", der), pemText("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(key))(t)), must(x509.ParseCertificate(der))(t), key,
	}
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// What Terraform calls for aws_iam_server_certificate: upload, read, rename or move, tag, delete.
func TestTerraformServerCertificate(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("certificate")
	ca := newCertificate(t, nil)
	cert := newCertificate(t, &ca)
	must(c.UploadServerCertificate(ctx, &iam.UploadServerCertificateInput{
		ServerCertificateName: &name, CertificateBody: &cert.body, PrivateKey: &cert.key, CertificateChain: &ca.body, Path: aws.String("/cloudfront/"),
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
	}))(t)
	read := func(path, tag string) {
		t.Helper()
		got := must(c.GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: &name}))(t).ServerCertificate
		m := got.ServerCertificateMetadata
		if *got.CertificateBody != strings.TrimSpace(cert.body) || *got.CertificateChain != strings.TrimSpace(ca.body) ||
			*m.Arn != arnPrefix+"server-certificate"+path+name || !m.Expiration.Equal(cert.parsed.NotAfter) || m.UploadDate == nil ||
			len(got.Tags) != 1 || *got.Tags[0].Key != tag {
			t.Errorf("got %+v, tags %v", m, got.Tags)
		}
	}
	read("/cloudfront/", "a")
	must(c.TagServerCertificate(ctx, &iam.TagServerCertificateInput{
		ServerCertificateName: &name, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}},
	}))(t)
	must(c.UntagServerCertificate(ctx, &iam.UntagServerCertificateInput{ServerCertificateName: &name, TagKeys: []string{"a"}}))(t)
	must(c.UpdateServerCertificate(ctx, &iam.UpdateServerCertificateInput{ServerCertificateName: &name, NewPath: aws.String("/")}))(t)
	read("/", "b")
	listed := 0
	pages := iam.NewListServerCertificatesPaginator(c, &iam.ListServerCertificatesInput{PathPrefix: aws.String("/")})
	for pages.HasMorePages() {
		for _, m := range must(pages.NextPage(ctx))(t).ServerCertificateMetadataList {
			if *m.ServerCertificateName == name {
				listed++
			}
		}
	}
	if listed != 1 {
		t.Errorf("listed %d times", listed)
	}
	must(c.DeleteServerCertificate(ctx, &iam.DeleteServerCertificateInput{ServerCertificateName: &name}))(t)
	_, err := c.GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: &name})
	check(t, err, failure{404, "NoSuchEntity", "The Server Certificate with name " + name + " cannot be found."})

	_, err = c.UploadServerCertificate(ctx, &iam.UploadServerCertificateInput{
		ServerCertificateName: &name, CertificateBody: &cert.body, PrivateKey: &ca.key,
	})
	check(t, err, failure{400, "KeyPairMismatch", "The private key did not match the public key provided. Please verify the key material and try again."})
	p := server.newUser(t)
	_, err = p.iam.UploadServerCertificate(ctx, &iam.UploadServerCertificateInput{
		ServerCertificateName: &name, CertificateBody: &cert.body, PrivateKey: &cert.key,
	})
	check(t, err, failure{403, "AccessDenied",
		noPolicyAllows(p.arn, "iam:UploadServerCertificate", arnPrefix+"server-certificate/"+name, "identity-based policy")})
}

// What Terraform calls for aws_iam_signing_certificate: upload, find in the list, set the status, delete.
func TestTerraformSigningCertificate(t *testing.T) {
	t.Parallel()
	c, ctx, name, cert := server.as(server.root).iam, t.Context(), unique("user"), newCertificate(t, nil)
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))(t)
	made := must(c.UploadSigningCertificate(ctx, &iam.UploadSigningCertificateInput{UserName: &name, CertificateBody: &cert.body}))(t).Certificate
	want := *made
	read := func() {
		t.Helper()
		list := must(c.ListSigningCertificates(ctx, &iam.ListSigningCertificatesInput{UserName: &name}))(t).Certificates
		if diff := cmp.Diff(list, []types.SigningCertificate{want}, cmpopts.IgnoreUnexported(types.SigningCertificate{})); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
	}
	if want.Status != types.StatusTypeActive || *want.CertificateBody != cert.body {
		t.Errorf("got %+v", want)
	}
	read()
	want.Status = types.StatusTypeInactive
	must(c.UpdateSigningCertificate(ctx, &iam.UpdateSigningCertificateInput{UserName: &name, CertificateId: made.CertificateId, Status: want.Status}))(t)
	read()
	_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
	check(t, err, failure{409, "DeleteConflict", "Cannot delete entity, must delete certificates first."})
	must(c.DeleteSigningCertificate(ctx, &iam.DeleteSigningCertificateInput{UserName: &name, CertificateId: made.CertificateId}))(t)
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))(t)
}

// What Terraform calls for aws_iam_user_ssh_key: upload, read in the form that was asked for, set the status, delete.
func TestTerraformSSHKey(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("user")
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))(t)
	key := must(rsa.GenerateKey(rand.Reader, 2048))(t).PublicKey
	var wire []byte
	for _, field := range [][]byte{[]byte("ssh-rsa"), big.NewInt(int64(key.E)).Bytes(), append([]byte{0}, key.N.Bytes()...)} {
		wire = append(binary.BigEndian.AppendUint32(wire, uint32(len(field))), field...)
	}
	bodies := map[types.EncodingType]string{
		types.EncodingTypeSsh: "ssh-rsa " + base64.StdEncoding.EncodeToString(wire),
		types.EncodingTypePem: pemText("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&key))(t)),
	}
	body := bodies[types.EncodingTypeSsh] + " " + name
	made := must(c.UploadSSHPublicKey(ctx, &iam.UploadSSHPublicKeyInput{UserName: &name, SSHPublicKeyBody: &body}))(t).SSHPublicKey
	read := func(status types.StatusType) {
		t.Helper()
		for encoding, want := range bodies {
			got := must(c.GetSSHPublicKey(ctx, &iam.GetSSHPublicKeyInput{
				UserName: &name, SSHPublicKeyId: made.SSHPublicKeyId, Encoding: encoding,
			}))(t).SSHPublicKey
			if *got.SSHPublicKeyBody != want || got.Status != status || *got.Fingerprint != *made.Fingerprint || *got.UserName != name {
				t.Errorf("%s: got %+v", encoding, got)
			}
		}
	}
	read(types.StatusTypeActive)
	must(c.UpdateSSHPublicKey(ctx, &iam.UpdateSSHPublicKeyInput{
		UserName: &name, SSHPublicKeyId: made.SSHPublicKeyId, Status: types.StatusTypeInactive,
	}))(t)
	read(types.StatusTypeInactive)
	_, err := c.UploadSSHPublicKey(ctx, &iam.UploadSSHPublicKeyInput{UserName: &name, SSHPublicKeyBody: aws.String(bodies[types.EncodingTypePem])})
	check(t, err, failure{400, "DuplicateSSHPublicKey", "Duplicate SSH public key uploaded."})
	must(c.DeleteSSHPublicKey(ctx, &iam.DeleteSSHPublicKeyInput{UserName: &name, SSHPublicKeyId: made.SSHPublicKeyId}))(t)
	_, err = c.GetSSHPublicKey(ctx, &iam.GetSSHPublicKeyInput{
		UserName: &name, SSHPublicKeyId: made.SSHPublicKeyId, Encoding: types.EncodingTypeSsh,
	})
	check(t, err, failure{404, "NoSuchEntity", "The Public Key with id " + *made.SSHPublicKeyId + " cannot be found."})
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))(t)
}

// What Terraform calls for aws_iam_service_specific_credential: create, find in the list, set the status, delete.
func TestTerraformServiceSpecificCredential(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("user")
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))(t)
	made := must(c.CreateServiceSpecificCredential(ctx, &iam.CreateServiceSpecificCredentialInput{
		UserName: &name, ServiceName: aws.String("codecommit.amazonaws.com"),
	}))(t).ServiceSpecificCredential
	if *made.ServiceUserName != name+"-at-"+account || len(*made.ServicePassword) != 60 || made.Status != types.StatusTypeActive {
		t.Errorf("got %+v", made)
	}
	read := func(status types.StatusType) {
		t.Helper()
		list := must(c.ListServiceSpecificCredentials(ctx, &iam.ListServiceSpecificCredentialsInput{
			UserName: &name, ServiceName: made.ServiceName,
		}))(t).ServiceSpecificCredentials
		want := types.ServiceSpecificCredentialMetadata{
			CreateDate: made.CreateDate, ServiceName: made.ServiceName, ServiceSpecificCredentialId: made.ServiceSpecificCredentialId,
			ServiceUserName: made.ServiceUserName, Status: status, UserName: &name,
		}
		if diff := cmp.Diff(list, []types.ServiceSpecificCredentialMetadata{want},
			cmpopts.IgnoreUnexported(types.ServiceSpecificCredentialMetadata{})); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
	}
	read(types.StatusTypeActive)
	must(c.UpdateServiceSpecificCredential(ctx, &iam.UpdateServiceSpecificCredentialInput{
		UserName: &name, ServiceSpecificCredentialId: made.ServiceSpecificCredentialId, Status: types.StatusTypeInactive,
	}))(t)
	read(types.StatusTypeInactive)
	reset := must(c.ResetServiceSpecificCredential(ctx, &iam.ResetServiceSpecificCredentialInput{
		UserName: &name, ServiceSpecificCredentialId: made.ServiceSpecificCredentialId,
	}))(t).ServiceSpecificCredential
	if *reset.ServicePassword == *made.ServicePassword {
		t.Error("the password is the same")
	}
	must(c.DeleteServiceSpecificCredential(ctx, &iam.DeleteServiceSpecificCredentialInput{
		UserName: &name, ServiceSpecificCredentialId: made.ServiceSpecificCredentialId,
	}))(t)
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))(t)
}
