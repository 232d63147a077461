// Package authz decides whether AWS's policies let a request pass, and says why.
//
// Compile turns Policies into a Set, once; Set.Decide answers a Request from it, in well under a microsecond as a rule and without
// allocating. Set.Trace answers with the whole walk, Explain with all that can be said about a decision: what each type of policy says,
// the first element that kept each statement from matching, the condition keys that were asked for and absent, AWS's denial text, and
// the smallest change of policies that would let the request pass. Package authz/reference decides the same, slowly and plainly; the
// two are fuzzed against each other.
//
// Everything here is pure: no I/O, no clock, no network; time, address and tags arrive in the Request. The one thing kept between
// calls is memory for reuse. A Set is immutable and safe for concurrent use, as long as nobody changes the documents it was made from
// or the request being decided. A decision is denied unless it says Allowed: the zero Decision denies. Nothing fails: what cannot be
// decided is denied.
//
// # How it is done
//
// Comparing a request with an element has three outcomes: yes, no, and unknown for what cannot be understood, which keeps an Allow
// from matching and makes a Deny match (truth.go). Each type of policy is compiled into a group (compile.go): its statements, split
// into steps, the cheapest first; the equal conditions of all statements as one atom; an index by action. Groups of many statements
// have an index by the value of condition keys, too (column.go). Patterns take time linear in their length, whatever their wildcards
// (pattern.go, places.go). decide.go asks the groups, combine.go makes the decision, trace.go writes down the same walk.
//
// AWS's behaviour is cited from the IAM User Guide, and from the project's checklist of it as "iam.md D6".
//
// To add a condition operator: its name in policy.ParseOperator, a row in familyOf and, if it reads values in a new way, a family with
// its file; the same in authz/reference; cases in testdata. To add a policy type: a PolicyType, its field in Policies, a typeIndex at
// its place in the order, its words in PolicyType.inWords, and its case in fixer.add. To add a principal kind: a PrincipalKind, its
// matches in principal.go, its spelling in principalFor.
package authz
