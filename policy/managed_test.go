package policy_test

import (
	"slices"
	"testing"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/policy"
)

// AWS's page of checks lists the managed policies of AWS in which it finds what is dangerous in other people's hands, and there are
// fifteen hundred others, in which it does not.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html ("AWS managed policies with this …")
func TestFindingsInManagedPolicies(t *testing.T) {
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{ // by code; the page lacks AdministratorAccess-Amplify once, and a policy that is newer
		"CREATE_SLR_WITH_STAR_IN_RESOURCE":             {"PowerUserAccess", "AWSOrganizationsServiceTrustPolicy", "AdministratorAccess-Amplify"},
		"CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE":  {"AdministratorAccess", "IAMFullAccess", "AWSMcpServiceActionsFullAccess"},
		"PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE":   {"AdministratorAccess", "IAMFullAccess", "AWSMcpServiceActionsFullAccess"},
		"STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS": {"S3UnlockBucketPolicy", "SQSUnlockQueuePolicy"},
		// What keeps a statement from matching at all is in none of them.
		"WILDCARD_WITHOUT_LIKE_OPERATOR": {}, "MISSING_QUALIFIER": {}, "INVALID_GLOBAL_CONDITION_KEY": {}, "TYPE_MISMATCH_IP_RANGE": {},
		"INVALID_ACTION": {}, "INVALID_ARN_ACCOUNT": {}, "INVALID_ARN_REGION": {}, "INVALID_ARN_SERVICE_CASE": {}, "MISSING_ARN_FIELD": {},
		"INVALID_SERVICE_PRINCIPAL_FORMAT": {}, "INVALID_CONDITION_DATA_TYPE": {}, "CREATE_SLR_WITH_NOT_RESOURCE": {},
	}
	found := map[string][]string{}
	for p := range data.ManagedPolicies() {
		for _, f := range policy.Findings([]byte(p.Document()), policy.Identity) {
			if !slices.Contains(found[f.Code], p.Name) {
				found[f.Code] = append(found[f.Code], p.Name)
			}
		}
	}
	for code, want := range documented {
		got := found[code]
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s is found in %q, want %q", code, got, want)
		}
	}
}
