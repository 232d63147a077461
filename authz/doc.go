// Package authz holds the words of an authorization decision: the Request, the Policies that may apply to it, and the Decision with
// the walk that led to it; and what can be said about one: AWS's denial text (Decision.Message), a report for a person (Explain) and
// the least change that would allow it (SmallestFix).
//
// The evaluator is package authz/reference. Everything here is pure: no I/O, no clock, no state. Values are plain data; they may be
// read by any number of goroutines while nobody changes them. Nothing here reads the policies' texts but SmallestFix, which parses
// the statement that it proposes. A decision is denied unless it says Allowed: the zero Decision denies.
//
// AWS's behaviour is cited from the IAM User Guide, and from our checklist of it as "iam.md D6".
//
// To add a policy type: a PolicyType, its field in Policies, its words in PolicyType.inWords, its place in the evaluator's order and
// in SmallestFix. To add a principal kind: a PrincipalKind, its matches in the evaluator, its spelling in principalFor.
package authz
