// Package functionurl provides the operations on the configurations of function URLs.
//
// It never decides whether a call is permitted, writes no policy (AWS's console does, the API does not), and serves no request that comes
// to a URL. A configuration is one record below what belongs to its function, "…/url/<alias>" or "…/url/" of the function itself, and goes
// with the function or the alias. Its id is made once and stays; where clients reach it is the server's to say (Address).
//
// A *Service is safe for concurrent use. After an error nothing was changed.
//
// Sources: the API reference of each operation and botocore's model of API version 2015-03-31 (with 2021-10-31 in the paths); texts and
// shapes of answers as recorded from AWS by LocalStack's snapshot tests (TestLambdaUrl); lambda.md 1.8 and 2.4.
package functionurl
