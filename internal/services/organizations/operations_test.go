package organizations

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/services/organizations/organizationsapi"
)

// Each row of the table, with what it needs, is as AWS's tables have it: the action is there, and the keys of the service are those that
// the action can carry.
func TestNeeds(t *testing.T) {
	w := newWorld(t)
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	root := w.found(scpType)
	org := *must[sdk.DescribeOrganizationOutput](w, &sdk.DescribeOrganizationInput{}).Organization.Id
	unit, id := w.unit(root, "unit"), w.member("m@example.com")
	policy := w.policy(scpType, "guard", denyS3)
	invitation := must[sdk.InviteAccountToOrganizationOutput](w, &sdk.InviteAccountToOrganizationInput{
		Target: &types.HandshakeParty{Id: aws.String(stranger), Type: types.HandshakePartyTypeAccount},
	}).Handshake.Id
	arn := func(resource string) string { return "arn:aws:organizations::" + manager + ":" + resource }
	inputs := map[string]any{
		"AccountId": &id, "RootId": &root, "OrganizationalUnitId": &unit, "ParentId": &unit, "ChildId": &id, "TargetId": &id,
		"PolicyId": &policy, "ResourceId": &policy, "HandshakeId": invitation, "SourceParentId": &root, "DestinationParentId": &unit,
		"ServicePrincipal": aws.String("sso.amazonaws.com"), "PolicyType": scpType, "Type": scpType, "Filter": scpType,
		"CreateAccountRequestId": aws.String("car-12345678"), "TagKeys": []string{"a"}, "AccountName": aws.String("x"), "Email": aws.String("x@example.com"),
		"Tags":   []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		"Target": &types.HandshakeParty{Id: aws.String(stranger), Type: types.HandshakePartyTypeAccount},
	}
	places := map[string]string{
		"AccountId": arn("account/" + org + "/" + id), "RootId": arn("root/" + org + "/" + root),
		"OrganizationalUnitId": arn("ou/" + org + "/" + unit), "ParentId": arn("ou/" + org + "/" + unit),
		"ChildId": arn("account/" + org + "/" + id), "TargetId": arn("account/" + org + "/" + id),
		"PolicyId": arn("policy/" + org + "/service_control_policy/" + policy), "ResourceId": arn("policy/" + org + "/service_control_policy/" + policy),
		"HandshakeId": arn("handshake/" + org + "/invite/" + *invitation), "SourceParentId": arn("root/" + org + "/" + root),
		"DestinationParentId": arn("ou/" + org + "/" + unit), "Target": arn("account/" + org + "/" + stranger),
	}
	for _, wire := range organizationsapi.API().Operations {
		op, ok := w.ops[wire.Name]
		if !ok {
			continue
		}
		in := reflect.New(wire.Input)
		var want []string
		for i := range wire.Input.NumField() {
			name := wire.Input.Field(i).Name
			value, ok := inputs[name]
			if ok && reflect.TypeOf(value).AssignableTo(wire.Input.Field(i).Type) {
				in.Elem().Field(i).Set(reflect.ValueOf(value))
				if place, ok := places[name]; ok {
					want = append(want, "organizations:"+wire.Name+" "+place)
				}
			}
		}
		needs, err := op.Needs(t.Context(), w.call(manager, wire.Name), in.Interface())
		if err != nil {
			t.Errorf("%s: %v", wire.Name, err)
			continue
		}
		action, known := data.Action(needs[0].Action)
		if !known {
			t.Errorf("AWS has no action %s", needs[0].Action)
		}
		got := map[string]bool{}
		for _, n := range needs {
			if n.Action == "organizations:"+wire.Name && n.Target.ARN != "*" {
				got[n.Action+" "+n.Target.ARN] = true
			}
			for key := range n.Target.Keys.All {
				if strings.HasPrefix(key, "organizations:") && n.Action == needs[0].Action && !carries(action, key) {
					t.Errorf("%s: AWS's table has no key %s", wire.Name, key)
				}
			}
		}
		switch wire.Name { // what they make has no id yet
		case "CreatePolicy":
			want = []string{"organizations:CreatePolicy " + arn("policy/"+org+"/service_control_policy/")}
		case "PutResourcePolicy":
			want = []string{"organizations:PutResourcePolicy " + arn("resourcepolicy/"+org+"/")}
		}
		wantSet := map[string]bool{}
		for _, text := range want {
			wantSet[text] = true
		}
		if diff := cmp.Diff(got, wantSet); diff != "" {
			t.Errorf("%s: places (-got +want):\n%s", wire.Name, diff)
		}
		for _, key := range action.ConditionKeys {
			if !strings.HasPrefix(key, "organizations:") {
				continue
			}
			if _, ok := needs[0].Target.Keys.Get(key); !ok {
				t.Errorf("%s: %s is not there", wire.Name, key)
			}
		}
	}
}

