// Package functionurl provides the operations on the configurations of function URLs, and requests to the URLs.
//
// It never decides whether a call is permitted: its rows say what a request needs, and dispatch judges; nor does it write policies (AWS's
// console does, the API does not). It runs nothing: a Runner does.
//
// A configuration is one record below what belongs to its function, "…/url/<alias>" or "…/url/" of the function itself, and goes with the
// function or the alias. Its id is made once and stays; where clients reach it is the server's to say (Address). What an id is the URL of is
// the record "lambda-url/<id>", written and deleted in the same transactions; an id counts only if its configuration has it, too. Both are
// read through caches.
//
// A request is a service of its own to dispatch (Requests): it signs as Lambda's, but nothing else of it is as in Lambda's API. The codec
// finds the URL by host or path, and whether callers must sign; the two permissions are needs of one call, so that one record of the decision
// log has both; package payload makes the event and reads the answer. A preflight of a browser is an operation, too, for nothing goes past
// the door.
//
// A *Service is safe for concurrent use. After an error nothing was changed; a function may have run.
//
// Sources: the API reference of each operation and botocore's model of API version 2015-03-31 (with 2021-10-31 in the paths); the pages
// urls-auth, urls-configuration, urls-invocation and urls-monitoring of the developer guide; texts and shapes of answers as recorded from AWS
// by LocalStack's snapshot tests (TestLambdaUrl, TestLambdaURL); lambda.md 1.8 and 2.4.
package functionurl
