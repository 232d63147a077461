package iam

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/services/iam/report"
	"github.com/licet/licet/policy"
)

var errOrganization = errors.New("disk")

const (
	orgRoot   = "o-0123456789/r-0123"
	orgUnit   = orgRoot + "/ou-0123-01234567"
	dev, test = "222233334444", "333344445555"
)

// entities is an Entities: nodes by path and policies by id, as an organization whose management account is the world's has them.
type entities struct {
	company
	nodes    map[string]*organization.Entity
	policies map[string]*organization.SCP
}

func (e *entities) Entity(_ context.Context, _, path string) (*organization.Entity, error) {
	return e.nodes[path], e.err
}

func (e *entities) SCP(_ context.Context, _, id string) (*organization.SCP, error) {
	return e.policies[id], e.err
}

func newSCP(t *testing.T, arn, text string) organization.SCP {
	t.Helper()
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return organization.SCP{Policy: authz.Policy{ARN: arn, Name: arn, Document: doc}, Tags: map[string]string{"Team": "blue"}}
}

// orgWorld has an organization: the management account under the root, two more accounts in a unit, one of them with a policy.
func orgWorld(t *testing.T) (*world, *entities) {
	w := newWorld(t)
	full := newSCP(t, "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", document(says("Allow", "*", "*")))
	some := newSCP(t, "arn:aws:organizations::"+account+":policy/o-0123456789/service_control_policy/p-01234567",
		document(says("Allow", "s3:*", "*"), says("Allow", "sqs:*", "*"), says("Deny", "sqs:*", "*"), says("Allow", "iam:GetUser", "*")))
	node := func(word, id string) organization.Node {
		return organization.Node{ARN: "arn:aws:organizations::" + account + ":" + word + "/o-0123456789/" + id, Tags: map[string]string{"Name": id}}
	}
	root, unit := node("root", "r-0123"), node("ou", "ou-0123-01234567")
	accounts := []organization.EntityAccount{
		{ID: dev, Path: orgUnit + "/" + dev, Policies: []string{"p-FullAWSAccess", "p-01234567"}},
		{ID: test, Path: orgUnit + "/" + test, Policies: []string{"p-FullAWSAccess"}},
	}
	e := &entities{
		company: company{members: map[string]*organization.Member{
			account: {ID: "o-0123456789", Account: account, ManagementAccount: account}, dev: {Account: dev, ManagementAccount: account},
		}},
		policies: map[string]*organization.SCP{"p-01234567": &some},
		nodes: map[string]*organization.Entity{
			orgRoot: {Lineage: []organization.Node{root}, SCPs: [][]organization.SCP{{full}}, Accounts: accounts},
			orgUnit: {Lineage: []organization.Node{root, unit}, SCPs: [][]organization.SCP{{full}, {some}}, Accounts: accounts},
			orgUnit + "/" + dev: {
				Lineage: []organization.Node{root, unit, node("account", dev)}, SCPs: [][]organization.SCP{{full}, {full}, {full, some}},
				Accounts: accounts[:1],
			},
			orgRoot + "/" + account: {
				Management: true, Lineage: []organization.Node{root, node("account", account)}, SCPs: [][]organization.SCP{{full}, {some}},
				Accounts: []organization.EntityAccount{{ID: account, Path: orgRoot + "/" + account}},
			},
		},
	}
	w.entities = e
	w.start()
	use := func(service string, hour int) report.ServiceUse {
		return report.ServiceUse{Service: service, Use: report.Use{Time: time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC), Region: "eu-west-1"}}
	}
	w.uses = map[string][]report.ServiceUse{
		dev: {use("iam", 1), use("lambda", 5), use("s3", 9)}, test: {use("iam", 3), use("s3", 2)}, account: {use("sts", 1)},
	}
	return w, e
}

