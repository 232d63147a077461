// Package cloudformation reads templates of CloudFormation and SAM for what they declare of permissions: users, roles and their policies,
// functions, the resources that have policies, and the calls that must be allowed for what is configured to work.
//
// It deploys nothing and asks nobody. Intrinsic functions are resolved as far as the template and the parameters go; names that AWS makes up
// are placeholders, the same wherever the template refers to them. What cannot be known (an import, a dynamic reference, an attribute that a
// service makes up, a condition on such) is marked by landscape.Unknown, and a note says where. Resource types that have nothing to do with
// permissions are passed over; one that could grant something and is not read leaves a note.
//
// SAM's transform is done here as far as it is about permissions: roles, policy templates, event sources, aliases, URLs.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-reference.html,
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
//
// The package is pure; Load may be called by many goroutines. To add a resource type that only has a name and an ARN: a row of kinds. One
// with permissions: a row of readers. An event of SAM: a row of events.
package cloudformation
