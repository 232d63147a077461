// Package async keeps the events of asynchronous invocations until functions have run with them, and does so: again after an error,
// and later when there is no room. How an event ended it writes to the function's destination or dead-letter queue.
//
// It never authorizes and never runs code: the operation that brings an event was judged, Functions runs it, and what is written
// elsewhere is a call of the function's execution role, which Roles makes through the door.
//
// An event that Accept took is durable, in one transaction with the decision that let it in, and stays until a function has run with it,
// it is given up, or its function is deleted. Its order and its state stand under
// "lambda/event/<server>/<account>/<region>/<name>/<when it is due>-<request id>", what it carries under
// "lambda/payload/<account>/<region>/<name>/<request id>", so that looking for work reads no payloads. A function runs at least once:
// after a crash, and after an end in the middle of a run, it may run with the same event again, or its destination get a second record.
// What came of a run while the store failed waits in memory to be written.
//
// The events of a function are a line. Lines share the workers: none may hold more of them than it leaves free, so that one that is long,
// or slow, does not keep others waiting; the room of one that is throttled shrinks until it is not. In memory are the lines that have
// events, and the events that run. Which run is known in memory only. A *Queue is safe for concurrent use.
//
// An event belongs to the server that took it in, which alone runs it and needs to ask nobody. Those of a server that is gone, or that was
// not told of servers, the others take over. A server that was only cut off finds them gone when it is back; what it runs then runs twice.
//
// Sources: lambda.md 7.2 and https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html, its pages on error handling and on
// retaining records.
//
// To add a kind of destination: a case in send.
package async
