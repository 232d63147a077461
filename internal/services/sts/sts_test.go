package sts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sts/stsapi"
	"github.com/licet/licet/policy"
)

const (
	account  = "111122223333"
	roleARN  = "arn:aws:iam::111122223333:role/app/deploy"
	managed  = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
)

// directory knows one role and one policy, and a device that shows one code, which is good once.
type directory struct {
	role      principal.Role
	used      bool
	meanwhile func()
}

const (
	device   = "arn:aws:iam::111122223333:mfa/phone"
	goodCode = "123456"
)

func (d *directory) CheckMFACode(_ context.Context, caller *principal.Caller, serial, code string) error {
	switch {
	case caller.ID != user().ID || serial != device:
		return fmt.Errorf("%w: %s", principal.ErrMFADevice, serial)
	case code != goodCode || d.used:
		return principal.ErrMFACode
	}
	return nil
}

func (d *directory) UseMFACode(ctx context.Context, caller *principal.Caller, serial, code string) error {
	err := d.CheckMFACode(ctx, caller, serial, code)
	d.used = d.used || err == nil
	return err
}

// decided is the moment between decision and session.
func (d *directory) decided() {
	if d.meanwhile != nil {
		d.meanwhile()
	}
}

func (d *directory) Role(_ context.Context, arn string) (principal.Role, error) {
	if arn != d.role.ARN {
		return principal.Role{}, fmt.Errorf("%w: %s", principal.ErrNoRole, arn)
	}
	return d.role, nil
}

func (d *directory) HasPolicy(_ context.Context, _, arn string) (bool, error) {
	return arn == managed, nil
}

// MayAssumeRoot knows one member.
func (d *directory) MayAssumeRoot(_ context.Context, caller, member string) (bool, error) {
	return caller == account && member == "444455556666", nil
}

type world struct {
	t    *testing.T
	s    *Service
	d    *directory
	keys *secret.Keyring
	now  time.Time
}

func newWorld(t *testing.T) *world {
	trust, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	d := &directory{role: principal.Role{
		ARN: roleARN, Name: "deploy", ID: "AROAX", Account: account, MaxSessionSeconds: 7200, Generation: 4,
		Tags: map[string]string{"team": "blue"}, Trust: trust,
	}}
	keys := secret.New([secret.KeySize]byte{1})
	return &world{t: t, s: New(Config{Directory: d, Keyring: keys, Organization: d}), d: d, keys: keys, now: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC)}
}

func (w *world) call(caller principal.Caller) *service.Call {
	return &service.Call{Caller: caller, Account: account, Partition: "aws", Time: w.now}
}

// do makes a call as dispatch does for one that is allowed.
func (w *world) do(c *service.Call, operation string, in any) (any, error) {
	w.t.Helper()
	op := w.operation(operation)
	c, err := op.Identify(w.t.Context(), c, in)
	if err != nil {
		return nil, err
	}
	if c.Judged, err = op.Needs(w.t.Context(), c, in); err != nil {
		return nil, err
	}
	w.d.decided()
	return op.Handle(w.t.Context(), c, in)
}

func (w *world) operation(name string) service.Operation {
	w.t.Helper()
	ops := w.s.operations()
	return ops[slices.IndexFunc(ops, func(o service.Operation) bool { return o.Name == name })]
}

func (w *world) assume(c *service.Call, in *sdk.AssumeRoleInput) (*sdk.AssumeRoleOutput, principal.Token, error) {
	w.t.Helper()
	out, err := w.do(c, "AssumeRole", in)
	if err != nil {
		return nil, principal.Token{}, err
	}
	answer := out.(*sdk.AssumeRoleOutput)
	token, err := principal.OpenToken(w.keys, *answer.Credentials.SessionToken)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer, token, nil
}

func user() principal.Caller {
	return principal.Caller{
		Principal: authz.Principal{Kind: authz.User, Account: account, ARN: "arn:aws:iam::111122223333:user/alice", ID: "AIDAX"}, UserName: "alice",
	}
}

func roleSession(s principal.Session) principal.Caller {
	return principal.Caller{
		Principal: authz.Principal{
			Kind: authz.AssumedRole, Account: account, ARN: "arn:aws:sts::111122223333:assumed-role/first/s", ID: "AROAFIRST", SessionName: "s",
		},
		Session: &s,
	}
}

