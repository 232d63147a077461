package service

import "testing"

func TestOwnerKnows(t *testing.T) {
	for key, want := range map[string]bool{
		"aws:ResourceTag/team": true, "AWS:RESOURCETAG/x": true, "iam:ResourceTag/team": true, "aws:ResourceOrgPaths": true, "aws:resourceorgpaths": true,
		"aws:ResourceOrgID": false, "aws:PrincipalOrgPaths": false, "aws:PrincipalTag/team": false, "aws:RequestTag/team": false,
	} {
		if got := OwnerKnows(key); got != want {
			t.Errorf("%s: got %v", key, got)
		}
	}
}