// organizationsReport makes a report and gives its start: a line of numbers, then the services that were used.
func (w *world) organizationsReport(in *sdk.GenerateOrganizationsAccessReportInput, key types.SortKeyType) []string {
	w.t.Helper()
	job := must[sdk.GenerateOrganizationsAccessReportOutput](w, in).JobId
	out := must[sdk.GetOrganizationsAccessReportOutput](w, &sdk.GetOrganizationsAccessReportInput{JobId: job, SortKey: key, MaxItems: aws.Int32(1000)})
	if !out.JobCreationDate.Equal(w.now.Truncate(time.Second)) || !out.JobCompletionDate.Equal(*out.JobCreationDate) {
		w.t.Errorf("got a job of %v, %v", out.JobCreationDate, out.JobCompletionDate)
	}
	if f := out.ErrorDetails; f != nil {
		return []string{string(out.JobStatus), *f.Code, *f.Message}
	}
	lines := []string{fmt.Sprint(out.JobStatus, " ", *out.NumberOfServicesAccessible-*out.NumberOfServicesNotAccessed)}
	unused := 0
	for _, d := range out.AccessDetails {
		if d.LastAuthenticatedTime == nil {
			unused++
			if d.EntityPath != nil || d.Region != nil || *d.TotalAuthenticatedEntities != 0 {
				w.t.Errorf("got %+v of %s", d, *d.ServiceNamespace)
			}
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s %d %s", *d.ServiceNamespace, d.LastAuthenticatedTime.Format("15h"), *d.TotalAuthenticatedEntities,
			strings.TrimPrefix(*d.EntityPath, orgRoot+"/")))
	}
	if unused != int(*out.NumberOfServicesNotAccessed) {
		w.t.Errorf("%d services were never used, the number says %d", unused, *out.NumberOfServicesNotAccessed)
	}
	return lines
}

func TestOrganizationsAccessReport(t *testing.T) {
	w, e := orgWorld(t)
	e.nodes[orgRoot+"/ou-0123-76543210"] = &organization.Entity{} // of an organization without SCPs
	const done = "COMPLETED "
	const inDev, inTest = "ou-0123-01234567/" + dev, "ou-0123-01234567/" + test
	iam, lambda, s3 := "iam 03h 2 "+inTest, "lambda 05h 1 "+inDev, "s3 09h 2 "+inDev
	for _, tt := range []struct {
		name, path, policy string
		want               []string
	}{
		{"root", orgRoot, "", []string{done + "3", iam, lambda, s3}},
		{"every level has to allow a service", orgUnit, "", []string{done + "2", iam, s3}},
		{"one policy of a level is enough", orgUnit + "/" + dev, "", []string{done + "3", "iam 01h 1 " + inDev, lambda, "s3 09h 1 " + inDev}},
		{"no policy binds the management account", orgRoot + "/" + account, "p-00000000", []string{done + "1", "sts 01h 1 " + account}},
		{"accounts that a policy binds", orgRoot, "p-01234567", []string{done + "2", "iam 01h 1 " + inDev, "s3 09h 1 " + inDev}},
		{"no such entity", orgRoot + "/" + test, "", []string{"FAILED", "NoSuchEntity", "The entity with path " + orgRoot + "/" + test + " cannot be found."}},
		{"no such policy", orgRoot, "p-00000000", []string{"FAILED", "NoSuchEntity", "The service control policy with id p-00000000 cannot be found."}},
		{
			"no SCPs", orgRoot + "/ou-0123-76543210", "",
			[]string{"FAILED", "PolicyTypeNotEnabled", "Service control policies are not enabled for the root of the organization."},
		},
	} {
		in := &sdk.GenerateOrganizationsAccessReportInput{EntityPath: aws.String(tt.path)}
		if tt.policy != "" {
			in.OrganizationsPolicyId = &tt.policy
		}
		if diff := cmp.Diff(w.organizationsReport(in, ""), tt.want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", tt.name, diff)
		}
	}
	for key, want := range map[types.SortKeyType][]string{
		types.SortKeyTypeServiceNamespaceAscending: {iam, lambda, s3}, types.SortKeyTypeServiceNamespaceDescending: {s3, lambda, iam},
		types.SortKeyTypeLastAuthenticatedTimeAscending: {iam, lambda, s3}, types.SortKeyTypeLastAuthenticatedTimeDescending: {s3, lambda, iam},
	} {
		got := w.organizationsReport(&sdk.GenerateOrganizationsAccessReportInput{EntityPath: aws.String(orgRoot)}, key)
		if diff := cmp.Diff(got[1:], want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", key, diff)
		}
	}
}

// Pages go on in the order that was asked for, and services that were never used stand at the early end of time.
func TestOrganizationsAccessReportPages(t *testing.T) {
	w, _ := orgWorld(t)
	job := must[sdk.GenerateOrganizationsAccessReportOutput](w, &sdk.GenerateOrganizationsAccessReportInput{EntityPath: aws.String(orgRoot)}).JobId
	for key, last := range map[types.SortKeyType]string{
		types.SortKeyTypeLastAuthenticatedTimeAscending: "iam lambda s3", types.SortKeyTypeLastAuthenticatedTimeDescending: "s3 lambda iam",
	} {
		in := &sdk.GetOrganizationsAccessReportInput{JobId: job, SortKey: key, MaxItems: aws.Int32(1)}
		if key == types.SortKeyTypeLastAuthenticatedTimeAscending {
			in.MaxItems = aws.Int32(100)
		}
		var got []string
		for range 100 {
			out := must[sdk.GetOrganizationsAccessReportOutput](w, in)
			for _, d := range out.AccessDetails {
				got = append(got, *d.ServiceNamespace)
			}
			if in.Marker = out.Marker; !out.IsTruncated || len(got) == 3 {
				break
			}
		}
		if text := strings.Join(got[len(got)-3:], " "); text != last {
			t.Errorf("%s: got %s, want %s", key, text, last)
		}
	}
}

