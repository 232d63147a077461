// Package subscription tells extensions what happens in their execution environment: the Telemetry API 2022-07-01 and the Logs API
// 2020-08-15, by which they subscribe, and the delivery to them.
//
// It starts no process and writes no log: the owner of a Stream does. A Stream serves one run of a runtime and of the extensions
// beside it; the next run has a new one. It is safe for concurrent use. Telling never waits: each subscriber has a buffer of twice
// what it asked for, at most 2 MiB and 20,000 records beside those that are being delivered, and what does not fit is dropped,
// counted, and told to it as platform.logsDropped. What is delivered goes to a port of the sandbox, by the Dial of Config, and
// nowhere else; it arrives in order, by HTTP at least once unless all tries fail. After End nothing is left running, and what was
// not delivered is lost.
//
// Operations, limits and defaults: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html, telemetry-api-reference.html and
// runtimes-logs-api.html. What the guide leaves open is as in https://github.com/aws/aws-lambda-runtime-interface-emulator
// (internal/lambda/rapi/handler/runtimelogs.go and, below internal/lambda-managed-instances, aws-lambda-rie/internal/telemetry):
// the shape of TCP destinations, the replay of what was told before a subscription, error types and texts of those that come too
// late. Times between tries and the texts of most validation errors are ours.
//
// To extend: a field of subscriptions is one of request and a check in read; an event needs nothing here.
package subscription
