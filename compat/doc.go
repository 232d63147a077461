// Package compat drives a running server with real, unmodified clients: the Go SDK, boto3, the AWS CLI and the JavaScript SDK.
//
// Its tests build the licet binary, start it on a free port with a data directory of their own, and stop it at the end. They run in
// parallel on that server, each with users, roles and functions of its own (fixtures_test.go); those about the server itself start
// others. They use Debian's interpreters by full path and the npm packages of package.json; `make test` installs both.
// LICET_COMPAT_FLAGS are flags for every server, such as "--sandbox process" where containers do not work.
//
// The texts of errors that the tests want are AWS's: those of the sources that the services' errors name.
package compat
