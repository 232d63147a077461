package lambda

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/signing"
	"github.com/licet/licet/internal/services/lambda/tag"
	"github.com/licet/licet/internal/store"
)

// maxNameLength is that of a name alone (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, FunctionName).
const maxNameLength = 64

func createFunctionReference(c *service.Call, in *sdk.CreateFunctionInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	v.Required("role", in.Role != nil)
	v.Required("code", in.Code != nil)
	createSettings(in).validate(&v)
	request.Enum(&v, "packageType", in.PackageType, in.PackageType.Values())
	request.Enum(&v, "publishTo", in.PublishTo, in.PublishTo.Values())
	if in.Code != nil {
		createSource(in.Code).validate(&v)
	}
	v.Text("codeSigningConfigArn", in.CodeSigningConfigArn, signing.ARN)
	if t := in.TenancyConfig; t != nil && v.Required("tenancyConfig.tenantIsolationMode", t.TenantIsolationMode != "") {
		request.Enum(&v, "tenancyConfig.tenantIsolationMode", t.TenantIsolationMode, t.TenantIsolationMode.Values())
	}
	validateArchitectures(&v, in.Architectures)
	r, err := v.Resolve(c, r, nil)
	if err == nil && len(r.Name) > maxNameLength { // recorded: not a ValidationException, though in its words
		err = fault.InvalidParameter("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", r.Name, maxNameLength)
	}
	if err == nil && r.Qualifier != "" {
		err = fault.InvalidParameter("The name of a new function must not have a qualifier: %s", *in.FunctionName)
	}
	if err == nil {
		err = tag.CheckClash(in.Tags)
	}
	return r, err
}

// validateArchitectures checks the member of that name.
func validateArchitectures(v *request.Validator, given []types.Architecture) {
	var a types.Architecture
	switch {
	case len(given) > 1:
		v.Fail("'"+request.List(given)+"'", "architectures", "Member must have length less than or equal to 1")
	case len(given) == 1 && given[0] != types.ArchitectureX8664 && given[0] != types.ArchitectureArm64:
		v.Fail("'"+request.List(given)+"'", "architectures",
			"Member must satisfy constraint: [Member must satisfy enum value set: "+request.List(a.Values())+", Member must not be null]")
	}
}

func (s *Service) createFunctionTarget(
	_ context.Context, c *service.Call, in *sdk.CreateFunctionInput,
) (service.Target, error) {
	r, err := createFunctionReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	// Whether there is a function of that name changes nothing: its tags and its policy are not those of the new one.
	t := service.Target{ARN: r.ARN(), Account: r.Account}
	s.conditionKeys(createSettings(in), &t.Keys)
	tag.OfNew(&t.Keys, in.Tags)
	if in.CodeSigningConfigArn != nil {
		t.Keys.Set("lambda:CodeSigningConfigArn", *in.CodeSigningConfigArn)
	}
	return t, nil
}

func (s *Service) createFunctionNeeds(
	ctx context.Context, c *service.Call, in *sdk.CreateFunctionInput,
) ([]service.Need, error) {
	r, err := createFunctionReference(c, in)
	if err != nil {
		return nil, err
	}
	needs, err := s.needs(ctx, c, createSettings(in), r.FunctionARN())
	if err != nil {
		return nil, err
	}
	reads, err := createSource(in.Code).needs(ctx, c, s.Objects)
	if err != nil {
		return nil, err
	}
	needs = append(needs, reads...)
	if len(in.Tags) > 0 {
		tagging := service.Need{Action: "lambda:TagResource", Target: service.Target{ARN: r.ARN(), Account: r.Account}}
		tag.OfNew(&tagging.Target.Keys, in.Tags)
		needs = append(needs, tagging)
	}
	return needs, nil
}