// carries tells whether requests for an action can have a key.
func carries(action awsdata.Action, key string) bool {
	for _, known := range action.ConditionKeys {
		if known == key {
			return true
		}
	}
	for _, r := range action.ResourceTypes {
		for _, known := range r.ConditionKeys {
			if known == key {
				return true
			}
		}
	}
	return false
}

// A member that has no say in the organization is judged by what it names alone: its own decision log, and its own policies, must not tell
// it what is there and what tags that has.
func TestWithoutSayNothingShows(t *testing.T) {
	w := newWorld(t)
	root := w.found(scpType, rcpType)
	id := w.member("m@example.com")
	tags := []types.Tag{{Key: aws.String("secret"), Value: aws.String("tag")}}
	guard := w.policy(rcpType, "guard", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`)
	for _, resource := range []string{root, guard, id} {
		must[sdk.TagResourceOutput](w, &sdk.TagResourceInput{ResourceId: &resource, Tags: tags})
	}
	invitation := must[sdk.InviteAccountToOrganizationOutput](w, &sdk.InviteAccountToOrganizationInput{
		Target: &types.HandshakeParty{Id: aws.String(stranger), Type: types.HandshakePartyTypeAccount},
	}).Handshake.Id
	const other = "555566667777"
	w.accounts = append(w.accounts, Account{other, "Other", "other@example.com"})
	wantHidden := func(account string, in any, hidden string) {
		t.Helper()
		name := strings.TrimSuffix(reflect.TypeOf(in).Elem().Name(), "Input")
		needs, err := w.ops[name].Needs(t.Context(), w.call(account, name), in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, n := range needs {
			text := n.Target.ARN
			for key, value := range n.Target.Keys.All {
				text += " " + key + strings.Join(value.Values, " ")
			}
			if strings.Contains(text, hidden) {
				t.Errorf("%s: got %s", name, text)
			}
		}
	}
	for _, tt := range []struct {
		account string
		in      any
		hidden  string
	}{
		{id, &sdk.TagResourceInput{ResourceId: &root, Tags: []types.Tag{}}, "secret"},
		{id, &sdk.UntagResourceInput{ResourceId: &id, TagKeys: []string{"x"}}, "secret"},
		{id, &sdk.ListTagsForResourceInput{ResourceId: &guard}, "secret"},
		{id, &sdk.DescribePolicyInput{PolicyId: &guard}, "resource_control_policy"},
		{id, &sdk.AttachPolicyInput{PolicyId: &guard, TargetId: &root}, "RESOURCE_CONTROL_POLICY"},
		{id, &sdk.MoveAccountInput{AccountId: &id, SourceParentId: &root, DestinationParentId: &root}, "secret"},
		{other, &sdk.DescribeHandshakeInput{HandshakeId: invitation}, manager},
	} {
		wantHidden(tt.account, tt.in, tt.hidden)
	}
	must[sdk.PutResourcePolicyOutput](w, &sdk.PutResourcePolicyInput{Content: delegating(id, "organizations:DescribePolicy"), Tags: tags})
	wantHidden(id, &sdk.PutResourcePolicyInput{Content: aws.String("x")}, "rp-")
	// Who has a say, or may be given one by the resource policy, is judged by all of it.
	for _, account := range []string{manager, id} {
		needs, err := w.ops["DescribePolicy"].Needs(t.Context(), w.call(account, "DescribePolicy"), &sdk.DescribePolicyInput{PolicyId: &guard})
		if err != nil {
			t.Fatal(err)
		}
		if tag, ok := needs[0].Target.Keys.Get("aws:ResourceTag/secret"); !ok || tag.Values[0] != "tag" {
			t.Errorf("%s: got %+v", account, needs)
		}
	}
	for _, account := range []string{manager, stranger} {
		needs, err := w.ops["DescribeHandshake"].Needs(t.Context(), w.call(account, "DescribeHandshake"), &sdk.DescribeHandshakeInput{HandshakeId: invitation})
		if err != nil || !strings.Contains(needs[0].Target.ARN, manager) {
			t.Errorf("%s: got %+v, %v", account, needs, err)
		}
	}
}

// A caller whose account is in no organization learns nothing but that, and only after it was allowed to ask.
func TestOutside(t *testing.T) {
	w := newWorld(t)
	root := w.found(scpType)
	w.unit(root, "unit")
	for _, in := range []any{
		&sdk.DescribeOrganizationInput{}, &sdk.ListRootsInput{}, &sdk.DeleteOrganizationInput{}, &sdk.LeaveOrganizationInput{},
		&sdk.ListAccountsForParentInput{ParentId: &root}, &sdk.DescribePolicyInput{PolicyId: aws.String("p-FullAWSAccess")},
		&sdk.CreateAccountInput{AccountName: aws.String("x"), Email: aws.String("x@example.com")},
	} {
		if _, err := w.as(stranger, in); failureOf(err) != "AWSOrganizationsNotInUseException" {
			t.Errorf("%T: got %v", in, err)
		}
	}
	needs, err := w.ops["ListAccountsForParent"].Needs(t.Context(), w.call(stranger, "ListAccountsForParent"),
		&sdk.ListAccountsForParentInput{ParentId: &root})
	if want := "arn:aws:organizations::" + stranger + ":root//" + root; err != nil || needs[0].Target.ARN != want {
		t.Errorf("got %v, %v, want %s", needs, err, want)
	}
}

// An organization that has consolidated billing alone has neither policies nor trusted access.
func TestConsolidatedBilling(t *testing.T) {
	w := newWorld(t)
	must[sdk.CreateOrganizationOutput](w, &sdk.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetConsolidatedBilling})
	root := must[sdk.ListRootsOutput](w, &sdk.ListRootsInput{}).Roots[0].Id
	id := w.member("m@example.com")
	const billing = "ConstraintViolationException ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"
	for _, tt := range []struct {
		in   any
		want string
	}{
		{&sdk.EnablePolicyTypeInput{RootId: root, PolicyType: scpType}, "PolicyTypeNotAvailableForOrganizationException"},
		{&sdk.CreatePolicyInput{Name: aws.String("x"), Type: scpType, Content: aws.String(denyS3)}, "PolicyTypeNotAvailableForOrganizationException"},
		{&sdk.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("sso.amazonaws.com")}, billing},
		{&sdk.ListAWSServiceAccessForOrganizationInput{}, billing},
		{&sdk.CloseAccountInput{AccountId: &id}, billing},
	} {
		if _, err := w.as(manager, tt.in); failureOf(err) != tt.want {
			t.Errorf("%T: got %v, want %s", tt.in, err, tt.want)
		}
	}
	if m := w.standing(id); m.AllFeatures || m.SCPs != nil {
		t.Errorf("got %+v", m)
	}
}

// The quota counts accounts, closed ones too, and invitations that are open.
func TestAccountQuota(t *testing.T) {
	w := newWorld(t)
	w.found()
	for i := range maxAccounts - 2 {
		w.member(string(rune('a'+i)) + "aa@example.com")
	}
	invite := &sdk.InviteAccountToOrganizationInput{
		Target: &types.HandshakeParty{Id: aws.String("stranger@example.com"), Type: types.HandshakePartyTypeEmail},
	}
	h := must[sdk.InviteAccountToOrganizationOutput](w, invite).Handshake
	create := &sdk.CreateAccountInput{AccountName: aws.String("x"), Email: aws.String("last@example.com")}
	const full = "ConstraintViolationException ACCOUNT_NUMBER_LIMIT_EXCEEDED"
	if _, err := w.as(manager, create); failureOf(err) != full {
		t.Errorf("while an invitation is open: got %v", err)
	}
	w.now = *h.ExpirationTimestamp
	if got := must[sdk.DescribeHandshakeOutput](w, &sdk.DescribeHandshakeInput{HandshakeId: h.Id}).Handshake.State; got != types.HandshakeStateExpired {
		t.Errorf("got %s", got)
	}
	if _, err := w.as(stranger, &sdk.AcceptHandshakeInput{HandshakeId: h.Id}); failureOf(err) != "InvalidHandshakeTransitionException" {
		t.Errorf("accepted too late: got %v", err)
	}
	must[sdk.CreateAccountOutput](w, create)
	if _, err := w.as(manager, create); failureOf(err) != full {
		t.Errorf("one too many: got %v", err)
	}
}

// Who leaves is free; who is closed stays, and the organization with it.
func TestDepartures(t *testing.T) {
	w := newWorld(t)
	w.found(scpType)
	first, second := w.member("one@example.com"), w.member("two@example.com")
	if _, err := w.as(manager, &sdk.DeleteOrganizationInput{}); failureOf(err) != "OrganizationNotEmptyException" {
		t.Errorf("got %v", err)
	}
	must[sdk.RemoveAccountFromOrganizationOutput](w, &sdk.RemoveAccountFromOrganizationInput{AccountId: &first})
	if m := w.standing(first); m != nil {
		t.Errorf("got %+v", m)
	}
	must[sdk.CloseAccountOutput](w, &sdk.CloseAccountInput{AccountId: &second})
	if m := w.standing(second); !m.Closed {
		t.Errorf("got %+v", m)
	}
	for _, tt := range []struct {
		in   any
		want string
	}{
		{&sdk.RemoveAccountFromOrganizationInput{AccountId: &second}, "ConstraintViolationException ACCOUNT_CANNOT_LEAVE_ORGANIZATION"},
		{&sdk.RemoveAccountFromOrganizationInput{AccountId: aws.String(manager)}, "MasterCannotLeaveOrganizationException"},
		{&sdk.RemoveAccountFromOrganizationInput{AccountId: &first}, "AccountNotFoundException"},
		{&sdk.CloseAccountInput{AccountId: aws.String(manager)}, "ConstraintViolationException CANNOT_CLOSE_MANAGEMENT_ACCOUNT"},
	} {
		if _, err := w.as(manager, tt.in); failureOf(err) != tt.want {
			t.Errorf("%T: got %v, want %s", tt.in, err, tt.want)
		}
	}
}

// Inputs that break the model, operation by operation.
func TestConstraints(t *testing.T) {
	w := newWorld(t)
	root := w.found(scpType)
	long := strings.Repeat("x", 513)
	account := func(name, email string) *sdk.CreateAccountInput {
		return &sdk.CreateAccountInput{AccountName: &name, Email: &email}
	}
	tags := func(pairs ...string) []types.Tag {
		var out []types.Tag
		for _, key := range pairs {
			out = append(out, types.Tag{Key: aws.String(key), Value: aws.String("")})
		}
		return out
	}
	const input = "InvalidInputException "
	for _, tt := range []struct {
		in   any
		want string
	}{
		{account("", "a@example.com"), input + "INVALID_PATTERN"},
		{account("ü", "a@example.com"), input + "INVALID_PATTERN"},
		{account("x", "nobody"), input + "INVALID_PATTERN"},
		{account("x", "a@b.c"), input + "MIN_LENGTH_EXCEEDED"},
		{account("x", strings.Repeat("a", 60)+"@b.cc"), input + "MAX_LENGTH_EXCEEDED"},
		{&sdk.CreateAccountInput{AccountName: aws.String("x"), Email: aws.String("a@b.cc"), RoleName: aws.String("a b")}, input + "INVALID_ROLE_NAME"},
		{&sdk.CreateAccountInput{AccountName: aws.String("x")}, input + "INPUT_REQUIRED"},
		{&sdk.CreateOrganizationalUnitInput{ParentId: &root, Name: aws.String("")}, input + "MIN_LENGTH_EXCEEDED"},
		{&sdk.CreateOrganizationalUnitInput{ParentId: &root}, input + "INPUT_REQUIRED"},
		{&sdk.CreateOrganizationalUnitInput{ParentId: &root, Name: aws.String("x"), Tags: tags("a", "A")}, input + "DUPLICATE_TAG_KEY"},
		{&sdk.TagResourceInput{ResourceId: &root, Tags: tags("AWS:team")}, input + "INVALID_SYSTEM_TAGS_PARAMETER"},
		{&sdk.CreateOrganizationalUnitInput{ParentId: aws.String("r-zzzzzz"), Name: aws.String("x")}, "ParentNotFoundException"},
		{&sdk.CreatePolicyInput{Name: aws.String("x"), Type: scpType, Content: aws.String(denyS3), Description: &long}, input + "MAX_LENGTH_EXCEEDED"},
		{&sdk.CreatePolicyInput{Name: aws.String("FullAWSAccess"), Type: scpType, Content: aws.String(denyS3)}, "DuplicatePolicyException"},
		{&sdk.TagResourceInput{ResourceId: aws.String("p-FullAWSAccess"), Tags: tags("a")}, input + "IMMUTABLE_POLICY"},
		{&sdk.TagResourceInput{ResourceId: aws.String("x"), Tags: tags("a")}, input + "INVALID_PATTERN"},
		{&sdk.TagResourceInput{ResourceId: &root, Tags: tags(strings.Repeat("k", 129))}, input + "MAX_LENGTH_EXCEEDED"},
		{&sdk.ListTagsForResourceInput{ResourceId: aws.String("123456789012")}, "TargetNotFoundException"},
		{&sdk.ListChildrenInput{ParentId: &root, ChildType: "X"}, input + "INVALID_ENUM"},
		{&sdk.ListParentsInput{ChildId: aws.String("123456789012")}, "ChildNotFoundException"},
		{&sdk.ListAccountsInput{MaxResults: aws.Int32(21)}, input + "MAX_VALUE_EXCEEDED"},
		{&sdk.ListAccountsInput{MaxResults: aws.Int32(0)}, input + "MIN_VALUE_EXCEEDED"},
		{&sdk.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("example.com")}, input + "UNRECOGNIZED_SERVICE_PRINCIPAL"},
		{&sdk.EnablePolicyTypeInput{RootId: aws.String("r-zzzzzz"), PolicyType: rcpType}, "RootNotFoundException"},
		{&sdk.AttachPolicyInput{PolicyId: aws.String("p-RCPFullAWSAccess"), TargetId: &root}, "PolicyTypeNotEnabledException"},
		{&sdk.InviteAccountToOrganizationInput{Target: &types.HandshakeParty{Id: aws.String("x"), Type: "ORGANIZATION"}}, input + "INVALID_PARTY_TYPE_TARGET"},
		{&sdk.InviteAccountToOrganizationInput{}, input + "INPUT_REQUIRED"},
		{&sdk.DescribeHandshakeInput{HandshakeId: aws.String("h-00000000")}, "HandshakeNotFoundException"},
		{&sdk.DescribeCreateAccountStatusInput{CreateAccountRequestId: aws.String("car-00000000")}, "CreateAccountStatusNotFoundException"},
		{&sdk.CreateOrganizationInput{FeatureSet: "SOME"}, input + "INVALID_ENUM"},
	} {
		if _, err := w.as(manager, tt.in); failureOf(err) != tt.want {
			t.Errorf("%T %+v: got %v, want %s", tt.in, tt.in, err, tt.want)
		}
	}
}

// What a request says of tags and notes is bounded before anything is decided or kept: the decision log has all of it.
func TestBounds(t *testing.T) {
	w := newWorld(t)
	root := w.found()
	many, keys := make([]types.Tag, maxTags+1), make([]string, maxTags+1)
	for i := range many { // alike: they are counted first, before each is compared with all others
		many[i], keys[i] = types.Tag{Key: aws.String("k"), Value: aws.String("v")}, "k"
	}
	for _, tt := range []struct {
		in   any
		want string
	}{
		{&sdk.TagResourceInput{ResourceId: &root, Tags: many}, "ConstraintViolationException MAX_TAG_LIMIT_EXCEEDED"},
		{&sdk.CreateAccountInput{AccountName: aws.String("x"), Email: aws.String("a@b.cc"), Tags: many}, "ConstraintViolationException MAX_TAG_LIMIT_EXCEEDED"},
		{&sdk.UntagResourceInput{ResourceId: &root, TagKeys: keys}, "InvalidInputException MAX_LENGTH_EXCEEDED"},
		{&sdk.UntagResourceInput{ResourceId: &root, TagKeys: []string{strings.Repeat("k", maxTagKey+1)}}, "InvalidInputException MAX_LENGTH_EXCEEDED"},
		{&sdk.UntagResourceInput{ResourceId: &root, TagKeys: []string{""}}, "InvalidInputException MIN_LENGTH_EXCEEDED"},
	} {
		name := strings.TrimSuffix(reflect.TypeOf(tt.in).Elem().Name(), "Input")
		if _, err := w.ops[name].Needs(t.Context(), w.call(stranger, name), tt.in); failureOf(err) != tt.want {
			t.Errorf("%T: got %v, want %s", tt.in, err, tt.want)
		}
	}
	_, err := w.as(manager, &sdk.InviteAccountToOrganizationInput{
		Target: &types.HandshakeParty{Id: aws.String(stranger), Type: types.HandshakePartyTypeAccount}, Notes: aws.String(strings.Repeat("x", 1025)),
	})
	if failureOf(err) != "InvalidInputException MAX_LENGTH_EXCEEDED" {
		t.Errorf("notes: got %v", err)
	}
}

// Invitations are bounded in number, and those that ended are forgotten one day.
func TestInvitationRate(t *testing.T) {
	w := newWorld(t)
	w.found()
	invite := func() (*sdk.InviteAccountToOrganizationOutput, error) {
		out, err := w.as(manager, &sdk.InviteAccountToOrganizationInput{
			Target: &types.HandshakeParty{Id: aws.String(stranger), Type: types.HandshakePartyTypeAccount},
		})
		made, _ := out.(*sdk.InviteAccountToOrganizationOutput)
		return made, err
	}
	kept := func() int {
		n := 0
		in := &sdk.ListHandshakesForOrganizationInput{}
		for {
			out := must[sdk.ListHandshakesForOrganizationOutput](w, in)
			n += len(out.Handshakes)
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return n
			}
		}
	}
	first, err := invite()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []any{&sdk.AcceptHandshakeInput{HandshakeId: first.Handshake.Id}, &sdk.LeaveOrganizationInput{}} {
		if _, err := w.as(stranger, in); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxInvites { // the one that was accepted does not count
		made, err := invite()
		if err != nil {
			t.Fatalf("invitation %d: %v", i, err)
		}
		must[sdk.CancelHandshakeOutput](w, &sdk.CancelHandshakeInput{HandshakeId: made.Handshake.Id})
	}
	if _, err := invite(); failureOf(err) != "HandshakeConstraintViolationException HANDSHAKE_RATE_LIMIT_EXCEEDED" {
		t.Errorf("one more on a day: got %v", err)
	}
	w.now = w.now.Add(24 * time.Hour)
	if _, err := invite(); err != nil || kept() != maxInvites+2 {
		t.Errorf("a day later: got %v, and %d handshakes", err, kept())
	}
	w.now = w.now.Add(handshakeLife + handshakeKept)
	if _, err := invite(); err != nil || kept() != 1 {
		t.Errorf("long after: got %v, and %d handshakes", err, kept())
	}
}

func TestMoveAccount(t *testing.T) {
	w := newWorld(t)
	root := w.found()
	unit, id := w.unit(root, "unit"), w.member("m@example.com")
	move := func(from, to string) error {
		_, err := w.as(manager, &sdk.MoveAccountInput{AccountId: &id, SourceParentId: &from, DestinationParentId: &to})
		return err
	}
	none := "r-zzzzzz"
	for _, tt := range []struct{ from, to, want string }{
		{unit, root, "SourceParentNotFoundException"}, {none, unit, "SourceParentNotFoundException"},
		{root, none, "DestinationParentNotFoundException"}, {root, root, "DuplicateAccountException"},
	} {
		if err := move(tt.from, tt.to); failureOf(err) != tt.want {
			t.Errorf("from %s to %s: got %v, want %s", tt.from, tt.to, err, tt.want)
		}
	}
	if err := move(root, unit); err != nil {
		t.Fatal(err)
	}
	got := must[sdk.DescribeAccountOutput](w, &sdk.DescribeAccountInput{AccountId: &id}).Account
	if !strings.HasSuffix(got.Paths[0], "/"+root+"/"+unit+"/"+id+"/") {
		t.Errorf("got path %v", got.Paths)
	}
}
