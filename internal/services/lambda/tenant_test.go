package lambda

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// createTenants makes a function with environments for each tenant.
func (h *harness) createTenants(name string) {
	h.ready()
	in := h.newFunction(name)
	in.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant}
	must[sdk.CreateFunctionOutput](h, in)
}

func tenantInput(name, tenant string, how types.InvocationType) *sdk.InvokeInput {
	in := &sdk.InvokeInput{FunctionName: aws.String(name), InvocationType: how, Payload: []byte("{}")}
	if tenant != "" {
		in.TenantId = aws.String(tenant)
	}
	return in
}

func TestInvokeForTenant(t *testing.T) {
	h := newHarness(t)
	h.createTenants("tenants")
	must[sdk.CreateFunctionOutput](h, h.newFunction("f"))
	const invalid = "InvalidParameterValueException"
	const missing = "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again."
	const superfluous = "The invoked function is not enabled with tenancy configuration. " +
		"Remove the tenant ID from your request and try again."
	for _, how := range []types.InvocationType{"", types.InvocationTypeDryRun, types.InvocationTypeEvent} {
		refuse[sdk.InvokeOutput](h, tenantInput("tenants", "", how), invalid, 400, missing)
		refuse[sdk.InvokeOutput](h, tenantInput("f", "blue", how), invalid, 400, superfluous)
	}
	refuse[sdk.InvokeAsyncOutput](h, invokeAsyncInput("tenants", "{}"), invalid, 400, missing)
	refuse[sdk.InvokeOutput](h, tenantInput("tenants", "a*", ""), "ValidationException", 400, "1 validation error detected: "+
		`Value 'a*' at 'tenantId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9\._:\/=+\-@ ]+`)

	must[sdk.InvokeOutput](h, tenantInput("tenants", "blue", types.InvocationTypeDryRun))
	must[sdk.InvokeOutput](h, tenantInput("tenants", "blue", ""))
	must[sdk.InvokeOutput](h, tenantInput("tenants", "green", types.InvocationTypeEvent))
	if got := h.events(); len(got) != 1 {
		t.Errorf("%d events were kept, want 1", len(got))
	}
	h.deliver()
	var got []string
	for _, i := range h.runner.invocations {
		got = append(got, i.Tenant)
	}
	if diff := cmp.Diff(got, []string{"blue", "green"}); diff != "" {
		t.Errorf("tenants of what ran (-got +want):\n%s", diff)
	}
}

// TestNotForTenants: what AWS does not let functions have that tell tenants apart.
func TestNotForTenants(t *testing.T) {
	h := newHarness(t)
	h.createTenants("f")
	must[sdk.PublishVersionOutput](h, &sdk.PublishVersionInput{FunctionName: aws.String("f")})
	const invalid, unsupported = "InvalidParameterValueException", " is not supported for functions with tenancy configuration."
	refuse[sdk.PutProvisionedConcurrencyConfigOutput](h, &sdk.PutProvisionedConcurrencyConfigInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("1"), ProvisionedConcurrentExecutions: aws.Int32(1),
	}, invalid, 400, "Provisioned Concurrency"+unsupported)
	refuse[sdk.CreateFunctionUrlConfigOutput](h, &sdk.CreateFunctionUrlConfigInput{
		FunctionName: aws.String("f"), AuthType: types.FunctionUrlAuthTypeAwsIam,
	}, invalid, 400, "A function URL"+unsupported)
	refuse[sdk.CreateEventSourceMappingOutput](h, &sdk.CreateEventSourceMappingInput{
		FunctionName: aws.String("f"), EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:111122223333:q"),
	}, invalid, 400, "An event source mapping"+unsupported)
	snap := h.newFunction("g")
	snap.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant}
	snap.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
	refuse[sdk.CreateFunctionOutput](h, snap, invalid, 400, "Tenancy configuration is not supported for SnapStart enabled functions.")
}