func root() principal.Caller {
	return principal.Caller{Principal: authz.Principal{Kind: authz.Root, Account: account, ARN: "arn:aws:iam::111122223333:root"}}
}

// input is a call that succeeds, changed.
func input(change func(*sdk.AssumeRoleInput)) *sdk.AssumeRoleInput {
	in := &sdk.AssumeRoleInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("job")}
	if change != nil {
		change(in)
	}
	return in
}

func tags(pairs ...string) (out []types.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return out
}

func wantError(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok || e.Code != code || e.Message != message || e.Status != status {
		t.Errorf("got error %v, want %d %s: %s", err, status, code, message)
	}
}

func TestTableNamesOperationsOfTheAPI(t *testing.T) {
	for _, op := range newWorld(t).s.operations() {
		if !slices.ContainsFunc(stsapi.API().Operations, func(o protocol.Operation) bool { return o.Name == op.Name }) {
			t.Errorf("unknown operation %s", op.Name)
		}
	}
}

func TestAssumeRole(t *testing.T) {
	w := newWorld(t)
	out, token, err := w.assume(w.call(user()), input(func(in *sdk.AssumeRoleInput) {
		in.DurationSeconds = aws.Int32(900)
		in.Policy = aws.String(allowAll)
		in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String(managed)}}
		in.Tags = tags("Project", "x", "Cost", "1")
		in.TransitiveTagKeys = []string{"Project"}
		in.SourceIdentity = aws.String("alice")
	}))
	if err != nil {
		t.Fatal(err)
	}
	issued := w.now.Truncate(time.Second)
	want := principal.Session{
		RoleARN: roleARN, RoleID: "AROAX", Name: "job", Generation: 4, Policy: allowAll, PolicyARNs: []string{managed}, HasPolicies: true,
		Tags: map[string]string{"Project": "x", "Cost": "1"}, TransitiveTagKeys: []string{"Project"}, SourceIdentity: "alice",
		IssuedAt: issued, Expires: issued.Add(15 * time.Minute),
	}
	if diff := cmp.Diff(token.Session, want); diff != "" {
		t.Errorf("session (-got +want):\n%s", diff)
	}
	c := out.Credentials
	if *c.AccessKeyId != token.AccessKeyID || *c.SecretAccessKey != token.SecretAccessKey || !c.Expiration.Equal(want.Expires) ||
		!strings.HasPrefix(token.AccessKeyID, "ASIA") || len(token.SecretAccessKey) != 40 {
		t.Errorf("got credentials %s until %v", *c.AccessKeyId, c.Expiration)
	}
	if got, want := *out.AssumedRoleUser.Arn, "arn:aws:sts::111122223333:assumed-role/deploy/job"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := *out.AssumedRoleUser.AssumedRoleId, "AROAX:job"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := aws.ToInt32(packed(out)); got != 7 {
		t.Errorf("got packed size %d, want 7", got)
	}

	out, token, err = w.assume(w.call(user()), input(nil))
	if err != nil || packed(out) != nil || token.Session.HasPolicies || token.Session.Expires.Sub(token.Session.IssuedAt) != time.Hour {
		t.Errorf("plain: got %+v, %v", token.Session, err)
	}
}

// packed is the member that AWS answers with still, whatever the SDK says.
func packed(out *sdk.AssumeRoleOutput) *int32 {
	//lint:ignore SA1019 see above
	return out.PackedPolicySize
}

// TestAssumeRoleMadeAgain: who was trusted by a role is not trusted by another that takes its name before the session is made.
func TestAssumeRoleMadeAgain(t *testing.T) {
	w := newWorld(t)
	in := &sdk.AssumeRoleInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("me")}
	same, err := policy.Parse(w.d.role.Trust.Source)
	if err != nil {
		t.Fatal(err)
	}
	w.d.meanwhile = func() { w.d.role.Trust = same }
	if _, err := w.do(w.call(user()), "AssumeRole", in); err != nil {
		t.Errorf("the same trust: got %v", err)
	}
	other, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"AIDAOTHER"},"Action":"sts:AssumeRole"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	w.d.meanwhile = func() { w.d.role.Trust = other }
	c := w.call(user())
	c.Operation = "AssumeRole"
	_, err = w.do(c, "AssumeRole", in)
	wantError(t, err, 403, "AccessDenied", "Not authorized to perform sts:AssumeRole")
}

