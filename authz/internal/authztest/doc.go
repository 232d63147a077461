// Package authztest holds what every evaluator of authz must pass: the corpus of ../testdata, and laws that hold whatever the
// policies say, checked on requests and policies that a generator makes from bytes.
//
// Tests of authz and authz/reference use it, and nothing else does. It knows no evaluator: they arrive as functions. Everything is
// deterministic: the same bytes make the same request and the same policies, so that a fuzzer can work on them.
//
//	corpus.go   the cases of ../testdata, whose README describes them
//	generate.go, statement.go   requests and policies from bytes; vocabulary.go is what they are made of
//	laws.go, rewrite.go   what holds for all of them
//	describe.go   both in words, for a test that fails
//
// To add a case, write it in ../testdata. To add a law, add a method to check.all, or a row to rewritings. What the generator cannot
// make, no law has been tried on: to add an operator, a kind of principal or a form of an element, add it to the vocabulary too.
package authztest
