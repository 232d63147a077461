package simulator

import (
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/simulation"
	"github.com/licet/licet/internal/services/iam/target"
)

// handlers are the operations of the policy simulator.
type handlers struct {
	*target.Store
	actions simulation.Actions
	// organizations is nil when no account is in one.
	organizations directory.Organizations
}

// Operations is the table of the policy simulator.
func Operations(t *target.Store, a simulation.Actions, o directory.Organizations) []service.Operation {
	s := &handlers{Store: t, actions: a, organizations: o}
	return []service.Operation{
		target.Op("SimulateCustomPolicy", target.Anywhere, s.simulateCustomPolicy),
		target.Op("SimulatePrincipalPolicy", target.ByARN(s.OnPolicySource), s.simulatePrincipalPolicy),
		target.Op("GetContextKeysForCustomPolicy", target.Anywhere, s.getContextKeysForCustomPolicy),
		target.Op("GetContextKeysForPrincipalPolicy", target.ByARN(s.OnPolicySource), s.getContextKeysForPrincipalPolicy),
	}
}
