// Package payload converts between HTTP and what functions behind a URL see of it: payload format 2.0, and the form of streamed responses.
//
// It is pure: it reads no clock, opens nothing, decides nothing. Functions are untrusted: an answer that is none is an error, and no header
// of one can end its own line or frame the message. Everything is safe for concurrent use but a Splitter.
//
// Sources: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html; for what the page leaves open events and answers recorded from
// AWS: aws/aws-lambda-go (lambdaurl/testdata), LocalStack's snapshots (TestLambdaURL), and what users of AWS have published.
package payload
