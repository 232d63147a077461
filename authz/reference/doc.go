// Package reference decides a request by the text of the AWS documentation: slowly, and as plainly as we can write it.
//
// Decide is the oracle of the compiled evaluator in package authz, which answers and explains in production; the two are fuzzed against
// each other. It never stops early: every statement of every policy that binds the caller is in the trace, which holds what both must
// agree on: the first element that failed, how the caller was named, which conditions held. It never does I/O, reads no clock and
// keeps no state, so that any number of goroutines may call it, as long as nobody changes the request's context meanwhile. It never
// fails: what cannot be decided is denied.
//
// # Unknown is not false
//
// Comparing a request with an element has three outcomes: yes, no and unknown. Unknown is what cannot be understood: an operator
// that AWS does not have, a number that is none, an element that the statement needs and lacks. An Allow does not match on unknown;
// a Deny does (iam.md C15, D17). Where AWS's documentation leaves a question open and the safe answer differs between Allow and
// Deny, the answer is unknown, too; docs/DIFFERENCES.md lists these.
//
// # Where things are
//
//	decide.go     which policies bind which caller, and what each type of policy says
//	combine.go    how those verdicts make a decision: single account, cross-account, the table of match kinds
//	statement.go  one statement: its elements in order
//	principal.go, action.go, resource.go, condition.go   one element each
//	string.go, numeric.go, date.go, bool.go, binary.go, ip.go, arn.go   one family of condition operators each
//	variable.go, pattern.go, truth.go   policy variables, wildcards, three-valued logic
//
// Sources: the IAM User Guide (pages named at each rule) and our checklist of it, cited as "iam.md D6". The corpus in
// ../testdata has a case for each line of it.
//
// To add a condition operator: its name in policy.ParseOperator, a comparison in its family's file, a row in comparisonOf, and
// cases in ../testdata.
package reference
