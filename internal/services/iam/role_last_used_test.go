package iam

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/principal"
)

// GetRole tells the second of the last use; what was longer ago than AWS remembers is forgotten.
func TestRoleLastUsed(t *testing.T) {
	w := newWorld(t)
	id := w.role("r", trustEC2)
	w.note(principal.Caller{Session: &principal.Session{RoleID: id}}, w.now, "lambda")
	get := func() *types.RoleLastUsed {
		return must[sdk.GetRoleOutput](w, &sdk.GetRoleInput{RoleName: aws.String("r")}).Role.RoleLastUsed
	}
	want := &types.RoleLastUsed{LastUsedDate: aws.Time(w.now.Truncate(time.Second)), Region: aws.String("eu-west-1")}
	if diff := cmp.Diff(get(), want, sdkTypes); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	w.now = w.now.Add(401 * 24 * time.Hour)
	if diff := cmp.Diff(get(), &types.RoleLastUsed{}, sdkTypes); diff != "" {
		t.Errorf("after 401 days: -got +want:\n%s", diff)
	}
}
