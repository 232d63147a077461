package layer

import (
	"strconv"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// Reference names a layer, or a version of one.
type Reference struct {
	Partition, Region, Account, Name string
	// Number of the version in decimal digits as AWS writes them, or what a request has in its place; "" for the layer.
	Number string
}

// LayerARN is the ARN of the layer.
func (r Reference) LayerARN() string {
	return "arn:" + r.Partition + ":lambda:" + r.Region + ":" + r.Account + ":layer:" + r.Name
}

// ARN is the ARN of the version, or of the layer where there is none.
func (r Reference) ARN() string {
	if r.Number == "" {
		return r.LayerARN()
	}
	return r.LayerARN() + ":" + r.Number
}

// number is what Number says; 0 if no version can have it.
func (r Reference) number() int64 {
	n, err := strconv.ParseInt(r.Number, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != r.Number {
		return 0
	}
	return n
}

// ParseVersion reads the ARN of a layer version. It is not ok for one that no version can have.
func ParseVersion(text string) (Reference, bool) {
	r, ok := parse(text)
	return r, ok && r.number() > 0
}

// parse reads the ARN of a layer or of a layer version.
func parse(text string) (Reference, bool) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "lambda" || a.Region == "" || !request.IsAccount(a.AccountID) {
		return Reference{}, false
	}
	parts := strings.Split(a.Resource, ":")
	if parts[0] != "layer" || len(parts) < 2 || len(parts) > 3 || parts[1] == "" || strings.Contains(a.Resource, "/") {
		return Reference{}, false
	}
	r := Reference{Partition: a.Partition, Region: a.Region, Account: a.AccountID, Name: parts[1]}
	if len(parts) == 3 {
		r.Number = parts[2]
	}
	return r, len(parts) == 2 || r.Number != ""
}

// named reads the member LayerName: a name, or the ARN of a layer.
func named(v *request.Validator, c *service.Call, name *string) Reference {
	v.RequiredText("layerName", name, layerNameText)
	if name == nil {
		return Reference{}
	}
	if r, ok := parse(*name); ok {
		return r
	}
	return Reference{Partition: c.Partition, Region: c.Region, Account: c.Account, Name: *name}
}

// versionOf reads the members LayerName and VersionNumber.
func versionOf(v *request.Validator, c *service.Call, name *string, number *int64) Reference {
	r := named(v, c, name)
	if v.Required("versionNumber", number != nil) {
		r.Number = strconv.FormatInt(*number, 10)
	}
	return r
}

// resolve gives the layer that a valid request names.
func resolve(v *request.Validator, c *service.Call, r Reference) (Reference, error) {
	if err := v.Err(); err != nil {
		return Reference{}, err
	}
	if r.Region != c.Region { // the text is ours, after that for functions
		return Reference{}, fault.NotFound("Layers from '%s' are not reachable in this region ('%s')", r.Region, c.Region)
	}
	if r.Partition != c.Partition { // the keys of the store have none
		return Reference{}, fault.NotFound("The resource you requested does not exist.")
	}
	return r, nil
}

// possible is the error for a number below the first version. Text recorded from AWS.
func (r Reference) possible() error {
	if strings.HasPrefix(r.Number, "-") || r.Number == "0" {
		return fault.InvalidParameter("Layer Version Cannot be less than 1")
	}
	return nil
}

// The keys of the store.

func prefix(account, region, kind string) string {
	return "lambda/" + account + "/" + region + "/" + kind + "/"
}

func (r Reference) layerKey() string { return prefix(r.Account, r.Region, "layer") + r.Name }

func (r Reference) versionsPrefix() string {
	return prefix(r.Account, r.Region, "layer-version") + r.Name + "/"
}

func (r Reference) policyKey() string {
	return prefix(r.Account, r.Region, "layer-policy") + r.Name + "/" + r.Number
}
