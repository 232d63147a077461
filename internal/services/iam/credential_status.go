package iam

import "github.com/aws/aws-sdk-go-v2/service/iam/types"

// newStatus reads the status that a call gives a credential. Expired is not for callers to give (recorded).
func newStatus(status types.StatusType) (active bool, err error) {
	switch status {
	case types.StatusTypeActive, types.StatusTypeInactive:
		return status == types.StatusTypeActive, nil
	case types.StatusTypeExpired:
		return false, invalidInput("Operation does not support status Expired")
	}
	return false, violation("status", "Member must satisfy enum value set: [Active, Inactive, Expired]")
}

func wireStatus(active bool) types.StatusType {
	if active {
		return types.StatusTypeActive
	}
	return types.StatusTypeInactive
}
