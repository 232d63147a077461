package report

import (
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/target"
)

// handlers are the operations that tell about an account.
type handlers struct {
	*target.Store
	lastUsed *directory.LastUsed
	actions  Actions
	usage    Usage
	// entities is nil when no account is in one.
	entities Entities
}

// Operations is the table of what tells about an account as a whole and about what was used.
func Operations(t *target.Store, used *directory.LastUsed, a Actions, u Usage, e Entities) []service.Operation {
	s := &handlers{Store: t, lastUsed: used, actions: a, usage: u, entities: e}
	return []service.Operation{
		target.Op("GenerateServiceLastAccessedDetails", target.ByARN(s.onReported), s.generateServiceLastAccessedDetails),
		target.Op("GetServiceLastAccessedDetails", target.Anywhere, s.getServiceLastAccessedDetails),
		target.Op("GetServiceLastAccessedDetailsWithEntities", target.Anywhere, s.getServiceLastAccessedDetailsWithEntities),

		target.Op("GenerateOrganizationsAccessReport", s.onEntity, s.generateOrganizationsAccessReport, s.readsOrganization),
		target.Op("GetOrganizationsAccessReport", target.Anywhere, s.getOrganizationsAccessReport),

		target.Op("ListPoliciesGrantingServiceAccess", target.ByARN(s.onArn), s.listPoliciesGrantingServiceAccess),

		target.Op("GetAccountSummary", target.Anywhere, s.getAccountSummary),
		target.Op("GenerateCredentialReport", target.Anywhere, s.generateCredentialReport),
		target.Op("GetCredentialReport", target.Anywhere, s.getCredentialReport),
	}
}
