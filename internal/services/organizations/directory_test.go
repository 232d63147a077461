package organizations

import (
	"context"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/store"
)

func (w *world) standing(account string) *organization.Member {
	w.t.Helper()
	m, err := w.d.Member(w.t.Context(), account)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// levels are the names of a member's policies, level by level.
func levels(m *organization.Member, rcps bool) string {
	set := m.SCPs
	if rcps {
		set = m.RCPs
	}
	if set == nil {
		return "none"
	}
	all := set.Policies().SCPs
	if rcps {
		all = set.Policies().RCPs
	}
	var out []string
	for _, level := range all {
		var names []string
		for _, p := range level {
			names = append(names, p.Name)
		}
		out = append(out, strings.Join(names, "+"))
	}
	return strings.Join(out, " ")
}

func TestMember(t *testing.T) {
	w := newWorld(t)
	if m := w.standing(manager); m != nil {
		t.Errorf("before there is an organization: got %+v", m)
	}
	root := w.found(scpType, rcpType)
	outer := w.unit(root, "outer")
	inner := w.unit(outer, "inner")
	id := w.member("m@example.com")
	must[sdk.MoveAccountOutput](w, &sdk.MoveAccountInput{AccountId: &id, SourceParentId: &root, DestinationParentId: &inner})
	w.attach(w.policy(scpType, "guard", denyS3), outer)
	w.attach(w.policy(rcpType, "fence", strings.Replace(denyS3, `"Action"`, `"Principal":"*","Action"`, 1)), id)

	m := w.standing(id)
	org := *must[sdk.DescribeOrganizationOutput](w, &sdk.DescribeOrganizationInput{}).Organization.Id
	got := []any{m.ID, m.ManagementAccount, m.Path, m.IsManagement(), m.AllFeatures, levels(m, false), levels(m, true)}
	want := []any{
		org, manager, org + "/" + root + "/" + outer + "/" + inner + "/", false, true,
		"FullAWSAccess FullAWSAccess+guard FullAWSAccess FullAWSAccess",
		"RCPFullAWSAccess RCPFullAWSAccess RCPFullAWSAccess RCPFullAWSAccess+fence",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("a member (-got +want):\n%s", diff)
	}
	m = w.standing(manager)
	got = []any{m.ID, m.Path, m.IsManagement(), levels(m, false), levels(m, true)}
	if diff := cmp.Diff(got, []any{org, org + "/" + root + "/", true, "none", "none"}); diff != "" {
		t.Errorf("the management account (-got +want):\n%s", diff)
	}
	if m := w.standing(stranger); m != nil {
		t.Errorf("a stranger: got %+v", m)
	}
}

// What was asked once is answered without the store, until an organization changes; then the next question sees it.
func TestMemberIsRemembered(t *testing.T) {
	w := newWorld(t)
	root := w.found(scpType)
	id := w.member("m@example.com")
	for _, account := range []string{id, stranger} {
		first := w.standing(account)
		before := w.db.views
		if again := w.standing(account); again != first || w.db.views != before {
			t.Errorf("%s: asked again: %d reads of the store", account, w.db.views-before)
		}
	}
	warm := testing.AllocsPerRun(100, func() { w.standing(id) })
	if warm != 0 {
		t.Errorf("%v allocations, want none", warm)
	}
	guard := w.policy(scpType, "guard", denyS3)
	w.attach(guard, root)
	if got := levels(w.standing(id), false); got != "FullAWSAccess+guard FullAWSAccess" {
		t.Errorf("attached: got %s", got)
	}
	must[sdk.DetachPolicyOutput](w, &sdk.DetachPolicyInput{PolicyId: &guard, TargetId: &root})
	if got := levels(w.standing(id), false); got != "FullAWSAccess FullAWSAccess" {
		t.Errorf("detached: got %s", got)
	}
	must[sdk.DisablePolicyTypeOutput](w, &sdk.DisablePolicyTypeInput{RootId: &root, PolicyType: scpType})
	if got := levels(w.standing(id), false); got != "none" {
		t.Errorf("disabled: got %s", got)
	}
	if _, err := w.as(id, &sdk.LeaveOrganizationInput{}); err != nil {
		t.Fatal(err)
	}
	if m := w.standing(id); m != nil {
		t.Errorf("after it has left: got %+v", m)
	}
}

// The change feed of other processes may know less than keys.
func TestForget(t *testing.T) {
	w := newWorld(t)
	for changed, want := range map[string]bool{
		"*": true, "org*": true, "organizations/*": true, "organizations/member/*": true, "organizations/member/1": true,
		"iam/*": false, "organizations": false, "decision/1": false,
	} {
		w.standing(stranger)
		w.d.forget([]string{"audit/1", changed})
		if got := len(w.d.members) == 0; got != want {
			t.Errorf("%s: forgotten %v, want %v", changed, got, want)
		}
	}
}

// What was read while a change came is not kept: it may be older.
func TestMemberReadDuringAChange(t *testing.T) {
	w := newWorld(t)
	d := &Directory{db: during{w.db, func() { w.d.forget([]string{"*"}) }}, members: w.d.members}
	w.d = d
	w.standing(stranger)
	if len(d.members) != 0 {
		t.Error("a value was kept that may be stale")
	}
}

// during is a store in which something happens while it is read.
type during struct {
	store.DB
	happens func()
}

func (d during) View(ctx context.Context, fn func(store.Reader) error) error {
	err := d.DB.View(ctx, fn)
	d.happens()
	return err
}

// A policy that cannot be read, or is not there, is an error, which denies; the management account needs none.
func TestUnreadablePolicies(t *testing.T) {
	for name, spoil := range map[string]func(store.Tx, *tree, string) error{
		"not a policy": func(tx store.Tx, o *tree, id string) error {
			return store.PutJSON(tx, policyPrefix(o.ID)+id, orgPolicy{ID: id, Type: scpType, Content: "{"})
		},
		"not JSON": func(tx store.Tx, o *tree, id string) error { return tx.Put(policyPrefix(o.ID)+id, []byte("x")) },
		"gone":     func(tx store.Tx, o *tree, id string) error { return tx.Delete(policyPrefix(o.ID) + id) },
		"no tree":  func(tx store.Tx, o *tree, _ string) error { return tx.Delete(organizationKey(o.ID)) },
		"not in the tree": func(tx store.Tx, o *tree, _ string) error {
			o.Nodes = map[string]*node{o.Root: o.root(), manager: o.Nodes[manager]}
			return putOrganization(tx, o)
		},
	} {
		w := newWorld(t)
		root, id := w.found(scpType), w.member("m@example.com")
		guard := w.policy(scpType, "guard", denyS3)
		w.attach(guard, root)
		w.standing(id)
		if err := w.db.Update(t.Context(), func(tx store.Tx) error {
			o, err := organizationOf(tx, id)
			if err != nil {
				return err
			}
			return spoil(tx, o, guard)
		}); err != nil {
			t.Fatal(err)
		}
		if m, err := w.d.Member(t.Context(), id); err == nil {
			t.Errorf("%s: got %+v, want an error", name, m)
		}
		if name == "no tree" {
			continue
		}
		if m, err := w.d.Member(t.Context(), manager); err != nil || m.SCPs != nil {
			t.Errorf("%s: the management account: got %+v, %v", name, m, err)
		}
	}
}
