package iam

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/principal"
)

func TestCredentialReport(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	_, err := w.do(&sdk.GetCredentialReportInput{})
	wantError(t, err, "ReportNotPresent", "")
	for _, name := range []string{"bare", "Alice"} {
		w.user(name)
	}
	created := "2026-03-01T12:00:00Z"
	must[sdk.UpdateAccountPasswordPolicyOutput](w, &sdk.UpdateAccountPasswordPolicyInput{MaxPasswordAge: aws.Int32(30)})
	must[sdk.CreateLoginProfileOutput](w, &sdk.CreateLoginProfileInput{UserName: s("Alice"), Password: s(strong)})
	if err := w.phone("phone").enable("Alice", -1); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	first, _ := w.key("Alice")
	second, _ := w.key("Alice")
	first, second = min(first, second), max(first, second) // the report sorts them by id
	must[sdk.UpdateAccessKeyOutput](w, &sdk.UpdateAccessKeyInput{UserName: s("Alice"), AccessKeyId: &second, Status: types.StatusTypeInactive})
	w.note(principal.Caller{AccessKeyID: first}, w.now, "s3")
	body := newCertificate(t, certificateOf{now: w.now}).body
	must[sdk.UploadSigningCertificateOutput](w, &sdk.UploadSigningCertificateInput{UserName: s("Alice"), CertificateBody: &body})

	w.now = w.now.Add(time.Minute)
	started := must[sdk.GenerateCredentialReportOutput](w, &sdk.GenerateCredentialReportInput{})
	if started.State != types.ReportStateTypeStarted || *started.Description != "No report exists. Starting a new report generation task" {
		t.Errorf("got %+v", started)
	}
	w.user("later")
	if again := must[sdk.GenerateCredentialReportOutput](w, &sdk.GenerateCredentialReportInput{}); again.State != types.ReportStateTypeComplete || again.Description != nil {
		t.Errorf("got %+v", again)
	}
	report := must[sdk.GetCredentialReportOutput](w, &sdk.GetCredentialReportInput{})
	if report.ReportFormat != "text/csv" || !report.GeneratedTime.Equal(w.now.Truncate(time.Second)) {
		t.Errorf("got %s of %v", report.ReportFormat, report.GeneratedTime)
	}
	text := string(report.Content)
	if strings.HasSuffix(text, "\n") || strings.Contains(text, "\r") {
		t.Error("the lines do not end as recorded")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	no := []string{"false", "N/A", "N/A", "N/A", "N/A"}
	arn := "arn:aws:iam::111122223333:"
	const header = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation," +
		"mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region," +
		"access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date," +
		"access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
	want := [][]string{
		strings.Split(header, ","),
		append([]string{"<root_account>", arn + "root", created, "not_supported", "N/A", "not_supported", "not_supported", "false", "true", created,
			"N/A", "N/A", "N/A"}, append(no, "false", "N/A", "false", "N/A")...),
		{"Alice", arn + "user/Alice", created, "true", "no_information", created, "2026-03-31T12:00:00Z", "true",
			"true", "2026-03-01T12:01:00Z", "2026-03-01T12:01:00Z", "eu-west-1", "s3", "false", "2026-03-01T12:01:00Z", "N/A", "N/A", "N/A",
			"true", "2026-03-01T12:01:00Z", "false", "N/A"},
		append([]string{"bare", arn + "user/bare", created, "false", "N/A", "N/A", "N/A", "false"},
			append(append(no, no...), "false", "N/A", "false", "N/A")...),
	}
	if diff := cmp.Diff(rows, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}

	w.now = w.now.Add(4*time.Hour + time.Second)
	_, err = w.do(&sdk.GetCredentialReportInput{})
	wantError(t, err, "ReportExpired", "")
	if started = must[sdk.GenerateCredentialReportOutput](w, &sdk.GenerateCredentialReportInput{}); started.State != types.ReportStateTypeStarted {
		t.Errorf("got %+v", started)
	}
	if text := string(must[sdk.GetCredentialReportOutput](w, &sdk.GetCredentialReportInput{}).Content); !strings.Contains(text, "\nlater,") {
		t.Error("the new report does not have the new user")
	}
}

func TestAccountSummary(t *testing.T) {
	w := newWorld(t)
	summary := func() map[string]int32 {
		return must[sdk.GetAccountSummaryOutput](w, &sdk.GetAccountSummaryInput{}).SummaryMap
	}
	// Without what the account has; the names and quotas are recorded.
	want := map[string]int32{
		"AccessKeysPerUserQuota": 2, "AccountAccessKeysPresent": 1, "AccountMFAEnabled": 0, "AccountPasswordPresent": 0,
		"AccountSigningCertificatesPresent": 0, "AssumeRolePolicySizeQuota": 2048, "AttachedPoliciesPerGroupQuota": 10,
		"AttachedPoliciesPerRoleQuota": 10, "AttachedPoliciesPerUserQuota": 10, "GlobalEndpointTokenVersion": 1, "GroupPolicySizeQuota": 5120,
		"Groups": 0, "GroupsPerUserQuota": 10, "GroupsQuota": 300, "InstanceProfiles": 0, "InstanceProfilesQuota": 1000, "MFADevices": 0,
		"MFADevicesInUse": 0, "Policies": 0, "PoliciesQuota": 1500, "PolicySizeQuota": 6144, "PolicyVersionsInUse": 0,
		"PolicyVersionsInUseQuota": 10000, "Providers": 0, "RolePolicySizeQuota": 10240, "Roles": 0, "RolesQuota": 1000,
		"ServerCertificates": 0, "ServerCertificatesQuota": 20, "SigningCertificatesPerUserQuota": 2, "UserPolicySizeQuota": 2048, "Users": 0,
		"UsersQuota": 5000, "VersionsPerPolicyQuota": 5,
	}
	if diff := cmp.Diff(summary(), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	w.user("alice")
	w.user("bob")
	w.group("group")
	w.role("role", trustEC2)
	used := w.policy("used")
	w.policy("unused")
	for _, user := range []string{"alice", "bob"} {
		for _, arn := range []string{used, readOnly} {
			must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: &user, PolicyArn: &arn})
		}
	}
	must[sdk.PutRolePermissionsBoundaryOutput](w, &sdk.PutRolePermissionsBoundaryInput{RoleName: aws.String("role"), PermissionsBoundary: aws.String(basicRole)})
	w.phone("unused")
	if err := w.phone("phone").enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	cert := newCertificate(t, certificateOf{now: w.now})
	must[sdk.UploadServerCertificateOutput](w, cert.upload("web"))
	body := newCertificate(t, certificateOf{now: w.now}).body
	must[sdk.UploadSigningCertificateOutput](w, &sdk.UploadSigningCertificateInput{CertificateBody: &body})
	must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: aws.String("profile")})
	must[sdk.SetSecurityTokenServicePreferencesOutput](w, &sdk.SetSecurityTokenServicePreferencesInput{GlobalEndpointTokenVersion: "v2Token"})
	for name, n := range map[string]int32{
		"InstanceProfiles": 1, "GlobalEndpointTokenVersion": 2, "Users": 2, "Groups": 1, "Roles": 1, "Policies": 2, "PolicyVersionsInUse": 3, "MFADevices": 2, "MFADevicesInUse": 1,
		"ServerCertificates": 1, "AccountSigningCertificatesPresent": 1,
	} {
		want[name] = n
	}
	if diff := cmp.Diff(summary(), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
