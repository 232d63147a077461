package iam

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// caller authenticates a long-term key.
func (w *world) caller(key string) principal.Caller {
	w.t.Helper()
	_, caller, err := w.d.Authenticate(w.t.Context(), key, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return caller
}

func (w *world) policies(c principal.Caller) authz.Policies {
	w.t.Helper()
	p, err := w.d.Policies(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func policyNames(ps []authz.Policy) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Name+" "+p.ARN)
	}
	return out
}

// session makes credentials of a role, as STS does.
func (w *world) session(s principal.Session) principal.Credentials {
	w.t.Helper()
	id, err := principal.NewAccessKeyID(principal.TemporaryKeyPrefix, account)
	if err != nil {
		w.t.Fatal(err)
	}
	s.IssuedAt, s.Expires = w.now, w.now.Add(time.Hour)
	c, err := principal.Token{AccessKeyID: id, SecretAccessKey: "secret", Session: s}.Seal(w.config.Keyring)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestAuthenticateUser(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	id := w.user("alice")
	must[sdk.TagUserOutput](w, &sdk.TagUserInput{UserName: s("alice"), Tags: []types.Tag{{Key: s("team"), Value: s("blue")}}})
	key, secretKey := w.key("alice")

	got, caller, err := w.d.Authenticate(t.Context(), key, "")
	if err != nil || got != secretKey {
		t.Fatalf("got %q, %v; want %q", got, err, secretKey)
	}
	want := principal.Caller{
		Principal:   authz.Principal{Kind: authz.User, Account: account, ARN: "arn:aws:iam::111122223333:user/alice", ID: id},
		AccessKeyID: key, UserName: "alice", Tags: principal.NewTags(map[string]string{"team": "blue"}),
	}
	if diff := cmp.Diff(caller, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}

	// Each change is seen by the next question.
	must[sdk.UpdateUserOutput](w, &sdk.UpdateUserInput{UserName: s("alice"), NewUserName: s("eve")})
	if got := w.caller(key); got.UserName != "eve" || got.ARN != "arn:aws:iam::111122223333:user/eve" || got.ID != id {
		t.Errorf("after the renaming got %+v", got)
	}
	must[sdk.UpdateAccessKeyOutput](w, &sdk.UpdateAccessKeyInput{UserName: s("eve"), AccessKeyId: &key, Status: types.StatusTypeInactive})
	if _, _, err := w.d.Authenticate(t.Context(), key, ""); !errors.Is(err, directory.ErrInactiveKey) {
		t.Errorf("inactive: got %v", err)
	}
	must[sdk.UpdateAccessKeyOutput](w, &sdk.UpdateAccessKeyInput{UserName: s("eve"), AccessKeyId: &key, Status: types.StatusTypeActive})
	w.caller(key)
	must[sdk.DeleteAccessKeyOutput](w, &sdk.DeleteAccessKeyInput{UserName: s("eve"), AccessKeyId: &key})
	if _, _, err := w.d.Authenticate(t.Context(), key, ""); !errors.Is(err, directory.ErrUnknownKey) {
		t.Errorf("deleted: got %v", err)
	}
}

func TestAuthenticateRefuses(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	key, _ := w.key("alice")
	role := w.role("r", trustEC2)
	session := principal.Session{RoleARN: "arn:aws:iam::111122223333:role/r", RoleID: role, Name: "s"}
	good := w.session(session)
	if _, _, err := w.d.Authenticate(t.Context(), good.AccessKeyID, good.SessionToken); err != nil {
		t.Fatal(err)
	}
	revoked := session
	revoked.Generation = 1
	gone := session
	gone.RoleID = "AROAGONE"
	foreign, err := principal.Token{AccessKeyID: good.AccessKeyID, Session: session}.Seal(secret.New([secret.KeySize]byte{2}))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		key, token string
		want       error
	}{
		"unknown key":             {"AKIAIOSFODNN7EXAMPLE", "", directory.ErrUnknownKey},
		"no key":                  {"", "", directory.ErrUnknownKey},
		"no key id":               {"../user\x00", "", directory.ErrUnknownKey},
		"temporary key, no token": {good.AccessKeyID, "", directory.ErrUnknownKey},
		"token of another key":    {key, good.SessionToken, directory.ErrInvalidToken},
		"junk token":              {good.AccessKeyID, "junk", directory.ErrInvalidToken},
		"changed token":           {good.AccessKeyID, changed(good.SessionToken), directory.ErrInvalidToken},
		"longer token":            {good.AccessKeyID, good.SessionToken + "=", directory.ErrInvalidToken},
		"token of another server": {good.AccessKeyID, foreign.SessionToken, directory.ErrInvalidToken},
		"other generation":        {w.session(revoked).AccessKeyID, "", directory.ErrUnknownKey},
		"revoked":                 sessionCase(w.session(revoked), directory.ErrInvalidToken),
		"role made again or gone": sessionCase(w.session(gone), directory.ErrInvalidToken),
		"user gone":               sessionCase(w.session(principal.Session{UserARN: "arn:aws:iam::111122223333:user/x", UserID: "AIDAGONE"}), directory.ErrInvalidToken),
	} {
		if _, c, err := w.d.Authenticate(t.Context(), tt.key, tt.token); !errors.Is(err, tt.want) || c.Kind != "" {
			t.Errorf("%s: got %+v, %v; want %v", name, c.Principal, err, tt.want)
		}
	}
	w.now = w.now.Add(time.Hour)
	if _, _, err := w.d.Authenticate(t.Context(), good.AccessKeyID, good.SessionToken); !errors.Is(err, directory.ErrExpiredToken) {
		t.Errorf("expired: got %v", err)
	}
}

