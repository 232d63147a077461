// Package sigv4 verifies that a request was signed with AWS Signature Version 4 by the holder of a secret key.
//
// It never looks up a key, authorizes, reads a clock or, but in Payload.Body, reads a body: the caller passes them. It does not say
// whether a session token is good, only that it was signed. All of it is safe for concurrent use, but for what Payload.Body gives.
//
// To authenticate a request: Parse it, look up the secret key, then Verifier.Check. What Parse gives is the client's word until
// Check returned nil. A request without any authentication is ErrUnsigned, and no other is: some operations take anonymous calls.
//
// What is verified is what came over the wire: the path and query of the request line, the Host header, the signed headers and the
// body. The host and every x-amz- header must be signed. Paths are normalised before they are signed, so a handler must not give a
// meaning to dot segments or doubled slashes.
//
// Every failure is an *Error; its method AWS gives the answer for a client. The texts are AWS's as clients report them. Stricter
// than AWS: every x-amz- header must be signed for all services, as S3 demands, the session token not excepted, so that none can
// be changed on the way.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and, for the texts,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html.
//
// S3 signs what a header says of the payload: CheckPayload verifies the rest of the request before the payload is read, and Payload.Body
// the payload while it is, also one that comes in chunks with signatures of their own.
//
// Derived signing keys, good for one day, region and service, are kept in memory; secret keys are not.
package sigv4
