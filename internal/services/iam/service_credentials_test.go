package iam

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

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
	pem = pemText("PUBLIC KEY", der)
	wire, err := record.ParseSSHPublicKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	return record.SSHPublicKey{Key: wire}.SSH(), pem
}

func TestSSHPublicKeys(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	w.user("bob")
	ssh, pem := rsaKey(t, 2048)
	upload := func(user, body string) (*types.SSHPublicKey, error) {
		out, err := w.do(&sdk.UploadSSHPublicKeyInput{UserName: &user, SSHPublicKeyBody: &body})
		if err != nil {
			return nil, err
		}
		return out.(*sdk.UploadSSHPublicKeyOutput).SSHPublicKey, nil
	}
	made, err := upload("alice", ssh+" alice@laptop\n")
	if err != nil {
		t.Fatal(err)
	}
	id := *made.SSHPublicKeyId
	if len(id) != 20 || !strings.HasPrefix(id, "APKA") || *made.SSHPublicKeyBody != ssh+" alice@laptop\n" {
		t.Errorf("got id %s, body %q", id, *made.SSHPublicKeyBody)
	}
	want := &types.SSHPublicKey{
		Fingerprint: made.Fingerprint, SSHPublicKeyBody: &ssh, SSHPublicKeyId: &id, Status: "Active",
		UploadDate: aws.Time(w.now.Truncate(time.Second)), UserName: s("alice"),
	}
	get := func(user, id string, encoding types.EncodingType) (*types.SSHPublicKey, error) {
		out, err := w.do(&sdk.GetSSHPublicKeyInput{UserName: &user, SSHPublicKeyId: &id, Encoding: encoding})
		if err != nil {
			return nil, err
		}
		return out.(*sdk.GetSSHPublicKeyOutput).SSHPublicKey, nil
	}
	ignore := cmpopts.IgnoreUnexported(types.SSHPublicKey{}, types.SSHPublicKeyMetadata{})
	for encoding, body := range map[types.EncodingType]string{"SSH": ssh, "PEM": pem} {
		want.SSHPublicKeyBody = &body
		got, err := get("alice", id, encoding)
		if diff := cmp.Diff(got, want, ignore); diff != "" || err != nil {
			t.Errorf("%s: %v, -got +want:\n%s", encoding, err, diff)
		}
	}
	_, err = get("alice", id, "ssh")
	wantError(t, err, "ValidationError", "1 validation error detected: Value at 'encoding' failed to satisfy constraint: Member must satisfy enum value set: [SSH, PEM]")
	_, err = get("bob", id, "SSH")
	wantError(t, err, "NoSuchEntity", "User has no Public Key with id "+id+".")
	_, err = get("alice", "APKAXXXXXXXXXXXXXXXXX", "SSH")
	wantError(t, err, "NoSuchEntity", "The Public Key with id APKAXXXXXXXXXXXXXXXXX cannot be found.")

	_, err = upload("alice", pem)
	wantError(t, err, "DuplicateSSHPublicKey", "Duplicate SSH public key uploaded.")
	if _, err := upload("bob", pem); err != nil {
		t.Error(err)
	}
	must[sdk.UpdateSSHPublicKeyOutput](w, &sdk.UpdateSSHPublicKeyInput{UserName: s("alice"), SSHPublicKeyId: &id, Status: "Inactive"})
	list := must[sdk.ListSSHPublicKeysOutput](w, &sdk.ListSSHPublicKeysInput{UserName: s("alice")}).SSHPublicKeys
	if diff := cmp.Diff(list, []types.SSHPublicKeyMetadata{
		{SSHPublicKeyId: &id, Status: "Inactive", UploadDate: want.UploadDate, UserName: s("alice")},
	}, ignore); diff != "" {
		t.Errorf("list: -got +want:\n%s", diff)
	}
	for range request.MaxSSHPublicKeys {
		ssh, _ := rsaKey(t, 2048)
		_, err = upload("alice", ssh)
	}
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 5")
	_, err = w.do(&sdk.DeleteUserInput{UserName: s("alice")})
	wantError(t, err, "DeleteConflict", "Cannot delete entity, must delete SSH public keys first.")
	must[sdk.DeleteSSHPublicKeyOutput](w, &sdk.DeleteSSHPublicKeyInput{UserName: s("alice"), SSHPublicKeyId: &id})
	_, err = w.do(&sdk.DeleteSSHPublicKeyInput{UserName: s("alice"), SSHPublicKeyId: &id})
	wantError(t, err, "NoSuchEntity", "The Public Key with id "+id+" cannot be found.")
}

