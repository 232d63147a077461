// Package logs is the slice of CloudWatch Logs that functions and their tools need: log groups with tags and retention, log
// streams, and the events in them.
//
// It keeps state in the store only and never decides, reads no clock (the time is the call's), and starts no goroutine. Inputs
// and outputs are those of the SDK. What it does not have (encryption keys, log classes other than STANDARD,
// deletion protection, linked accounts) is answered NotImplemented, by the member's name. A Service is safe for concurrent use.
// An operation that answers an error has changed nothing; PutLogEvents is one transaction.
//
// Order. An event has a position: its timestamp, then the transaction that brought it, then its index in the batch. Positions are
// unique in a store; event ids and tokens are positions. Events are kept in segments, up to a minute of one batch each, keyed by
// the position of the first event, so that a batch costs few writes; reading merges the segments that overlap.
//
// Behaviour: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html, each operation's page. Resources:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html, and for the ARNs that
// are compared with policies AWS's denials, see target.go.
//
// Keys in the store, where scope is <account>/<region>:
//
//	logs/group/<scope>/<group name>                a group
//	logs/stream/<group id>/<stream name>           a stream
//	logs/event/<group id>/<stream id>/<position>   a segment
//
// To add an operation: its file, and its row in operations.
package logs
