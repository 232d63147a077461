package iam

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/saml/samltest"
	"github.com/licet/licet/internal/services/iam/iamapi"
	"github.com/licet/licet/internal/services/iam/request"
)

// threeOfEach makes three of everything that a user, group, role, policy or instance profile has lists of.
func (w *world) threeOfEach() {
	w.t.Helper()
	s := aws.String
	var tags []types.Tag
	for _, key := range []string{"c", "a", "b"} {
		tags = append(tags, types.Tag{Key: s(key), Value: s("")})
	}
	must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{UserName: s("x"), Tags: tags})
	must[sdk.CreateRoleOutput](w, &sdk.CreateRoleInput{RoleName: s("x"), Tags: tags, AssumeRolePolicyDocument: s(trustEC2)})
	must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{PolicyName: s("x"), Tags: tags, PolicyDocument: s(allowAll)})
	must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: s("x"), Tags: tags})
	w.group("x")
	w.key("x")
	w.key("x")
	x := s("arn:aws:iam::111122223333:policy/x")
	for _, name := range []string{"C", "a", "b"} {
		w.user(name)
		w.group(name)
		w.role(name, trustEC2)
		policy := w.policy(name)
		must[sdk.CreatePolicyVersionOutput](w, &sdk.CreatePolicyVersionInput{PolicyArn: x, PolicyDocument: s(allowAll)})
		must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: &name})
		must[sdk.AddRoleToInstanceProfileOutput](w, &sdk.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: s("x")})
		must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{GroupName: s("x"), UserName: &name})
		must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{GroupName: &name, UserName: s("x")})
		must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("x"), PolicyArn: &policy})
		must[sdk.AttachGroupPolicyOutput](w, &sdk.AttachGroupPolicyInput{GroupName: s("x"), PolicyArn: &policy})
		must[sdk.AttachRolePolicyOutput](w, &sdk.AttachRolePolicyInput{RoleName: s("x"), PolicyArn: &policy})
		must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: &name, PolicyArn: x})
		must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("x"), PolicyName: &name, PolicyDocument: s(allowAll)})
		must[sdk.PutGroupPolicyOutput](w, &sdk.PutGroupPolicyInput{GroupName: s("x"), PolicyName: &name, PolicyDocument: s(allowAll)})
		must[sdk.PutRolePolicyOutput](w, &sdk.PutRolePolicyInput{RoleName: s("x"), PolicyName: &name, PolicyDocument: s(allowAll)})
		if err := w.phone(name).enable("x", -1); err != nil {
			w.t.Fatal(err)
		}
	}
	must[sdk.CreateVirtualMFADeviceOutput](w, &sdk.CreateVirtualMFADeviceInput{VirtualMFADeviceName: s("x"), Tags: tags})
	must[sdk.CreateOpenIDConnectProviderOutput](w, &sdk.CreateOpenIDConnectProviderInput{Url: s("https://x.example.com"), Tags: tags})
	must[sdk.CreateSAMLProviderOutput](w, &sdk.CreateSAMLProviderInput{
		Name: s("x"), SAMLMetadataDocument: s(samltest.New(w.t, "https://x.example.com").Metadata()), Tags: tags,
	})
	w.threeCredentials()
}

// threeCredentials makes more than one of each other kind of credential of x.
func (w *world) threeCredentials() {
	w.t.Helper()
	s := aws.String
	var tags []types.Tag
	for i, name := range []string{"x", "y", "z"} {
		tags = append(tags, types.Tag{Key: &name, Value: s("")})
		cert := newCertificate(w.t, certificateOf{now: w.now})
		in := cert.upload(name)
		in.Tags = tags
		must[sdk.UploadServerCertificateOutput](w, in)
		must[sdk.CreateServiceSpecificCredentialOutput](w, &sdk.CreateServiceSpecificCredentialInput{
			UserName: s("x"), ServiceName: s([]string{"codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com"}[i]),
		})
		ssh, _ := rsaKey(w.t, 2048)
		must[sdk.UploadSSHPublicKeyOutput](w, &sdk.UploadSSHPublicKeyInput{UserName: s("x"), SSHPublicKeyBody: &ssh})
		if i < request.MaxSigningCertificates {
			must[sdk.UploadSigningCertificateOutput](w, &sdk.UploadSigningCertificateInput{UserName: s("x"), CertificateBody: &cert.body})
		}
	}
	must[sdk.TagServerCertificateOutput](w, &sdk.TagServerCertificateInput{ServerCertificateName: s("x"), Tags: tags})
}

