package lambda

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// settings are the members that CreateFunction and UpdateFunctionConfiguration share. nil, or "" for an enumeration, is a member
// that is not given: the default for the one, no change for the other.
type settings struct {
	operation string

	Role             *string
	Handler          *string
	Runtime          types.Runtime
	Description      *string
	Timeout          *int32
	MemorySize       *int32
	EphemeralStorage *types.EphemeralStorage
	Environment      *types.Environment
	TracingConfig    *types.TracingConfig
	LoggingConfig    *types.LoggingConfig
	SnapStart        *types.SnapStart
	Layers           []string

	DeadLetterConfig  *types.DeadLetterConfig
	FileSystemConfigs []types.FileSystemConfig
	ImageConfig       *types.ImageConfig
	KMSKeyArn         *string
	VpcConfig         *types.VpcConfig

	// What follows is refused.
	CapacityProviderConfig *types.CapacityProviderConfig
	DurableConfig          *types.DurableConfig
}

func createSettings(in *sdk.CreateFunctionInput) settings {
	return settings{
		operation: "CreateFunction",
		Role:      in.Role, Handler: in.Handler, Runtime: in.Runtime, Description: in.Description, Timeout: in.Timeout,
		MemorySize: in.MemorySize, EphemeralStorage: in.EphemeralStorage, Environment: in.Environment,
		TracingConfig: in.TracingConfig, LoggingConfig: in.LoggingConfig, SnapStart: in.SnapStart, Layers: in.Layers,
		CapacityProviderConfig: in.CapacityProviderConfig, DeadLetterConfig: in.DeadLetterConfig, DurableConfig: in.DurableConfig,
		FileSystemConfigs: in.FileSystemConfigs, ImageConfig: in.ImageConfig, KMSKeyArn: in.KMSKeyArn, VpcConfig: in.VpcConfig,
	}
}

func updateSettings(in *sdk.UpdateFunctionConfigurationInput) settings {
	return settings{
		operation: "UpdateFunctionConfiguration",
		Role:      in.Role, Handler: in.Handler, Runtime: in.Runtime, Description: in.Description, Timeout: in.Timeout,
		MemorySize: in.MemorySize, EphemeralStorage: in.EphemeralStorage, Environment: in.Environment,
		TracingConfig: in.TracingConfig, LoggingConfig: in.LoggingConfig, SnapStart: in.SnapStart, Layers: in.Layers,
		CapacityProviderConfig: in.CapacityProviderConfig, DeadLetterConfig: in.DeadLetterConfig, DurableConfig: in.DurableConfig,
		FileSystemConfigs: in.FileSystemConfigs, ImageConfig: in.ImageConfig, KMSKeyArn: in.KMSKeyArn, VpcConfig: in.VpcConfig,
	}
}

// Limits of functions that are not on managed instances: lambda.md 8 (the model allows more, for those).
const (
	maxTimeout   = 900
	minMemory    = 128
	maxMemory    = 10240
	minEphemeral = 512
	maxEphemeral = 10240
)

// validate checks the constraints of the model.
func (s settings) validate(v *request.Validator) {
	v.Text("role", s.Role, roleText)
	v.Text("handler", s.Handler, handlerText)
	v.Text("description", s.Description, request.Description)
	v.Text("kMSKeyArn", s.KMSKeyArn, resourceText)
	v.Number("timeout", s.Timeout, 1, maxTimeout)
	v.Number("memorySize", s.MemorySize, minMemory, maxMemory)
	if e := s.EphemeralStorage; e != nil && v.Required("ephemeralStorage.size", e.Size != nil) {
		v.Number("ephemeralStorage.size", e.Size, minEphemeral, maxEphemeral)
	}
	if t := s.TracingConfig; t != nil {
		request.Enum(v, "tracingConfig.mode", t.Mode, t.Mode.Values())
	}
	if t := s.SnapStart; t != nil {
		request.Enum(v, "snapStart.applyOn", t.ApplyOn, t.ApplyOn.Values())
	}
	if g := s.LoggingConfig; g != nil {
		request.Enum(v, "loggingConfig.logFormat", g.LogFormat, g.LogFormat.Values())
		request.Enum(v, "loggingConfig.applicationLogLevel", g.ApplicationLogLevel, g.ApplicationLogLevel.Values())
		request.Enum(v, "loggingConfig.systemLogLevel", g.SystemLogLevel, g.SystemLogLevel.Values())
		v.Text("loggingConfig.logGroup", g.LogGroup, logGroupText)
	}
	s.validateVariables(v)
	s.validateNetwork(v)
	s.validateFileSystems(v)
	if d := s.DeadLetterConfig; d != nil {
		v.Text("deadLetterConfig.targetArn", d.TargetArn, resourceText)
	}
	if i := s.ImageConfig; i != nil {
		validateStrings(v, "imageConfig.entryPoint", i.EntryPoint)
		validateStrings(v, "imageConfig.command", i.Command)
		v.Text("imageConfig.workingDirectory", i.WorkingDirectory, workingDirectoryText)
	}
	if slices.ContainsFunc(s.Layers, func(l string) bool { return len(request.LayerVersionARN.Violated(l)) > 0 }) {
		v.Fail("'"+request.List(s.Layers)+"'", "layers", "Member must satisfy constraint: [Member must have length less than or equal to 140, "+
			"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "+
			request.LayerVersionARN.Pattern.Source+", Member must not be null]")
	}
}

