package compat

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// What accounts of an organization ask for shows in the report of their unit, as far as the policies above them allow it.
func TestOrganizationsAccessReport(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, types.PolicyTypeServiceControlPolicy), t.Context()
	unit := c.unit(t, c.root)
	member := c.member(t, unit)
	only := c.policy(t, types.PolicyTypeServiceControlPolicy, document(allow("lambda:*", "*")), unit)
	c.detach(t, "p-FullAWSAccess", unit)
	must(member.lambda.ListFunctions(ctx, nil))(t)
	_, err := member.iam.ListUsers(ctx, nil) // refused by the policy, and of a service that it does not allow
	if failureOf(err).Code != "AccessDenied" {
		t.Errorf("got %v, but the policy does not allow it", err)
	}

	path := *c.org.Id + "/" + c.root + "/" + unit
	report := func(in *iam.GenerateOrganizationsAccessReportInput, key iamtypes.SortKeyType) *iam.GetOrganizationsAccessReportOutput {
		t.Helper()
		job := must(c.iam.GenerateOrganizationsAccessReport(ctx, in))(t).JobId
		return must(c.iam.GetOrganizationsAccessReport(ctx, &iam.GetOrganizationsAccessReportInput{JobId: job, SortKey: key}))(t)
	}
	got := report(&iam.GenerateOrganizationsAccessReportInput{EntityPath: &path}, "")
	if got.JobStatus != iamtypes.JobStatusTypeCompleted || len(got.AccessDetails) != 1 || *got.NumberOfServicesAccessible != 1 ||
		*got.NumberOfServicesNotAccessed != 0 {
		t.Fatalf("got %s with %d services", got.JobStatus, len(got.AccessDetails))
	}
	if d := got.AccessDetails[0]; *d.ServiceNamespace != "lambda" || aws.ToString(d.EntityPath) != path+"/"+member.id ||
		*d.TotalAuthenticatedEntities != 1 || d.LastAuthenticatedTime == nil || aws.ToString(d.Region) == "" {
		t.Errorf("got %s of %s at %v", *d.ServiceNamespace, aws.ToString(d.EntityPath), d.LastAuthenticatedTime)
	}
	rootPath := *c.org.Id + "/" + c.root
	got = report(&iam.GenerateOrganizationsAccessReportInput{EntityPath: &rootPath}, iamtypes.SortKeyTypeLastAuthenticatedTimeDescending)
	if d := got.AccessDetails; !got.IsTruncated || len(d) != 100 || d[0].LastAuthenticatedTime == nil ||
		!slices.ContainsFunc(d[:2], func(d iamtypes.AccessDetail) bool { return *d.ServiceNamespace == "iam" }) || d[2].LastAuthenticatedTime != nil {
		t.Errorf("got %d services of the root", len(d))
	}
	gone := path + "/000000000000"
	got = report(&iam.GenerateOrganizationsAccessReportInput{EntityPath: &gone}, "")
	if got.JobStatus != iamtypes.JobStatusTypeFailed || aws.ToString(got.ErrorDetails.Code) != "NoSuchEntity" {
		t.Errorf("got %s", got.JobStatus)
	}

	// A user may be limited to reports about one policy, and needs to read the organization.
	asked := &iam.GenerateOrganizationsAccessReportInput{EntityPath: &path, OrganizationsPolicyId: only.Id}
	arn, u := server.userOf(t, c.tenant, allow("organizations:List*", "*"), allow("organizations:Describe*", "*"),
		allow("iam:GenerateOrganizationsAccessReport", "*", `{"StringEquals":{"iam:OrganizationsPolicyId":"`+*only.Id+`"}}`))
	must(u.iam.GenerateOrganizationsAccessReport(ctx, asked))(t)
	_, err = u.iam.GenerateOrganizationsAccessReport(ctx, &iam.GenerateOrganizationsAccessReportInput{EntityPath: &path})
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(arn, "iam:GenerateOrganizationsAccessReport",
		"arn:aws:iam::"+c.id+":access-report/"+path, "identity-based policy")})
	arn, u = server.userOf(t, c.tenant, allow("iam:*", "*"))
	_, err = u.iam.GenerateOrganizationsAccessReport(ctx, asked)
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(arn, "organizations:ListRoots", "*", "identity-based policy")})
	_, err = member.iam.GenerateOrganizationsAccessReport(ctx, asked)
	if failureOf(err).Code != "AccessDenied" {
		t.Errorf("a member account: got %v", err)
	}
}
