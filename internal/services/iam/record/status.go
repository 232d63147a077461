package record

import (
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/services/iam/request"
)

// NewStatus reads the status that a call gives a credential. Expired is not for callers to give (recorded).
func NewStatus(status types.StatusType) (active bool, err error) {
	switch status {
	case types.StatusTypeActive, types.StatusTypeInactive:
		return status == types.StatusTypeActive, nil
	case types.StatusTypeExpired:
		return false, request.InvalidInput("Operation does not support status Expired")
	}
	return false, request.Violation("status", "Member must satisfy enum value set: [Active, Inactive, Expired]")
}

// WireStatus is a status as it is shown.
func WireStatus(active bool) types.StatusType {
	if active {
		return types.StatusTypeActive
	}
	return types.StatusTypeInactive
}
