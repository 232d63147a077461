package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
	"github.com/licet/licet/internal/store"
)

// environmentPurpose is what environment variables are sealed for.
const environmentPurpose = "lambda-environment"

// function is the record of a function: what its versions share, and its $LATEST version. Values from the cache are shared: change a
// clone.
type function struct {
	Partition string            `json:"partition"`
	Region    string            `json:"region"`
	Account   string            `json:"account"`
	Name      string            `json:"name"`
	Tags      map[string]string `json:"tags,omitempty"`
	// Published is the number that a version got last, also if that version, or a former function of this name, is deleted: numbers
	// are never reused (https://docs.aws.amazon.com/lambda/latest/dg/versioning-intro.html; lambda.md 7.4).
	Published int64 `json:"published,omitempty"`
	// CodeSigningConfig is the ARN of the code signing configuration; "" for none.
	CodeSigningConfig string `json:"code_signing_config,omitempty"`
	// RecursiveLoop is what happens to an invocation that is part of a loop; "": Terminate.
	RecursiveLoop types.RecursiveLoop `json:"recursive_loop,omitempty"`
	// Latest is the version that can be changed.
	Latest version `json:"latest"`

	reference    request.Function
	resourceTags authz.Context // aws:ResourceTag/…
	policies     string        // prefix of the keys of its policies
	lineage      string        // what it is called in traces
	// shown is what operations show of Latest; nil for values that are not from the cache, which may change.
	shown *types.FunctionConfiguration
}

// version is the code and the configuration of one version of a function. Of a published one neither ever changes.
type version struct {
	// Number is "$LATEST" or a decimal number from 1.
	Number       string        `json:"number"`
	RevisionID   string        `json:"revision_id"`
	LastModified time.Time     `json:"last_modified"`
	Code         blob.Name     `json:"code"` // "" for an image
	CodeSize     int64         `json:"code_size"`
	Role         string        `json:"role"`
	Runtime      types.Runtime `json:"runtime"`
	Handler      string        `json:"handler"`
	Description  string        `json:"description"`
	// LatestDescription is, of a published version, what $LATEST had where the version got its own.
	LatestDescription string             `json:"latest_description,omitempty"`
	Timeout           int32              `json:"timeout"`     // seconds
	MemorySize        int32              `json:"memory_size"` // MB
	Ephemeral         int32              `json:"ephemeral"`   // MB
	Architecture      types.Architecture `json:"architecture"`
	TracingMode       types.TracingMode  `json:"tracing_mode"`
	LogGroup          string             `json:"log_group"`

	// Image is nil for a deployment package.
	Image       *image             `json:"image,omitempty"`
	ImageConfig *types.ImageConfig `json:"image_config,omitempty"`
	// SourceKey and KMSKey are ARNs of keys: of the deployment package, of the environment.
	SourceKey string `json:"source_key,omitempty"`
	KMSKey    string `json:"kms_key,omitempty"`
	// SigningProfile and SigningJob are ARNs, of the version of the profile that signed the deployment package and of the job.
	SigningProfile string `json:"signing_profile,omitempty"`
	SigningJob     string `json:"signing_job,omitempty"`
	// Network is nil for a function that never was in a VPC, and has empty lists for one that was.
	Network     *types.VpcConfigResponse `json:"network,omitempty"`
	FileSystems []types.FileSystemConfig `json:"file_systems,omitempty"`
	// DeadLetter is the ARN of a queue or topic.
	DeadLetter string `json:"dead_letter,omitempty"`
	// LogFormat "" is Text. The levels are of JSON only.
	LogFormat           types.LogFormat           `json:"log_format,omitempty"`
	ApplicationLogLevel types.ApplicationLogLevel `json:"application_log_level,omitempty"`
	SystemLogLevel      types.SystemLogLevel      `json:"system_log_level,omitempty"`
	SnapStart           types.SnapStartApplyOn    `json:"snap_start,omitempty"` // "" is None
	// Tenancy is set when the function is made, and never changed.
	Tenancy types.TenantIsolationMode `json:"tenancy,omitempty"`

	Sealed      []byte            `json:"environment,omitempty"` // JSON of Environment, encrypted
	Environment map[string]string `json:"-"`                     // nil: never given

	// CodeUnpacked is the size of the code as it is unpacked, which counts with that of the layers.
	CodeUnpacked int64       `json:"code_unpacked,omitempty"`
	Layers       []usedLayer `json:"layers,omitempty"`
	unpacked     unpacked
}

