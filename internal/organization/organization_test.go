package organization

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
)

func TestBoundByRCPs(t *testing.T) {
	for action, want := range map[string]bool{
		"sts:AssumeRole": true, "s3:GetObject": true, "logs:GetLogEvents": true, "kms:Decrypt": true, "xray:PutTraceSegments": true,
		"kms:RetireGrant": false, "lambda:InvokeFunction": false, "iam:GetUser": false, "organizations:ListRoots": false,
		"": false, "s3outposts:GetObject": false,
	} {
		if got := BoundByRCPs(action); got != want {
			t.Errorf("%s: got %v", action, got)
		}
	}
}

func TestKeys(t *testing.T) {
	m := New(Member{ID: "o-1", Account: "222222222222", ManagementAccount: "111111111111", Path: "o-1/r-1/"})
	got := map[string]authz.Value{}
	for _, keys := range []authz.Context{m.CallerKeys(), m.OwnerKeys(), m.SourceKeys()} {
		for name, v := range keys.All {
			got[name] = v
		}
	}
	one := func(text string) authz.Value { return authz.Value{Values: []string{text}} }
	path := authz.Value{Values: []string{"o-1/r-1/"}, Multi: true}
	want := map[string]authz.Value{
		"aws:PrincipalOrgID": one("o-1"), "aws:PrincipalOrgPaths": path, "aws:PrincipalOrgMasterAccountId": one("111111111111"),
		"aws:ResourceOrgID": one("o-1"), "aws:ResourceOrgPaths": path, "aws:SourceOrgID": one("o-1"), "aws:SourceOrgPaths": path,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestAdministrates(t *testing.T) {
	manager := Member{Account: "1", ManagementAccount: "1"}
	member := Member{Account: "2", ManagementAccount: "1", Administers: []string{"sso.amazonaws.com"}}
	for _, tt := range []struct {
		m       Member
		service string
		want    bool
	}{
		{manager, "iam.amazonaws.com", true}, {member, "sso.amazonaws.com", true}, {member, "iam.amazonaws.com", false}, {member, "", false},
	} {
		if got := tt.m.Administrates(tt.service); got != tt.want {
			t.Errorf("%s, %s: got %v", tt.m.Account, tt.service, got)
		}
	}
}
