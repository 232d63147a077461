package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// reportAge is how long a report is good
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html).
const reportAge = 4 * time.Hour

// credentialReport is the stored form of an account's report.
type credentialReport struct {
	Generated time.Time `json:"generated"`
	Content   []byte    `json:"content"`
}

func reportKey(account string) string { return "iam/" + account + "/credential-report" }

// getReport reads an account's report; nil when there is none.
func getReport(r store.Reader, account string) (*credentialReport, error) {
	report, err := store.GetJSON[*credentialReport](r, reportKey(account))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return report, err
}

func (c *credentialReport) isGood(now time.Time) bool { return now.Sub(c.Generated) <= reportAge }

// generateCredentialReport makes the report at once; it answers as AWS does, which takes some seconds (recorded).
func (s *handlers) generateCredentialReport(
	ctx context.Context, c *service.Call, _ *sdk.GenerateCredentialReportInput,
) (*sdk.GenerateCredentialReportOutput, error) {
	out := &sdk.GenerateCredentialReportOutput{}
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		report, err := getReport(tx, c.Account)
		if err != nil {
			return err
		}
		if report != nil && report.isGood(c.Time) {
			*out = sdk.GenerateCredentialReportOutput{State: types.ReportStateTypeComplete}
			return nil
		}
		*out = sdk.GenerateCredentialReportOutput{
			State: types.ReportStateTypeStarted, Description: aws.String("No report exists. Starting a new report generation task"),
		}
		content, err := s.reportContent(tx, c.Account)
		if err != nil {
			return err
		}
		return store.PutJSON(tx, reportKey(c.Account), credentialReport{Generated: c.Time.UTC().Truncate(time.Second), Content: content})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// getCredentialReport has no texts in its errors (recorded).
func (s *handlers) getCredentialReport(
	ctx context.Context, c *service.Call, _ *sdk.GetCredentialReportInput,
) (*sdk.GetCredentialReportOutput, error) {
	var report *credentialReport
	err := s.DB.View(ctx, func(r store.Reader) (err error) {
		report, err = getReport(r, c.Account)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case report == nil:
		return nil, awserr.New("ReportNotPresent", http.StatusGone, "")
	case !report.isGood(c.Time):
		return nil, awserr.New("ReportExpired", http.StatusGone, "")
	}
	return &sdk.GetCredentialReportOutput{
		Content: report.Content, GeneratedTime: aws.Time(report.Generated), ReportFormat: types.ReportFormatTypeTextCsv,
	}, nil
}

const reportHeader = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation," +
	"mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region," +
	"access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date," +
	"access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"

// What stands in the place of values.
const (
	notApplicable = "N/A"
	notSupported  = "not_supported"
	noInformation = "no_information"
)

// reportContent writes a line for the root user and each user, by name. The last line has no end (recorded).
func (s *handlers) reportContent(r store.Reader, account string) ([]byte, error) {
	policy, err := record.GetPasswordPolicy(r, account)
	if err != nil {
		return nil, err
	}
	root, err := record.GetIdentity(r, account, record.RootKind, account)
	if err != nil {
		return nil, err
	}
	users, err := r.Scan(record.NamePrefix(account, record.UserKind), "", 0)
	if err != nil {
		return nil, err
	}
	identities := []*record.Identity{root}
	for _, item := range users {
		e, err := record.GetIdentity(r, account, record.UserKind, string(item.Value))
		if err != nil {
			return nil, err
		}
		identities = append(identities, e)
	}
	out := bytes.NewBufferString(reportHeader + "\n")
	w := csv.NewWriter(out)
	for _, e := range identities {
		row, err := s.reportRow(r, account, e, policy)
		if err != nil {
			return nil, err
		}
		if err := w.Write(row); err != nil {
			return nil, fmt.Errorf("write credential report: %w", err)
		}
	}
	w.Flush()
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), w.Error()
}

func (s *handlers) reportRow(r store.Reader, account string, e *record.Identity, policy *record.PasswordPolicy) ([]string, error) {
	name := e.Name
	if e.Kind == record.RootKind {
		name = "<root_account>"
	}
	keys, err := s.reportKeys(r, e)
	if err != nil {
		return nil, err
	}
	return slices.Concat(
		[]string{name, s.IdentityARN(account, e), reportTime(e.Created)}, reportPassword(e, policy),
		[]string{strconv.FormatBool(len(e.MFADevices) > 0)}, keys, reportCertificates(e),
	), nil
}

// reportPassword tells of the password: enabled, last used, last changed, next rotation.
func reportPassword(e *record.Identity, policy *record.PasswordPolicy) []string {
	switch {
	case e.Kind == record.RootKind:
		return []string{notSupported, notApplicable, notSupported, notSupported}
	case e.Login == nil:
		return []string{"false", notApplicable, notApplicable, notApplicable}
	}
	next := notApplicable
	if policy != nil && policy.MaxAge != nil {
		next = reportTime(e.Login.Changed.AddDate(0, 0, int(*policy.MaxAge)))
	}
	return []string{"true", noInformation, reportTime(e.Login.Changed), next}
}

// reportKeys tells of two access keys, by id: active, last rotated, and date, region and service of the last use.
func (s *handlers) reportKeys(r store.Reader, e *record.Identity) ([]string, error) {
	var out []string
	for _, id := range slices.Sorted(slices.Values(e.AccessKeys)) {
		key, err := store.GetJSON[record.AccessKey](r, record.AccessKeyKey(id))
		if err != nil {
			return nil, err
		}
		used, err := s.lastUsed.Of(r, id)
		if err != nil {
			return nil, err
		}
		shown, date := used.Wire(), notApplicable
		if shown.LastUsedDate != nil {
			date = reportTime(*shown.LastUsedDate)
		}
		out = append(out, strconv.FormatBool(key.Active), reportTime(key.Created), date, *shown.Region, *shown.ServiceName)
	}
	for range request.MaxAccessKeys - len(e.AccessKeys) {
		out = append(out, "false", notApplicable, notApplicable, notApplicable, notApplicable)
	}
	return out, nil
}

// reportCertificates tells of two signing certificates, inactive ones first: active, last rotated.
func reportCertificates(e *record.Identity) []string {
	sorted := slices.SortedFunc(slices.Values(e.Certificates), func(a, b record.SigningCertificate) int {
		if a.Active != b.Active {
			return strings.Compare(strconv.FormatBool(a.Active), strconv.FormatBool(b.Active))
		}
		return a.Uploaded.Compare(b.Uploaded)
	})
	var out []string
	for _, c := range sorted {
		out = append(out, strconv.FormatBool(c.Active), reportTime(c.Uploaded))
	}
	for range request.MaxSigningCertificates - len(sorted) {
		out = append(out, "false", notApplicable)
	}
	return out
}

func reportTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