// found is what a request names.
type found struct {
	function *function
	// version that the qualifier, or the alias, names; $LATEST for an unqualified request.
	version *version
	// alias that the qualifier names; nil if it names none.
	alias *alias
}

// latest is the function's $LATEST version.
func (f *function) latest() found { return found{function: f, version: &f.Latest} }

// A function's record stands by its name, so that functions are listed in order; what belongs to it stands below a prefix of its own,
// which goes with it.
func functionKey(r request.Function) string { return functionPrefix(r.Account, r.Region) + r.Name }

func functionPrefix(account, region string) string {
	return "lambda/" + account + "/" + region + "/function/"
}

// belongings is the prefix of the records that belong to a function. What belongs to one version or alias of it stands at
// "<kind>/<qualifier>", or below that, and goes with it.
func belongings(r request.Function) string {
	return "lambda/" + r.Account + "/" + r.Region + "/of/" + r.Name + "/"
}

// decodeFunction makes a record from its item.
func (s *Service) decodeFunction(item store.Item) (*function, error) {
	f, err := store.DecodeJSON[function](item)
	if err != nil {
		return nil, err
	}
	if err := s.open(&f.Latest); err != nil {
		return nil, fmt.Errorf("%s: %w", item.Key, err)
	}
	f.reference = request.Function{Partition: f.Partition, Region: f.Region, Account: f.Account, Name: f.Name}
	f.policies = s.policies.Prefix(f.reference)
	f.lineage = lineageHash(f.reference.FunctionARN())
	tag.OfResource(&f.resourceTags, f.Tags)
	return &f, nil
}

// decodeShown is decodeFunction for the cache.
func (s *Service) decodeShown(item store.Item) (*function, error) {
	f, err := s.decodeFunction(item)
	if err != nil {
		return nil, err
	}
	shown := f.latest().describe()
	f.shown = &shown
	return f, nil
}

// open completes a version that was read: it decrypts what is secret and derives what is not stored.
func (s *Service) open(v *version) error {
	v.unpacked = newUnpacked(v.Code, v.Layers)
	if v.Sealed == nil {
		return nil
	}
	plain, err := s.Keys.Open(environmentPurpose, v.Sealed)
	if err != nil {
		return fmt.Errorf("open environment: %w", err)
	}
	if err := json.Unmarshal(plain, &v.Environment); err != nil {
		return fmt.Errorf("decode environment: %w", err)
	}
	return nil
}

// seal encrypts what is secret in a version's record.
func (s *Service) seal(v *version) error {
	v.Sealed = nil
	if v.Environment == nil {
		return nil
	}
	plain, err := json.Marshal(v.Environment)
	if err != nil {
		return fmt.Errorf("encode environment: %w", err)
	}
	if v.Sealed, err = s.Keys.Seal(environmentPurpose, plain); err != nil {
		return fmt.Errorf("seal environment: %w", err)
	}
	return nil
}

// find gives what a reference names, from the caches. The error wraps store.ErrNotFound where the function, or the qualifier, is not
// there.
func (s *Service) find(ctx context.Context, r request.Function) (found, error) {
	return resolve(r, lookup{
		function: func() (*function, error) { return s.functions.Get(ctx, functionKey(r)) },
		version:  func(number string) (*version, error) { return s.versions.Get(ctx, versionKey(r, number)) },
		alias:    func() (*alias, error) { return s.aliases.Get(ctx, aliasKey(r)) },
	})
}

// load is find inside a transaction: values of its own.
func (s *Service) load(reader store.Reader, r request.Function) (found, error) {
	return resolve(r, lookup{
		function: func() (*function, error) { return s.loadFunction(reader, r) },
		version:  func(number string) (*version, error) { return read(reader, versionKey(r, number), s.decodeVersion) },
		alias:    func() (*alias, error) { return read(reader, aliasKey(r), decodeAlias) },
	})
}

