package policy_test

import (
	"fmt"

	"github.com/licet/licet/policy"
)

func ExampleParse() {
	d, err := policy.Parse([]byte(`{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "logs:*"], "Resource": "*"}
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range d.Statements[0].Action {
		p := d.Position(a.Span.Start)
		fmt.Printf("%s at %d:%d\n", a.Value, p.Line, p.Column)
	}
	// Output:
	// lambda:InvokeFunction at 3:47
	// logs:* at 3:72
}

func ExampleParse_error() {
	_, err := policy.Parse([]byte("{\"Statement\": [\n  {\"Effect\": \"allow\"}\n]}"))
	fmt.Println(err)
	// Output:
	// line 2, column 14: Effect is "allow"; it must be "Allow" or "Deny"
}

func ExampleValidate() {
	d, err := policy.Parse([]byte(`{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": ["iam:PassRole", "s3:GetObject", "s3:Get*"],
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red*"}}
  }
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range policy.Validate(d, policy.Identity) {
		fmt.Printf("%d:%d %s %s %s\n", f.Position.Line, f.Position.Column, f.Severity, f.Code, d.Source[f.Span.Start:f.Span.End])
	}
	// Output:
	// 5:32 SUGGESTION REDUNDANT_ACTION "s3:GetObject"
	// 6:17 SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE "*"
	// 7:61 WARNING WILDCARD_WITHOUT_LIKE_OPERATOR "red*"
}

func ExampleFindings() {
	text := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "my-bucket"}]}`
	for _, f := range policy.Findings([]byte(text), policy.Identity) {
		fmt.Println(f.Refused, f.Code, f.Message)
	}
	// Output:
	// true INVALID_ARN_RESOURCE Resource my-bucket must be in ARN format or "*".
}

func ExampleLookupKey() {
	k, ok := policy.LookupKey("aws:MultiFactorAuthPresent")
	fmt.Println(ok, k.Type, k.Multi, "present", k.Present)
	// Output:
	// true Bool false present only with temporary credentials
}

func ExampleProblem() {
	_, message := policy.Problem([]byte(`{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "my-bucket/*"}
}`), policy.Identity)
	fmt.Println(message)
	// Output:
	// Resource my-bucket/* must be in ARN format or "*".
}

func ExampleSplitVariables() {
	for _, p := range policy.SplitVariables("arn:aws:s3:::home/${aws:username, 'nobody'}/${*}") {
		switch p.Kind {
		case policy.Literal:
			fmt.Printf("literal %q\n", p.Text)
		case policy.Escaped:
			fmt.Printf("escaped %q\n", p.Text)
		case policy.Variable:
			fmt.Printf("value of %s, else %q\n", p.Text, p.Default)
		}
	}
	// Output:
	// literal "arn:aws:s3:::home/"
	// value of aws:username, else "nobody"
	// literal "/"
	// escaped "*"
}
