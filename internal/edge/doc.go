// Package edge is the front door: HTTP requests become authenticated service.Calls, and answers become HTTP responses.
//
// A request's way: read the body within limits → find the service (credential scope) → verify the signature → decode → dispatch →
// encode. The package decides nothing about permissions; that is dispatch's work. Its own pages live below /_licet/: health, metrics,
// the decision log (for the account's root only) and the downloads that Code.Location points to (sealed, expiring links).
//
// Every AWS answer carries x-amzn-RequestId. A panic in an operation is caught, counted, logged and answered as InternalFailure. What
// is not an *awserr.Error never reaches a client. A Server is safe for concurrent use.
package edge
