package compat

import (
	"encoding/base32"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/internal/totp"
)

// phone is an authenticator app that is enabled for a user.
type phone struct {
	serial string
	seed   []byte
}

// code is what the phone shows steps from now.
func (p phone) code(steps int64) *string {
	return aws.String(totp.Code(p.seed, totp.Step(time.Now())+steps))
}

// codes are what the phone showed before and what it shows, of one look at the clock.
func (p phone) codes() (before, now *string) {
	step := totp.Step(time.Now())
	return aws.String(totp.Code(p.seed, step-1)), aws.String(totp.Code(p.seed, step))
}

// newPhone makes a device and enables it with the last code and this; the next one is good already.
func (l *licet) newPhone(t *testing.T, p person) phone {
	t.Helper()
	c, ctx, name := l.as(l.root).iam, t.Context(), unique("phone")
	d := must(c.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name}))(t).VirtualMFADevice
	seed, err := base32.StdEncoding.DecodeString(string(d.Base32StringSeed))
	if err != nil {
		t.Fatal(err)
	}
	made := phone{*d.SerialNumber, seed}
	before, now := made.codes()
	must(c.EnableMFADevice(ctx, &iam.EnableMFADeviceInput{
		UserName: &p.name, SerialNumber: &made.serial, AuthenticationCode1: before, AuthenticationCode2: now,
	}))(t)
	return made
}

const onlyMFA = `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`

