package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// iamPath is the message about the paths of IAM's resources, which lists them.
const iamPath = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, ` +
	`server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`

func TestProblem(t *testing.T) {
	const (
		vendorless  = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
		noActions   = "Policy statement must contain actions."
		noResources = "Policy statement must contain resources."
		oldVersion  = "Policy document must be version 2012-10-17 or greater."
		regexVendor = "Resource vendor must be fully qualified and cannot contain regexes."
		noPrincipal = "Policy document should not specify a principal."
		trustAction = "AssumeRole policy may only specify STS AssumeRole actions."
		orgs        = "The provided policy document does not meet the requirements of the specified policy type."
	)
	doc := func(statements string) string { return `{"Version":"2012-10-17","Statement":[` + statements + `]}` }
	allow := func(elements string) string { return doc(`{"Effect":"Allow",` + elements + `}`) }
	action := func(a string) string { return allow(`"Action":"` + a + `","Resource":"*"`) }
	resource := func(r string) string { return allow(`"Action":"a:b","Resource":["*","` + r + `"]`) }
	condition := func(c string) string { return allow(`"Action":"a:b","Resource":"*","Condition":` + c) }
	trust := func(principal string) string { return allow(`"Action":"sts:AssumeRole","Principal":` + principal) }
	bucket := func(principal string) string { return allow(`"Action":"s3:*","Resource":"*","Principal":` + principal) }

	for _, test := range []struct {
		kind Kind
		text string
		want string
	}{
		// Grammar and JSON.
		{Identity, `nonsense`, "Syntax errors in policy."},
		{Trust, `nonsense`, "This policy contains invalid Json"},
		{Trust, `{"Version":1}`, "Syntax errors in policy."},
		{ServiceControl, `nonsense`, orgs},
		{Kind("other"), action("*"), `Policy type "other" is not valid.`},

		// Version and Id.
		{Identity, `{"Statement":{"Effect":"Allow"}}`, oldVersion},
		{Identity, `{"Version":"2008-10-17","Statement":{"Effect":"Allow"}}`, oldVersion},
		{Inline, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, ""},
		{Session, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, ""},
		{Trust, `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}}`, ""},
		{ServiceControl, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, orgs},
		{Identity, `{"Version":"2012-10-17","Id":"x","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "Syntax errors in policy."},
		{Resource, `{"Id":"x","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}`, ""},

		// Actions.
		{Identity, action("*"), ""},
		{Identity, action("*:*"), ""},
		{Identity, action("iam: x y "), ""},
		{Identity, action("service-prefix.x:Name"), ""},
		{Identity, action("invalid"), vendorless},
		{Identity, allow(`"NotAction":"","Resource":"*"`), vendorless},
		{Identity, action("a:b:c"), "Actions/Condition can contain only one colon."},
		{Identity, action("a b:c"), "Vendor a b is not valid"},
		{Identity, action("co*:c"), "Vendor co* is not valid"},
		{Identity, action(":c"), "Vendor  is not valid"},
		{Identity, allow(`"Resource":"*"`), noActions},
		{Identity, allow(`"Action":[],"Resource":"*"`), noActions},
		{Identity, allow(`"Action":"invalid"`), vendorless},

		// Resources.
		{Identity, allow(`"Action":"a:b"`), noResources},
		{Identity, allow(`"Action":"a:b","NotResource":[]`), noResources},
		{Identity, resource("arn:aws:s3:::bucket/${aws:username}/*"), ""},
		{Identity, resource("arn:aws:s3:*:111122223333:accesspoint/*"), ""},
		{Identity, resource("arn:*:rds:*"), ""},
		{Identity, resource("arn:aws-cn:s3:::bucket"), ""},
		{Identity, resource(""), `Resource  must be in ARN format or "*".`},
		{Identity, resource("no arn"), `Resource no arn must be in ARN format or "*".`},
		{Identity, resource("no:aws:s3:::arn"), `Resource no:aws:s3:::arn must be in ARN format or "*".`},
		{Identity, resource("a:b"), `Partition "b" is not valid for resource "arn:b:*:*:*:*".`},
		{Identity, resource("arn:b:c"), `Partition "b" is not valid for resource "arn:b:c:*:*:*".`},
		{Identity, resource("arn:b:c:d:e:f:g:h"), `Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".`},
		{Identity, resource("arn:aws"), regexVendor},
		{Identity, resource("arn:aws:s*:::b"), regexVendor},
		{Identity, resource("arn:aws:${aws:username}:::b"), regexVendor},
		{Identity, resource("arn:aws:s3::b"), "The policy failed legacy parsing"},
		{Identity, resource("arn:aws::::b"), "The policy failed legacy parsing"},
		{Identity, allow(`"Resource":"arn:aws:s3::b"`), "The policy failed legacy parsing"},
		{Identity, resource("arn:aws:s3:us-east-1::b"), "Resource arn:aws:s3:us-east-1::b can not contain region information."},
		{Identity, resource("arn:aws:iam:us-east-1::b"), "IAM resource arn:aws:iam:us-east-1::b cannot contain region information."},
		{Identity, resource("arn:aws:iam:::b"), iamPath},
		{Identity, resource("arn:aws:iam:::users/b"), iamPath},
		{Identity, resource("arn:aws:iam:::role"), iamPath},
		{Identity, resource("arn:aws:iam::*:role/x"), ""},
		{Identity, resource("arn:aws:iam::*:ro*"), ""},
		{Identity, resource("arn:aws:iam::*:${aws:x}/y"), ""},
		{Identity, resource("arn:aws:iam::111122223333:root"), ""},
		{ServiceControl, resource("arn:aws:iam*"), orgs},
		{ServiceControl, resource("arn:aws:rds:*"), ""},
		{ServiceControl, resource("arn:aws:rds:x"), orgs},

		// Statement ids.
		{Identity, doc(`{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny"}`),
			"Statement IDs (SID) in a single policy must be unique."},
		{Identity, doc(`{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"*","Resource":"*"}`), ""},
		{Identity, allow(`"Sid":"a-b","Action":"*","Resource":"*"`),
			"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
		{Resource, allow(`"Sid":"a b","Action":"*","Resource":"*","Principal":"*"`), ""},

		// Conditions.
		{Identity, condition(`{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}`), ""},
		{Identity, condition(`{"x":{}}`), ""},
		{Identity, condition(`{"Bool":{"a:B":"true"},"StringEquals":{"A:b":"x"}}`), ""},
		{Identity, condition(`{"Bool":{"a:B":"true","A:b":"true"}}`), "Syntax errors in policy."},
		{Identity, condition(`{"stringEquals":{"a":"b"}}`), "Syntax errors in policy."},
		{Trust, allow(`"Action":"sts:AssumeRole","Principal":"*","Condition":{"stringEquals":{"a":"b"}}`), "Invalid Condition type : stringEquals"},
		{Identity, condition(`{"DateLessThan":{"a":["2026","2026-01","2026-01-02","2026-01-02T10:00:00Z","2026-01-02t10:00:00.123+01:00"]}}`), ""},
		{Identity, condition(`{"DateLessThan":{"a":[1767225600]}}`), ""},
		{Identity, condition(`{"DateLessThanIfExists":{"a":"soon"}}`), "The policy failed legacy parsing"},
		{Identity, condition(`{"DateLessThan":{"a":"9223372036854775808"}}`), "The policy failed legacy parsing"},
		{Identity, condition(`{"DateLessThan":{"a":-1}}`), "The policy failed legacy parsing"},
		{Identity, condition(`{"DateLessThan":{"a":"2026-13-01"}}`), "The policy failed legacy parsing"},
		{Identity, condition(`{"StringLike":{"a":"${b"}}`), ""},
		{Identity, condition(`{"StringLike":{"a":"${}"}}`), "The policy failed legacy parsing"},
		{Identity, resource("arn:aws:s3:::${ }"), "The policy failed legacy parsing"},
		{Inline, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${}"}}`, ""},

		// Principals.
		{Identity, bucket(`"*"`), noPrincipal},
		{Session, allow(`"Action":"*","Resource":"*","NotPrincipal":"*"`), noPrincipal},
		{ServiceControl, bucket(`"*"`), orgs},
		{Resource, action("*"), "Missing required field Principal"},
		{Resource, allow(`"Principal":"*"`), "Missing required field Action"},
		{VPCEndpoint, allow(`"Principal":"*","Action":"*"`), "Missing required field Resource"},
		{Resource, allow(`"NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"`), "Allow with NotPrincipal is not supported."},
		{Resource, doc(`{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`), ""},
		{Resource, bucket(`{"AWS":["*","111122223333","arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:role/a/b","AIDAABCDEFGHIJKLMNOPQ",` +
			`"arn:aws:sts::111122223333:assumed-role/r/s","arn:aws:sts::111122223333:federated-user/f",` +
			`"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"]}`), ""},
		{Resource, bucket(`{"CanonicalUser":"79a59df900b949e5"}`), ""},
		{Resource, bucket(`{"CanonicalUser":"*"}`), `Invalid principal in policy: "CanonicalUser":"*"`},
		{Resource, bucket(`{"AWS":"arn:aws:iam::111122223333:group/g"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:group/g"`},
		{Resource, bucket(`{"AWS":"arn:aws:iam::111122223333:user/*"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"`},
		{Resource, bucket(`{"AWS":"11112222333"}`), `Invalid principal in policy: "AWS":"11112222333"`},
		{Resource, bucket(`{"Service":"s3"}`), `Invalid principal in policy: "SERVICE":"s3"`},
		{Resource, bucket(`{"Service":"*.amazonaws.com"}`), `Invalid principal in policy: "SERVICE":"*.amazonaws.com"`},
		{Trust, trust(`{"Service":["lambda.amazonaws.com","logs.us-east-1.amazonaws.com"]}`), ""},
		{Trust, trust(`{"Federated":["cognito-identity.amazonaws.com","arn:aws:iam::111122223333:oidc-provider/token.example.com/x"]}`), ""},
		{Trust, trust(`{"Federated":"arn:aws:iam::111122223333:role/r"}`), `Invalid principal in policy: "FEDERATED":"arn:aws:iam::111122223333:role/r"`},
		{Trust, trust(`{"CanonicalUser":"79a59df900b949e5"}`), `Invalid principal in policy: "CanonicalUser":"79a59df900b949e5"`},
		{Trust, trust(`{"AWS":[]}`),
			"Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in policy has a statement with no principals!"},

		// Trust policies.
		{Trust, allow(`"Action":"sts:AssumeRole"`), "Missing required field Principal"},
		{Trust, allow(`"Principal":"*"`), "Missing required field Action"},
		{Trust, bucket(`"*"`), "Has prohibited field Resource"},
		{Trust, allow(`"Action":"sts:AssumeRole","Principal":"*","NotResource":"*"`), "Has prohibited field NotResource"},
		{Trust, doc(`{"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":"*"}`), "Has prohibited field NotPrincipal"},
		{Trust, allow(`"Action":["sts:assumerole","sts:TagSession","sts:Assume*"],"Principal":"*"`), ""},
		{Trust, allow(`"Action":"sts:TagSessions","Principal":"*"`), trustAction},
		{Trust, allow(`"Action":"sts:[at]*","Principal":"*"`), trustAction},
		{Trust, allow(`"Action":"lambda:InvokeFunction","Principal":"*"`), trustAction},
		{Trust, allow(`"NotAction":"sts:AssumeRole","Principal":"*"`), trustAction},

		// Resource control policies.
		{ResourceControl, doc(`{"Effect":"Deny","Principal":"*","Action":"s3:*","NotResource":"arn:aws:s3:::b"}`), ""},
		{ResourceControl, doc(`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}`), ""},
		{ResourceControl, bucket(`"*"`), orgs},
		{ResourceControl, doc(`{"Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}`), orgs},
		{ResourceControl, doc(`{"Effect":"Deny","NotPrincipal":"*","Action":"s3:*","Resource":"*"}`), orgs},
		{ResourceControl, doc(`{"Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*"}`), orgs},
		{ResourceControl, doc(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:*"}`), orgs},
	} {
		d, got := Problem([]byte(test.text), test.kind)
		if got != test.want {
			t.Errorf("Problem(%s, %s)\n got %q\nwant %q", test.text, test.kind, got, test.want)
		}
		if (d != nil) != (got == "") {
			t.Errorf("Problem(%s, %s) = %v with message %q", test.text, test.kind, d, got)
		}
	}
}

func TestValidateFindsAllInOrder(t *testing.T) {
	d, err := Parse([]byte(`{
 "Statement": {
  "Effect": "Allow",
  "Action": ["x", "a:b:c"],
  "Resource": "y"
 }
}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range Validate(d, Identity) {
		if !f.Refused {
			continue
		}
		if f.Severity != Error || f.Position != d.Position(f.Span.Start) {
			t.Errorf("finding %+v", f)
		}
		got = append(got, f.Code+" "+string(d.Source[f.Span.Start:min(f.Span.End, f.Span.Start+7)]))
	}
	want := []string{"INVALID_VERSION {\n \"Sta", `INVALID_ARN_RESOURCE "y"`, `INVALID_ACTION "x"`, `INVALID_ACTION "a:b:c"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings: -want +got\n%s", diff)
	}
}

// Thousands of findings must not make validation quadratic in the length of the text.
func TestValidateManyFindings(t *testing.T) {
	text := `{"Statement":{"Effect":"Allow","Action":[` + strings.Repeat("\"x\",\n", 100_000) + `"x"],"Resource":"*"}}`
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	findings := newChecker(d, Inline).refusals()
	last := findings[len(findings)-1]
	if got, want := last.Position, (Position{Line: 100_001, Column: 1}); len(findings) != 100_001 || got != want {
		t.Errorf("%d findings, the last at %v; want 100001 and %v", len(findings), got, want)
	}
}

func TestLocate(t *testing.T) {
	for text, want := range map[string]string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`: "",
		"{\n  \"Version\": 7}": "line 2, column 14 (byte 15): ",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3","Resource":"*"}]}`: "line 1, column 65 (byte 64): ",
	} {
		got := Locate([]byte(text), Identity)
		if (want == "") != (got == "") || !strings.HasPrefix(got, want) {
			t.Errorf("Locate(%s) = %q, want it to begin with %q", text, got, want)
		}
	}
}

// A document made by hand has no source and no places.
func TestValidateDocumentMadeByHand(t *testing.T) {
	d := &Document{Version: Version2012, HasVersion: true, Statements: []Statement{{
		Effect: Allow, Action: []Text{{Value: "iam:PassRole"}}, Resource: []Text{{Value: "*"}},
		Condition: []Condition{{Operator: Text{Value: "Bool"}, Key: Text{Value: "aws:SecureTransport"}, Values: []Text{{Value: "x"}, {Value: "y"}}}},
	}}}
	var got []string
	for _, f := range Validate(d, Identity) {
		if f.Position != (Position{1, 1}) {
			t.Errorf("%s is at %v", f.Code, f.Position)
		}
		got = append(got, f.Code)
	}
	want := []string{
		"INVALID_CONDITION_MULTIPLE_BOOLEAN", "PASS_ROLE_WITH_STAR_IN_RESOURCE", "TYPE_MISMATCH_BOOLEAN", "TYPE_MISMATCH_BOOLEAN",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings: -want +got\n%s", diff)
	}
}
