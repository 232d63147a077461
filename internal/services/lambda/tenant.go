package lambda

import "github.com/licet/licet/internal/services/lambda/fault"

// checkTenant: a function has environments for each tenant, and must be told which, or has none
// (https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-troubleshooting.html). The first text is recorded (AWS Compute Blog,
// "Building multi-tenant SaaS applications with AWS Lambda's new tenant isolation mode"), the second follows it.
func checkTenant(v *version, tenant string) error {
	switch {
	case v.Tenancy != "" && tenant == "":
		return fault.InvalidParameter("The invoked function is enabled with tenancy configuration. " +
			"Add a valid tenant ID in your request and try again.")
	case v.Tenancy == "" && tenant != "":
		return fault.InvalidParameter("The invoked function is not enabled with tenancy configuration. " +
			"Remove the tenant ID from your request and try again.")
	}
	return nil
}

// checkNoTenancy refuses what functions with environments for each tenant cannot have: provisioned concurrency, function URLs, SnapStart
// and event source mappings (https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html). The text is ours.
func (v *version) checkNoTenancy(feature string) error {
	if v.Tenancy == "" {
		return nil
	}
	return fault.InvalidParameter("%s is not supported for functions with tenancy configuration.", feature)
}
