// Package landscape holds the principals and resources that files declare before anything is deployed, with the policies that bind them,
// and says what they would be permitted.
//
// Loaders fill a Landscape (internal/cloudformation, internal/terraform, the test files of internal/permissiontest); Explain judges a call
// in it as the server judges one: by package authz, with the keys that package dispatch gives every call. Nothing is read from a network, a
// store or a clock.
//
// What a file leaves open (a value that is imported, or known only after a deployment) is marked by Unknown and stays in the policies. Each
// policy then has two readings, the least and the most that it may permit, and a call is judged by both. Where they agree the answer is
// sure, whatever the value will be; where they do not it is unsure, which is never taken for allowed.
//
// A Landscape is filled by one goroutine. Afterwards it is not changed, and many may ask it.
package landscape
