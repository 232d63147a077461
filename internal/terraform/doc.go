// Package terraform reads plans of Terraform and OpenTofu (terraform show -json) for what they declare of permissions: users, roles and
// their policies, functions, the resources that have policies, and the calls that must be allowed for what is configured to work.
//
// It runs nothing and asks nobody. A plan tells values that are known before it is applied; of the others it tells only to what their
// expressions refer, not how. ARNs that follow from account, region and name are computed. A reference is followed where AWS would accept
// nothing but the value itself (the role of a function, the policy of an attachment), and from a policy to the document that it is. What may
// have something after it (the resources of a statement, an API as the source of a permission) starts with the ARN and ends unknown; a text that
// jsonencode makes of what is unknown is wholly so: landscape.Unknown, with a note by the address of the resource.
//
// The format is https://developer.hashicorp.com/terraform/internals/json-format, major versions 0 and 1; a state in it is read as well.
// Arguments and attributes are those of https://registry.terraform.io/providers/hashicorp/aws/latest/docs.
//
// The package is pure; Load may be called by many goroutines. To add a resource type that only has a name and an ARN: a row of kinds. One
// with permissions: a row of readers.
package terraform
