// Package dispatch is the only door to an operation: needs → decide → record → act.
//
// Whatever asks for an operation (an HTTP request, a log write made for a function, a queue poller) comes here as a service.Call
// with an authenticated caller. Do finds what the operation needs authorized, decides each need from the policies that apply,
// records the decision, and only then runs the operation. It never authenticates, never reads the wire and never writes state of
// its own.
//
// Invariants: no operation runs unless every need was allowed (in enforce mode) and the record is in the decision log. An error
// while finding policies, deciding or recording is answered as InternalFailure; nothing runs. So is a panic, wherever the call
// comes from. An action that the table of AWS's actions does not know is denied. A Dispatcher is safe for concurrent use and holds
// no state but its tables, and the compiled form of policies, which is used only where the policies at hand are those it was made from.
//
// The order of work follows https://docs.aws.amazon.com/IAM/latest/UserGuide/intro-structure.html (how a request is processed).
//
// To add a condition key that every request has: one line in context.go, and its rule in the table of context_test.go.
package dispatch
