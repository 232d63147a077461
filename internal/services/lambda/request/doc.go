// Package request reads what requests to Lambda name and checks the constraints of its model, in AWS's words.
//
// It holds no state and reads no store: whether something exists is for the operations to find out. Errors are those of package fault.
//
// To add a constraint that several resources share: one Text. Those of one resource stand beside its operations.
package request
