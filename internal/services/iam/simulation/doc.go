// Package simulation is IAM's policy simulator: it says what policies would decide about requests that nobody makes.
//
// It is pure. It reads no store and checks no input: the caller has parsed the policies and gathered whom they belong to. The decision
// is that of authz, by the very code that enforces it; this package only asks, and puts the answer into AWS's form. A Simulator is
// immutable and safe for concurrent use.
//
// The form is that of https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html. Where a comment says "recorded", a
// published transcript of AWS's answers was followed: it knows more than the page, and other things.
package simulation
