// Package request has the words in which IAM speaks with its callers: the constraints of members, the errors, lists in pages, tags.
//
// It reads no store and knows no identity: whatever it says follows from the request. Its values are immutable and safe for concurrent
// use. The texts are those of AWS, recorded, unless a comment says otherwise; the limits are those of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
//
// To add a constraint of the API model: a pattern in constraint.go. To add an error that one operation alone has: not here, beside it.
package request
