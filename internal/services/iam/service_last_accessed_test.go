package iam

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/report"
)

// reportWorld has alice and bob in a group that has a policy, and a role that has it itself.
func reportWorld(t *testing.T) (w *world, policyARN string) {
	w = newWorld(t)
	s := aws.String
	policyARN = *must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{
		PolicyName: s("shared"), PolicyDocument: s(document(says("Allow", "lambda:*", "*"), says("Allow", "iam:Get*", "*"), says("Allow", "sqs:*", "*"))),
	}).Policy.Arn
	ids := map[string]string{"alice": w.user("alice"), "bob": w.user("bob"), "worker": w.role("worker", trustEC2)}
	w.group("g")
	for _, name := range []string{"alice", "bob"} {
		must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{UserName: s(name), GroupName: s("g")})
	}
	must[sdk.AttachGroupPolicyOutput](w, &sdk.AttachGroupPolicyInput{GroupName: s("g"), PolicyArn: &policyARN})
	must[sdk.AttachRolePolicyOutput](w, &sdk.AttachRolePolicyInput{RoleName: s("worker"), PolicyArn: &policyARN})
	at := func(hour int) report.Use {
		return report.Use{Time: time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC), Region: "eu-west-1"}
	}
	type actions = map[string]report.Use
	use := func(service string, last report.Use, of actions) report.ServiceUse {
		return report.ServiceUse{Service: service, Use: last, Actions: of}
	}
	w.uses[ids["alice"]] = []report.ServiceUse{
		use("iam", at(2), actions{"GetUser": at(2), "GetRole": at(1)}), use("s3", at(9), actions{"GetObject": at(9)}),
	}
	w.uses[ids["bob"]] = []report.ServiceUse{use("iam", at(3), actions{"GetRole": at(3)})}
	w.uses[ids["worker"]] = []report.ServiceUse{use("lambda", at(4), actions{"InvokeFunction": at(4)})}
	return w, policyARN
}

func (w *world) makeReport(arn string, granularity types.AccessAdvisorUsageGranularityType) *string {
	w.t.Helper()
	return must[sdk.GenerateServiceLastAccessedDetailsOutput](w, &sdk.GenerateServiceLastAccessedDetailsInput{Arn: &arn, Granularity: granularity}).JobId
}

func TestServiceLastAccessedDetails(t *testing.T) {
	w, policyARN := reportWorld(t)
	const arn = "arn:aws:iam::111122223333:"
	type line struct {
		Service, Name, Who string
		Hour, Entities     int
		Actions            []string
	}
	for _, tt := range []struct {
		arn         string
		granularity types.AccessAdvisorUsageGranularityType
		want        []line
	}{
		{arn + "user/alice", "", []line{
			{"iam", "AWS Identity and Access Management", arn + "user/alice", 2, 1, nil}, {"lambda", "AWS Lambda", "", 0, 0, nil}, {"sqs", "sqs", "", 0, 0, nil},
		}},
		{arn + "group/g", "ACTION_LEVEL", []line{
			{"iam", "AWS Identity and Access Management", arn + "user/bob", 3, 2, []string{"GetRole by bob", "GetUser by alice"}},
			{"lambda", "AWS Lambda", "", 0, 0, nil}, {"sqs", "sqs", "", 0, 0, nil},
		}},
		{arn + "role/worker", "SERVICE_LEVEL", []line{
			{"iam", "AWS Identity and Access Management", "", 0, 0, nil}, {"lambda", "AWS Lambda", arn + "role/worker", 4, 1, nil}, {"sqs", "sqs", "", 0, 0, nil},
		}},
		{policyARN, "SERVICE_LEVEL", []line{
			{"iam", "AWS Identity and Access Management", arn + "user/bob", 3, 2, nil}, {"lambda", "AWS Lambda", arn + "role/worker", 4, 1, nil}, {"sqs", "sqs", "", 0, 0, nil},
		}},
	} {
		id := w.makeReport(tt.arn, tt.granularity)
		out := must[sdk.GetServiceLastAccessedDetailsOutput](w, &sdk.GetServiceLastAccessedDetailsInput{JobId: id})
		var got []line
		for _, s := range out.ServicesLastAccessed {
			l := line{Service: *s.ServiceNamespace, Name: *s.ServiceName, Who: aws.ToString(s.LastAuthenticatedEntity), Entities: int(*s.TotalAuthenticatedEntities)}
			if s.LastAuthenticated != nil {
				l.Hour = s.LastAuthenticated.Hour()
			}
			for _, a := range s.TrackedActionsLastAccessed {
				_, _, name, _ := record.ParseIdentityARN(*a.LastAccessedEntity)
				l.Actions = append(l.Actions, *a.ActionName+" by "+name)
			}
			got = append(got, l)
		}
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", tt.arn, diff)
		}
		if tt.granularity == "" {
			tt.granularity = "SERVICE_LEVEL"
		}
		if out.JobStatus != "COMPLETED" || out.JobCompletionDate == nil || out.JobType != tt.granularity {
			t.Errorf("%s: got job %s, %v, %s", tt.arn, out.JobStatus, out.JobCompletionDate, out.JobType)
		}
	}
}

