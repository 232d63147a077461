package iam

import (
	"context"
	"errors"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/services/iam/record"
)

// company is an Organizations: accounts by id, or a failure.
type company struct {
	members map[string]*organization.Member
	err     error
}

func (c *company) Member(_ context.Context, account string) (*organization.Member, error) {
	return c.members[account], c.err
}

// employ puts the world's account into an organization.
func (w *world) employ(c *company) {
	w.orgs = c
}

func TestOrganizationsFeatures(t *testing.T) {
	w := newWorld(t)
	m := &organization.Member{ID: "o-1", Account: account, ManagementAccount: account, AllFeatures: true, Trusted: []string{record.IAMPrincipal}}
	w.employ(&company{members: map[string]*organization.Member{account: m}})
	none := []types.FeatureType{}
	list := func() []types.FeatureType {
		t.Helper()
		return must[sdk.ListOrganizationsFeaturesOutput](w, &sdk.ListOrganizationsFeaturesInput{}).EnabledFeatures
	}
	if diff := cmp.Diff(list(), none); diff != "" {
		t.Errorf("at first (-got +want):\n%s", diff)
	}
	for range 2 { // twice is once
		must[sdk.EnableOrganizationsRootSessionsOutput](w, &sdk.EnableOrganizationsRootSessionsInput{})
	}
	got := must[sdk.EnableOrganizationsRootCredentialsManagementOutput](w, &sdk.EnableOrganizationsRootCredentialsManagementInput{})
	both := []types.FeatureType{types.FeatureTypeRootSessions, types.FeatureTypeRootCredentialsManagement}
	if diff := cmp.Diff(got.EnabledFeatures, both); diff != "" || *got.OrganizationId != "o-1" {
		t.Errorf("of %s (-got +want):\n%s", *got.OrganizationId, diff)
	}
	if diff := cmp.Diff(list(), both); diff != "" {
		t.Errorf("read back (-got +want):\n%s", diff)
	}
	must[sdk.DisableOrganizationsRootSessionsOutput](w, &sdk.DisableOrganizationsRootSessionsInput{})
	must[sdk.DisableOrganizationsRootCredentialsManagementOutput](w, &sdk.DisableOrganizationsRootCredentialsManagementInput{})
	if diff := cmp.Diff(list(), none); diff != "" {
		t.Errorf("disabled (-got +want):\n%s", diff)
	}
}

func TestOrganizationsFeaturesErrors(t *testing.T) {
	trusted := []string{record.IAMPrincipal}
	for name, tt := range map[string]struct {
		member             *organization.Member
		listCode, makeCode string
	}{
		"no organization":   {nil, "OrganizationNotFoundException", "OrganizationNotFoundException"},
		"billing alone":     {&organization.Member{Account: account, ManagementAccount: account, Trusted: trusted}, "OrganizationNotInAllFeaturesModeException", "OrganizationNotInAllFeaturesModeException"},
		"a member":          {&organization.Member{Account: account, AllFeatures: true, Trusted: trusted}, "AccountNotManagementOrDelegatedAdministratorException", "AccountNotManagementOrDelegatedAdministratorException"},
		"not let in":        {&organization.Member{Account: account, ManagementAccount: account, AllFeatures: true}, "ServiceAccessNotEnabledException", "ServiceAccessNotEnabledException"},
		"an administrator":  {&organization.Member{Account: account, AllFeatures: true, Trusted: trusted, Administers: trusted}, "", "CallerIsNotManagementAccountException"},
		"one for elsewhere": {&organization.Member{Account: account, AllFeatures: true, Trusted: trusted, Administers: []string{"sso.amazonaws.com"}}, "AccountNotManagementOrDelegatedAdministratorException", "AccountNotManagementOrDelegatedAdministratorException"},
	} {
		w := newWorld(t)
		w.employ(&company{members: map[string]*organization.Member{account: tt.member}})
		_, err := w.do(&sdk.ListOrganizationsFeaturesInput{})
		if got := codeOf(err); got != tt.listCode {
			t.Errorf("%s: list: got %v", name, err)
		}
		_, err = w.do(&sdk.EnableOrganizationsRootSessionsInput{})
		if got := codeOf(err); got != tt.makeCode {
			t.Errorf("%s: enable: got %v", name, err)
		}
	}
	w := newWorld(t)
	if _, err := w.do(&sdk.ListOrganizationsFeaturesInput{}); codeOf(err) != "OrganizationNotFoundException" {
		t.Errorf("without organizations: got %v", err)
	}
}

func TestMayAssumeRoot(t *testing.T) {
	const member, administrator, stranger, closed = "222222222222", "333333333333", "444444444444", "555555555555"
	trusted := []string{record.IAMPrincipal}
	of := func(id string) *organization.Member {
		return &organization.Member{ID: "o-1", Account: id, ManagementAccount: account, AllFeatures: true, Trusted: trusted}
	}
	c := &company{members: map[string]*organization.Member{
		account: of(account), member: of(member), administrator: of(administrator), closed: of(closed),
		stranger: {ID: "o-2", Account: stranger, ManagementAccount: "666666666666"},
	}}
	c.members[administrator].Administers, c.members[closed].Closed = trusted, true
	w := newWorld(t)
	if may, err := w.d.MayAssumeRoot(t.Context(), account, member); may || err != nil {
		t.Errorf("without organizations: got %v, %v", may, err)
	}
	w.employ(c)
	if may, err := w.d.MayAssumeRoot(t.Context(), account, member); may || err != nil {
		t.Errorf("before the feature is enabled: got %v, %v", may, err)
	}
	must[sdk.EnableOrganizationsRootSessionsOutput](w, &sdk.EnableOrganizationsRootSessionsInput{})
	for _, tt := range []struct {
		caller, member string
		want           bool
	}{
		{account, member, true}, {administrator, member, true}, {account, administrator, true},
		{member, administrator, false}, {account, account, false}, {administrator, account, false}, {account, stranger, false},
		{stranger, member, false}, {account, closed, false}, {account, "777777777777", false}, {"777777777777", member, false},
	} {
		if may, err := w.d.MayAssumeRoot(t.Context(), tt.caller, tt.member); may != tt.want || err != nil {
			t.Errorf("%s for %s: got %v, %v", tt.caller, tt.member, may, err)
		}
	}
	c.members[account].Trusted = nil
	if may, err := w.d.MayAssumeRoot(t.Context(), account, member); may || err != nil {
		t.Errorf("without trusted access: got %v, %v", may, err)
	}
	c.err = errors.New("disk")
	if may, err := w.d.MayAssumeRoot(t.Context(), account, member); may || err == nil {
		t.Errorf("when the organization cannot be read: got %v, %v", may, err)
	}
}

// codeOf is the code of an error for a client; "" for none.
func codeOf(err error) string {
	if e, ok := errors.AsType[*awserr.Error](err); ok {
		return e.Code
	}
	return ""
}
