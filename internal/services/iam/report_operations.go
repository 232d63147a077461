package iam

import "github.com/licet/licet/internal/service"

// reportOperations is the table of what tells about an account as a whole and about what was used.
func (s *Service) reportOperations() []service.Operation {
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