func TestServiceLastAccessedDetailsWithEntities(t *testing.T) {
	w, policyARN := reportWorld(t)
	id := w.makeReport(policyARN, "")
	ask := func(namespace string, size int32) (got []string) {
		t.Helper()
		in := &sdk.GetServiceLastAccessedDetailsWithEntitiesInput{JobId: id, ServiceNamespace: &namespace, MaxItems: &size}
		for {
			out := must[sdk.GetServiceLastAccessedDetailsWithEntitiesOutput](w, in)
			for _, e := range out.EntityDetailsList {
				line := string(e.EntityInfo.Type) + " " + *e.EntityInfo.Name
				if e.LastAuthenticated != nil {
					line += e.LastAuthenticated.Format(" 15h")
				}
				got = append(got, line)
			}
			if in.Marker = out.Marker; !out.IsTruncated {
				return got
			}
		}
	}
	if diff := cmp.Diff(ask("iam", 1), []string{"USER bob 03h", "USER alice 02h", "ROLE worker"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	if got := ask("s3", 100); got != nil {
		t.Errorf("of a service that the policy does not grant: got %v", got)
	}
	// A report stays as it was, but has no names of who is gone.
	must[sdk.RemoveUserFromGroupOutput](w, &sdk.RemoveUserFromGroupInput{UserName: aws.String("bob"), GroupName: aws.String("g")})
	must[sdk.DeleteUserOutput](w, &sdk.DeleteUserInput{UserName: aws.String("bob")})
	must[sdk.UpdateUserOutput](w, &sdk.UpdateUserInput{UserName: aws.String("alice"), NewUserName: aws.String("alicia")})
	if diff := cmp.Diff(ask("iam", 100), []string{"USER alicia 02h", "ROLE worker"}); diff != "" {
		t.Errorf("later: -got +want:\n%s", diff)
	}
}

func TestServiceLastAccessedPages(t *testing.T) {
	w := newWorld(t)
	arn := *must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(document(says("Allow", "*", "*")))}).Policy.Arn
	in := &sdk.GetServiceLastAccessedDetailsInput{JobId: w.makeReport(arn, "")}
	var got []string
	for pages := 1; ; pages++ {
		out := must[sdk.GetServiceLastAccessedDetailsOutput](w, in)
		for _, s := range out.ServicesLastAccessed {
			got = append(got, *s.ServiceNamespace)
		}
		if in.Marker = out.Marker; !out.IsTruncated {
			break
		}
		if len(out.ServicesLastAccessed) != 100 {
			t.Errorf("page %d has %d services, want 100", pages, len(out.ServicesLastAccessed))
		}
	}
	actions, err := awsData()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, actions.Services()); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestReportRefusals(t *testing.T) {
	w, _ := reportWorld(t)
	s := aws.String
	id := w.makeReport("arn:aws:iam::111122223333:user/alice", "")
	const unknown = "01234567-89ab-cdef-0123-456789abcdef"
	for _, tt := range []struct {
		in            any
		code, message string
	}{
		{&sdk.GenerateServiceLastAccessedDetailsInput{Arn: s("arn:aws:iam::111122223333:user/nobody")}, "NoSuchEntity", "The user with name nobody cannot be found."},
		{&sdk.GenerateServiceLastAccessedDetailsInput{Arn: s("arn:aws:iam::111122223333:policy/no")}, "NoSuchEntity", "Policy arn:aws:iam::111122223333:policy/no was not found."},
		{&sdk.GenerateServiceLastAccessedDetailsInput{Arn: s("alice")}, "InvalidInput", "Invalid Entity Arn: alice does not clearly define entity type and name."},
		{&sdk.GenerateServiceLastAccessedDetailsInput{Arn: s("arn:aws:iam::111122223333:user/alice"), Granularity: "HOURLY"}, "ValidationError", "1 validation error detected: Value at 'granularity' failed to satisfy constraint: Member must satisfy enum value set: [SERVICE_LEVEL, ACTION_LEVEL]"},
		{&sdk.GetServiceLastAccessedDetailsInput{JobId: s("x")}, "ValidationError", "1 validation error detected: Value at 'jobId' failed to satisfy constraint: Member must have length greater than or equal to 36"},
		{&sdk.GetServiceLastAccessedDetailsInput{JobId: s(unknown)}, "NoSuchEntity", "The job with id " + unknown + " cannot be found."},
		{&sdk.GetServiceLastAccessedDetailsWithEntitiesInput{JobId: id, ServiceNamespace: s("madeup")}, "InvalidInput", "Invalid service namespace."},
	} {
		_, err := w.do(tt.in)
		wantError(t, err, tt.code, tt.message)
	}
	other := principal.Caller{Principal: authz.Principal{Kind: authz.User, Account: account, ID: "AIDAOTHER", ARN: "arn:aws:iam::111122223333:user/other"}}
	_, err := w.as(other, "GetServiceLastAccessedDetails", &sdk.GetServiceLastAccessedDetailsInput{JobId: id})
	wantError(t, err, "NoSuchEntity", "The job with id "+*id+" cannot be found.")

	// A day later it is gone, when the next is made.
	w.now = w.now.Add(24 * time.Hour)
	w.makeReport("arn:aws:iam::111122223333:user/alice", "")
	_, err = w.do(&sdk.GetServiceLastAccessedDetailsInput{JobId: id})
	wantError(t, err, "NoSuchEntity", "The job with id "+*id+" cannot be found.")
}