func TestOrganizationsAccessReportErrors(t *testing.T) {
	w, e := orgWorld(t)
	s := aws.String
	broken := "1 validation error detected: Value at '%s' failed to satisfy constraint: %s"
	for _, tt := range []struct {
		in            any
		code, message string
	}{
		{&sdk.GenerateOrganizationsAccessReportInput{}, "ValidationError", fmt.Sprintf(broken, "entityPath", "Member must not be null")},
		{
			&sdk.GenerateOrganizationsAccessReportInput{EntityPath: s("o-0123456789/r-01")}, "ValidationError",
			fmt.Sprintf(broken, "entityPath", "Member must have length greater than or equal to 19"),
		},
		{
			&sdk.GenerateOrganizationsAccessReportInput{EntityPath: s(orgRoot + "/*")}, "ValidationError",
			fmt.Sprintf(broken, "entityPath", `Member must satisfy regular expression pattern: ^o-[0-9a-z]{10,32}\/r-[0-9a-z]{4,32}[0-9a-z-\/]*`),
		},
		{
			&sdk.GenerateOrganizationsAccessReportInput{EntityPath: s(orgRoot), OrganizationsPolicyId: s("p-0")}, "ValidationError",
			fmt.Sprintf(broken, "organizationsPolicyId", `Member must satisfy regular expression pattern: ^p-[0-9a-zA-Z_]{8,128}$`),
		},
		{&sdk.GetOrganizationsAccessReportInput{}, "ValidationError", fmt.Sprintf(broken, "jobId", "Member must not be null")},
		{
			&sdk.GetOrganizationsAccessReportInput{JobId: s(strings.Repeat("0", 36))}, "NoSuchEntity",
			"The job with id " + strings.Repeat("0", 36) + " cannot be found.",
		},
		{
			&sdk.GetOrganizationsAccessReportInput{JobId: s(strings.Repeat("0", 36)), SortKey: "X"}, "ValidationError",
			fmt.Sprintf(broken, "sortKey", "Member must satisfy enum value set: [SERVICE_NAMESPACE_ASCENDING, LAST_AUTHENTICATED_TIME_DESCENDING, "+
				"LAST_AUTHENTICATED_TIME_ASCENDING, SERVICE_NAMESPACE_DESCENDING]"),
		},
	} {
		_, err := w.do(tt.in)
		wantError(t, err, tt.code, tt.message)
	}
	in := &sdk.GenerateOrganizationsAccessReportInput{EntityPath: s(orgRoot)}
	const refused = "Only the management account of an organization can generate a report about it."
	member := w.root
	member.Account = dev
	_, err := w.as(member, "GenerateOrganizationsAccessReport", in)
	wantError(t, err, "AccessDenied", refused)
	job := must[sdk.GenerateOrganizationsAccessReportOutput](w, in).JobId
	_, err = w.as(member, "GetOrganizationsAccessReport", &sdk.GetOrganizationsAccessReportInput{JobId: job})
	wantError(t, err, "NoSuchEntity", "The job with id "+*job+" cannot be found.")
	e.err = errOrganization
	if _, err := w.do(in); !errors.Is(err, errOrganization) {
		t.Errorf("got %v, want the failure to read the organization", err)
	}
	w.entities = nil
	w.start()
	_, err = w.do(in)
	wantError(t, err, "AccessDenied", refused)
}

