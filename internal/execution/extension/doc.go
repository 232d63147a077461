// Package extension is the state machine of a function's extensions and the Extensions API 2020-01-01 that drives it.
//
// It starts and ends no process, keeps no time and writes no log: the owner of a Set does. A Set serves one run of a runtime and of
// the extensions beside it; the next run has a new one. It is safe for concurrent use, and no method of it waits, but for requests
// for the next event. After End these are cut off. An event that nobody fetches is replaced by the next: at most one is kept for
// each extension, of which there are at most ten.
//
// Operations, states and texts are those of Lambda's own agent, as its public source has them
// (https://github.com/aws/aws-lambda-runtime-interface-emulator, internal/lambda: rapi/handler, rapi/middleware, core), and
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html.
//
// To extend: an operation is a case in Set.operation; an event is a method like Invoke.
package extension
