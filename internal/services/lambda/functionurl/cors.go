package functionurl

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/request"
)

// validateCors checks the constraints of the model.
func validateCors(v *request.Validator, c *types.Cors) {
	if c == nil {
		return
	}
	validateList(v, "cors.allowHeaders", c.AllowHeaders, 100, headerText)
	validateList(v, "cors.allowMethods", c.AllowMethods, 6, methodText)
	validateList(v, "cors.allowOrigins", c.AllowOrigins, 100, originText)
	validateList(v, "cors.exposeHeaders", c.ExposeHeaders, 100, headerText)
	v.Number("cors.maxAge", c.MaxAge, 0, 86400)
}

// validateList has the words that were recorded for allowMethods: AWS lists all constraints of a member of a list.
func validateList(v *request.Validator, member string, list []string, most int, t request.Text) {
	value := "'" + request.List(list) + "'"
	if len(list) > most {
		v.Fail(value, member, fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
	if slices.ContainsFunc(list, func(s string) bool { return len(t.Violated(s)) > 0 }) {
		v.Fail(value, member, fmt.Sprintf("Member must satisfy constraint: [Member must have length less than or equal to %d, "+
			"Member must have length greater than or equal to %d, Member must satisfy regular expression pattern: %s, "+
			"Member must not be null]", t.Max, t.Min, t.Pattern.Source))
	}
}

// given is a member Cors that says something: without any member it is none, by which Terraform removes it.
func given(c *types.Cors) *types.Cors {
	if c == nil || c.AllowCredentials == nil && c.MaxAge == nil &&
		len(c.AllowHeaders)+len(c.AllowMethods)+len(c.AllowOrigins)+len(c.ExposeHeaders) == 0 {
		return nil
	}
	return c
}
