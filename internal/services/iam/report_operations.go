package iam

import "github.com/licet/licet/internal/service"

// reportHandlers are the operations that tell about an account.
type reportHandlers struct {
	*Store
	lastUsed *LastUsed
	actions  Actions
	usage    Usage
}

// reportOperations is the table of what tells about an account as a whole and about what was used.
func reportOperations(t *Store, used *LastUsed, a Actions, u Usage) []service.Operation {
	s := &reportHandlers{Store: t, lastUsed: used, actions: a, usage: u}
	return []service.Operation{
		op("GenerateServiceLastAccessedDetails", byARN(s.onReported), s.generateServiceLastAccessedDetails),
		op("GetServiceLastAccessedDetails", anywhere, s.getServiceLastAccessedDetails),
		op("GetServiceLastAccessedDetailsWithEntities", anywhere, s.getServiceLastAccessedDetailsWithEntities),

		op("ListPoliciesGrantingServiceAccess", byARN(s.onArn), s.listPoliciesGrantingServiceAccess),

		op("GetAccountSummary", anywhere, s.getAccountSummary),
		op("GenerateCredentialReport", anywhere, s.generateCredentialReport),
		op("GetCredentialReport", anywhere, s.getCredentialReport),
	}
}
