package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// environmentPurpose is what environment variables are sealed for.
const environmentPurpose = "lambda-environment"

// function is the record of a function's $LATEST version. Values from the cache are shared: change a clone.
type function struct {
	Partition    string             `json:"partition"`
	Region       string             `json:"region"`
	Account      string             `json:"account"`
	Name         string             `json:"name"`
	RevisionID   string             `json:"revision_id"`
	LastModified time.Time          `json:"last_modified"`
	Code         blob.Name          `json:"code"`
	CodeSize     int64              `json:"code_size"`
	Role         string             `json:"role"`
	Runtime      types.Runtime      `json:"runtime"`
	Handler      string             `json:"handler"`
	Description  string             `json:"description"`
	Timeout      int32              `json:"timeout"`     // seconds
	MemorySize   int32              `json:"memory_size"` // MB
	Ephemeral    int32              `json:"ephemeral"`   // MB
	Architecture types.Architecture `json:"architecture"`
	TracingMode  types.TracingMode  `json:"tracing_mode"`
	LogGroup     string             `json:"log_group"`
	Tags         map[string]string  `json:"tags,omitempty"`
	Sealed       []byte             `json:"environment,omitempty"` // JSON of Environment, encrypted
	Environment  map[string]string  `json:"-"`                     // nil: never given
	reference    reference          `json:"-"`
	resourceTags authz.Context      `json:"-"` // aws:ResourceTag/…
}

func functionKey(r reference) string { return functionPrefix(r.account, r.region) + r.name }

func functionPrefix(account, region string) string {
	return "lambda/" + account + "/" + region + "/function/"
}

// decodeFunction makes a record from its item.
func (s *Service) decodeFunction(item store.Item) (*function, error) {
	f, err := store.DecodeJSON[function](item)
	if err != nil {
		return nil, err
	}
	if f.Sealed != nil {
		plain, err := s.Keys.Open(environmentPurpose, f.Sealed)
		if err != nil {
			return nil, fmt.Errorf("open environment of %s: %w", item.Key, err)
		}
		if err := json.Unmarshal(plain, &f.Environment); err != nil {
			return nil, fmt.Errorf("decode environment of %s: %w", item.Key, err)
		}
	}
	f.reference = reference{partition: f.Partition, region: f.Region, account: f.Account, name: f.Name}
	for k, v := range f.Tags {
		f.resourceTags.Set("aws:ResourceTag/"+k, v)
	}
	return &f, nil
}

// findFunction reads a function from the cache. It does not look at the qualifier.
func (s *Service) findFunction(ctx context.Context, r reference) (*function, error) {
	return s.functions.Get(ctx, functionKey(r))
}

// loadFunction reads a function inside a transaction: a value of its own.
func (s *Service) loadFunction(reader store.Reader, r reference) (*function, error) {
	item, err := reader.Get(functionKey(r))
	if err != nil {
		return nil, err
	}
	return s.decodeFunction(item)
}

func (s *Service) putFunction(tx store.Tx, f *function) error {
	f.Sealed = nil
	if f.Environment != nil {
		plain, err := json.Marshal(f.Environment)
		if err != nil {
			return fmt.Errorf("encode environment of %s: %w", f.Name, err)
		}
		if f.Sealed, err = s.Keys.Seal(environmentPurpose, plain); err != nil {
			return fmt.Errorf("seal environment of %s: %w", f.Name, err)
		}
	}
	return store.PutJSON(tx, functionKey(f.reference), f)
}

// updateFunction changes a function in one transaction and gives the result. change may run more than once. revision, if not nil,
// must be the function's (lambda.md 1.3).
func (s *Service) updateFunction(
	ctx context.Context, r reference, revision *string, change func(*function) error,
) (*function, error) {
	var f *function
	err := s.DB.Update(ctx, func(tx store.Tx) (err error) {
		if f, err = s.loadFunction(tx, r); errors.Is(err, store.ErrNotFound) {
			return functionNotFound(r.arn())
		} else if err != nil {
			return err
		}
		if !r.exists() {
			return functionNotFound(r.arn())
		}
		if revision != nil && *revision != f.RevisionID {
			return preconditionFailed("GetFunction/GetAlias")
		}
		if err := change(f); err != nil {
			return err
		}
		return s.putFunction(tx, f)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// execution is the function as its environments see it. Nothing is copied: the cached record does not change.
func (f *function) execution(codeDir string) execution.Function {
	return execution.Function{
		ARN: f.reference.functionARN(), Account: f.Account, Region: f.Region, Name: f.Name,
		Version: latest, Revision: f.RevisionID,
		Role: f.Role, Runtime: string(f.Runtime), Handler: f.Handler,
		Timeout: time.Duration(f.Timeout) * time.Second, MemoryMB: int(f.MemorySize), EphemeralMB: int(f.Ephemeral),
		Env: f.Environment, CodeDir: codeDir, LogGroup: f.LogGroup,
	}
}

// on makes the resource of an operation on one function, from the function that reads and validates its input.
func on[In any](s *Service, action string, read func(*service.Call, *In) (reference, error)) service.Resource[In] {
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
	case "lambda:DeleteFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:GetPolicy",
		"lambda:InvokeFunction", "lambda:ListTags", "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateFunctionCode":
		return true
	}
	return false
}

// target is a function as a resource: the ARN as requested, its tags, and its own policy, which is consulted for the unqualified
// ARN alone (lambda.md 1.4; $LATEST has no policy, and versions and aliases, which have their own, do not exist yet).
func (s *Service) target(ctx context.Context, c *service.Call, action string, r reference) (service.Target, error) {
	t := service.Target{ARN: r.arn(), Account: r.account}
	f, err := s.findFunction(ctx, r)
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find function %s: %w", t.ARN, err)
	}
	t.Keys = f.resourceTags
	if r.qualifier != "" || (r.account != c.Account && !grantable(action)) {
		return t, nil
	}
	p, err := s.policies.Get(ctx, policyKey(r))
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find policy of %s: %w", t.ARN, err)
	}
	t.Policy = &p.compiled
	return t, nil
}

// withKeys adds condition keys to a target whose own keys are shared.
func withKeys(t service.Target, set func(*authz.Context)) service.Target {
	var keys authz.Context
	keys.Merge(t.Keys)
	set(&keys)
	t.Keys = keys
	return t
}
