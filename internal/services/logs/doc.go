// Package logs is the part of CloudWatch Logs that functions and their tools need: log groups with tags and retention, log streams,
// the events in them, and filters that count events or hand them to functions.
//
// It keeps state in the store only and never decides. Operations read no clock (the time is the call's) and start no goroutine;
// Deliver and Expire are the server's own work. Inputs and outputs are those of the SDK. What it does not have is answered
// NotImplemented: members by name, operations (see later.go) after the decision. A Service is safe for concurrent use. An operation
// that answers an error has changed nothing; PutLogEvents is one transaction, with the notes of what is to be delivered.
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
//	logs/size/<group id>                           the size of a group's events
//	logs/metric/<group id>/<filter name>           a metric filter
//	logs/subscription/<group id>/<filter name>     a subscription filter
//	logs/delivery/<group id>/<filter id>/<batch>   a note of what a subscription filter is to deliver
//
// Rooms below: pattern reads filter patterns, subscription makes what functions get.
//
// To add an operation: its file, and its row in operations.
package logs
