package functionurl

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/stream"
	"github.com/licet/licet/internal/store"
)

// Functions knows what has URLs.
type Functions interface {
	// Target is a function or alias as the resource of an action.
	Target(ctx context.Context, c *service.Call, action string, r request.Function) (service.Target, error)
	// Revision gives the RevisionId of a function or alias. The error wraps store.ErrNotFound when it is not there.
	Revision(reader store.Reader, r request.Function) (string, error)
	// MayHaveURL says why a function or alias cannot have a URL. The error wraps store.ErrNotFound when it is not there.
	MayHaveURL(reader store.Reader, r request.Function) error
	// Belongings is the prefix of the records that belong to a function and go with it.
	Belongings(r request.Function) string
}

// Runner runs functions for those who come by their URLs. Its errors are those of Invoke.
type Runner interface {
	// Trace gives the X-Amzn-Trace-Id of a call, which is made up where the client sent none.
	Trace(c *service.Call) string
	// Run gives the result of a function, or how it failed.
	Run(ctx context.Context, c *service.Call, r request.Function, event []byte) (execution.Result, error)
	// Stream begins to run a function.
	Stream(ctx context.Context, c *service.Call, r request.Function, event []byte) (*stream.Pipe, error)
}

// Address gives the URL of an id: "http://<id>.lambda-url.<region>.<domain>/".
type Address func(region, id string) string

// Config is what the room needs. Every field without an "unset" is required.
type Config struct {
	DB        store.DB
	Functions Functions
	Runner    Runner
	Address   Address
	// Organization gives the id of the organization that an account is in; "" for none. Unset: no account is in one.
	Organization func(ctx context.Context, account string) (string, error)
}

// Service is the room of function URLs.
type Service struct {
	db           store.DB
	functions    Functions
	runner       Runner
	address      Address
	organization func(ctx context.Context, account string) (string, error)
	// index and configs find a URL from memory.
	index   *store.Cache[request.Function]
	configs *store.Cache[*config]
	metrics *metrics
}

// cached is how many URLs are kept in memory.
const cached = 10_000

// New makes the room. Close ends it.
func New(c Config) *Service {
	if c.Organization == nil {
		c.Organization = func(context.Context, string) (string, error) { return "", nil }
	}
	return &Service{
		db: c.DB, functions: c.Functions, runner: c.Runner, address: c.Address, organization: c.Organization, metrics: newMetrics(),
		index:   store.NewCache(c.DB, cached, store.DecodeJSON[request.Function]),
		configs: store.NewCache(c.DB, cached, store.DecodeJSON[*config]),
	}
}

// Close lets go of the store.
func (s *Service) Close() {
	s.index.Close()
	s.configs.Close()
}

// Operations are the rows of the room.
func (s *Service) Operations() []service.Operation {
	return []service.Operation{
		service.Op("CreateFunctionUrlConfig", "lambda:CreateFunctionUrlConfig", s.createTarget, s.create),
		service.Op("DeleteFunctionUrlConfig", "lambda:DeleteFunctionUrlConfig", s.deleteTarget, s.delete),
		service.Op("GetFunctionUrlConfig", "lambda:GetFunctionUrlConfig", s.getTarget, s.get),
		service.Op("ListFunctionUrlConfigs", "lambda:ListFunctionUrlConfigs", s.listTarget, s.list, s.listNeeds),
		service.Op("UpdateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig", s.updateTarget, s.update, s.updateNeeds),
	}
}

// config is the record of a function URL.
type config struct {
	// ID is the first label of the host name: 32 lower-case letters and digits.
	ID string `json:"id"`
	// Qualifier is the alias; "" for the function's $LATEST version.
	Qualifier  string                    `json:"qualifier,omitempty"`
	AuthType   types.FunctionUrlAuthType `json:"auth_type"`
	InvokeMode types.InvokeMode          `json:"invoke_mode"`
	Cors       *types.Cors               `json:"cors,omitempty"`
	Created    time.Time                 `json:"created"`
	Modified   time.Time                 `json:"modified"`
}

func (s *Service) prefix(r request.Function) string { return s.functions.Belongings(r) + "url/" }

func (s *Service) key(r request.Function) string { return s.prefix(r) + r.Qualifier }

// idLength is the length of ids.
const idLength = 32

// newID makes an id that no other URL has: it has 160 random bits.
func newID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// find gives a configuration; nil when there is none.
func (s *Service) find(ctx context.Context, r request.Function) (u *config, err error) {
	err = s.db.View(ctx, func(reader store.Reader) error {
		u, err = s.load(reader, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the URL of %s: %w", r.ARN(), err)
	}
	return u, nil
}

// load is find inside a transaction.
func (s *Service) load(reader store.Reader, r request.Function) (*config, error) {
	u, err := store.GetJSON[config](reader, s.key(r))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &u, err
}

// checkFunction wants the function, or the alias, to be there.
func (s *Service) checkFunction(reader store.Reader, r request.Function) error {
	_, err := s.functions.Revision(reader, r)
	return notThere(err)
}

func notThere(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.NotFound("Function does not exist")
	}
	return err
}

// missing is the answer where there is no configuration.
func missing() error { return fault.NotFound("The resource you requested does not exist.") }

// reference is what a request is about: a function or an alias, never a version. The model's constraint holds for the qualifier of the
// name, too.
func reference(v *request.Validator, c *service.Call, name, qualifier *string) (request.Function, error) {
	r := v.Function(c, name, request.FunctionName)
	v.Text("qualifier", qualifier, aliasText)
	if err := v.Err(); err != nil {
		return request.Function{}, err
	}
	if r.Qualifier != "" {
		v.Text("qualifier", &r.Qualifier, aliasText)
	}
	return v.Resolve(c, r, qualifier)
}

// The constraints of the model (botocore, API version 2015-03-31).
var (
	aliasText  = request.Text{Min: 1, Max: 128, Pattern: request.NewPatternAs(`((?!^\d+$)^[0-9a-zA-Z-_]+$)`, `[0-9]*[a-zA-Z-_][0-9a-zA-Z-_]*`)}
	headerText = request.NewText(0, 1024, `.*`)
	methodText = request.NewText(0, 6, `.*`)
	originText = request.NewText(1, 253, `.*`)
)

// time as function URLs have it: "2023-06-08T13:20:18.244654Z", in answers that clients have published.
func timeText(t time.Time) *string { return aws.String(t.UTC().Format("2006-01-02T15:04:05.000000Z")) }

// shown is what the operations show of a configuration.
func (s *Service) shown(r request.Function, u *config) types.FunctionUrlConfig {
	r.Qualifier = u.Qualifier
	return types.FunctionUrlConfig{
		AuthType: u.AuthType, Cors: u.Cors, CreationTime: timeText(u.Created), LastModifiedTime: timeText(u.Modified),
		FunctionArn: aws.String(r.ARN()), FunctionUrl: aws.String(s.address(r.Region, u.ID)), InvokeMode: u.InvokeMode,
	}
}
