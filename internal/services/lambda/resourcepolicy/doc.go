// Package resourcepolicy provides the operations on resource-based policies of functions, versions and aliases, and finds the policy
// that is consulted for a request.
//
// It never decides whether a call is permitted, and never looks at functions itself: Functions does. A policy is one record below what
// belongs to its function, "…/policy/<qualifier>": a document in which users and roles stand by their unique ids, so that who is made
// again under an old name inherits no grant and who is renamed keeps it (iam.md P4). It has at least one statement, and always parses.
// AddPermission appends a statement to it, RemovePermission takes one out, PutResourcePolicy replaces all of it.
//
// Which policy is consulted is Consulted's to say, and nobody else's. A *Service is safe for concurrent use. After an error nothing was
// changed.
//
// Sources: lambda.md 1.1 to 1.5 and 1.7; https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html of 2026, and
// the API reference of each operation.
package resourcepolicy
