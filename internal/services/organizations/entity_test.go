package organizations

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/organization"
)

// inLine is an entity in a line: nodes, policies by level, accounts with theirs.
func inLine(e *organization.Entity) string {
	if e == nil {
		return "none"
	}
	var nodes, levels, accounts []string
	for _, n := range e.Lineage {
		nodes = append(nodes, n.ARN[strings.LastIndexByte(n.ARN, '/')+1:]+strings.Join([]string{n.Tags["Team"]}, ""))
	}
	for _, level := range e.SCPs {
		var names []string
		for _, p := range level {
			names = append(names, p.Policy.Name)
		}
		levels = append(levels, strings.Join(names, "+"))
	}
	for _, a := range e.Accounts {
		accounts = append(accounts, a.Path+" "+strings.Join(a.Policies, ","))
	}
	return strings.Join(nodes, " ") + " | " + strings.Join(levels, " ") + " | " + strings.Join(accounts, " ")
}

func TestEntity(t *testing.T) {
	w := newWorld(t)
	look := func(account, path string) string {
		t.Helper()
		e, err := w.d.Entity(t.Context(), account, path)
		if err != nil {
			t.Fatal(err)
		}
		return inLine(e)
	}
	if got := look(manager, "o-0123456789/r-0123"); got != "none" {
		t.Errorf("before there is an organization: got %s", got)
	}
	root := w.found(scpType)
	unit := w.unit(root, "unit")
	id := w.member("m@example.com")
	must[sdk.MoveAccountOutput](w, &sdk.MoveAccountInput{AccountId: &id, SourceParentId: &root, DestinationParentId: &unit})
	must[sdk.TagResourceOutput](w, &sdk.TagResourceInput{ResourceId: &unit, Tags: []types.Tag{{Key: aws.String("Team"), Value: aws.String("=blue")}}})
	guard := w.policy(scpType, "guard", denyS3)
	w.attach(guard, unit)
	org := *must[sdk.DescribeOrganizationOutput](w, &sdk.DescribeOrganizationInput{}).Organization.Id
	const full = "p-FullAWSAccess"
	at := org + "/" + root
	member := at + "/" + unit + "/" + id + " " + full + "," + full + "," + guard + "," + full
	for path, want := range map[string]string{
		at:              root + " | FullAWSAccess | " + member,
		at + "/" + unit: root + " " + unit + "=blue | FullAWSAccess FullAWSAccess+guard | " + member,
		at + "/" + unit + "/" + id: root + " " + unit + "=blue " + id + " | FullAWSAccess FullAWSAccess+guard FullAWSAccess | " +
			member,
		at + "/" + manager: root + " " + manager + " | FullAWSAccess FullAWSAccess | " + at + "/" + manager + " " + full + "," + full,
		at + "/":           "none", at + "/" + id: "none", org: "none", "": "none", "o-0123456789/" + root: "none",
	} {
		if diff := cmp.Diff(look(manager, path), want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", path, diff)
		}
	}
	if got := look(stranger, at); got != "none" {
		t.Errorf("a stranger: got %s", got)
	}
	for policy, want := range map[string]string{
		guard: "arn:aws:organizations::" + manager + ":policy/" + org + "/service_control_policy/" + guard,
		full:  "arn:aws:organizations::aws:policy/service_control_policy/" + full, "p-RCPFullAWSAccess": "", "p-0123456789": "",
	} {
		got := ""
		p, err := w.d.SCP(t.Context(), manager, policy)
		if p != nil {
			got = p.Policy.ARN
		}
		if got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", policy, got, err, want)
		}
	}
}