func TestAssumeRoleNeeds(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name   string
		caller principal.Caller
		in     *sdk.AssumeRoleInput
		want   []string
	}{
		{"plain", user(), input(nil), []string{"sts:AssumeRole", "aws:ResourceTag/team=[blue]", "iam:ResourceTag/team=[blue]", "sts:RoleSessionName=[job]"}},
		{
			"tags, source identity, external id", user(),
			input(func(in *sdk.AssumeRoleInput) {
				in.Tags, in.TransitiveTagKeys = tags("a", "1"), []string{"a"}
				in.SourceIdentity, in.ExternalId = aws.String("me"), aws.String("e:1")
			}),
			[]string{
				"sts:AssumeRole sts:TagSession sts:SetSourceIdentity", "aws:RequestTag/a=[1]", "aws:ResourceTag/team=[blue]", "aws:TagKeys=[a] multi",
				"iam:ResourceTag/team=[blue]", "sts:ExternalId=[e:1]", "sts:RoleSessionName=[job]", "sts:SourceIdentity=[me]", "sts:TransitiveTagKeys=[a] multi",
			},
		},
		{
			"inherited", roleSession(principal.Session{TransitiveTagKeys: []string{"a"}, SourceIdentity: "me"}), input(nil),
			[]string{
				"sts:AssumeRole sts:TagSession sts:SetSourceIdentity", "aws:ResourceTag/team=[blue]", "iam:ResourceTag/team=[blue]",
				"sts:RoleSessionName=[job]", "sts:SourceIdentity=[me]",
			},
		},
	}
	for _, tt := range tests {
		needs, err := w.operation("AssumeRole").Needs(t.Context(), w.call(tt.caller), tt.in)
		if err != nil {
			t.Fatal(err)
		}
		var actions, keys []string
		for _, n := range needs {
			actions = append(actions, n.Action)
			if n.Target.ARN != roleARN || n.Target.Account != account || !n.Target.Trust || n.Target.Policy == nil {
				t.Errorf("%s: got target %+v", tt.name, n.Target)
			}
		}
		for name, v := range needs[0].Target.Keys.All {
			key := fmt.Sprintf("%s=%v", name, v.Values)
			if v.Multi {
				key += " multi"
			}
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if diff := cmp.Diff(append([]string{strings.Join(actions, " ")}, keys...), tt.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.name, diff)
		}
	}

	// A missing role trusts nobody; the answer tells no more than that.
	needs, err := w.operation("AssumeRole").Needs(t.Context(), w.call(user()), input(func(in *sdk.AssumeRoleInput) {
		in.RoleArn = aws.String("arn:aws:iam::999999999999:role/gone")
	}))
	if err != nil || needs[0].Target.Policy != nil || !needs[0].Target.Trust || needs[0].Target.Account != "999999999999" {
		t.Errorf("missing role: got %+v, %v", needs, err)
	}
}

