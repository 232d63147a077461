package reference_test

import (
	"fmt"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/reference"
	"github.com/licet/licet/policy"
)

func ExampleDecide() {
	document, err := policy.Parse([]byte(`{
		"Version": "2012-10-17",
		"Statement": {
			"Effect": "Allow",
			"Action": "s3:GetObject",
			"Resource": "arn:aws:s3:::home/${aws:username}/*",
			"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
		}
	}`))
	if err != nil {
		panic(err)
	}
	policies := authz.Policies{Identity: []authz.Policy{{Name: "home", Document: document}}}

	request := authz.Request{
		Principal: authz.Principal{Kind: authz.User, Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/alice"},
		Action:    "s3:GetObject",
		Resource:  "arn:aws:s3:::home/alice/photo.jpg",
	}
	request.Context.Set("aws:username", "alice")
	request.Context.Set("aws:SourceIp", "192.0.2.7")
	d := reference.Decide(request, policies)
	fmt.Println(d.Allowed, d.By, d.Policy.Name)

	request.Resource = "arn:aws:s3:::home/bob/photo.jpg"
	fmt.Println(reference.Decide(request, policies).Message(request))
	// Output:
	// true identity-based home
	// User: arn:aws:iam::111122223333:user/alice is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::home/bob/photo.jpg because no identity-based policy allows the s3:GetObject action
}
