package resourcepolicy

import (
	"fmt"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

// The constraints of the model (API reference of 2026; for the older operations botocore, API version 2015-03-31).
var (
	resourceARNText = request.NewText(0, 256, `arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:`+
		`function:[a-zA-Z0-9-_]+(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_])+)?`)
	documentText = request.NewText(1, maxLength, `[\s\S]+`)
	revisionText = request.NewText(36, 36, `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

	namespacedStatementText = request.NewText(1, 100, `([a-zA-Z0-9-_.]+)`)
	actionText              = request.NewText(0, 10000, `(lambda:[*]|lambda:[a-zA-Z]+|[*])`)
	principalText           = request.NewText(0, 2048, `[^\s]+`)
	sourceARNText           = request.NewText(0, 0, `arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?`+
		`:(\d{12})?:(.*)`)
	sourceAccountText    = request.NewText(0, 12, `\d{12}`)
	eventSourceTokenText = request.NewText(0, 256, `[a-zA-Z0-9._\-]+`)
)

// resource gives what the member ResourceArn, which v has looked at, names.
func resource(c *service.Call, v *request.Validator, resourceARN *string) (request.Function, error) {
	if err := v.Err(); err != nil {
		return request.Function{}, err
	}
	a, err := arn.Parse(*resourceARN)
	if err != nil { // its pattern is that of an ARN
		return request.Function{}, fmt.Errorf("parse resource: %w", err)
	}
	name, qualifier, _ := strings.Cut(strings.TrimPrefix(a.Resource, "function:"), ":")
	r := request.Function{Partition: a.Partition, Region: a.Region, Account: a.AccountID, Name: name, Qualifier: qualifier}
	return r, r.Reachable(c)
}
