// Package policy reads, checks and writes documents of the AWS policy language.
//
// Parse turns a text into a Document that keeps the byte positions of everything a reader of an explanation wants to see. Validate
// says what keeps a document from being saved as a policy of a Kind, and what Access Analyzer would remark on it; Findings does so
// for a text, Problem puts parsing and saving together for a service that saves policies, Limit and Size are AWS's quotas and how
// they count, Print writes a document, Format a text as people read it, and RewritePrincipals gives it other principals.
// ParseOperator and SplitVariables take condition operators and policy variables apart, so that whoever evaluates a policy and
// Validate read them alike. GlobalKeys and LookupKey know the global condition keys.
//
// The package never evaluates a policy: that is package authz. It does no I/O, reads no clock, and knows no list of actions,
// resource types or principals, and of condition keys the global ones alone. It depends on the standard library alone.
//
// A Document is immutable once made and safe for concurrent use. Document.Source is a copy that nobody else holds. Every text
// ends in a document or in a *SyntaxError with a position, in time linear in its length and with bounded nesting; a text is
// never half understood: unknown and duplicate elements are errors, so that what AWS would refuse or read otherwise cannot grant
// anything.
//
// The language follows the IAM User Guide: the grammar (reference_policies_grammar), the elements (reference_policies_elements),
// condition operators (reference_policies_elements_condition_operators) and variables (reference_policies_variables). Element
// names and operators are compared exactly, case included. A finding that is Refused has AWS's own message where one is known; its
// code, and the other checks, are those of access-analyzer-reference-policy-checks, in our words. In comments iam.md is the
// project's checklist of IAM semantics.
//
// To add an element: a field of Statement, a case in parser.element, a line in printer.statement. To add an operator: its name
// in isOperator, its family, then its meaning in authz. To add a kind: a constant, its rules and its quota in kind.go. To add a
// check: a method of checker, at its place in refusals or anywhere in remarks, and cases in testdata. To add a global key: a line in
// keys.go.
package policy
