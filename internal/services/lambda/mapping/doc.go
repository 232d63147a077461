// Package mapping provides Lambda's event source mappings as resources: create, get, list, update and delete, with the checks that
// Lambda makes when one is configured.
//
// A mapping is one record under "lambda/<account>/<region>/mapping/<uuid>", with its UUID once more at the keys of its source and function
// under "lambda/<account>/<region>/mapping-source/" (duplicate.go). Nothing here reads a source: that is the work of pollers,
// which do it with the function's execution role. What the poller will need is simulated with that role beforehand, as AWS does
// (lambda.md 5.3), and what is missing is named in AWS's words.
//
// Which members a source takes, their defaults and the permissions that reading it needs are the table of sources (source.go).
//
// Sources: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html, botocore's model of API version 2015-03-31
// for constraints, lambda.md 5 for texts. Texts that no source gives are marked "ours".
//
// To add a kind of source: one entry in sources. A member: settings.go, and its line in members.
package mapping
