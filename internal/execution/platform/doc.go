// Package platform has the events that Lambda itself tells of an execution environment, and the forms in which it tells them: a line of
// a text log, a line of a JSON log, and a record of the Telemetry API or the Logs API.
//
// It does no I/O and reads no clock. An Event is its owner's: rendering reads it and keeps nothing of it, so that one that is reused for
// the next invocation costs nothing. Errors: none; every event has every form, or none of that form.
//
// Sources: types and fields are those of https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html and of Lambda's own
// agent (https://github.com/aws/aws-lambda-runtime-interface-emulator, internal/lambda/interop/events_api.go); functionArn, instanceId and
// instanceMaxMemory, and numbers with microseconds, are as logs of AWS from October 2026 have them. The Logs API's are those of
// runtimes-logs-api.html in the same guide, levels those of monitoring-cloudwatchlogs-log-level.html. Text lines: lambda.md 7.7.
//
// To extend: an event is a type with the methods of Event.
package platform
