package organizations

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/internal/service"
)

// delegating is a resource policy that lets an account do actions.
func delegating(account string, actions ...string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":["` +
		strings.Join(actions, `","`) + `"],"Resource":"*"}]}`)
}

// A resource policy makes the calls that it can be about calls across accounts, in which it has to allow; all others stay as they are.
func TestDelegation(t *testing.T) {
	w := newWorld(t)
	root := w.found(scpType)
	id := w.member("m@example.com")
	list, create := &sdk.ListRootsInput{}, &sdk.CreateOrganizationalUnitInput{ParentId: &root, Name: aws.String("unit")}
	if _, err := w.as(id, list); failureOf(err) != "AccessDeniedException" {
		t.Errorf("without a resource policy: got %v", err)
	}
	must[sdk.PutResourcePolicyOutput](w, &sdk.PutResourcePolicyInput{Content: delegating(id, "organizations:ListRoots")})
	needs, err := w.ops["ListRoots"].Needs(t.Context(), w.call(id, "ListRoots"), list)
	if err != nil || needs[0].Target.Account != manager || needs[0].Target.Policy == nil {
		t.Errorf("got %+v, %v", needs, err)
	}
	again, err := w.ops["ListRoots"].Needs(t.Context(), w.call(id, "ListRoots"), list)
	if err != nil || again[0].Target.Policy.Document != needs[0].Target.Policy.Document {
		t.Errorf("the policy was parsed again: %v", err)
	}
	if _, err := w.as(id, list); err != nil { // dispatch has decided
		t.Errorf("got %v", err)
	}
	for name, tt := range map[string]struct {
		account, operation string
		in                 any
	}{
		"the management account":      {manager, "ListRoots", list},
		"what cannot be delegated":    {id, "CreateOrganizationalUnit", create},
		"what every member may":       {id, "DescribeOrganization", &sdk.DescribeOrganizationInput{}},
		"who is in no organization":   {stranger, "ListRoots", list},
		"what is answered to anybody": {id, "ListHandshakesForAccount", &sdk.ListHandshakesForAccountInput{}},
	} {
		needs, err := w.ops[tt.operation].Needs(t.Context(), w.call(tt.account, tt.operation), tt.in)
		if err != nil || needs[0].Target.Account != "" || needs[0].Target.Policy != nil {
			t.Errorf("%s: got %+v, %v", name, needs, err)
		}
	}
	if _, err := w.as(id, create); failureOf(err) != "AccessDeniedException" {
		t.Errorf("what cannot be delegated: got %v", err)
	}
	// A delegated administrator reads without the policy, and writes by it.
	const config = "config.amazonaws.com"
	must[sdk.EnableAWSServiceAccessOutput](w, &sdk.EnableAWSServiceAccessInput{ServicePrincipal: aws.String(config)})
	must[sdk.RegisterDelegatedAdministratorOutput](w, &sdk.RegisterDelegatedAdministratorInput{AccountId: &id, ServicePrincipal: aws.String(config)})
	guard := &sdk.CreatePolicyInput{Name: aws.String("x"), Type: scpType, Content: aws.String(denyS3)}
	for operation, tt := range map[string]struct {
		in   any
		want bool
	}{"ListRoots": {list, false}, "CreatePolicy": {guard, true}} {
		needs, err := w.ops[operation].Needs(t.Context(), w.call(id, operation), tt.in)
		if err != nil || (needs[0].Target.Policy != nil) != tt.want {
			t.Errorf("%s: got %+v, %v", operation, needs, err)
		}
	}
}

// A call goes on by a resource policy only if it was decided by that very one, and not before there was one, or before the account came
// into the organization.
func TestDelegationIsWhatWasDecided(t *testing.T) {
	w := newWorld(t)
	w.found(scpType)
	id := w.member("m@example.com")
	invited := must[sdk.InviteAccountToOrganizationOutput](w, &sdk.InviteAccountToOrganizationInput{
		Target: &types.HandshakeParty{Id: aws.String(stranger), Type: types.HandshakePartyTypeAccount},
	}).Handshake
	guard := &sdk.CreatePolicyInput{Name: aws.String("x"), Type: scpType, Content: aws.String(denyS3), Description: aws.String("")}
	decided := func(account string) *service.Call {
		c := w.call(account, "CreatePolicy")
		c.Time = c.Time.Add(time.Hour) // that it came later says nothing
		needs, err := w.ops["CreatePolicy"].Needs(t.Context(), c, guard)
		if err != nil {
			t.Fatal(err)
		}
		c.Judged = needs
		return c
	}
	put := func(actions ...string) {
		must[sdk.PutResourcePolicyOutput](w, &sdk.PutResourcePolicyInput{Content: delegating(id, actions...)})
	}
	act := func(c *service.Call) error {
		_, err := w.ops["CreatePolicy"].Handle(t.Context(), c, guard)
		return err
	}
	before, outside := decided(id), decided(stranger)
	put("organizations:CreatePolicy")
	if err := act(before); failureOf(err) != "AccessDeniedException" {
		t.Errorf("decided before there was a policy: got %v", err)
	}
	if _, err := w.as(stranger, &sdk.AcceptHandshakeInput{HandshakeId: invited.Id}); err != nil {
		t.Fatal(err)
	}
	if err := act(outside); failureOf(err) != "AccessDeniedException" {
		t.Errorf("decided before the account joined: got %v", err)
	}
	replaced := decided(id)
	put("organizations:CreatePolicy", "organizations:DeletePolicy")
	if err := act(replaced); failureOf(err) != "AccessDeniedException" {
		t.Errorf("decided by another policy: got %v", err)
	}
	half := decided(id)
	half.Judged = append(half.Judged, before.Judged...)
	if err := act(half); failureOf(err) != "AccessDeniedException" {
		t.Errorf("decided by the policy in part: got %v", err)
	}
	if err := act(decided(id)); err != nil {
		t.Errorf("decided by the policy: got %v", err)
	}
}