// A report needs the permissions of Organizations for what it reads, with the tags of what is there.
func TestOrganizationsAccessReportNeeds(t *testing.T) {
	w, _ := orgWorld(t)
	const (
		orgs   = "arn:aws:organizations::" + account + ":"
		root   = orgs + "root/o-0123456789/r-0123"
		unit   = orgs + "ou/o-0123456789/ou-0123-01234567"
		full   = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"
		some   = orgs + "policy/o-0123456789/service_control_policy/p-01234567"
		scp    = "organizations:PolicyType=[SERVICE_CONTROL_POLICY]"
		blue   = "aws:ResourceTag/Team=[blue]"
		named  = "aws:ResourceTag/Name=[r-0123]"
		inUnit = "aws:ResourceTag/Name=[ou-0123-01234567]"
	)
	for _, tt := range []struct {
		path, policy string
		want         []string
	}{
		{orgUnit, "", []string{
			"iam:GenerateOrganizationsAccessReport arn:aws:iam::" + account + ":access-report/" + orgUnit,
			"organizations:ListRoots *",
			"organizations:ListPoliciesForTarget " + root, named, scp,
			"organizations:ListPoliciesForTarget " + unit, inUnit, scp,
			"organizations:ListParents " + unit, inUnit,
			"organizations:ListChildren " + unit, inUnit,
			"organizations:DescribePolicy " + full, blue, scp,
			"organizations:DescribePolicy " + some, blue, scp,
		}},
		{orgRoot, "p-01234567", []string{
			"iam:GenerateOrganizationsAccessReport arn:aws:iam::" + account + ":access-report/" + orgRoot, "iam:OrganizationsPolicyId=[p-01234567]",
			"organizations:ListRoots *",
			"organizations:ListPoliciesForTarget " + root, named, scp,
			"organizations:ListChildren " + root, named,
			"organizations:DescribePolicy " + some, blue, scp,
			"organizations:ListTargetsForPolicy " + some, blue, scp,
		}},
		{orgRoot + "/" + test, "p-00000000", []string{ // neither is there
			"iam:GenerateOrganizationsAccessReport arn:aws:iam::" + account + ":access-report/" + orgRoot + "/" + test,
			"iam:OrganizationsPolicyId=[p-00000000]",
			"organizations:ListRoots *",
			"organizations:ListPoliciesForTarget " + root, scp,
			"organizations:ListPoliciesForTarget " + orgs + "account/o-0123456789/" + test, scp,
			"organizations:ListParents " + orgs + "account/o-0123456789/" + test,
			"organizations:DescribePolicy " + orgs + "policy/o-0123456789/service_control_policy/p-00000000", scp,
			"organizations:ListTargetsForPolicy " + orgs + "policy/o-0123456789/service_control_policy/p-00000000", scp,
		}},
	} {
		in := &sdk.GenerateOrganizationsAccessReportInput{EntityPath: &tt.path}
		if tt.policy != "" {
			in.OrganizationsPolicyId = &tt.policy
		}
		needs, err := w.ops["GenerateOrganizationsAccessReport"].Needs(t.Context(), w.call(), in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(describe(needs), tt.want); diff != "" {
			t.Errorf("%s %s: -got +want:\n%s", tt.path, tt.policy, diff)
		}
	}
}

// TestOrganizationsAccessReportTellsMembersNothing: what a member account is denied does not depend on what the organization has.
func TestOrganizationsAccessReportTellsMembersNothing(t *testing.T) {
	w, e := orgWorld(t)
	c := w.call()
	c.Account, c.Caller.Account = dev, dev
	needs := func(policy *string) []string {
		t.Helper()
		in := &sdk.GenerateOrganizationsAccessReportInput{EntityPath: aws.String(orgUnit), OrganizationsPolicyId: policy}
		needs, err := w.ops["GenerateOrganizationsAccessReport"].Needs(t.Context(), c, in)
		if err != nil {
			t.Fatal(err)
		}
		return describe(needs)
	}
	for _, policy := range []*string{nil, aws.String("p-01234567")} {
		there := needs(policy)
		nodes, policies := e.nodes, e.policies
		e.nodes, e.policies = nil, nil
		if diff := cmp.Diff(there, needs(policy)); diff != "" {
			t.Errorf("-what is there +nothing is there:\n%s", diff)
		}
		e.nodes, e.policies = nodes, policies
	}
}

// TestOrganizationsAccessReportOfNothingIsCheap: a path that is all slashes makes no more decisions than one to an account can.
func TestOrganizationsAccessReportOfNothingIsCheap(t *testing.T) {
	w, _ := orgWorld(t)
	for _, path := range []string{
		orgRoot + strings.Repeat("/", 427-len(orgRoot)), orgRoot + strings.Repeat("/a", 200), orgRoot + strings.Repeat("/ou-0123-01234567", 5) + "/" + dev,
	} {
		needs, err := w.ops["GenerateOrganizationsAccessReport"].Needs(t.Context(), w.call(), &sdk.GenerateOrganizationsAccessReportInput{EntityPath: &path})
		if err != nil {
			t.Fatal(err)
		}
		if got, most := len(needs), 2+2*7; got > most {
			t.Errorf("%s: got %d needs, want at most %d", path, got, most)
		}
	}
}
