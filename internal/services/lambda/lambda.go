package lambda

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/execution"
	unpack "github.com/licet/licet/internal/image"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/registry"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/async"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/functionurl"
	"github.com/licet/licet/internal/services/lambda/layer"
	"github.com/licet/licet/internal/services/lambda/mapping"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
	"github.com/licet/licet/internal/services/lambda/mapping/poll/sqs"
	"github.com/licet/licet/internal/services/lambda/resourcepolicy"
	"github.com/licet/licet/internal/services/lambda/signing"
	"github.com/licet/licet/internal/store"
)

// Runner runs functions. *execution.Manager is one.
type Runner interface {
	// Invoke runs a function once and waits for its outcome. A failure of the function is a Result, not an error.
	Invoke(ctx context.Context, f execution.Function, i execution.Invocation) (execution.Result, error)
	// Retire closes the environments of a version of a function by its unqualified ARN, the busy ones after their invocation. ""
	// stands for all versions.
	Retire(functionARN, version string)
	// Directories are those of code and layers that environments have, or will have without another Invoke or Provision.
	Directories() map[string]bool
	// Expect says that a function of a runtime may start soon.
	Expect(runtime string)
	// Provision makes this list, of all accounts, the environments that are initialized before they are needed. It does not wait.
	Provision(all []execution.Provision)
	// Provisioned tells how far that is for a version, and whether it was asked for.
	Provisioned(functionARN, version string) (execution.Provisioned, bool)
}

// Roles knows about execution roles.
type Roles interface {
	// CanAssume tells whether lambda.amazonaws.com may assume a role for a function, by the role's trust policy. A role that
	// does not exist cannot be assumed. The role is of the function's account.
	CanAssume(ctx context.Context, c *service.Call, roleARN, functionARN string) (bool, error)
	// Allows tells whether a role's policies let a function act on a resource: the simulation that Lambda makes when a configuration
	// names a target (lambda.md 3.1). A role that does not exist may nothing.
	Allows(ctx context.Context, roleARN, functionARN, action, resource string) (bool, error)
	// Act writes to the destinations of asynchronous invocations.
	async.Roles
}

// Permissions tells what a caller may do beside what was judged for its call.
type Permissions interface {
	// Permitted tells whether the policies would let the call through with this input.
	Permitted(ctx context.Context, c *service.Call, in any) (bool, error)
	// Allowed tells whether the policies give the caller a permission.
	Allowed(ctx context.Context, c *service.Call, need service.Need) (bool, error)
}

// Images finds container images. *registry.Registry is one.
type Images interface {
	// Resolve tells what the name of an image stands for now. Errors are those of package registry.
	Resolve(ctx context.Context, image string) (registry.Image, error)
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
	Principals  resourcepolicy.Principals
	CodeURLs    bundle.URLs
	Permissions Permissions
	// FunctionURLs says where function URLs are.
	FunctionURLs functionurl.Address
	// OrganizationOf gives the id of the organization that an account is in, "" for none. Unset: no account is in one.
	OrganizationOf func(ctx context.Context, account string) (string, error)
	// Publishers are the certificates of those who sign code, by the ARNs of the versions of their signing profiles. Unset: none.
	Publishers map[string]*x509.Certificate
	// Now is the clock of asynchronous invocations, which should not jump. Unset: time.Now.
	Now func() time.Time
	// Room tells whether there is place for another event. Unset: there always is.
	Room func() bool
	// Runtimes tells whether functions of a runtime can run here. Unset: all that AWS has a name for.
	Runtimes func(types.Runtime) bool
	// Random gives numbers from 0 to less than 1, by which invocations of an alias are shared out. Unset: that of math/rand/v2. Called
	// concurrently.
	Random func() float64
	// VPCs tells the VPC of a subnet. Unset: there are none.
	VPCs func(subnet string) (vpc string, ok bool)
	// Images are where code may come from. Unset: code as an image is not implemented.
	Images Images
	// Unpacked has the images that functions run from; the caller closes it. Unset: functions of images are kept, and cannot be run here.
	Unpacked *unpack.Store
	// Objects are where code may come from. Unset: code from S3 is not implemented.
	Objects bundle.Objects
	// Pollers are the doors of those who poll the sources of mappings. Unset: nobody polls.
	Pollers poll.Doors
	// Nodes are the servers that share the store. Unset: there is one.
	Nodes Nodes
	// Logger. Unset: nothing is logged.
	Logger *slog.Logger
}

// Nodes are the servers that share a store. *node.Node is one.
type Nodes interface {
	async.Nodes
	// Lead runs the work of that name while this server is the one that does it (node.Node.Lead).
	Lead(ctx context.Context, name string, work func(context.Context) error) error
	// Rank is the server's place, from 0, among so many. Changes gets a value when that may have changed.
	Rank() (place, of int)
	Changes() <-chan struct{}
}

// alone is a server that shares its store with none.
type alone struct{}

