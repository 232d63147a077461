package layer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
)

func policyInput(name string, number int64) *sdk.GetLayerVersionPolicyInput {
	return &sdk.GetLayerVersionPolicyInput{LayerName: &name, VersionNumber: &number}
}

func revoke(name string, number int64, sid string) *sdk.RemoveLayerVersionPermissionInput {
	return &sdk.RemoveLayerVersionPermissionInput{LayerName: &name, VersionNumber: &number, StatementId: &sid}
}

// Statements byte by byte: recorded from AWS, and in its guide.
func TestStatements(t *testing.T) {
	h := newHarness(t)
	h.publish("l")
	const rest = `,"Action":"lambda:GetLayerVersion","Resource":"` + arnOfL + `:1"`
	var texts []string
	for _, c := range []struct {
		sid, principal string
		organization   *string
		want           string
	}{
		{"all", "*", nil, `{"Sid":"all","Effect":"Allow","Principal":"*"` + rest + `}`},
		{"org", "*", aws.String("o-t194hfs8cz"), `{"Sid":"org","Effect":"Allow","Principal":"*"` + rest +
			`,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-t194hfs8cz"}}}`},
		{"account", stranger, nil, `{"Sid":"account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"}` + rest + `}`},
		{"root", "arn:aws:iam::444455556666:root", nil,
			`{"Sid":"root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"}` + rest + `}`},
	} {
		in := grant(1, c.sid, c.principal)
		in.OrganizationId = c.organization
		out := must[sdk.AddLayerVersionPermissionOutput](h, in)
		if *out.Statement != c.want {
			t.Errorf("got  %s\nwant %s", *out.Statement, c.want)
		}
		texts = append(texts, c.want)
		got := must[sdk.GetLayerVersionPolicyOutput](h, policyInput(arnOfL, 1))
		if want := `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(texts, ",") + `]}`; *got.Policy != want {
			t.Errorf("policy:\ngot  %s\nwant %s", *got.Policy, want)
		}
		if *got.RevisionId != *out.RevisionId {
			t.Errorf("revision %s, want that of the last change, %s", *got.RevisionId, *out.RevisionId)
		}
	}
}

func TestPolicyLifeCycle(t *testing.T) {
	h := newHarness(t)
	h.publish("l")
	h.publish("l")
	first := must[sdk.AddLayerVersionPermissionOutput](h, grant(1, "s1", "*"))
	in := grant(1, "s2", "*")
	in.RevisionId = first.RevisionId
	second := must[sdk.AddLayerVersionPermissionOutput](h, in)
	const none = "No policy is associated with the given resource."
	refuse[sdk.GetLayerVersionPolicyOutput](h, policyInput("l", 2), notFound, 404, none) // each version has its own

	out := revoke("l", 1, "s2")
	out.RevisionId = first.RevisionId
	stale := "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id"
	refuse[sdk.RemoveLayerVersionPermissionOutput](h, out, "PreconditionFailedException", 412, stale)
	out.RevisionId = second.RevisionId
	must[sdk.RemoveLayerVersionPermissionOutput](h, out)
	if got := must[sdk.GetLayerVersionPolicyOutput](h, policyInput("l", 1)); *got.RevisionId == *second.RevisionId ||
		strings.Contains(*got.Policy, "s2") {
		t.Errorf("after the removal: got %s, %s", *got.RevisionId, *got.Policy)
	}
	must[sdk.RemoveLayerVersionPermissionOutput](h, revoke("l", 1, "s1"))
	refuse[sdk.GetLayerVersionPolicyOutput](h, policyInput("l", 1), notFound, 404, none)
	refuse[sdk.RemoveLayerVersionPermissionOutput](h, revoke("l", 1, "s1"), notFound, 404, none)

	// A policy goes with its version.
	must[sdk.AddLayerVersionPermissionOutput](h, grant(2, "s", "*"))
	must[sdk.DeleteLayerVersionOutput](h, remove("l", 2))
	if target, err := h.s.Target(t.Context(), arnOfL+":2"); err != nil || target.Policy != nil {
		t.Errorf("policy of a deleted version: got %v, %v", target.Policy, err)
	}
	refuse[sdk.GetLayerVersionPolicyOutput](h, policyInput("l", 2), notFound, 404, "Layer version "+arnOfL+":2 does not exist.")
}

func TestPolicyErrors(t *testing.T) {
	h := newHarness(t)
	h.publish("l")
	must[sdk.AddLayerVersionPermissionOutput](h, grant(1, "s1", "*"))
	for _, c := range []struct {
		name    string
		change  func(*sdk.AddLayerVersionPermissionInput)
		code    string
		status  int
		message string
	}{
		{"duplicate", func(in *sdk.AddLayerVersionPermissionInput) { in.StatementId = aws.String("s1") }, "ResourceConflictException", 409,
			"The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing statement."},
		{"action", func(in *sdk.AddLayerVersionPermissionInput) { in.Action = aws.String("*") }, badValue, 400,
			"1 validation error detected: Value '*' at 'action' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: lambda:GetLayerVersion"},
		{"principal", func(in *sdk.AddLayerVersionPermissionInput) {
			in.Principal = aws.String("arn:aws:iam::444455556666:user/u")
		},
			badValue, 400, `1 validation error detected: Value 'arn:aws:iam::444455556666:user/u' at 'principal' failed to satisfy constraint: ` +
				`Member must satisfy regular expression pattern: \d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root`},
		{"nothing", func(in *sdk.AddLayerVersionPermissionInput) { *in = sdk.AddLayerVersionPermissionInput{} }, badValue, 400,
			"5 validation errors detected: Value null at 'layerName' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'versionNumber' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'statementId' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'action' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'principal' failed to satisfy constraint: Member must not be null"},
		{"organization of an account", func(in *sdk.AddLayerVersionPermissionInput) {
			in.Principal, in.OrganizationId = aws.String(stranger), aws.String("o-t194hfs8cz")
		}, badParameter, 400, "OrganizationId can only be used with the principal *."},
		{"revision", func(in *sdk.AddLayerVersionPermissionInput) { in.RevisionId = aws.String("wrong") }, "PreconditionFailedException", 412,
			"The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id"},
		{"layer", func(in *sdk.AddLayerVersionPermissionInput) { in.LayerName = aws.String("none") }, notFound, 404,
			"Layer version arn:aws:lambda:eu-central-1:111122223333:layer:none:1 does not exist."},
		{"version", func(in *sdk.AddLayerVersionPermissionInput) { in.VersionNumber = aws.Int64(2) }, notFound, 404,
			"Layer version " + arnOfL + ":2 does not exist."},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := grant(1, "s2", "*")
			c.change(in)
			h.t = t
			refuse[sdk.AddLayerVersionPermissionOutput](h, in, c.code, c.status, c.message)
		})
	}
	h.t = t
	refuse[sdk.RemoveLayerVersionPermissionOutput](h, revoke("l", 1, "none"), notFound, 404, "Statement none is not found in resource policy.")
	refuse[sdk.RemoveLayerVersionPermissionOutput](h, revoke("l", 2, "s1"), notFound, 404, "Layer version "+arnOfL+":2 does not exist.")
	refuse[sdk.RemoveLayerVersionPermissionOutput](h, revoke("l", 1, "a.b"), badValue, 400, "1 validation error detected: Value 'a.b' at "+
		"'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)")

	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, err = do[sdk.AddLayerVersionPermissionOutput](h, grant(1, fmt.Sprintf("s%099d", i), "*"))
	}
	if err == nil || !strings.Contains(err.Error(), "PolicyLengthExceededException") {
		t.Errorf("many statements: got %v", err)
	}
	if got := must[sdk.GetLayerVersionPolicyOutput](h, policyInput("l", 1)); len(*got.Policy) > maxPolicyLength {
		t.Errorf("a policy of %d bytes", len(*got.Policy))
	}
}