// itemsOf gives what an answer lists, whatever it is.
func itemsOf(t *testing.T, out any) []string {
	t.Helper()
	var items []string
	v := reflect.ValueOf(out).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.Slice {
			continue
		}
		for j := range v.Field(i).Len() {
			text, err := json.Marshal(v.Field(i).Index(j).Interface())
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, v.Type().Field(i).Name+" "+string(text))
		}
	}
	return items
}

// Every list comes in pages that are together the whole, and refuses the same sizes and markers.
func TestEveryListHasPages(t *testing.T) {
	w := newWorld(t)
	w.threeOfEach()
	lists := 0
	for _, op := range iamapi.API().Operations {
		in := reflect.New(op.Input)
		size, marker := in.Elem().FieldByName("MaxItems"), in.Elem().FieldByName("Marker")
		if _, ok := w.ops[op.Name]; !ok || !size.IsValid() || !paged(op.Name) {
			continue
		}
		lists++
		for member, value := range map[string]string{
			"UserName": "x", "GroupName": "x", "RoleName": "x", "InstanceProfileName": "x", "PolicyArn": "arn:aws:iam::111122223333:policy/x",
			"SerialNumber": "arn:aws:iam::111122223333:mfa/x", "ServerCertificateName": "x",
			"OpenIDConnectProviderArn": "arn:aws:iam::111122223333:oidc-provider/x.example.com", "SAMLProviderArn": "arn:aws:iam::111122223333:saml-provider/x",
		} {
			if f := in.Elem().FieldByName(member); f.IsValid() {
				f.Set(reflect.ValueOf(&value))
			}
		}
		call := func() (any, error) { return w.as(w.root, op.Name, in.Interface()) }
		whole, err := call()
		if err != nil {
			t.Errorf("%s: %v", op.Name, err)
			continue
		}
		want := itemsOf(t, whole)
		if len(want) < 2 {
			t.Errorf("%s: got %d items, want more", op.Name, len(want))
		}
		var got []string
		size.Set(reflect.ValueOf(aws.Int32(1)))
		for more := true; more; {
			out, err := call()
			if err != nil {
				t.Fatalf("%s: %v", op.Name, err)
			}
			items := itemsOf(t, out)
			got = append(got, items...)
			next := reflect.ValueOf(out).Elem().FieldByName("Marker")
			more = reflect.ValueOf(out).Elem().FieldByName("IsTruncated").Bool()
			if len(items) != 1 || more == next.IsNil() {
				t.Fatalf("%s: %d items, truncated %v, marker %v", op.Name, len(items), more, next)
			}
			marker.Set(next)
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: pages against the whole: -got +want:\n%s", op.Name, diff)
		}
		for value, message := range map[int32]string{
			0:    "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1",
			1001: "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000",
		} {
			size.Set(reflect.ValueOf(&value))
			_, err := call()
			wantError(t, err, "ValidationError", message)
		}
		size.Set(reflect.ValueOf(aws.Int32(1000)))
		marker.Set(reflect.ValueOf(aws.String("?")))
		_, err = call()
		wantError(t, err, "ValidationError", "Invalid Marker.")
	}
	if lists < 21 {
		t.Errorf("got %d lists, want those of the table", lists)
	}
}

// paged leaves out lists of what threeOfEach does not make: their own tests page them.
func paged(operation string) bool {
	switch operation {
	case "SimulateCustomPolicy", "SimulatePrincipalPolicy", "GetAccountAuthorizationDetails", "GetServiceLastAccessedDetails",
		"GetServiceLastAccessedDetailsWithEntities", "GetOrganizationsAccessReport", "ListAccountAliases":
		return false
	}
	return true
}
