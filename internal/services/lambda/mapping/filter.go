package mapping

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/mapping/filter"
)

// maxFilters of a mapping: the quota is 5, which AWS raises to 10 for who asks (lambda.md 5.6).
const maxFilters = 10

func checkFilters(filters []types.Filter) error {
	if len(filters) > maxFilters {
		return fault.InvalidParameter("The number of filters must not be greater than %d.", maxFilters) // ours
	}
	for _, f := range filters {
		if _, err := filter.Parse(aws.ToString(f.Pattern)); err != nil {
			return fault.InvalidParameter("Invalid filter pattern definition.")
		}
	}
	return nil
}