func (alone) ID() string               { return "local" }
func (alone) Alone() bool              { return true }
func (alone) Rank() (place, of int)    { return 0, 1 }
func (alone) Changes() <-chan struct{} { return nil }

func (a alone) Alive(_ store.Reader, id string) (bool, error) { return id == a.ID(), nil }

func (alone) Lead(ctx context.Context, _ string, work func(context.Context) error) error {
	return work(ctx)
}

// Service is Lambda.
type Service struct {
	Config
	functions *store.Cache[*function]
	// names are pages of the keys of the functions of an account and Region.
	names    *store.Pages[string]
	listings listings
	versions *store.Cache[*version]
	aliases  *store.Cache[*alias]
	policies *resourcepolicy.Service
	urls     *functionurl.Service
	// codeChanged: there may be unpacked code that no function has any more.
	codeChanged atomic.Bool
	mappings    *mapping.Service
	pollers     *poll.Room
	signing     *signing.Service
	events      *async.Queue
	// tagged are the rooms whose resources have tags, by the type in their ARNs.
	tagged map[string]taggedRoom
	// concurrencies by account and Region.
	concurrencies *store.Cache[*concurrency]
	// codeUsages of other resources than functions, for GetAccountSettings.
	codeUsages []codeUsage
	code       *bundle.Unpacker
	layers     *layer.Service
	// bootID tells one run of the machine from another; "" where that is not known.
	bootID func() string
}

// cacheSize bounds the functions that are kept decoded, and the versions, aliases and policies.
const cacheSize = 10_000

// nameCacheSize bounds the names of functions in pages that are kept.
const nameCacheSize = 100_000

// New makes the service. Close ends it.
func New(config Config) (*Service, error) {
	if config.DB == nil || config.Blobs == nil || config.Keys == nil || config.CodeDir == "" || config.Runner == nil ||
		config.Roles == nil || config.Principals == nil || config.CodeURLs == nil || config.Permissions == nil ||
		config.FunctionURLs == nil {
		return nil, errors.New("lambda: a required field of Config is not set")
	}
	if config.Runtimes == nil {
		config.Runtimes = func(types.Runtime) bool { return true }
	}
	if config.Nodes == nil {
		config.Nodes = alone{}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Room == nil {
		config.Room = func() bool { return true }
	}
	if config.Random == nil {
		config.Random = rand.Float64
	}
	if config.VPCs == nil {
		config.VPCs = func(string) (string, bool) { return "", false }
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{Config: config, code: bundle.NewUnpacker(config.CodeDir, config.Blobs), bootID: bootID}
	s.functions = store.NewCache(config.DB, cacheSize, s.decodeShown)
	s.names = store.NewPages(config.DB, nameCacheSize, decodeKey)
	s.versions = store.NewCache(config.DB, cacheSize, s.decodeVersion)
	s.aliases = store.NewCache(config.DB, cacheSize, decodeAlias)
	s.policies = resourcepolicy.New(config.DB, functions{s}, config.Principals, cacheSize)
	s.urls = functionurl.New(functionurl.Config{
		DB: config.DB, Functions: functions{s}, Runner: callees{s}, Address: config.FunctionURLs, Organization: config.OrganizationOf,
	})
	s.signing = signing.New(config.DB, config.Publishers, s.hasCodeSigningConfig)
	s.events = async.New(async.Config{
		DB: config.DB, Functions: callable{s}, Roles: config.Roles, Nodes: config.Nodes, Now: config.Now, Logger: config.Logger,
	})
	s.layers = layer.New(layer.Config{
		DB: config.DB, Blobs: config.Blobs, URLs: config.CodeURLs, Objects: config.Objects, Signature: s.signing.Signature,
	})
	s.codeUsages = []codeUsage{layer.CodeSize}
	s.mappings = mapping.New(config.DB, callees{s}, config.Roles, callees{s})
	s.pollers = poll.New(poll.Config{
		Mappings: s.mappings.Polled(), RoleOf: s.roleOf, Merge: mergeTraces, Doors: config.Pollers, Lead: config.Nodes.Lead, Logger: config.Logger,
		Sources: map[string]poll.Source{"sqs": sqs.Run},
	})
	s.tagged = map[string]taggedRoom{
		"function": taggedFunctions{s}, "event-source-mapping": s.mappings, "code-signing-config": s.signing,
	}
	s.concurrencies = store.NewCache(config.DB, cacheSize, decodeConcurrency)
	return s, nil
}

// Close ends the caches. No operation may run during or after it.
func (s *Service) Close() {
	s.functions.Close()
	s.names.Close()
	s.versions.Close()
	s.aliases.Close()
	s.policies.Close()
	s.concurrencies.Close()
	s.urls.Close()
	s.layers.Close()
}

// FunctionURLRequests gives what dispatch needs of requests to function URLs. codec is that of the service, which writes their errors.
func (s *Service) FunctionURLRequests(codec protocol.Codec) service.Service {
	return s.urls.Requests(codec)
}

// Definition gives what dispatch needs of the service.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: fault.Denial}
}
