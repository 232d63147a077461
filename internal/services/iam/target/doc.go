// Package target says what an operation of IAM is about: it makes the rows of the tables (Op), finds the ARN and condition keys of their
// resources, and has the Store by which operations read and change identities and managed policies.
//
// It never authorizes: dispatch decides by what it says. Who may not act learns nothing from a target: what does not exist has an ARN as
// if it did. After an error nothing was changed, after an answer the change is durable. A Store is safe for concurrent use; what it reads
// comes from memory and must not be changed.
//
// Which action has which resource and keys:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html. To add a condition key:
// a function of the type Keys here, or beside the only operation that has it.
package target
