package lambda

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/code"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
	"github.com/licet/licet/internal/store"
)

// maxNameLength is that of a name alone (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, FunctionName).
const maxNameLength = 64

func createFunctionReference(c *service.Call, in *sdk.CreateFunctionInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	if v.Err() == nil && len(r.Name) > maxNameLength {
		v.Fail("'"+r.Name+"'", "functionName", fmt.Sprintf("Member must have length less than or equal to %d", maxNameLength))
	}
	v.Required("role", in.Role != nil)
	v.Required("code", in.Code != nil)
	createSettings(in).validate(&v)
	request.Enum(&v, "packageType", in.PackageType, in.PackageType.Values())
	validateArchitectures(&v, in.Architectures)
	r, err := v.Resolve(c, r, nil)
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
	createSettings(in).conditionKeys(&t.Keys)
	tag.InRequest(&t.Keys, in.Tags)
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
	if len(in.Tags) > 0 {
		tagging := service.Need{Action: "lambda:TagResource", Target: service.Target{ARN: r.ARN(), Account: r.Account}}
		tag.InRequest(&tagging.Target.Keys, in.Tags)
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
	if err := s.checkNewFunction(ctx, c, in, r); err != nil {
		return nil, err
	}
	f := &function{
		Partition: r.Partition, Region: r.Region, Account: r.Account, Name: r.Name, Tags: in.Tags, reference: r,
		Latest: version{
			Number: request.Latest, RevisionID: uuid.NewString(), LastModified: c.Time,
			Timeout: 3, MemorySize: minMemory, Ephemeral: minEphemeral, // AWS's defaults: lambda.md 8
			Architecture: s.Architecture, TracingMode: types.TracingModePassThrough, LogGroup: "/aws/lambda/" + r.Name,
		},
	}
	given := createSettings(in)
	given.apply(&f.Latest)
	if f.Latest.Layers, err = s.useLayers(ctx, given); err != nil {
		return nil, err
	}
	unpacked, err := code.Check(given.operation, in.Code.ZipFile)
	if err != nil {
		return nil, err
	}
	name, err := code.Store(ctx, s.Blobs, in.Code.ZipFile)
	if err != nil {
		return nil, err
	}
	if err := f.Latest.setCode(name, len(in.Code.ZipFile), unpacked); err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Get(functionKey(r)); err == nil {
			return fault.Conflict("Function already exist: %s", r.Name)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return s.putFunction(tx, f)
	})
	if err != nil {
		return nil, err
	}
	return output[sdk.CreateFunctionOutput](f.latest().configuration("", created)), nil
}

// checkNewFunction refuses what must not become a function, the cheap reasons first.
func (s *Service) checkNewFunction(ctx context.Context, c *service.Call, in *sdk.CreateFunctionInput, r request.Function) error {
	if err := unsupportedCreate(in); err != nil {
		return err
	}
	given := createSettings(in)
	if err := given.unsupported(); err != nil {
		return err
	}
	if err := given.check(c.Region, s.Runtimes); err != nil {
		return err
	}
	if in.Runtime == "" || !isSet(in.Handler) {
		return fault.InvalidParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if len(in.Code.ZipFile) == 0 {
		return fault.InvalidParameter("Please provide a source for function code.")
	}
	if err := s.checkArchitecture("CreateFunction", in.Architectures); err != nil {
		return err
	}
	if err := tag.Check(in.Tags); err != nil {
		return err
	}
	if _, err := s.find(ctx, r); err == nil {
		return fault.Conflict("Function already exist: %s", r.Name)
	} else if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("find function %s: %w", r.ARN(), err)
	}
	return s.checkRole(ctx, c, *in.Role, r)
}

func unsupportedCreate(in *sdk.CreateFunctionInput) error {
	for _, m := range []struct {
		name  string
		asked bool
	}{
		{"PackageType=Image", in.PackageType == types.PackageTypeImage},
		{"Publish=true", in.Publish},
		{"PublishTo", in.PublishTo != ""},
		{"CodeSigningConfigArn", isSet(in.CodeSigningConfigArn)},
		{"TenancyConfig", in.TenancyConfig != nil},
	} {
		if m.asked {
			return fault.NotImplemented("CreateFunction", m.name)
		}
	}
	return unsupportedCode("CreateFunction", "Code.", codeSource{
		ImageURI: in.Code.ImageUri, S3Bucket: in.Code.S3Bucket, S3Key: in.Code.S3Key, S3ObjectVersion: in.Code.S3ObjectVersion,
		S3ObjectStorageMode: in.Code.S3ObjectStorageMode, SourceKMSKeyARN: in.Code.SourceKMSKeyArn,
	})
}

// codeSource are the members that name code elsewhere.
type codeSource struct {
	ImageURI, S3Bucket, S3Key, S3ObjectVersion *string
	S3ObjectStorageMode                        types.S3ObjectStorageMode
	SourceKMSKeyARN                            *string
}

func unsupportedCode(operation, prefix string, s codeSource) error {
	for _, m := range []struct {
		name  string
		asked bool
	}{
		{"ImageUri", isSet(s.ImageURI)},
		{"S3Bucket", isSet(s.S3Bucket)},
		{"S3Key", isSet(s.S3Key)},
		{"S3ObjectVersion", isSet(s.S3ObjectVersion)},
		{"S3ObjectStorageMode", s.S3ObjectStorageMode != ""},
		{"SourceKMSKeyArn", isSet(s.SourceKMSKeyARN)},
	} {
		if m.asked {
			return fault.NotImplemented(operation, prefix+m.name)
		}
	}
	return nil
}

// checkArchitecture refuses code for another machine than this.
func (s *Service) checkArchitecture(operation string, asked []types.Architecture) error {
	if len(asked) == 1 && asked[0] != s.Architecture {
		return fault.NotImplemented(operation, "Architectures=["+string(asked[0])+"] on this machine")
	}
	return nil
}
