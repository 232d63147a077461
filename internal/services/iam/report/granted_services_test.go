package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/policy"
)

const objectA = "arn:aws:s3:::bucket/a"

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func says(effect, action, resource string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q}`, effect, action, resource)
}

func saysIf(effect, action, resource, condition string) string {
	return strings.TrimSuffix(says(effect, action, resource), "}") + `,"Condition":` + condition + `}`
}

func TestGrantedServices(t *testing.T) {
	actions, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	every := actions.Services()
	without := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(every), func(s string) bool { return slices.Contains(names, s) })
	}
	for _, tt := range []struct {
		name      string
		documents []string
		want      []string
	}{
		{"nothing", []string{document(says("Deny", "*", "*"))}, nil},
		{"actions", []string{document(says("Allow", "S3:GetObject", objectA), says("Allow", "sqs:Send*", "*"))}, []string{"s3", "sqs"}},
		{"an action that AWS has not", []string{document(says("Allow", "s3:MadeUp", "*"))}, nil},
		{"everything", []string{document(says("Allow", "*", "*"))}, every},
		{"all but one action", []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"s3:GetObject","Resource":"*"}}`}, every},
		{"denied by another policy", []string{document(says("Allow", "*", "*")), document(says("Deny", "s3:*", "*"))}, without("s3")},
		{"the only action denied", []string{document(says("Allow", "s3:GetObject", "*"), says("Deny", "s3:Get*", "*"))}, nil},
		{"denied on some resource", []string{document(says("Allow", "s3:*", "*"), says("Deny", "s3:*", objectA))}, []string{"s3"}},
		{"denied at times", []string{document(says("Allow", "s3:*", "*"), saysIf("Deny", "s3:*", "*", `{"Bool":{"aws:SecureTransport":"false"}}`))}, []string{"s3"}},
		{"allowed at times", []string{document(saysIf("Allow", "s3:*", "*", `{"Bool":{"aws:SecureTransport":"true"}}`))}, []string{"s3"}},
		{"services by a pattern", []string{document(says("Allow", "lamb*:InvokeFunct*", "*"))}, []string{"lambda"}},
	} {
		var policies []authz.Policy
		for _, text := range tt.documents {
			doc, err := policy.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			policies = append(policies, authz.Policy{Document: doc})
		}
		got, err := grantedServices(t.Context(), actions, policies)
		if err != nil || !cmp.Equal(got, tt.want, cmpopts.EquateEmpty()) {
			t.Errorf("%s: got %d services %.3q, %v, want %d %.3q", tt.name, len(got), got, err, len(tt.want), tt.want)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := grantedServices(ended, actions, nil); !errors.Is(err, ended.Err()) {
		t.Errorf("got %v, want %v", err, ended.Err())
	}
}
