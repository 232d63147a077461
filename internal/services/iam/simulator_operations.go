package iam

import "github.com/licet/licet/internal/service"

// simulatorOperations is the table of the policy simulator.
func (s *Service) simulatorOperations() []service.Operation {
	return []service.Operation{
		op("SimulateCustomPolicy", anywhere, s.simulateCustomPolicy),
		op("SimulatePrincipalPolicy", byARN(s.onPolicySource), s.simulatePrincipalPolicy),
		op("GetContextKeysForCustomPolicy", anywhere, s.getContextKeysForCustomPolicy),
		op("GetContextKeysForPrincipalPolicy", byARN(s.onPolicySource), s.getContextKeysForPrincipalPolicy),
	}
}
