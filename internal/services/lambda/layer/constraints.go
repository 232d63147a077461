package layer

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/request"
)

// The constraints of the model on members of layers (botocore, API version 2015-03-31).
var (
	layerNameText = request.NewText(1, 140, `(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`)
	licenseText   = request.Text{Max: 512}
	actionText    = request.NewText(0, 22, `lambda:GetLayerVersion`)
	principalText = request.NewText(0, 0, `\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root`)
)

const (
	maxARN           = 140 // of a layer, and of its versions
	maxRuntimes      = 15
	maxArchitectures = 2
	maxPage          = 50
)

// validateRuntimes and validateArchitectures check what a version says that it is compatible with. Texts recorded from AWS.
func validateRuntimes(v *request.Validator, given []types.Runtime) {
	var r types.Runtime
	known := r.Values()
	if slices.ContainsFunc(given, func(r types.Runtime) bool { return !slices.Contains(known, r) }) {
		v.Fail("'"+request.List(given)+"'", "compatibleRuntimes", "Member must satisfy enum value set: "+request.List(known))
	}
	validateLength(v, "compatibleRuntimes", given, maxRuntimes)
}

func validateArchitectures(v *request.Validator, given []types.Architecture) {
	var a types.Architecture
	known := a.Values()
	if slices.ContainsFunc(given, func(a types.Architecture) bool { return !slices.Contains(known, a) }) {
		v.Fail("'"+request.List(given)+"'", "compatibleArchitectures",
			"Member must satisfy constraint: [Member must satisfy enum value set: "+request.List(known)+"]")
	}
	validateLength(v, "compatibleArchitectures", given, maxArchitectures)
}

func validateLength[E ~string](v *request.Validator, member string, given []E, longest int) {
	if len(given) > longest {
		v.Fail("'"+request.List(given)+"'", member, "Member must have length less than or equal to "+strconv.Itoa(longest))
	}
}