func (s *Service) createFunction(
	ctx context.Context, c *service.Call, in *sdk.CreateFunctionInput,
) (*sdk.CreateFunctionOutput, error) {
	r, err := createFunctionReference(c, in)
	if err != nil {
		return nil, err
	}
	f := newFunction(c, in, r)
	if err := s.checkNewFunction(ctx, c, in, f); err != nil {
		return nil, err
	}
	code, zip, err := s.fetch(ctx, c, createSource(in.Code), f.CodeSigningConfig)
	if err != nil {
		return nil, err
	}
	f.Latest.setCode(code)
	if err := f.Latest.checkSize(); err != nil {
		return nil, err
	}
	if zip != nil {
		if _, err := bundle.Store(ctx, s.Blobs, zip); err != nil {
			return nil, err
		}
	}
	shown, revision := f.latest(), uuid.NewString()
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Get(functionKey(r)); err == nil {
			return fault.Conflict("Function already exist: %s", r.Name)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := s.checkSigningConfig(tx, c, f); err != nil {
			return err
		}
		if f.Published, err = lastNumber(tx, r); err != nil {
			return err
		}
		if in.Publish {
			if shown.version, _, err = s.publish(tx, f, nil, revision); err != nil {
				return err
			}
		}
		return s.putFunction(tx, f)
	})
	if err != nil {
		return nil, err
	}
	s.expect(&f.Latest)
	// The ARN has no qualifier, also with the number of a version (recorded).
	return showVersion[sdk.CreateFunctionOutput](ctx, s, c, shown, r, created)
}

// newFunction is a function with AWS's defaults (lambda.md 8) and what cannot be changed.
func newFunction(c *service.Call, in *sdk.CreateFunctionInput, r request.Function) *function {
	f := &function{
		Partition: r.Partition, Region: r.Region, Account: r.Account, Name: r.Name, Tags: in.Tags, reference: r,
		CodeSigningConfig: aws.ToString(in.CodeSigningConfigArn),
		Latest: version{
			Number: request.Latest, RevisionID: uuid.NewString(), LastModified: c.Time,
			Timeout: 3, MemorySize: minMemory, Ephemeral: minEphemeral,
			Architecture: types.ArchitectureX8664, TracingMode: types.TracingModePassThrough, LogGroup: "/aws/lambda/" + r.Name,
		},
	}
	if len(in.Architectures) == 1 {
		f.Latest.Architecture = in.Architectures[0]
	}
	if in.TenancyConfig != nil {
		f.Latest.Tenancy = in.TenancyConfig.TenantIsolationMode
	}
	if in.PackageType == types.PackageTypeImage {
		f.Latest.Image = &image{} // to be resolved
	}
	return f
}

// checkNewFunction configures a function and refuses what must not become one, the cheap reasons first.
func (s *Service) checkNewFunction(ctx context.Context, c *service.Call, in *sdk.CreateFunctionInput, f *function) error {
	if err := unsupportedCreate(in); err != nil {
		return err
	}
	isImage := f.Latest.Image != nil
	if !isImage && (in.Runtime == "" || !isSet(in.Handler)) {
		return fault.InvalidParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if err := createSource(in.Code).check(isImage, s.Objects); err != nil {
		return err
	}
	if err := checkRuntime(in.Runtime, true); err != nil {
		return err
	}
	if err := tag.Check(in.Tags); err != nil {
		return err
	}
	if _, err := s.find(ctx, f.reference); err == nil {
		return fault.Conflict("Function already exist: %s", f.Name)
	} else if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("find function %s: %w", f.reference.ARN(), err)
	}
	err := s.DB.View(ctx, func(reader store.Reader) error { return s.checkSigningConfig(reader, c, f) })
	if err != nil {
		return err
	}
	if err := s.configure(ctx, c, f.reference, createSettings(in), &f.Latest); err != nil {
		return err
	}
	return s.checkLayerSignatures(ctx, c, f.CodeSigningConfig, f.Latest.Layers)
}

// checkSigningConfig refuses a code signing configuration that is not there, or not for the function. The text is recorded.
func (s *Service) checkSigningConfig(reader store.Reader, c *service.Call, f *function) error {
	switch {
	case f.CodeSigningConfig == "":
		return nil
	case f.Latest.Image != nil:
		return fault.InvalidParameter("Code signing is not supported for functions created with container images.")
	}
	return s.signing.Require(reader, c, f.CodeSigningConfig)
}

func unsupportedCreate(in *sdk.CreateFunctionInput) error {
	for _, m := range []struct {
		name  string
		asked bool
	}{
		{"PublishTo", in.PublishTo != ""},
	} {
		if m.asked {
			return fault.NotImplemented("CreateFunction", m.name)
		}
	}
	return nil
}
