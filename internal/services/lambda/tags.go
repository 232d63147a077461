package lambda

import (
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// taggable reads the member Resource of the operations on tags. Functions are the only resources with tags here.
func taggable(v *request.Validator, c *service.Call, resource *string) (request.Function, error) {
	v.RequiredText("resource", resource, taggableText)
	if err := v.Err(); err != nil {
		return request.Function{}, err
	}
	a, err := arn.Parse(*resource)
	if err != nil { // its pattern is that of an ARN
		return request.Function{}, err
	}
	kind, name, _ := strings.Cut(a.Resource, ":")
	if kind != "function" {
		return request.Function{}, fault.NotImplemented(c.Operation, "Resource of type "+kind)
	}
	r := request.Function{Partition: a.Partition, Region: a.Region, Account: a.AccountID}
	r.Name, r.Qualifier, _ = strings.Cut(name, ":")
	if r.Qualifier != "" {
		return request.Function{}, fault.InvalidParameter(
			"Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return r, r.Reachable(c)
}