// lookup finds the records that a reference may name.
type lookup struct {
	function func() (*function, error)
	version  func(number string) (*version, error)
	alias    func() (*alias, error)
}

func resolve(r request.Function, l lookup) (f found, err error) {
	if f.function, err = l.function(); err != nil {
		return found{}, err
	}
	number := r.Qualifier
	if !request.IsVersion(number) && number != request.Latest {
		if f.alias, err = l.alias(); err != nil {
			return found{}, err
		}
		number = f.alias.Version
	}
	if number == "" || number == request.Latest {
		f.version = &f.function.Latest
		return f, nil
	}
	if f.version, err = l.version(number); err != nil {
		return found{}, err
	}
	return f, nil
}

// read decodes the item at a key inside a transaction.
func read[T any](reader store.Reader, key string, decode func(store.Item) (T, error)) (T, error) {
	item, err := reader.Get(key)
	if err != nil {
		var none T
		return none, err
	}
	return decode(item)
}

// existing is find for operations that answer that the thing is not there.
func (s *Service) existing(ctx context.Context, r request.Function) (found, error) {
	f, err := s.find(ctx, r)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return found{}, fault.FunctionNotFound(r.ARN())
	case err != nil:
		return found{}, fmt.Errorf("find function %s: %w", r.ARN(), err)
	}
	return f, nil
}

// loadFunction reads a function inside a transaction: a value of its own.
func (s *Service) loadFunction(reader store.Reader, r request.Function) (*function, error) {
	return read(reader, functionKey(r), s.decodeFunction)
}

// checkFunction refuses a function that is not there.
func checkFunction(reader store.Reader, r request.Function) error {
	_, err := reader.Get(functionKey(r))
	if errors.Is(err, store.ErrNotFound) {
		return fault.FunctionNotFound(r.ARN())
	}
	return err
}

func (s *Service) putFunction(tx store.Tx, f *function) error {
	if err := s.seal(&f.Latest); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return store.PutJSON(tx, functionKey(f.reference), f)
}

// deleteQualified deletes the alias or the version that a reference names, and what belongs to it. It looks at each kind of what belongs
// to the function, not at all of it.
func deleteQualified(tx store.Tx, r request.Function) error {
	for after := ""; ; {
		items, err := tx.Scan(belongings(r), after, 1)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return errors.Join(tx.Delete(versionKey(r, r.Qualifier)), releaseConcurrency(tx, r))
		}
		kind, _, _ := strings.Cut(strings.TrimPrefix(items[0].Key, belongings(r)), "/")
		after = belongings(r) + kind + "/\xff"
		if kind == "version" { // these have other keys
			continue
		}
		own := belongings(r) + kind + "/" + r.Qualifier
		if err := errors.Join(tx.Delete(own), tx.DeletePrefix(own+"/")); err != nil {
			return err
		}
	}
}

// updateFunction changes a function's record in one transaction and gives the result. change may run more than once.
func (s *Service) updateFunction(ctx context.Context, r request.Function, change func(*function) error) (*function, error) {
	return s.updateWith(ctx, r, func(_ store.Tx, f *function) error { return change(f) })
}

