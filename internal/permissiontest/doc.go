// Package permissiontest reads files of permission tests and runs them: who is expected to be allowed what, and who not.
//
// A file names its sources (templates, plans), declares further principals and resources, and lists tests; docs/TESTING.md is its manual.
// Read is strict: what it does not know, or could mean two things, is an error with line and column, so that no test is passed over. Each
// test stands for cases, one for each principal, action and resource. A case has passed when the decision is as expected, and sure: one that
// depends on what a source leaves open has not.
//
// The package reads files by the function that it is given, and decides nothing itself: a Decider does, which is the file's landscape, or a
// running server. Results are written for people, as JSON, as JUnit's XML, and as GitHub's annotations, by a function each. A File is not
// changed once it was read; Run asks the Decider from many goroutines.
//
// To add a kind of source: a Loader, joined in cmd/licet. To add an expectation: an Expected, its key in readTest, its rule in judge.
package permissiontest