// validateVariables checks names. The message has no value, because the member is marked sensitive.
func (s settings) validateVariables(v *request.Validator) {
	if s.Environment == nil {
		return
	}
	for name := range s.Environment.Variables {
		if !variablePattern.Matches(name) {
			v.Fail("", "environment.variables", "Map keys must satisfy constraint: "+
				"[Member must satisfy regular expression pattern: "+variablePattern.Source+"]")
			return
		}
	}
}

// validateStrings checks the length of a list of any strings.
func validateStrings(v *request.Validator, member string, list []string) {
	if len(list) > maxStrings {
		v.Fail("'"+request.List(list)+"'", member, "Member must have length less than or equal to "+strconv.Itoa(maxStrings))
	}
}

// unsupported refuses members whose effect licet does not have yet. It comes after authorization.
func (s settings) unsupported() error {
	if s.CapacityProviderConfig != nil {
		return fault.NotImplemented(s.operation, "CapacityProviderConfig")
	}
	if s.DurableConfig != nil {
		return fault.NotImplemented(s.operation, "DurableConfig")
	}
	return nil
}

func isSet(s *string) bool { return s != nil && *s != "" }

// check refuses what the model allows and Lambda does not, as far as the request alone tells.
func (s settings) check() error {
	if s.Environment != nil {
		if err := checkVariables(s.Environment.Variables); err != nil {
			return err
		}
	}
	if err := checkKey(s.KMSKeyArn); err != nil {
		return err
	}
	if s.Runtime == "" {
		return nil
	}
	if known := s.Runtime.Values(); !slices.Contains(known, s.Runtime) {
		return fault.InvalidParameter("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: %s "+
			"or be a valid ARN",
			s.Runtime, request.List(known))
	}
	return nil
}

// checkPackage refuses members that are not for a package type.
func (s settings) checkPackage(isImage bool) error {
	switch {
	case isImage && (s.Handler != nil || s.Runtime != "" || len(s.Layers) > 0):
		// https://github.com/aws/aws-cdk/issues/13037
		return fault.InvalidParameter("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
	case !isImage && s.ImageConfig != nil: // by analogy
		return fault.InvalidParameter("Please don't provide ImageConfig when the intended function PackageType is Zip.")
	}
	return nil
}

// maxVariables is the size of all variables as JSON.
const maxVariables = 4096

// checkVariables: limit and texts from lambda.md 7.6.
func checkVariables(variables map[string]string) error {
	const unable = "Lambda was unable to configure your environment variables because the environment variables you have provided "
	measured, err := request.EncodeJSON(variables)
	if err != nil {
		return err
	}
	if len(measured) > maxVariables {
		return fault.InvalidParameter(unable+"exceeded the 4KB limit. String measured: %s", measured)
	}
	var reserved []string
	for name := range variables {
		if isReserved(name) {
			reserved = append(reserved, name)
		}
	}
	if len(reserved) > 0 {
		slices.Sort(reserved)
		return fault.InvalidParameter(unable+"contains reserved keys that are currently not supported for modification. "+
			"Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	return nil
}

// isReserved: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment variables". Those
// with a leading underscore do not even satisfy the pattern of names.
func isReserved(name string) bool {
	switch name {
	case "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
		"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
		"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
		"AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT":
		return true
	}
	return false
}

// apply sets what is given in a version.
func (s settings) apply(f *version) {
	set(&f.Role, s.Role)
	set(&f.Handler, s.Handler)
	set(&f.Description, s.Description)
	set(&f.Timeout, s.Timeout)
	set(&f.MemorySize, s.MemorySize)
	if s.Runtime != "" {
		f.Runtime = s.Runtime
	}
	if s.EphemeralStorage != nil {
		set(&f.Ephemeral, s.EphemeralStorage.Size)
	}
	if s.TracingConfig != nil && s.TracingConfig.Mode != "" {
		f.TracingMode = s.TracingConfig.Mode
	}
	if s.LoggingConfig != nil {
		f.applyLogging(s.LoggingConfig)
	}
	if s.SnapStart != nil && s.SnapStart.ApplyOn != "" {
		f.SnapStart = s.SnapStart.ApplyOn
	}
	if s.DeadLetterConfig != nil {
		f.DeadLetter = aws.ToString(s.DeadLetterConfig.TargetArn)
	}
	set(&f.KMSKey, s.KMSKeyArn)
	if s.FileSystemConfigs != nil {
		f.FileSystems = s.FileSystemConfigs
	}
	if s.ImageConfig != nil {
		f.ImageConfig = s.ImageConfig
	}
	if s.VpcConfig != nil {
		f.applyNetwork(s.VpcConfig)
	}
	if s.Environment != nil {
		f.Environment = s.Environment.Variables
		if f.Environment == nil {
			f.Environment = map[string]string{}
		}
	}
}

func set[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

// conditionKeys are those of lambda.md 2.4.
func (s *Service) conditionKeys(given settings, keys *authz.Context) {
	if given.Layers != nil {
		keys.SetList("lambda:Layer", given.Layers...)
	}
	if n := given.VpcConfig; n != nil {
		keys.SetList("lambda:SubnetIds", n.SubnetIds...)
		keys.SetList("lambda:SecurityGroupIds", n.SecurityGroupIds...)
		if id, err := s.vpcOf(n.SubnetIds); err == nil && id != "" {
			keys.Set("lambda:VpcIds", id)
		}
	}
}