// changed gives a token with another first byte.
func changed(token string) string {
	if token[0] == 'A' {
		return "B" + token[1:]
	}
	return "A" + token[1:]
}

func sessionCase(c principal.Credentials, want error) (tt struct {
	key, token string
	want       error
}) {
	tt.key, tt.token, tt.want = c.AccessKeyID, c.SessionToken, want
	return tt
}

func TestAuthenticateRole(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	out := must[sdk.CreateRoleOutput](w, &sdk.CreateRoleInput{
		RoleName: s("r"), Path: s("/app/"), AssumeRolePolicyDocument: s(trustEC2),
		Tags: []types.Tag{{Key: s("Team"), Value: s("blue")}, {Key: s("env"), Value: s("dev")}},
	})
	c := w.session(principal.Session{
		RoleARN: *out.Role.Arn, RoleID: *out.Role.RoleId, Name: "job", Tags: map[string]string{"team": "red", "x": "1"},
		HasPolicies: true, Policy: allowAll, PolicyARNs: []string{readOnly},
	})
	secretKey, caller, err := w.d.Authenticate(t.Context(), c.AccessKeyID, c.SessionToken)
	if err != nil || secretKey != "secret" {
		t.Fatalf("got %q, %v", secretKey, err)
	}
	want := authz.Principal{
		Kind: authz.AssumedRole, Account: account, ARN: "arn:aws:sts::111122223333:assumed-role/r/job",
		IssuerARN: "arn:aws:iam::111122223333:role/app/r", ID: *out.Role.RoleId, SessionName: "job",
	}
	if diff := cmp.Diff(caller.Principal, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	// A session tag takes the place of a role tag whatever the case (iam.md T7).
	if diff := cmp.Diff(caller.Tags, principal.NewTags(map[string]string{"team": "red", "env": "dev", "x": "1"})); diff != "" {
		t.Errorf("tags (-got +want):\n%s", diff)
	}
	p := w.policies(caller)
	if diff := cmp.Diff(policyNames(p.Session), []string{"session policy of job ", "ReadOnlyAccess " + readOnly}); diff != "" {
		t.Errorf("session policies (-got +want):\n%s", diff)
	}

	// A role that is made again under the name does not take over the sessions of the old one.
	must[sdk.DeleteRoleOutput](w, &sdk.DeleteRoleInput{RoleName: s("r")})
	w.role("r", trustEC2)
	if _, _, err := w.d.Authenticate(t.Context(), c.AccessKeyID, c.SessionToken); !errors.Is(err, directory.ErrInvalidToken) {
		t.Errorf("made again: got %v", err)
	}
	if _, err := w.d.Policies(t.Context(), caller); err == nil {
		t.Error("policies of a role that is gone: got no error")
	}
}

func TestPolicies(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	w.group("devs")
	key, _ := w.key("alice")
	limit := w.policy("limit")
	caller := w.caller(key)

	step := func(in any, identity []string, boundary string) {
		t.Helper()
		if _, err := w.do(in); err != nil {
			t.Fatal(err)
		}
		p := w.policies(caller)
		if diff := cmp.Diff(policyNames(p.Identity), identity); diff != "" {
			t.Errorf("%s: identity (-got +want):\n%s", operationOf(in), diff)
		}
		if got := p.Boundary; boundary == "" && got != nil || boundary != "" && (got == nil || got.ARN != boundary) {
			t.Errorf("%s: got boundary %+v, want %q", operationOf(in), got, boundary)
		}
		if p.Session != nil || p.SCPs != nil {
			t.Errorf("%s: got session or service control policies", operationOf(in))
		}
	}
	inline, group := "alice/inline/own ", "devs/inline/theirs "
	step(&sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("own"), PolicyDocument: s(allowAll)}, []string{inline}, "")
	step(&sdk.PutGroupPolicyInput{GroupName: s("devs"), PolicyName: s("theirs"), PolicyDocument: s(allowAll)}, []string{inline}, "")
	step(&sdk.AddUserToGroupInput{UserName: s("alice"), GroupName: s("devs")}, []string{inline, group}, "")
	step(&sdk.AttachGroupPolicyInput{GroupName: s("devs"), PolicyArn: s(readOnly)}, []string{inline, group, "ReadOnlyAccess " + readOnly}, "")
	step(&sdk.AttachUserPolicyInput{UserName: s("alice"), PolicyArn: &limit}, []string{inline, "limit " + limit, group, "ReadOnlyAccess " + readOnly}, "")
	step(&sdk.PutUserPermissionsBoundaryInput{UserName: s("alice"), PermissionsBoundary: &limit}, []string{inline, "limit " + limit, group, "ReadOnlyAccess " + readOnly}, limit)
	step(&sdk.DetachUserPolicyInput{UserName: s("alice"), PolicyArn: &limit}, []string{inline, group, "ReadOnlyAccess " + readOnly}, limit)
	step(&sdk.DeleteGroupPolicyInput{GroupName: s("devs"), PolicyName: s("theirs")}, []string{inline, "ReadOnlyAccess " + readOnly}, limit)
	step(&sdk.RemoveUserFromGroupInput{UserName: s("alice"), GroupName: s("devs")}, []string{inline}, limit)
	step(&sdk.DeleteUserPermissionsBoundaryInput{UserName: s("alice")}, []string{inline}, "")
	step(&sdk.DeleteUserPolicyInput{UserName: s("alice"), PolicyName: s("own")}, nil, "")
}

