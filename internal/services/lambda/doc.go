// Package lambda provides the operations of AWS Lambda on functions: their life cycle, versions, aliases, tags, concurrency,
// and Invoke.
//
// It never decides whether a call is permitted: its table of operations says what each one needs, and dispatch judges. It never
// runs code: a Runner does. It reads no clock (a call brings its time) but for asynchronous invocations, and opens no
// connection.
//
// A function is one record under "lambda/<account>/<region>/function/<name>" with its $LATEST version; what belongs to it (published
// versions, aliases, and the resource-based policies of all of these) stands under "lambda/<account>/<region>/of/<name>/" and goes
// with it. Only the number of its last version outlives it, under "lambda/<account>/<region>/published/<name>". Environment variables
// are encrypted in the records, which are read through caches, so that a warm Invoke reads no store and decodes nothing, and the
// *policy.Document of a function is the same pointer while its policy is unchanged. Code is kept in the blob store by its SHA-256, and
// unpacked on first use into <CodeDir>/<hash>, which all functions with that code share, read-only; so are the layers of a function,
// merged in their order. A version keeps what it needs of its layers, which may be deleted. Functions of another account are found by
// the account in their ARN; whether the caller may use them is decided by both accounts' policies. What functions have of an account's
// concurrency for themselves is one record, "lambda/concurrency/<account>/<region>"; Run keeps the Runner's provisioned
// environments as it says.
//
// Invariants: code is checked and durable before the function that names it; a stored policy always parses; what an operation
// cannot do is refused with NotImplemented naming the member, never ignored. A *Service is safe for concurrent use. After an error
// nothing was changed, except that code may have been stored which no function names. After a crash CodeDir may hold unfinished
// directories, and after a loss of power incomplete ones: Sweep removes them.
// RunCode removes what is not needed any more meanwhile. BUG: blobs that no function names any more are not deleted.
//
// Requests to function URLs are a service of their own behind the door (FunctionURLRequests), which runs functions as Invoke does.
//
// The folders below are rooms of their own. All share the words of request, fault and tag; bundle has archives of code; layer,
// resourcepolicy, functionurl, mapping (event source mappings) and signing (code signing configurations) have a resource each, hand their
// rows to the table here, and declare what they need of functions as interfaces.
//
// Sources: https://docs.aws.amazon.com/lambda/latest/api/ for operations, botocore's model of API version 2015-03-31 for
// constraints, and for error texts answers recorded from AWS (lambda.md 1.2, 1.3, 3.1, 6.1, 7.1).
//
// To add an operation: one file named after it, with a function that reads the reference from the input and validates it, and a
// handler; one row in operations.go. To add a member of a function's configuration: settings.go (validate and apply, and
// its line out of unsupported), the record in function.go, and configuration.go.
package lambda
