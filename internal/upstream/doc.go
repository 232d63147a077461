// Package upstream judges calls of AWS services that licet does not have, and passes those that are permitted on to a server that has
// them: DynamoDB Local, another emulator, AWS itself.
//
// Services makes a service.Service of any service that package awsdata knows. It reads a request as far as that tells the operation
// (X-Amz-Target, Action, the path of Smithy RPC, or a REST route of AWS's models) and what it is about, finds the action and the
// resource, and leaves the judgement to dispatch, as every service does. A call that was let through is signed again, with credentials
// for the server it goes to, or answered with NotImplemented where none is configured. Nothing of the caller's credentials goes on.
//
// What only the server behind knows is not known here: tags of resources, resource-based policies, the key behind an alias. A
// service.Doubt says so, and dispatch lets no call pass by it. An operation that is not known, or that says the same thing twice, is
// refused: what is judged must be what is done.
//
// It keeps no state, and everything is safe for concurrent use. An error means that nothing was passed on, but for one that says that the
// upstream did not answer: what became of the call then is not known.
//
// Sources: Service Authorization Reference
// (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html) and AWS's
// service models, both in awsdata; https://smithy.io/2.0/aws/protocols/index.html. Rules of single services cite theirs.
//
// To teach it a service whose operations are not simply its actions, or whose requests name resources in their own way: a rule in rules.
package upstream
