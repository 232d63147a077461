package iam

import (
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/simulation"
)

// simulatorHandlers are the operations of the policy simulator.
type simulatorHandlers struct {
	*Store
	actions simulation.Actions
	// organizations is nil when no account is in one.
	organizations Organizations
}

// simulatorOperations is the table of the policy simulator.
func simulatorOperations(t *Store, a simulation.Actions, o Organizations) []service.Operation {
	s := &simulatorHandlers{Store: t, actions: a, organizations: o}
	return []service.Operation{
		op("SimulateCustomPolicy", anywhere, s.simulateCustomPolicy),
		op("SimulatePrincipalPolicy", byARN(s.onPolicySource), s.simulatePrincipalPolicy),
		op("GetContextKeysForCustomPolicy", anywhere, s.getContextKeysForCustomPolicy),
		op("GetContextKeysForPrincipalPolicy", byARN(s.onPolicySource), s.getContextKeysForPrincipalPolicy),
	}
}