// updateWith is updateFunction for changes that touch other records, too.
func (s *Service) updateWith(
	ctx context.Context, r request.Function, change func(store.Tx, *function) error,
) (*function, error) {
	var f *function
	err := s.DB.Update(ctx, func(tx store.Tx) (err error) {
		if f, err = s.loadFunction(tx, r); errors.Is(err, store.ErrNotFound) {
			return fault.FunctionNotFound(r.ARN())
		} else if err != nil {
			return err
		}
		if err := change(tx, f); err != nil {
			return err
		}
		return s.putFunction(tx, f)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// updateLatest lets change work on the $LATEST version of a function. revision, if not nil, must be the version's (lambda.md 1.3).
func (s *Service) updateLatest(ctx context.Context, r request.Function, revision *string, change func(*function) error) (found, error) {
	f, err := s.updateFunction(ctx, r, func(f *function) error {
		if err := checkRevision(revision, f.Latest.RevisionID); err != nil {
			return err
		}
		return change(f)
	})
	if err != nil {
		return found{}, err
	}
	return f.latest(), nil
}

// checkRevision refuses a change of something that has another revision than the request says, if it says one.
func checkRevision(asked *string, current string) error {
	if asked != nil && *asked != current {
		return fault.PreconditionFailed("GetFunction/GetAlias")
	}
	return nil
}

// unpack gives a version as its environments see it, with its code and layers.
func (s *Service) unpack(ctx context.Context, f found) (execution.Function, error) {
	if f.version.Image != nil {
		return s.unpackImage(ctx, f)
	}
	codeDir, err := s.code.Directory(ctx, f.version.unpacked.code)
	if err != nil {
		return execution.Function{}, err
	}
	if codeDir == "" {
		return execution.Function{}, errors.New("the version has no archive, or was not opened")
	}
	layerDir, err := s.code.Directory(ctx, f.version.unpacked.layers)
	if err != nil {
		return execution.Function{}, fmt.Errorf("layers: %w", err)
	}
	run := f.execution()
	run.CodeDir, run.LayerDir = codeDir, layerDir
	return run, nil
}

// execution is a version as its environments see it, but for its code and layers. Nothing is copied: cached records do not change.
func (f found) execution() execution.Function {
	v := f.version
	return execution.Function{
		ARN: f.function.reference.FunctionARN(), Account: f.function.Account, Region: f.function.Region, Name: f.function.Name,
		Version: v.Number, Revision: v.RevisionID,
		Role: v.Role, Runtime: string(v.Runtime), Handler: v.Handler,
		Timeout: time.Duration(v.Timeout) * time.Second, MemoryMB: int(v.MemorySize), EphemeralMB: int(v.Ephemeral),
		Env: v.Environment, LogGroup: v.LogGroup,
		JSONLogs: v.LogFormat == types.LogFormatJson, ApplicationLogLevel: string(v.ApplicationLogLevel),
		SystemLogLevel: string(v.SystemLogLevel),
		SnapStart:      v.snapStart().OptimizationStatus == types.SnapStartOptimizationStatusOn,
	}
}

// on makes the resource of an operation on one function, from the function that reads and validates its input.
func on[In any](s *Service, action string, read func(*service.Call, *In) (request.Function, error)) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		r, err := read(c, in)
		if err != nil {
			return service.Target{}, err
		}
		return s.target(ctx, c, action, r)
	}
}

// grantable are the actions by which another account's caller may use a function, if the function's policy allows (lambda.md 1.5).
// A policy may name others, without effect across accounts.
func grantable(action string) bool {
	switch action {
	case "lambda:CreateAlias", "lambda:DeleteAlias", "lambda:GetAlias", "lambda:ListAliases", "lambda:UpdateAlias",
		"lambda:DeleteFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:UpdateFunctionCode",
		"lambda:DeleteFunctionConcurrency", "lambda:GetFunctionConcurrency", "lambda:PutFunctionConcurrency",
		"lambda:DeleteFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig", "lambda:ListFunctionEventInvokeConfigs",
		"lambda:PutFunctionEventInvokeConfig", "lambda:UpdateFunctionEventInvokeConfig",
		"lambda:DeleteProvisionedConcurrencyConfig", "lambda:GetProvisionedConcurrencyConfig",
		"lambda:ListProvisionedConcurrencyConfigs", "lambda:PutProvisionedConcurrencyConfig",
		"lambda:GetPolicy", "lambda:InvokeFunction", "lambda:InvokeFunctionUrl", "lambda:ListTags", "lambda:ListVersionsByFunction",
		"lambda:PublishVersion", "lambda:TagResource", "lambda:UntagResource":
		return true
	}
	return false
}

// target is a function, version or alias as a resource: the ARN as requested, its function's tags, and the policy that is consulted for
// that ARN.
func (s *Service) target(ctx context.Context, c *service.Call, action string, r request.Function) (service.Target, error) {
	t := service.Target{ARN: r.ARN(), Account: r.Account}
	f, err := s.functions.Get(ctx, functionKey(r))
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find function %s: %w", t.ARN, err)
	}
	t.Keys = f.resourceTags
	if r.Account != c.Account && !grantable(action) {
		return t, nil
	}
	t.Policy, err = s.policies.Consulted(ctx, f.policies, r.Qualifier)
	return t, err
}
