package iam

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/store"
)

// interrupted is a store in which something happens right before a read.
type interrupted struct {
	store.DB
	// before is called ahead of each read, with its number.
	before func(read int)
	reads  int
}

func (i *interrupted) View(ctx context.Context, fn func(store.Reader) error) error {
	i.reads++
	i.before(i.reads)
	return i.DB.View(ctx, fn)
}

// Instance profiles whose roles go while they are listed are no failure of the server.
func TestListInstanceProfilesDuringDeletion(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	for read := 1; read <= 3; read++ {
		w.s.DB = w.db
		w.role("r", trustEC2)
		must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: s("p")})
		must[sdk.AddRoleToInstanceProfileOutput](w, &sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("p"), RoleName: s("r")})
		remove := func() {
			w.s.DB = w.db
			must[sdk.RemoveRoleFromInstanceProfileOutput](w, &sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: s("p"), RoleName: s("r")})
			must[sdk.DeleteRoleOutput](w, &sdk.DeleteRoleInput{RoleName: s("r")})
			must[sdk.DeleteInstanceProfileOutput](w, &sdk.DeleteInstanceProfileInput{InstanceProfileName: s("p")})
		}
		done := false
		w.s.DB = &interrupted{DB: w.db, before: func(n int) {
			if n == read {
				done = true
				remove()
			}
		}}
		if _, err := w.do(&sdk.ListInstanceProfilesInput{}); err != nil {
			t.Errorf("deleted before read %d: got %v", read, err)
		}
		if !done {
			remove()
		}
	}
}

// A group or policy that a user loses while a call of the user is judged is gone, and no failure of the server.
func TestPoliciesDuringDeletion(t *testing.T) {
	s := aws.String
	for name, lose := range map[string]func(w *world, policy string){
		"group": func(w *world, _ string) {
			must[sdk.RemoveUserFromGroupOutput](w, &sdk.RemoveUserFromGroupInput{GroupName: s("g"), UserName: s("u")})
			must[sdk.DeleteGroupOutput](w, &sdk.DeleteGroupInput{GroupName: s("g")})
		},
		"policy": func(w *world, policy string) {
			must[sdk.DetachUserPolicyOutput](w, &sdk.DetachUserPolicyInput{UserName: s("u"), PolicyArn: &policy})
			must[sdk.DeletePolicyOutput](w, &sdk.DeletePolicyInput{PolicyArn: &policy})
		},
		"boundary": func(w *world, _ string) {
			must[sdk.DeleteUserPermissionsBoundaryOutput](w, &sdk.DeleteUserPermissionsBoundaryInput{UserName: s("u")})
			must[sdk.DeletePolicyOutput](w, &sdk.DeletePolicyInput{PolicyArn: s("arn:aws:iam::" + account + ":policy/b")})
		},
	} {
		w := newWorld(t)
		w.group("g")
		id := w.user("u")
		policy, boundary := w.policy("p"), w.policy("b")
		must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{GroupName: s("g"), UserName: s("u")})
		must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("u"), PolicyArn: &policy})
		must[sdk.PutUserPermissionsBoundaryOutput](w, &sdk.PutUserPermissionsBoundaryInput{UserName: s("u"), PermissionsBoundary: &boundary})
		config := w.config
		config.DB = &interrupted{DB: w.db, before: func(n int) {
			if n == 2 { // the user has been read
				lose(w, policy)
			}
		}}
		d := directory.New(config)
		caller := principal.Caller{Principal: authz.Principal{Kind: authz.User, Account: account, ID: id}}
		got, err := d.Policies(t.Context(), caller)
		if err != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if name == "policy" && len(got.Identity) != 0 || name == "boundary" && got.Boundary != nil {
			t.Errorf("%s: got %+v", name, got)
		}
		d.Close()
	}
}
