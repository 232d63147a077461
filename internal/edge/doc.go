// Package edge is the front door: HTTP requests become authenticated service.Calls, and answers become HTTP responses.
//
// A request's way: find the service (credential scope) → read the body within limits → verify the signature → decode →
// dispatch → encode. The package decides nothing about permissions; that is dispatch's work. A request whose signature cannot be
// read is refused in the protocol in which it makes sense. Its own pages live below /_licet/: health, metrics, the decision log
// (for the account's root only, without what belongs to other accounts) and the downloads that Code.Location points to (sealed,
// expiring links). Requests to function URLs are a service like others, told by host or path (Config.ServiceOf); their codec says of each
// whether anybody is authenticated.
//
// Every AWS answer carries x-amzn-RequestId. A panic is caught, counted, logged and answered as InternalFailure; an answer that has
// begun is broken off. What is not an *awserr.Error never reaches a client. Bodies are bounded one by one and all together, and
// neither they nor answers may take longer than some minutes. A Server is safe for concurrent use; after Close it runs nothing,
// whichever listener a request comes by.
//
// Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html and lambda.md 6; for the rest see sigv4 and
// protocol.
//
// To add a page: one line in routes. A service needs nothing here.
package edge