func TestAssumeRoleErrors(t *testing.T) {
	long, tooLong := strings.Repeat("s", 65), strings.Repeat("r", 2049)
	detected := "1 validation error detected: Value "
	transitive := principal.Session{TransitiveTagKeys: []string{"Project"}, Tags: map[string]string{"Project": "x"}, SourceIdentity: "me"}
	conflict := "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
	tests := []struct {
		caller  principal.Caller
		change  func(*sdk.AssumeRoleInput)
		status  int
		code    string
		message string
	}{
		{root(), nil, 403, "AccessDenied", "Roles may not be assumed by root accounts."},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleArn = aws.String("nothing-valid-in-here") }, 400, "ValidationError", "nothing-valid-in-here is invalid"},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::111122223333/9:role/x") }, 400, "ValidationError", "arn:aws:iam::111122223333/9:role/x is invalid"},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam:::role/deploy") }, 400, "ValidationError", "arn:aws:iam:::role/deploy is invalid"},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleArn = aws.String("arn:a:a::aaaaaaaaaa:") }, 400, "ValidationError", "arn:a:a::aaaaaaaaaa: is invalid"},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleArn = aws.String("bogus") }, 400, "ValidationError", detected + "'bogus' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20"},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleArn = &tooLong }, 400, "ValidationError", detected + "'" + tooLong + "' at 'roleArn' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleArn = nil }, 400, "ValidationError", detected + "null at 'roleArn' failed to satisfy constraint: Member must not be null"},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleSessionName = aws.String("Session1:2") }, 400, "ValidationError", detected + `'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		{user(), func(in *sdk.AssumeRoleInput) { in.RoleSessionName = &long }, 400, "ValidationError", detected + "'" + long + "' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{user(), func(in *sdk.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, 400, "ValidationError", detected + "'899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{user(), func(in *sdk.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, 400, "ValidationError", detected + "'43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"},
		{user(), func(in *sdk.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7201) }, 400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{roleSession(principal.Session{}), func(in *sdk.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, 400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"},
		{user(), func(in *sdk.AssumeRoleInput) { in.ExternalId = aws.String("x") }, 400, "ValidationError", detected + "'x' at 'externalId' failed to satisfy constraint: Member must have length greater than or equal to 2"},
		{user(), func(in *sdk.AssumeRoleInput) { in.Policy = aws.String("{") }, 400, "MalformedPolicyDocument", "Syntax errors in policy."},
		{user(), func(in *sdk.AssumeRoleInput) {
			in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/None")}}
		}, 400, "ValidationError", "Policy arn:aws:iam::aws:policy/None does not exist or is not attachable."},
		{user(), func(in *sdk.AssumeRoleInput) { in.Tags = tags("a", "1", "A", "2") }, 400, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{user(), func(in *sdk.AssumeRoleInput) { in.TransitiveTagKeys = []string{"a"} }, 400, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."},
		{roleSession(transitive), func(in *sdk.AssumeRoleInput) { in.Tags = tags("project", "y") }, 400, "InvalidParameterValue", conflict},
		{roleSession(principal.Session{TransitiveTagKeys: []string{"id"}, Tags: map[string]string{"id": "x"}}),
			func(in *sdk.AssumeRoleInput) { in.Tags = tags("İd", "y") }, 400, "InvalidParameterValue", conflict},
		{roleSession(transitive), func(in *sdk.AssumeRoleInput) { in.SourceIdentity = aws.String("other") }, 403, "AccessDenied", "The source identity of the calling session cannot be changed."},
		{user(), func(in *sdk.AssumeRoleInput) { in.ProvidedContexts = []types.ProvidedContext{{}} }, 501, "NotImplemented", "licet does not implement the member ProvidedContexts of AssumeRole."},
		{user(), func(in *sdk.AssumeRoleInput) {
			for i := range 9 {
				in.Tags = append(in.Tags, tags(fmt.Sprint("T", i), strings.Repeat("a", 250))...)
			}
		}, 400, "PackedPolicyTooLarge", "Packed size of session tags consumes 111% of allotted space."},
	}
	w := newWorld(t)
	for _, tt := range tests {
		_, _, err := w.assume(w.call(tt.caller), input(tt.change))
		wantError(t, err, tt.status, tt.code, tt.message)
	}
}

func TestRoleChaining(t *testing.T) {
	w := newWorld(t)
	caller := roleSession(principal.Session{
		Tags: map[string]string{"Project": "x", "Other": "y"}, TransitiveTagKeys: []string{"Project"}, SourceIdentity: "me",
	})
	_, token, err := w.assume(w.call(caller), input(func(in *sdk.AssumeRoleInput) { in.Tags = tags("Mine", "1") }))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(token.Session.Tags, map[string]string{"Project": "x", "Mine": "1"}); diff != "" {
		t.Errorf("tags (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(token.Session.TransitiveTagKeys, []string{"Project"}); diff != "" {
		t.Errorf("transitive (-got +want):\n%s", diff)
	}
	if got := token.Session.SourceIdentity; got != "me" {
		t.Errorf("got source identity %q, want me", got)
	}
}

// A chain of roles gathers no more tags than one session may have, and names none twice.
func TestRoleChainingGathersNoMore(t *testing.T) {
	w := newWorld(t)
	inherited := principal.Session{Tags: map[string]string{}}
	for i := range 30 {
		key := fmt.Sprint("K", i)
		inherited.Tags[key] = "x"
		inherited.TransitiveTagKeys = append(inherited.TransitiveTagKeys, key)
	}
	more := func(n int) *sdk.AssumeRoleInput {
		return input(func(in *sdk.AssumeRoleInput) {
			for i := range n {
				in.Tags = append(in.Tags, tags(fmt.Sprint("T", i), "x")...)
			}
		})
	}
	if _, _, err := w.assume(w.call(roleSession(inherited)), more(20)); err != nil {
		t.Errorf("50 tags: %v", err)
	}
	const tooLong = "failed to satisfy constraint: Member must have length less than or equal to 50"
	_, _, err := w.assume(w.call(roleSession(inherited)), more(21))
	wantError(t, err, 400, "ValidationError", "1 validation error detected: Value at 'tags' "+tooLong)
	repeated := more(1)
	repeated.TransitiveTagKeys = slices.Repeat([]string{"T0"}, 51)
	_, _, err = w.assume(w.call(user()), repeated)
	wantError(t, err, 400, "ValidationError", "1 validation error detected: Value at 'transitiveTagKeys' "+tooLong)
	repeated.TransitiveTagKeys = []string{"T0", "T0"}
	if _, token, err := w.assume(w.call(user()), repeated); err != nil || !slices.Equal(token.Session.TransitiveTagKeys, []string{"T0"}) {
		t.Errorf("got transitive %v, %v", token.Session.TransitiveTagKeys, err)
	}
}

// Sessions that the server makes for a function carry the function, and are not bound by the role (lambda.md 3.2). Nobody else
// can say which function they are.
func TestFunctionSessions(t *testing.T) {
	w := newWorld(t)
	c := w.call(principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: "lambda.amazonaws.com"}})
	c.Internal = &service.Internal{SourceFunctionARN: "arn:aws:lambda:us-east-1:111122223333:function:f"}
	_, token, err := w.assume(c, input(func(in *sdk.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43200) }))
	if err != nil {
		t.Fatal(err)
	}
	if got := token.Session; got.SourceFunctionARN != c.Internal.SourceFunctionARN || got.Expires.Sub(got.IssuedAt) != 12*time.Hour {
		t.Errorf("got %+v", got)
	}
	if _, token, err = w.assume(w.call(user()), input(nil)); err != nil || token.Session.SourceFunctionARN != "" {
		t.Errorf("user: got %q, %v", token.Session.SourceFunctionARN, err)
	}
}

func TestGetCallerIdentity(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		caller principal.Caller
		id     string
	}{
		{user(), "AIDAX"}, {root(), account}, {roleSession(principal.Session{}), "AROAFIRST:s"},
	} {
		got, err := w.do(w.call(tt.caller), "GetCallerIdentity", &sdk.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		out := got.(*sdk.GetCallerIdentityOutput)
		if *out.Account != account || *out.Arn != tt.caller.ARN || *out.UserId != tt.id {
			t.Errorf("got %s %s %s, want %s %s", *out.Account, *out.Arn, *out.UserId, tt.caller.ARN, tt.id)
		}
	}
}

func TestGetSessionToken(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		caller principal.Caller
		asked  *int32
		want   time.Duration
		userID string
	}{
		{user(), nil, 12 * time.Hour, "AIDAX"},
		{user(), aws.Int32(129600), 36 * time.Hour, "AIDAX"},
		{root(), nil, time.Hour, account},
		{root(), aws.Int32(900), 15 * time.Minute, account},
		{root(), aws.Int32(7200), time.Hour, account},
	} {
		got, err := w.do(w.call(tt.caller), "GetSessionToken", &sdk.GetSessionTokenInput{DurationSeconds: tt.asked})
		if err != nil {
			t.Fatal(err)
		}
		token, err := principal.OpenToken(w.keys, *got.(*sdk.GetSessionTokenOutput).Credentials.SessionToken)
		if err != nil {
			t.Fatal(err)
		}
		s := token.Session
		if s.UserARN != tt.caller.ARN || s.UserID != tt.userID || s.RoleID != "" || s.MFA || s.Expires.Sub(s.IssuedAt) != tt.want {
			t.Errorf("got %+v", s)
		}
	}
	_, err := w.do(w.call(roleSession(principal.Session{})), "GetSessionToken", &sdk.GetSessionTokenInput{})
	wantError(t, err, 403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
}

func TestMFA(t *testing.T) {
	w := newWorld(t)
	getSession := func(serial, code *string) (bool, error) {
		got, err := w.do(w.call(user()), "GetSessionToken", &sdk.GetSessionTokenInput{SerialNumber: serial, TokenCode: code})
		if err != nil {
			return false, err
		}
		token, err := principal.OpenToken(w.keys, *got.(*sdk.GetSessionTokenOutput).Credentials.SessionToken)
		return token.Session.MFA, err
	}
	assume := func(caller principal.Caller, serial, code *string) (bool, error) {
		_, token, err := w.assume(w.call(caller), &sdk.AssumeRoleInput{
			RoleArn: aws.String(roleARN), RoleSessionName: aws.String("work"), SerialNumber: serial, TokenCode: code,
		})
		return token.Session.MFA, err
	}
	asUser := func(serial, code *string) (bool, error) { return assume(user(), serial, code) }
	s := aws.String
	const (
		detected = "1 validation error detected: Value "
		invalid  = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
		unknown  = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid " +
			"and associated with this user."
		both = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
	)
	for name, call := range map[string]func(serial, code *string) (bool, error){"GetSessionToken": getSession, "AssumeRole": asUser} {
		for _, tt := range []struct {
			serial, code   *string
			status         int
			code2, message string
		}{
			{s(device), nil, 403, "AccessDenied", both},
			{nil, s(goodCode), 403, "AccessDenied", both},
			{s(device), s("000000"), 403, "AccessDenied", invalid},
			{s("GAHT12345678"), s(goodCode), 403, "AccessDenied", unknown},
			{s("GAHT"), s(goodCode), 400, "ValidationError", detected + "'GAHT' at 'serialNumber' failed to satisfy constraint: Member must have length greater than or equal to 9"},
			{s("GAHT 12345"), s(goodCode), 400, "ValidationError", detected + `'GAHT 12345' at 'serialNumber' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=/:,.@-]*`},
			{s(device), s("12345"), 400, "ValidationError", detected + "'12345' at 'tokenCode' failed to satisfy constraint: Member must have length greater than or equal to 6"},
			{s(device), s("12345x"), 400, "ValidationError", detected + `'12345x' at 'tokenCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [\d]*`},
		} {
			_, err := call(tt.serial, tt.code)
			wantError(t, err, tt.status, tt.code2, tt.message)
		}
		if mfa, err := call(nil, nil); mfa || err != nil {
			t.Errorf("%s without MFA: got %v, %v", name, mfa, err)
		}
		w.d.used = false
		if mfa, err := call(s(device), s(goodCode)); !mfa || err != nil {
			t.Errorf("%s with MFA: got %v, %v", name, mfa, err)
		}
		_, err := call(s(device), s(goodCode))
		wantError(t, err, 403, "AccessDenied", invalid)
	}
	_, err := assume(roleSession(principal.Session{}), s(device), s(goodCode))
	wantError(t, err, 403, "AccessDenied", unknown)
}

// A trust policy may ask for the code of the request itself. Judging a request does not use its code up.
func TestMFAKeysOfAssumeRole(t *testing.T) {
	w := newWorld(t)
	in := &sdk.AssumeRoleInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("work")}
	target := func() service.Target {
		t.Helper()
		got, err := w.s.roleToAssume(t.Context(), w.call(user()), in)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := target()
	if _, ok := got.Keys.Get("aws:MultiFactorAuthPresent"); ok {
		t.Error("without MFA the key is there")
	}
	in.SerialNumber, in.TokenCode = aws.String(device), aws.String(goodCode)
	for range 2 {
		got = target()
		for key, want := range map[string]string{"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "0"} {
			if v, ok := got.Keys.Get(key); !ok || !slices.Equal(v.Values, []string{want}) {
				t.Errorf("%s: got %v", key, v)
			}
		}
	}
}

func TestGetAccessKeyInfo(t *testing.T) {
	w := newWorld(t)
	id, err := principal.NewAccessKeyID(principal.AccessKeyPrefix, "000000000042")
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.do(w.call(user()), "GetAccessKeyInfo", &sdk.GetAccessKeyInfoInput{AccessKeyId: &id})
	if err != nil || *got.(*sdk.GetAccessKeyInfoOutput).Account != "000000000042" {
		t.Errorf("got %+v, %v", got, err)
	}
	caller := user()
	caller.Session = &principal.Session{}
	_, err = w.do(w.call(caller), "GetAccessKeyInfo", &sdk.GetAccessKeyInfoInput{AccessKeyId: &id})
	wantError(t, err, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
}
