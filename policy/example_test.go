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
