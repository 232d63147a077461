// Package leastpolicy writes the least identity-based policy that allows what was seen, and compares it with the policies there are.
//
// It is pure: requests in, a document out, no I/O and no clock. Safe for concurrent use.
//
// Invariants, held by a fuzz test that replays the requests with authz: the document allows every request it was made from, by itself; and it
// has nothing too much: without any one of its statements, of a statement's actions, or of its resources, one of the requests is denied.
// With Exact it allows no other action and no other resource, but log streams whose names Lambda makes up. After an error there is no document.
//
// Actions stand in one statement when they were seen on the very same resources under the same condition, for else it would allow pairs that
// were not seen. Conditions are written where AWS recommends them because the action hands on power (iam:PassRole), or where nothing but a
// condition can limit an action whose resource is *: see conditionOf. To add one: a row there.
package leastpolicy