// The decision log hashes a document once per pointer.
func TestDocumentsAreTheSameWhileUnchanged(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	key, _ := w.key("alice")
	arn := w.policy("p")
	must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("alice"), PolicyArn: &arn})
	must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("own"), PolicyDocument: s(" " + allowAll)})
	before := w.policies(w.caller(key)).Identity
	must[sdk.TagUserOutput](w, &sdk.TagUserInput{UserName: s("alice"), Tags: []types.Tag{{Key: s("a"), Value: s("b")}}}) // another record, the same texts
	after := w.policies(w.caller(key)).Identity
	for i := range before {
		if before[i].Document != after[i].Document {
			t.Errorf("%s: got another document for the same text", before[i].Name)
		}
	}
	denyAll := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	must[sdk.CreatePolicyVersionOutput](w, &sdk.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &denyAll, SetAsDefault: true})
	if got := string(w.policies(w.caller(key)).Identity[1].Document.Source); got != denyAll {
		t.Errorf("got %s, want the new version", got)
	}
}

// What cannot be read must deny.
func TestPoliciesThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	id := w.user("alice")
	key, _ := w.key("alice")
	caller := w.caller(key)
	spoil := func(change func(*record.Identity)) {
		t.Helper()
		err := w.db.Update(t.Context(), func(tx store.Tx) error {
			e, err := record.GetIdentity(tx, account, record.UserKind, id)
			if err != nil {
				return err
			}
			change(e)
			return record.PutIdentity(tx, account, e)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(*record.Identity){
		"inline":   func(e *record.Identity) { e.Inline = map[string]string{"p": "{"} },
		"attached": func(e *record.Identity) { e.Attached = []string{"arn:aws:iam::111122223333:policy/gone"} },
		"boundary": func(e *record.Identity) { e.Boundary = "arn:aws:iam::aws:policy/Gone" },
		"group":    func(e *record.Identity) { e.Groups = []string{"AGPAGONE"} },
	} {
		spoil(change)
		if p, err := w.d.Policies(t.Context(), caller); err == nil {
			t.Errorf("%s: got %+v, want an error", name, p)
		}
		spoil(func(e *record.Identity) { e.Inline, e.Attached, e.Boundary, e.Groups = nil, nil, "", nil })
		w.policies(caller)
	}

	// A session policy that is gone may have denied something.
	arn := w.policy("p")
	caller.Session = &principal.Session{HasPolicies: true, PolicyARNs: []string{arn}}
	w.policies(caller)
	must[sdk.DeletePolicyOutput](w, &sdk.DeletePolicyInput{PolicyArn: s(arn)})
	if _, err := w.d.Policies(t.Context(), caller); err == nil {
		t.Error("session policy: got no error")
	}
	caller.Kind = authz.FederatedUser
	if _, err := w.d.Policies(t.Context(), caller); err == nil {
		t.Error("federated user: got no error")
	}
}

func TestEnsureAccount(t *testing.T) {
	w := newWorld(t)
	root, created, err := w.d.EnsureAccount(t.Context(), "999999999999")
	if err != nil || !created {
		t.Fatalf("got %v, %v", created, err)
	}
	again, created, err := w.d.EnsureAccount(t.Context(), "999999999999")
	if err != nil || created || again != root {
		t.Errorf("again: got %v, %v, %v", again.AccessKeyID, created, err)
	}
	secretKey, caller, err := w.d.Authenticate(t.Context(), root.AccessKeyID, "")
	want := authz.Principal{Kind: authz.Root, Account: "999999999999", ARN: "arn:aws:iam::999999999999:root"}
	if err != nil || secretKey != root.SecretAccessKey || caller.Principal != want {
		t.Errorf("got %+v, %v", caller, err)
	}
	if p := w.policies(caller); p.Identity != nil || p.Boundary != nil {
		t.Errorf("root: got policies %+v", p)
	}
	// Root manages its own keys, and gets no new one for those it deletes.
	if _, err := w.as(caller, "DeleteAccessKey", &sdk.DeleteAccessKeyInput{AccessKeyId: &root.AccessKeyID}); err != nil {
		t.Fatal(err)
	}
	again, created, err = w.d.EnsureAccount(t.Context(), "999999999999")
	if err != nil || created || again.AccessKeyID != "" {
		t.Errorf("after deletion: got %v, %v, %v", again.AccessKeyID, created, err)
	}
	if _, _, err := w.d.EnsureAccount(t.Context(), "12"); err == nil {
		t.Error("account 12: got no error")
	}
}

func TestFixedRootKey(t *testing.T) {
	w := newWorld(t)
	config := w.config
	config.FixedRoot = map[string]principal.Credentials{"999999999999": {AccessKeyID: "test", SecretAccessKey: "test"}}
	d := directory.New(config)
	defer d.Close()
	root, created, err := d.EnsureAccount(t.Context(), "999999999999")
	if err != nil || created || root.AccessKeyID != "test" {
		t.Fatalf("got %v, %v, %v", root.AccessKeyID, created, err)
	}
	if _, c, err := d.Authenticate(t.Context(), "test", ""); err != nil || c.Kind != authz.Root || c.Account != "999999999999" {
		t.Errorf("got %+v, %v", c, err)
	}
	// Without the configuration the key is worth nothing, and the account gets one of its own.
	if _, _, err := w.d.Authenticate(t.Context(), "test", ""); !errors.Is(err, directory.ErrUnknownKey) {
		t.Errorf("got %v", err)
	}
	if root, created, err := w.d.EnsureAccount(t.Context(), "999999999999"); err != nil || !created || root.AccessKeyID == "test" {
		t.Errorf("got %v, %v, %v", root.AccessKeyID, created, err)
	}
}

func TestRoleAndUniqueID(t *testing.T) {
	w := newWorld(t)
	role, user := w.role("r", trustEC2), w.user("alice")
	for text, want := range map[string]string{
		"arn:aws:iam::111122223333:user/alice": user, "arn:aws:iam::111122223333:role/r": role,
		"111122223333": "", "arn:aws:iam::111122223333:root": "", "arn:aws:sts::111122223333:assumed-role/r/s": "",
		"arn:aws:iam::111122223333:role/x/r": "", "arn:aws:iam::111122223333:role/R": "", "arn:aws:iam::111122223333:user/bob": "",
		"junk": "", "": "",
	} {
		if got, err := w.d.UniqueID(t.Context(), text); err != nil || got != want {
			t.Errorf("UniqueID(%q): got %q, %v; want %q", text, got, err, want)
		}
	}
	must[sdk.UpdateUserOutput](w, &sdk.UpdateUserInput{UserName: aws.String("alice"), NewUserName: aws.String("eve")})
	must[sdk.DeleteRoleOutput](w, &sdk.DeleteRoleInput{RoleName: aws.String("r")})
	for id, want := range map[string]string{user: "arn:aws:iam::111122223333:user/eve", role: "", "junk": ""} {
		if got, err := w.d.PrincipalARN(t.Context(), id); err != nil || got != want {
			t.Errorf("PrincipalARN(%q): got %q, %v; want %q", id, got, err, want)
		}
	}
	w.role("r", trustEC2)
	for _, text := range []string{"arn:aws:iam::111122223333:role/x/r", "arn:aws:iam::111122223333:user/alice", "junk", "arn:aws:sts::111122223333:assumed-role/r/s"} {
		if _, err := w.d.Role(t.Context(), text); !errors.Is(err, principal.ErrNoRole) {
			t.Errorf("Role(%q): got %v", text, err)
		}
	}
}

// Readers that run while policies change see the old or the new ones, and after the change the new ones only.
func TestDirectoryUnderConcurrentChange(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	key, _ := w.key("alice")
	caller := w.caller(key)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := w.d.Policies(t.Context(), caller); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 50 {
		text := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"n%d","Effect":"Allow","Action":"*","Resource":"*"}]}`, i)
		must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("p"), PolicyDocument: &text})
		if got, want := w.policies(caller).Identity[0].Document.Statements[0].Sid, fmt.Sprint("n", i); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	close(stop)
	wg.Wait()
}

// The warm path reads memory only.
func TestWarmPathReadsNoStore(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	key, _ := w.key("alice")
	arn := w.policy("p")
	must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: aws.String("alice"), PolicyArn: &arn})
	w.policies(w.caller(key))
	if err := w.db.Close(); err != nil { // from now on every read fails
		t.Fatal(err)
	}
	w.policies(w.caller(key))
}

func BenchmarkAuthenticateRole(b *testing.B) {
	w := newWorld(b)
	role := w.role("r", trustEC2)
	c := w.session(principal.Session{RoleARN: "arn:aws:iam::111122223333:role/r", RoleID: role, Name: "s"})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := w.d.Authenticate(b.Context(), c.AccessKeyID, c.SessionToken); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPolicies(b *testing.B) {
	w := newWorld(b)
	w.user("alice")
	key, _ := w.key("alice")
	must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: aws.String("alice"), PolicyArn: aws.String(readOnly)})
	caller := w.caller(key)
	b.ReportAllocs()
	for b.Loop() {
		w.policies(caller)
	}
}
