package authz_test

import (
	"encoding/json"
	"fmt"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

func mustParse(text string) *policy.Document {
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return doc
}

func alice(action, resource string) authz.Request {
	return authz.Request{
		Principal: authz.Principal{Kind: authz.User, Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/alice"},
		Action:    action,
		Resource:  resource,
	}
}

func readOnly() authz.Policies {
	return authz.Policies{Identity: []authz.Policy{{Name: "alice/inline/read", Document: mustParse(`{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": ["lambda:Get*", "lambda:List*"], "Resource": "*"},
    {"Sid": "Home", "Effect": "Allow", "Action": "lambda:*", "Resource": "*",
     "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "Bool": {"aws:SecureTransport": "true"}}}
  ]
}`)}}}
}

// Policies are compiled once; a set answers any number of requests, from any number of goroutines.
func ExampleSet_Decide() {
	set := authz.Compile(readOnly())

	req := alice("lambda:GetFunction", "arn:aws:lambda:us-east-1:111122223333:function:f")
	d := set.Decide(&req)
	fmt.Println(d.Allowed, d.By, d.Policy.Document.Statements[d.Statement].Sid)

	req = alice("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:f")
	req.Context.Set("aws:SourceIp", "192.0.2.7")
	req.Context.Set("aws:SecureTransport", "true")
	d = set.Decide(&req)
	fmt.Println(d.Allowed, d.By, d.Policy.Document.Statements[d.Statement].Sid)

	req.Context.Set("aws:SourceIp", "198.51.100.7")
	d = set.Decide(&req)
	fmt.Println(d.Allowed, d.By)
	// Output:
	// true identity-based Read
	// true identity-based Home
	// false identity-based
}

// A server compiles the policies of each caller and of each resource once, and puts them together for a request.
func ExampleSet_WithResource() {
	caller := authz.Compile(authz.Policies{})
	resource := authz.Compile(authz.Policies{Resource: &authz.Policy{Name: "policy of f", Document: mustParse(`{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/alice"},
    "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:us-east-1:111122223333:function:f"}
}`)}})

	req := alice("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:f")
	set := caller.WithResource(resource)
	d := set.Decide(&req)
	fmt.Println(d.Allowed, d.By)
	// Output:
	// true resource-based
}

func ExampleDecision_Message() {
	req := alice("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:f")
	d := authz.Compile(authz.Policies{}).Decide(&req)
	fmt.Println(d.Message(req))
	// Output:
	// User: arn:aws:iam::111122223333:user/alice is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:111122223333:function:f because no identity-based policy allows the lambda:InvokeFunction action
}

func ExampleExplain() {
	req := alice("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:f")
	req.Context.Set("aws:SourceIp", "198.51.100.7")
	req.Context.Set("aws:SecureTransport", "true")
	p := readOnly()
	p.SCPs = [][]authz.Policy{{{Name: "FullAWSAccess", Document: mustParse(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)}}}
	fmt.Print(authz.Explain(req, p).Text())
	// Output:
	// DENIED: User: arn:aws:iam::111122223333:user/alice is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:111122223333:function:f because no identity-based policy allows the lambda:InvokeFunction action
	//
	// who       arn:aws:iam::111122223333:user/alice
	// action    lambda:InvokeFunction
	// resource  arn:aws:lambda:us-east-1:111122223333:function:f
	//
	// service-control      allowed
	//   FullAWSAccess on level 0: allowed
	//     1:37 Allow matches
	// identity-based       implicit deny
	//   alice/inline/read: implicit deny
	//     4:5 Allow "Read" no match: Action
	//         got  lambda:InvokeFunction
	//         want lambda:Get*, lambda:List*
	//     5:5 Allow "Home" no match: Condition
	//         fails  IpAddress aws:SourceIp: got 198.51.100.7; want 192.0.2.0/24
	// not involved: resource control policy, VPC endpoint policy, resource-based policy, permissions boundary, session policy
	//
	// To allow it:
	//   - meet the condition of identity-based policy alice/inline/read at 5:5 "Home":
	//     IpAddress aws:SourceIp wants 192.0.2.0/24; the request has 198.51.100.7
	//     or add to the identity-based policy:
	//     {"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:f"}
	// Judged again with this, the request is allowed.
}

func ExampleSmallestFix() {
	req := alice("lambda:DeleteFunction", "arn:aws:lambda:us-east-1:111122223333:function:f")
	p := authz.Policies{Identity: []authz.Policy{{Name: "guard", Document: mustParse(
		`{"Version":"2012-10-17","Statement":{"Sid":"Keep","Effect":"Deny","Action":"lambda:Delete*","Resource":"*"}}`)}}}
	fix := authz.SmallestFix(req, p)
	text, err := json.MarshalIndent(fix, "", "  ")
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	// Output:
	// {
	//   "changes": [
	//     {
	//       "kind": "remove-statement",
	//       "type": "identity-based",
	//       "policy": {
	//         "name": "guard"
	//       },
	//       "sid": "Keep",
	//       "at": {
	//         "line": 1,
	//         "column": 37
	//       }
	//     },
	//     {
	//       "kind": "add-statement",
	//       "type": "identity-based",
	//       "statement": "{\"Effect\":\"Allow\",\"Action\":\"lambda:DeleteFunction\",\"Resource\":\"arn:aws:lambda:us-east-1:111122223333:function:f\"}"
	//     }
	//   ],
	//   "verified": true
	// }
}
