package lambda

import (
	"context"
	"errors"
	"runtime"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/code"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/layer"
	"github.com/licet/licet/internal/services/lambda/mapping"
	"github.com/licet/licet/internal/store"
)

// Runner runs functions. *execution.Manager is one.
type Runner interface {
	// Invoke runs a function once and waits for its outcome. A failure of the function is a Result, not an error.
	Invoke(ctx context.Context, f execution.Function, i execution.Invocation) (execution.Result, error)
	// Retire closes the environments of a function by its unqualified ARN, the busy ones after their invocation.
	Retire(functionARN string)
}

// Roles knows about execution roles.
type Roles interface {
	// CanAssume tells whether lambda.amazonaws.com may assume a role for a function, by the role's trust policy. A role that
	// does not exist cannot be assumed. The role is of the function's account.
	CanAssume(ctx context.Context, c *service.Call, roleARN, functionARN string) (bool, error)
	// Allows tells whether a role's policies let a function act on a resource: the simulation that Lambda makes when a configuration
	// names a target (lambda.md 3.1). A role that does not exist may nothing.
	Allows(ctx context.Context, roleARN, functionARN, action, resource string) (bool, error)
}

// Principals knows about users and roles.
type Principals interface {
	// UniqueID gives the unique id of the user or role that this ARN names now; "" when there is none.
	UniqueID(ctx context.Context, arn string) (string, error)
	// PrincipalARN gives the ARN that the user or role of this unique id has now; "" when it is gone.
	PrincipalARN(ctx context.Context, id string) (string, error)
}

// Permissions tells what a caller may do beside what was judged for its call.
type Permissions interface {
	// Permitted tells whether the policies would let the call through with this input.
	Permitted(ctx context.Context, c *service.Call, in any) (bool, error)
}

// Config is what a Lambda needs. Every field without an "unset" is required.
type Config struct {
	DB    store.DB
	Blobs blob.Store
	// Keys encrypt environment variables at rest.
	Keys *secret.Keyring
	// CodeDir is an existing directory for unpacked code. It is this server's own.
	CodeDir     string
	Runner      Runner
	Roles       Roles
	Principals  Principals
	CodeURLs    code.URLs
	Permissions Permissions
	// Architecture is what this machine runs. Functions for another one are refused. Unset: that of this program.
	Architecture types.Architecture
	// Runtimes tells whether functions of a runtime can run here. Unset: all that AWS has a name for.
	Runtimes func(types.Runtime) bool
}

// Service is Lambda.
type Service struct {
	Config
	functions *store.Cache[*function]
	versions  *store.Cache[*version]
	aliases   *store.Cache[*alias]
	policies  *store.Cache[*resourcePolicy]
	code      *code.Unpacker
	layers    *layer.Service
	mappings  *mapping.Service
	// tagged are the rooms whose resources have tags, by the type in their ARNs.
	tagged map[string]taggedRoom
}

// cacheSize bounds the functions that are kept decoded, and the versions, aliases and policies.
const cacheSize = 10_000

// New makes the service. Close ends it.
func New(config Config) (*Service, error) {
	if config.DB == nil || config.Blobs == nil || config.Keys == nil || config.CodeDir == "" || config.Runner == nil ||
		config.Roles == nil || config.Principals == nil || config.CodeURLs == nil || config.Permissions == nil {
		return nil, errors.New("lambda: a required field of Config is not set")
	}
	if config.Architecture == "" {
		config.Architecture = types.ArchitectureX8664
		if runtime.GOARCH == "arm64" {
			config.Architecture = types.ArchitectureArm64
		}
	}
	if config.Runtimes == nil {
		config.Runtimes = func(types.Runtime) bool { return true }
	}
	s := &Service{Config: config, code: code.NewUnpacker(config.CodeDir, config.Blobs)}
	s.functions = store.NewCache(config.DB, cacheSize, s.decodeFunction)
	s.versions = store.NewCache(config.DB, cacheSize, s.decodeVersion)
	s.aliases = store.NewCache(config.DB, cacheSize, decodeAlias)
	s.policies = store.NewCache(config.DB, cacheSize, decodePolicy)
	s.layers = layer.New(layer.Config{DB: config.DB, Blobs: config.Blobs, URLs: config.CodeURLs})
	s.mappings = mapping.New(config.DB, callees{s}, config.Roles)
	s.tagged = map[string]taggedRoom{"function": taggedFunctions{s}, "event-source-mapping": s.mappings}
	return s, nil
}

// Close ends the caches. No operation may run during or after it.
func (s *Service) Close() {
	s.functions.Close()
	s.versions.Close()
	s.aliases.Close()
	s.policies.Close()
	s.layers.Close()
}

// Definition gives what dispatch needs of the service.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: fault.Denial}
}
