// Package policylint finds what is wrong in policies before they are saved: what package policy finds by the language alone, and what only
// shows when the actions, resource types and condition keys of AWS's services are known.
//
// A Linter is pure: texts come in, findings go out. It reads no file, asks nobody and judges no call; it may be used by many goroutines.
// Time is linear in a text, but for comparing resources with the ARNs of resource types, which ends after a fixed number of steps: what is
// left then is not reported. Every text ends in findings or in none.
//
// The codes are those of IAM Access Analyzer where it has the check
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html); ResourceOfOtherType is ours. The texts are
// ours, but for AWS's answer to what it would refuse. What is known of services is the Service Authorization Reference, as package awsdata
// has it: an action younger than the tables is reported as unknown.
//
// To add a check: a method of checker, called in vocabulary, and a case in testdata.
package policylint
