// Package execution runs functions: it makes execution environments, hands them events over the Runtime API, and writes their
// logs.
//
// It never authenticates, authorizes or reads the store: the caller resolves the function and decides; role credentials and log
// writing come in as functions of Config. It runs no code itself: a sandbox.Driver does.
//
// An environment is one sandbox with two listeners, the Runtime API and the AWS endpoint, in which the runtime runs, and beside it the
// extensions of the function's layers (companions.go; their state is the folder extension's). It serves one invocation at a time and
// is reused while warm, last used first. Provisioned ones are made before they are needed, taken first, and kept (provision.go).
// Manager is safe for concurrent use. An environment has one owner at a time: the pool, an invocation, its own start or its own close;
// only what its fields say is shared. Lock order: Manager.mu before generics.mu before starts.mu; output.mu before logStream.mu.
//
// An invocation that finds no idle environment waits when one is soon to be free (queue.go). A cold start waits for its function's turn
// (starts.go), and takes a sandbox that was made beforehand if there is one: for each runtime in use some wait, without anything of a
// function, and each becomes the environment of one (generic.go). One of a version with SnapStart goes through the Restore phase after it was
// initialized (restore.go). The Runtime API's two common requests come nowhere near net/http (lane.go).
//
// Errors: Invoke returns an error when the function did not run (ErrThrottled, ErrRole, ErrSnapStart, ErrClosed, a failing driver); what the
// function did wrong is a Result with FunctionError. After a timeout or a crash the sandbox and its /tmp are kept and all
// processes are started again for the next invocation; after a driver's error the environment is thrown away. Nothing is durable:
// after a crash of the server the driver removes what was left, and log lines not yet written are lost.
//
// Sources: the Runtime API, phases, texts and environment variables follow lambda.md 7.1 and 7.5–7.7, which rest on
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, runtimes-api.html and configuration-envvars.html.
//
// To extend: a Runtime API path is a case in runtimeAPI.operation; a new way for an invocation to end is a constructor in
// outcome.go; a variable is a line in variables.go.
package execution