func TestServiceSpecificCredentials(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	w.user("bob")
	create := func(user, service string, days *int32) (*types.ServiceSpecificCredential, error) {
		out, err := w.do(&sdk.CreateServiceSpecificCredentialInput{UserName: &user, ServiceName: &service, CredentialAgeDays: days})
		if err != nil {
			return nil, err
		}
		return out.(*sdk.CreateServiceSpecificCredentialOutput).ServiceSpecificCredential, nil
	}
	made, err := create("alice", "CodeCommit.amazonaws.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	id, created := *made.ServiceSpecificCredentialId, aws.Time(w.now.Truncate(time.Second))
	want := &types.ServiceSpecificCredential{
		CreateDate: created, ServiceName: s("codecommit.amazonaws.com"), ServiceSpecificCredentialId: &id, Status: "Active", UserName: s("alice"),
		ServiceUserName: s("alice-at-111122223333"), ServicePassword: made.ServicePassword,
	}
	ignore := cmpopts.IgnoreUnexported(types.ServiceSpecificCredential{}, types.ServiceSpecificCredentialMetadata{})
	if diff := cmp.Diff(made, want, ignore); diff != "" || len(id) != 21 || !strings.HasPrefix(id, "ACCA") || len(*made.ServicePassword) != 60 {
		t.Errorf("id %s, password of %d: -got +want:\n%s", id, len(*made.ServicePassword), diff)
	}
	second, err := create("alice", "codecommit.amazonaws.com", aws.Int32(1))
	if err != nil {
		t.Fatal(err)
	}
	if *second.ServiceUserName != "alice+1-at-111122223333" || !second.ExpirationDate.Equal(created.AddDate(0, 0, 1)) {
		t.Errorf("got %+v", second)
	}
	_, err = create("alice", "codecommit.amazonaws.com", nil)
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: 2")
	key, err := create("alice", "bedrock.amazonaws.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(*key.ServiceCredentialSecret, "ABSK"))
	if err != nil || !strings.HasPrefix(string(token), "alice-at-111122223333:") || key.ServicePassword != nil || key.ServiceUserName != nil ||
		*key.ServiceCredentialAlias != "alice-at-111122223333" {
		t.Errorf("got %+v, %v", key, err)
	}
	_, err = create("alice", "sqs.amazonaws.com", nil)
	wantError(t, err, "NoSuchEntity", "No such service sqs.amazonaws.com is supported for Service Specific Credentials")
	_, err = create("alice", "sqs amazonaws", nil)
	wantError(t, err, "ValidationError", `1 validation error detected: Value at 'serviceName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w.-]+`)
	_, err = create("alice", "logs.amazonaws.com", aws.Int32(36601))
	wantError(t, err, "ValidationError", "1 validation error detected: Value at 'credentialAgeDays' failed to satisfy constraint: Member must have value less than or equal to 36600")

	update := func(user, status string) error {
		_, err := w.do(&sdk.UpdateServiceSpecificCredentialInput{UserName: &user, ServiceSpecificCredentialId: &id, Status: types.StatusType(status)})
		return err
	}
	wantError(t, update("bob", "Inactive"), "ValidationError", "User bob does not have a service specific credential with id "+id)
	wantError(t, update("alice", "Expired"), "InvalidInput", "Operation does not support status Expired")
	if err := update("alice", "Inactive"); err != nil {
		t.Error(err)
	}
	// A reset changes the secret and nothing else, whatever the user is called now.
	must[sdk.UpdateUserOutput](w, &sdk.UpdateUserInput{UserName: s("alice"), NewUserName: s("alicia")})
	w.now = w.now.Add(time.Hour)
	reset := must[sdk.ResetServiceSpecificCredentialOutput](w, &sdk.ResetServiceSpecificCredentialInput{
		UserName: s("alicia"), ServiceSpecificCredentialId: &id,
	}).ServiceSpecificCredential
	if *reset.ServicePassword == *made.ServicePassword {
		t.Error("the password is the same")
	}
	want.ServicePassword, want.Status, want.UserName = reset.ServicePassword, "Inactive", s("alicia")
	if diff := cmp.Diff(reset, want, ignore); diff != "" {
		t.Errorf("reset: -got +want:\n%s", diff)
	}
	e, err := w.s.Read(t.Context(), account, record.UserKind, "alicia")
	if err != nil {
		t.Fatal(err)
	}
	if hash := sha256.Sum256([]byte(*reset.ServicePassword)); !bytes.Equal(e.ServiceCredential(id).Hash, hash[:]) {
		t.Error("the hash is not that of the new password")
	}
	// A new user of the old name gets a login that is free.
	w.user("alice")
	if other, err := create("alice", "codecommit.amazonaws.com", nil); err != nil || *other.ServiceUserName != "alice+2-at-111122223333" {
		t.Errorf("got %+v, %v", other, err)
	}

	list := func(in *sdk.ListServiceSpecificCredentialsInput) (out []string) {
		t.Helper()
		for _, c := range must[sdk.ListServiceSpecificCredentialsOutput](w, in).ServiceSpecificCredentials {
			out = append(out, fmt.Sprintf("%s %s %s%s %s", *c.UserName, *c.ServiceName, aws.ToString(c.ServiceUserName), aws.ToString(c.ServiceCredentialAlias), c.Status))
		}
		slices.Sort(out)
		return out
	}
	w.now = w.now.Add(24 * time.Hour)
	const at = "-at-111122223333"
	alicia := []string{
		"alicia bedrock.amazonaws.com alice" + at + " Active", "alicia codecommit.amazonaws.com alice" + at + " Inactive",
		"alicia codecommit.amazonaws.com alice+1" + at + " Expired",
	}
	slices.Sort(alicia)
	if diff := cmp.Diff(list(&sdk.ListServiceSpecificCredentialsInput{UserName: s("alicia")}), alicia); diff != "" {
		t.Errorf("list: -got +want:\n%s", diff)
	}
	if got := list(&sdk.ListServiceSpecificCredentialsInput{UserName: s("alicia"), ServiceName: s("bedrock.amazonaws.com")}); len(got) != 1 {
		t.Errorf("list of one service: got %v", got)
	}
	if got := list(&sdk.ListServiceSpecificCredentialsInput{AllUsers: aws.Bool(true)}); len(got) != 4 {
		t.Errorf("list of all users: got %v", got)
	}
	_, err = w.do(&sdk.ListServiceSpecificCredentialsInput{AllUsers: aws.Bool(true), UserName: s("alice")})
	wantError(t, err, "ValidationError", "UserName and AllUsers cannot be specified together")

	_, err = w.do(&sdk.DeleteUserInput{UserName: s("alicia")})
	wantError(t, err, "DeleteConflict", "Cannot delete entity, must delete service-specific credentials first.")
	must[sdk.DeleteServiceSpecificCredentialOutput](w, &sdk.DeleteServiceSpecificCredentialInput{UserName: s("alicia"), ServiceSpecificCredentialId: &id})
	_, err = w.do(&sdk.DeleteServiceSpecificCredentialInput{UserName: s("alicia"), ServiceSpecificCredentialId: &id})
	wantError(t, err, "NoSuchEntity", "No such credential "+id+" exists")
	if other, err := create("alice", "codecommit.amazonaws.com", nil); err != nil || *other.ServiceUserName != "alice"+at {
		t.Errorf("after delete: got %+v, %v", other, err)
	}
}

func TestServiceCredentialTargets(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	id := must[sdk.CreateServiceSpecificCredentialOutput](w, &sdk.CreateServiceSpecificCredentialInput{
		UserName: s("alice"), ServiceName: s("logs.amazonaws.com"),
	}).ServiceSpecificCredential.ServiceSpecificCredentialId
	user, key := " arn:aws:iam::111122223333:user/", "iam:ServiceSpecificCredentialServiceName=[logs.amazonaws.com]"
	for _, tt := range []struct {
		in   any
		want []string
	}{
		{&sdk.CreateServiceSpecificCredentialInput{UserName: s("alice"), ServiceName: s("LOGS.amazonaws.com"), CredentialAgeDays: aws.Int32(7)},
			[]string{"iam:CreateServiceSpecificCredential" + user + "alice", "iam:ServiceSpecificCredentialAgeDays=[7]", key}},
		{&sdk.CreateServiceSpecificCredentialInput{UserName: s("alice"), ServiceName: s("sqs.amazonaws.com")},
			[]string{"iam:CreateServiceSpecificCredential" + user + "alice"}},
		{&sdk.ResetServiceSpecificCredentialInput{UserName: s("alice"), ServiceSpecificCredentialId: id},
			[]string{"iam:ResetServiceSpecificCredential" + user + "alice", key}},
		{&sdk.ResetServiceSpecificCredentialInput{UserName: s("nobody"), ServiceSpecificCredentialId: id},
			[]string{"iam:ResetServiceSpecificCredential" + user + "nobody"}},
		{&sdk.ListServiceSpecificCredentialsInput{AllUsers: aws.Bool(true)}, []string{"iam:ListServiceSpecificCredentials" + user + "*"}},
		{&sdk.ListServiceSpecificCredentialsInput{UserName: s("alice"), AllUsers: aws.Bool(false)}, []string{"iam:ListServiceSpecificCredentials" + user + "alice"}},
	} {
		needs, err := w.ops[operationOf(tt.in)].Needs(t.Context(), w.call(), tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(describe(needs), tt.want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", operationOf(tt.in), diff)
		}
	}
}