func TestResourcePolicy(t *testing.T) {
	w := newWorld(t)
	w.found()
	if _, err := w.as(manager, &sdk.DescribeResourcePolicyInput{}); failureOf(err) != "ResourcePolicyNotFoundException" {
		t.Errorf("got %v", err)
	}
	tags := []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
	made := must[sdk.PutResourcePolicyOutput](w, &sdk.PutResourcePolicyInput{
		Content: delegating(stranger, "organizations:ListPolicies"), Tags: tags,
	}).ResourcePolicy.ResourcePolicySummary
	for name, tt := range map[string]struct {
		in   *sdk.PutResourcePolicyInput
		want string
	}{
		"nothing":          {&sdk.PutResourcePolicyInput{}, "InvalidInputException INPUT_REQUIRED"},
		"not JSON":         {&sdk.PutResourcePolicyInput{Content: aws.String("{")}, "InvalidInputException INVALID_RESOURCE_POLICY_JSON"},
		"an SCP":           {&sdk.PutResourcePolicyInput{Content: aws.String(denyS3)}, "InvalidInputException INVALID_RESOURCE_POLICY_JSON"},
		"another service":  {&sdk.PutResourcePolicyInput{Content: delegating(stranger, "s3:GetObject")}, "InvalidInputException UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"},
		"not delegable":    {&sdk.PutResourcePolicyInput{Content: delegating(stranger, "organizations:CloseAccount")}, "InvalidInputException UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"},
		"everything":       {&sdk.PutResourcePolicyInput{Content: delegating(stranger, "organizations:*")}, "InvalidInputException UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"},
		"tags once more":   {&sdk.PutResourcePolicyInput{Content: delegating(stranger, "organizations:ListRoots"), Tags: tags}, "InvalidInputException INVALID_LIST_MEMBER"},
		"much too long":    {&sdk.PutResourcePolicyInput{Content: aws.String(strings.Repeat(" ", 40_001))}, "InvalidInputException MAX_LENGTH_EXCEEDED"},
		"nobody is let in": {&sdk.PutResourcePolicyInput{Content: aws.String(strings.Replace(*delegating(stranger, "organizations:ListRoots"), "Principal", "NotPrincipal", 1))}, "InvalidInputException INVALID_RESOURCE_POLICY_JSON"},
	} {
		if _, err := w.as(manager, tt.in); failureOf(err) != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
	got := must[sdk.DescribeResourcePolicyOutput](w, &sdk.DescribeResourcePolicyInput{}).ResourcePolicy
	if *got.Content != *delegating(stranger, "organizations:ListPolicies") || *got.ResourcePolicySummary.Id != *made.Id {
		t.Errorf("got %+v", got)
	}
	again := must[sdk.PutResourcePolicyOutput](w, &sdk.PutResourcePolicyInput{Content: delegating(stranger, "organizations:ListRoots")})
	if *again.ResourcePolicy.ResourcePolicySummary.Arn != *made.Arn {
		t.Errorf("replaced: got %s, want %s", *again.ResourcePolicy.ResourcePolicySummary.Arn, *made.Arn)
	}
	must[sdk.UntagResourceOutput](w, &sdk.UntagResourceInput{ResourceId: made.Id, TagKeys: []string{"a"}})
	if tags := must[sdk.ListTagsForResourceOutput](w, &sdk.ListTagsForResourceInput{ResourceId: made.Id}).Tags; len(tags) != 0 {
		t.Errorf("got tags %v", tags)
	}
	must[sdk.DeleteResourcePolicyOutput](w, &sdk.DeleteResourcePolicyInput{})
	if _, err := w.as(manager, &sdk.ListTagsForResourceInput{ResourceId: made.Id}); failureOf(err) != "TargetNotFoundException" {
		t.Errorf("got %v", err)
	}
}