func TestGetSessionTokenWithMFA(t *testing.T) {
	t.Parallel()
	p := server.newUser(t, allow("iam:ListRoles", "*", onlyMFA), allow("iam:ListUsers", "*"))
	phone, ctx := server.newPhone(t, p), t.Context()
	_, err := p.iam.ListRoles(ctx, &iam.ListRolesInput{})
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(p.arn, "iam:ListRoles", arnPrefix+"role/", "identity-based policy")})

	in := &sts.GetSessionTokenInput{SerialNumber: &phone.serial, TokenCode: phone.code(1)}
	session := server.as(sessionCredentials(must(p.sts.GetSessionToken(ctx, in))(t).Credentials))
	must(session.iam.ListRoles(ctx, &iam.ListRolesInput{}))(t)
	_, err = p.sts.GetSessionToken(ctx, in)
	check(t, err, failure{403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "})

	// Without MFA a user's session cannot call IAM at all.
	session = server.as(sessionCredentials(must(p.sts.GetSessionToken(ctx, &sts.GetSessionTokenInput{}))(t).Credentials))
	_, err = session.iam.ListUsers(ctx, &iam.ListUsersInput{})
	check(t, err, failure{403, "InvalidClientTokenId", "The security token included in the request is invalid."})
}

func TestAssumeRoleWithMFA(t *testing.T) {
	t.Parallel()
	p, ctx := server.newUser(t), t.Context()
	phone := server.newPhone(t, p)
	r := role{name: unique("role")}
	r.arn = *must(server.as(server.root).iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &r.name, AssumeRolePolicyDocument: document(`{"Effect":"Allow","Principal":{"AWS":"` + p.arn + `"},` +
			`"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},` +
			`"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}}`),
	}))(t).Role.Arn
	server.permitRole(t, r, allow("iam:ListRoles", "*", onlyMFA))
	in := &sts.AssumeRoleInput{RoleArn: &r.arn, RoleSessionName: aws.String("work")}
	_, err := p.sts.AssumeRole(ctx, in)
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(p.arn, "sts:AssumeRole", r.arn, "role trust policy")})
	in.SerialNumber, in.TokenCode = &phone.serial, phone.code(1)
	session := server.as(sessionCredentials(must(p.sts.AssumeRole(ctx, in))(t).Credentials))
	must(session.iam.ListRoles(ctx, &iam.ListRolesInput{}))(t)
	_, err = p.sts.AssumeRole(ctx, in)
	check(t, err, failure{403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "})
	_, err = server.newUser(t).sts.AssumeRole(ctx, in)
	check(t, err, failure{403, "AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  " +
		"Please verify your MFA serial number is valid and associated with this user."})
}

// What Terraform calls for aws_iam_virtual_mfa_device: create, find in the list, read the tags, tag, deactivate, delete.
func TestTerraformVirtualMFADevice(t *testing.T) {
	t.Parallel()
	c, ctx, name, user := server.as(server.root).iam, t.Context(), unique("device"), server.newUser(t)
	made := must(c.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{
		VirtualMFADeviceName: &name, Path: aws.String("/tf/"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
	}))(t).VirtualMFADevice
	serial := arnPrefix + "mfa/tf/" + name
	if *made.SerialNumber != serial || string(made.QRCodePNG[1:4]) != "PNG" {
		t.Errorf("got %s", *made.SerialNumber)
	}
	find := func() *types.VirtualMFADevice {
		t.Helper()
		pages := iam.NewListVirtualMFADevicesPaginator(c, &iam.ListVirtualMFADevicesInput{MaxItems: aws.Int32(1)})
		for pages.HasMorePages() {
			for _, d := range must(pages.NextPage(ctx))(t).VirtualMFADevices {
				if *d.SerialNumber == serial {
					return &d
				}
			}
		}
		return nil
	}
	if d := find(); d == nil || d.User != nil || d.EnableDate != nil {
		t.Errorf("got %+v, want the device for nobody", d)
	}
	must(c.TagMFADevice(ctx, &iam.TagMFADeviceInput{SerialNumber: &serial, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}}))(t)
	must(c.UntagMFADevice(ctx, &iam.UntagMFADeviceInput{SerialNumber: &serial, TagKeys: []string{"a"}}))(t)
	tags := must(c.ListMFADeviceTags(ctx, &iam.ListMFADeviceTagsInput{SerialNumber: &serial}))(t).Tags
	if len(tags) != 1 || *tags[0].Key != "b" || *tags[0].Value != "2" {
		t.Errorf("got tags %v", tags)
	}
	seed, err := base32.StdEncoding.DecodeString(string(made.Base32StringSeed))
	if err != nil {
		t.Fatal(err)
	}
	before, now := phone{serial, seed}.codes()
	must(c.EnableMFADevice(ctx, &iam.EnableMFADeviceInput{
		UserName: &user.name, SerialNumber: &serial, AuthenticationCode1: before, AuthenticationCode2: now,
	}))(t)
	if d := find(); d == nil || d.User == nil || *d.User.UserName != user.name || d.EnableDate == nil {
		t.Errorf("got %+v, want the device for %s", d, user.name)
	}
	must(c.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: &user.name, SerialNumber: &serial}))(t)
	must(c.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &serial}))(t)
	if d := find(); d != nil {
		t.Errorf("got %+v after delete", d)
	}
}

// Tags of a device need a permission of their own, and are there for conditions.
func TestMFADevicePermissions(t *testing.T) {
	t.Parallel()
	root, ctx, device := server.as(server.root).iam, t.Context(), arnPrefix+"mfa/"+unique("device")
	name := aws.String(device[len(arnPrefix+"mfa/"):])
	p := server.newUser(t, allow("iam:CreateVirtualMFADevice", device), allow("iam:DeleteVirtualMFADevice", device,
		`{"StringEquals":{"aws:ResourceTag/team":"red"}}`))
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}
	_, err := p.iam.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: name, Tags: tags})
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(p.arn, "iam:TagMFADevice", device, "identity-based policy")})
	must(p.iam.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: name}))(t)
	_, err = p.iam.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &device})
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(p.arn, "iam:DeleteVirtualMFADevice", device, "identity-based policy")})
	must(root.TagMFADevice(ctx, &iam.TagMFADeviceInput{SerialNumber: &device, Tags: tags}))(t)
	must(p.iam.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &device}))(t)
}
