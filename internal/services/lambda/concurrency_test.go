package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func (h *harness) store(change func(store.Tx) error) {
	h.t.Helper()
	if err := h.db.Update(h.t.Context(), change); err != nil {
		h.t.Fatal(err)
	}
}

// sameJSON compares values of the SDK by the members that they have.
func sameJSON(t testing.TB, got, want any) {
	t.Helper()
	var texts [2]string
	for i, v := range []any{got, want} {
		b, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(b)
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func (h *harness) reference(name, qualifier string) request.Function {
	return request.Function{Partition: "aws", Region: region, Account: account, Name: name, Qualifier: qualifier}
}

// keepVersion writes what $LATEST is now as a published version.
func (h *harness) keepVersion(name, number string) {
	h.t.Helper()
	h.store(func(tx store.Tx) error {
		r := h.reference(name, number)
		f, err := h.lambda.loadFunction(tx, r)
		if err != nil {
			return err
		}
		v := f.Latest
		v.Number = number
		return store.PutJSON(tx, versionKey(r, number), v)
	})
}

func (h *harness) keepAlias(name string, a alias) {
	h.t.Helper()
	h.store(func(tx store.Tx) error { return store.PutJSON(tx, aliasKey(h.reference(name, a.Name)), a) })
}

func reserve(name string, n int32) *sdk.PutFunctionConcurrencyInput {
	return &sdk.PutFunctionConcurrencyInput{FunctionName: aws.String(name), ReservedConcurrentExecutions: aws.Int32(n)}
}

func provision(name, qualifier string, n int32) *sdk.PutProvisionedConcurrencyConfigInput {
	return &sdk.PutProvisionedConcurrencyConfigInput{
		FunctionName: aws.String(name), Qualifier: aws.String(qualifier), ProvisionedConcurrentExecutions: aws.Int32(n),
	}
}

func (h *harness) unreserved() int32 {
	h.t.Helper()
	return *must[sdk.GetAccountSettingsOutput](h, &sdk.GetAccountSettingsInput{}).AccountLimit.UnreservedConcurrentExecutions
}

func (h *harness) reserved(name string) *int32 {
	h.t.Helper()
	return must[sdk.GetFunctionConcurrencyOutput](h, &sdk.GetFunctionConcurrencyInput{FunctionName: aws.String(name)}).
		ReservedConcurrentExecutions
}

const (
	notOnFunctions = "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. " +
		"Please specify either a function name or an unqualified function ARN."
	belowMinimum = "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its " +
		"minimum value of [100]."
)

func TestReservedConcurrency(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("g")
	if got := h.reserved("f"); got != nil {
		t.Errorf("got %d before anything was reserved", *got)
	}
	if out := must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: aws.String("f")}); out.Concurrency != nil {
		t.Errorf("got %+v before anything was reserved", *out.Concurrency)
	}
	must[sdk.DeleteFunctionConcurrencyOutput](h, &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("f")})
	out := must[sdk.PutFunctionConcurrencyOutput](h, reserve(arnOfF, 50))
	if got := h.reserved("f"); *out.ReservedConcurrentExecutions != 50 || *got != 50 {
		t.Errorf("got %d, then %d, want 50", *out.ReservedConcurrentExecutions, *got)
	}
	shown := must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: aws.String("f")})
	if shown.Concurrency == nil || *shown.Concurrency.ReservedConcurrentExecutions != 50 {
		t.Errorf("GetFunction: got %+v", shown.Concurrency)
	}
	if got := h.unreserved(); got != 950 {
		t.Errorf("got %d unreserved, want 950", got)
	}
	refuse[sdk.PutFunctionConcurrencyOutput](h, reserve("g", 851), "InvalidParameterValueException", 400, belowMinimum)
	must[sdk.PutFunctionConcurrencyOutput](h, reserve("g", 850))
	must[sdk.PutFunctionConcurrencyOutput](h, reserve("g", 850)) // its own does not count
	refuse[sdk.PutFunctionConcurrencyOutput](h, reserve("f", 51), "InvalidParameterValueException", 400, belowMinimum)
	must[sdk.PutFunctionConcurrencyOutput](h, reserve("f", 0))
	if got := h.reserved("f"); got == nil || *got != 0 {
		t.Errorf("got %v, want 0, which is not nothing", got)
	}
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("g")})
	if got := h.unreserved(); got != 1000 {
		t.Errorf("got %d unreserved after the function was deleted, want 1000", got)
	}
	must[sdk.DeleteFunctionConcurrencyOutput](h, &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("f")})
	if got := h.reserved("f"); got != nil {
		t.Errorf("got %d after all was given back", *got)
	}
	err := h.db.View(t.Context(), func(r store.Reader) error {
		_, err := r.Get(concurrencyKey(account, region))
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v: a record without anything is left", err)
	}
}

func TestReservedConcurrencyRefusals(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	const missing = "Function not found: arn:aws:lambda:eu-central-1:111122223333:function:missing"
	refuse[sdk.PutFunctionConcurrencyOutput](h, reserve("missing", 1), "ResourceNotFoundException", 404, missing+":$LATEST")
	refuse[sdk.GetFunctionConcurrencyOutput](h, &sdk.GetFunctionConcurrencyInput{FunctionName: aws.String("missing")},
		"ResourceNotFoundException", 404, missing)
	refuse[sdk.DeleteFunctionConcurrencyOutput](h, &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("missing")},
		"ResourceNotFoundException", 404, missing)
	refuse[sdk.PutFunctionConcurrencyOutput](h, reserve("f:$LATEST", 1), "InvalidParameterValueException", 400, notOnFunctions)
	refuse[sdk.GetFunctionConcurrencyOutput](h, &sdk.GetFunctionConcurrencyInput{FunctionName: aws.String("f:1")},
		"InvalidParameterValueException", 400, notOnFunctions)
	refuse[sdk.DeleteFunctionConcurrencyOutput](h, &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("f:live")},
		"InvalidParameterValueException", 400, notOnFunctions)
	refuse[sdk.PutFunctionConcurrencyOutput](h, reserve("f", -1), "ValidationException", 400,
		"1 validation error detected: Value '-1' at 'reservedConcurrentExecutions' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 0")
	refuse[sdk.PutFunctionConcurrencyOutput](h, &sdk.PutFunctionConcurrencyInput{FunctionName: aws.String("f")}, "ValidationException", 400,
		"1 validation error detected: Value null at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must not be null")
}

// An invocation has the limits of now, and its refusal AWS's words.
func TestInvokeHasLimits(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("g")
	limits := func() string {
		must[sdk.InvokeOutput](h, invokeInput("f"))
		f := h.runner.functions[len(h.runner.functions)-1]
		if f.Reserved == nil {
			return fmt.Sprintf("none of %d", f.AccountReserved)
		}
		return fmt.Sprintf("%d of %d", *f.Reserved, f.AccountReserved)
	}
	steps := []struct {
		change func()
		want   string
	}{
		{func() {}, "none of 0"},
		{func() { must[sdk.PutFunctionConcurrencyOutput](h, reserve("f", 7)) }, "7 of 7"},
		{func() { must[sdk.PutFunctionConcurrencyOutput](h, reserve("g", 10)) }, "7 of 17"},
		{func() { must[sdk.PutFunctionConcurrencyOutput](h, reserve("f", 0)) }, "0 of 10"},
		{func() {
			must[sdk.DeleteFunctionConcurrencyOutput](h, &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("f")})
		}, "none of 10"},
	}
	for _, step := range steps {
		step.change()
		if got := limits(); got != step.want {
			t.Errorf("got %s, want %s", got, step.want)
		}
	}
	before := h.db.views.Load()
	limits()
	if got := h.db.views.Load() - before; got != 0 {
		t.Errorf("got %d reads of the store in a warm invocation", got)
	}
	h.runner.fail = execution.ErrThrottled{Reason: "ReservedFunctionConcurrentInvocationLimitExceeded"}
	_, err := do[sdk.InvokeOutput](h, invokeInput("f"))
	wantError(t, err, "TooManyRequestsException", 429, "Rate Exceeded.")
	e, _ := errors.AsType[*awserr.Error](err)
	if e.Members["Reason"] != "ReservedFunctionConcurrentInvocationLimitExceeded" || e.Headers["Retry-After"] != "1" {
		t.Errorf("got %v, %v", e.Members, e.Headers)
	}
}

func TestProvisionedConcurrency(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.keepVersion("f", "1")
	h.keepVersion("f", "2")
	h.keepAlias("f", alias{Name: "live", Version: "1"})
	get := func(qualifier string) *sdk.GetProvisionedConcurrencyConfigInput {
		return &sdk.GetProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String(qualifier)}
	}
	notFound := func(qualifier string) {
		t.Helper()
		refuse[sdk.GetProvisionedConcurrencyConfigOutput](h, get(qualifier), "ProvisionedConcurrencyConfigNotFoundException", 404,
			"No Provisioned Concurrency Config found for this function")
	}
	notFound("live")
	put := must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "live", 3))
	want := &sdk.GetProvisionedConcurrencyConfigOutput{
		RequestedProvisionedConcurrentExecutions: aws.Int32(3), AllocatedProvisionedConcurrentExecutions: aws.Int32(0),
		AvailableProvisionedConcurrentExecutions: aws.Int32(0), Status: types.ProvisionedConcurrencyStatusEnumInProgress,
		LastModified: aws.String("2026-11-23T12:00:00+0000"),
	}
	sameJSON(t, put, &sdk.PutProvisionedConcurrencyConfigOutput{
		RequestedProvisionedConcurrentExecutions: aws.Int32(3), AllocatedProvisionedConcurrentExecutions: aws.Int32(0),
		AvailableProvisionedConcurrentExecutions: aws.Int32(0), Status: types.ProvisionedConcurrencyStatusEnumInProgress,
		LastModified: aws.String("2026-11-23T12:00:00+0000"),
	})
	if need := h.lastNeeds[0]; need.Target.ARN != arnOfF+":live" || need.Action != "lambda:PutProvisionedConcurrencyConfig" {
		t.Errorf("needs %s on %s", need.Action, need.Target.ARN)
	}
	sameJSON(t, must[sdk.GetProvisionedConcurrencyConfigOutput](h, get("live")), want)

	// The state is the Runner's, if it speaks of this configuration.
	provided := func(p execution.Provisioned) { h.runner.provided = map[string]execution.Provisioned{arnOfF + ":1": p} }
	state := func(allocated int32, status types.ProvisionedConcurrencyStatusEnum, reason *string) {
		t.Helper()
		want.AllocatedProvisionedConcurrentExecutions, want.AvailableProvisionedConcurrentExecutions = &allocated, &allocated
		want.Status, want.StatusReason = status, reason
		sameJSON(t, must[sdk.GetProvisionedConcurrencyConfigOutput](h, get("live")), want)
	}
	provided(execution.Provisioned{Asked: h.now, Ready: 2})
	state(2, types.ProvisionedConcurrencyStatusEnumInProgress, nil)
	provided(execution.Provisioned{Asked: h.now, Ready: 3})
	state(3, types.ProvisionedConcurrencyStatusEnumReady, nil)
	provided(execution.Provisioned{Asked: h.now.Add(-1), Ready: 5})
	state(3, types.ProvisionedConcurrencyStatusEnumInProgress, nil)
	provided(execution.Provisioned{Asked: h.now, Ready: 1, Failure: "no memory"})
	state(1, types.ProvisionedConcurrencyStatusEnumFailed, aws.String("no memory"))

	if got := h.unreserved(); got != 997 {
		t.Errorf("got %d unreserved, want 997", got)
	}
	must[sdk.PutFunctionConcurrencyOutput](h, reserve("f", 10)) // which has room for what is provisioned
	if got := h.unreserved(); got != 990 {
		t.Errorf("got %d unreserved, want 990", got)
	}
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f:2", "2", 7))
	list := must[sdk.ListProvisionedConcurrencyConfigsOutput](h, &sdk.ListProvisionedConcurrencyConfigsInput{FunctionName: aws.String("f")})
	var arns []string
	for _, item := range list.ProvisionedConcurrencyConfigs {
		arns = append(arns, *item.FunctionArn+"="+fmt.Sprint(*item.RequestedProvisionedConcurrentExecutions))
	}
	if got := strings.Join(arns, " "); got != arnOfF+":2=7 "+arnOfF+":live=3" || list.NextMarker != nil {
		t.Errorf("got %s", got)
	}
	for range 2 { // idempotent
		must[sdk.DeleteProvisionedConcurrencyConfigOutput](h,
			&sdk.DeleteProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")})
	}
	notFound("live")
	must[sdk.GetProvisionedConcurrencyConfigOutput](h, get("2"))
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("2")})
	h.keepVersion("f", "2")
	notFound("2")
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "live", 3))
	must[sdk.DeleteAliasOutput](h, &sdk.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
	h.keepAlias("f", alias{Name: "live", Version: "1"})
	notFound("live")
}

// ranked is one of several servers.
type ranked struct {
	alone
	place, of int
}

func (r ranked) Rank() (place, of int) { return r.place, r.of }

// Servers share out what is provisioned, and tell of all of it.
func TestProvisionedConcurrencyIsSharedOut(t *testing.T) {
	for _, c := range []struct {
		ranked
		part int
		// told by how many are ready
		told []int32
	}{
		{ranked{place: 0, of: 1}, 5, []int32{0, 1, 2, 3, 4, 5}},
		{ranked{place: 0, of: 2}, 3, []int32{0, 1, 3, 5}},
		{ranked{place: 1, of: 2}, 2, []int32{0, 2, 5}},
		{ranked{place: 7, of: 8}, 0, []int32{5}},
	} {
		t.Run(fmt.Sprintf("%d of %d", c.place, c.of), func(t *testing.T) {
			h := newHarness(t)
			h.lambda.Nodes = c.ranked
			h.create("f")
			h.keepVersion("f", "1")
			must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "1", 5))
			if err := h.lambda.provision(t.Context()); err != nil {
				t.Fatal(err)
			}
			if asked := h.runner.provisions; len(asked) != 1 || asked[0].Count != c.part {
				t.Errorf("asked for %+v, want %d", asked, c.part)
			}
			for ready, want := range c.told {
				h.runner.provided = map[string]execution.Provisioned{arnOfF + ":1": {Asked: h.now, Ready: ready}}
				out := must[sdk.GetProvisionedConcurrencyConfigOutput](h, &sdk.GetProvisionedConcurrencyConfigInput{
					FunctionName: aws.String("f"), Qualifier: aws.String("1"),
				})
				if got := *out.AllocatedProvisionedConcurrentExecutions; got != want || (got == 5) != (out.Status == types.ProvisionedConcurrencyStatusEnumReady) {
					t.Errorf("%d are ready: %d allocated, %s; want %d", ready, got, out.Status, want)
				}
			}
		})
	}
}

func TestListProvisionedConcurrencyPages(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	var want []string
	for i := 1; i <= 5; i++ {
		h.keepVersion("f", fmt.Sprint(i))
		must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", fmt.Sprint(i), 1))
		want = append(want, fmt.Sprintf("%s:%d", arnOfF, i))
	}
	in := &sdk.ListProvisionedConcurrencyConfigsInput{FunctionName: aws.String("f"), MaxItems: aws.Int32(2)}
	var got []string
	pages := 0
	for {
		out := must[sdk.ListProvisionedConcurrencyConfigsOutput](h, in)
		for _, item := range out.ProvisionedConcurrencyConfigs {
			got = append(got, *item.FunctionArn)
		}
		pages++
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("got %v on %d pages", got, pages)
	}
	in.Marker = aws.String("?")
	refuse[sdk.ListProvisionedConcurrencyConfigsOutput](h, in, "InvalidParameterValueException", 400, "Invalid Marker: ?")
}

func TestProvisionedConcurrencyRefusals(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("g")
	for _, number := range []string{"1", "2", "3"} {
		h.keepVersion("f", number)
	}
	h.keepVersion("g", "1")
	h.keepAlias("f", alias{Name: "live", Version: "1"})
	h.keepAlias("f", alias{Name: "other", Version: "1"})
	h.keepAlias("f", alias{Name: "newest", Version: "$LATEST"})
	h.keepAlias("f", alias{Name: "split", Version: "1", Weights: map[string]float64{"2": 0.5}})
	h.keepAlias("f", alias{Name: "two", Version: "2"})
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "live", 1))
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "2", 1))
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "live", 2)) // an update
	const (
		invalid     = "InvalidParameterValueException"
		unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
		needsAlias  = "The function resource provided must be an alias or a published version."
	)
	for _, c := range []struct {
		in      any
		code    string
		status  int
		message string
	}{
		{provision("f", "$LATEST", 1), invalid, 400, unpublished},
		{provision("f", "newest", 1), invalid, 400, unpublished},
		{provision("f", "split", 1), invalid, 400, "Alias with weights can not be used with Provisioned Concurrency"},
		{provision("f", "1", 1), "ResourceConflictException", 409, "Version is pointed by a Provisioned Concurrency alias"},
		{provision("f", "two", 1), "ResourceConflictException", 409,
			"Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"},
		{provision("f", "other", 1), "ResourceConflictException", 409,
			"Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"},
		{provision("f", "none", 1), "ResourceNotFoundException", 404, "Cannot find alias arn: " + arnOfF + ":none"},
		{provision("f", "9", 1), "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":9"},
		{provision("f:1", "2", 1), invalid, 400, "The derived qualifier from the function name does not match the specified qualifier."},
		{provision("f", "3", 0), "ValidationException", 400, "1 validation error detected: Value '0' at " +
			"'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{&sdk.PutProvisionedConcurrencyConfigInput{FunctionName: aws.String("f")}, "ValidationException", 400,
			"2 validation errors detected: Value null at 'qualifier' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must not be null"},
		{provision("f", "a b", 1), "ValidationException", 400, "1 validation error detected: Value 'a b' at 'qualifier' failed to " +
			"satisfy constraint: Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)"},
		{provision("f", "3", 1001), invalid, 400,
			"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000]."},
		{provision("f", "3", 898), invalid, 400, "Specified ConcurrentExecutions for function decreases account's " +
			"UnreservedConcurrentExecution below its minimum value of [100]."},
		{reserve("f", 2), invalid, 400,
			"ReservedConcurrentExecutions 2 should not be lower than function's total provisioned concurrency [3]."},
		{&sdk.GetProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("$LATEST")}, invalid, 400, needsAlias},
		{&sdk.DeleteProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("$LATEST")}, invalid, 400,
			needsAlias},
		{&sdk.DeleteProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("none")},
			"ResourceNotFoundException", 404, "Cannot find alias arn: " + arnOfF + ":none"},
		{&sdk.GetProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("9")},
			"ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":9"},
		{&sdk.ListProvisionedConcurrencyConfigsInput{FunctionName: aws.String("missing")}, "ResourceNotFoundException", 404,
			"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:missing"},
		{&sdk.ListProvisionedConcurrencyConfigsInput{FunctionName: aws.String("f:live")}, invalid, 400, notOnFunctions},
		{&sdk.ListProvisionedConcurrencyConfigsInput{FunctionName: aws.String("f"), MaxItems: aws.Int32(51)}, "ValidationException", 400,
			"1 validation error detected: Value '51' at 'maxItems' failed to satisfy constraint: " +
				"Member must have value less than or equal to 50"},
	} {
		_, err := h.attempt(c.in)
		wantError(t, err, c.code, c.status, c.message)
	}
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "3", 897)) // the most that there is
	refuse[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("g", "1", 1), invalid, 400,
		"Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
	must[sdk.PutFunctionConcurrencyOutput](h, reserve("f", 900))
	refuse[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "3", 898), invalid, 400,
		"Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
}

// attempt is do for inputs whose outputs do not matter.
func (h *harness) attempt(in any) (any, error) {
	h.t.Helper()
	c := h.newCall(operationOf(in))
	op := h.operation(c.Operation)
	if _, err := op.Needs(h.t.Context(), c, in); err != nil {
		return nil, err
	}
	return op.Handle(h.t.Context(), c, in)
}

// wanted waits until Run has told the Runner to provision what is described as "version×count …".
func (h *harness) wanted(want string) {
	h.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		h.runner.mu.Lock()
		all := map[string]bool{}
		for _, p := range h.runner.provisions {
			one := fmt.Sprintf("%s:%s×%d", p.Function.Name, p.Function.Version, p.Count)
			if p.Failure != "" {
				one += " failing"
			}
			all[one] = true
		}
		h.runner.mu.Unlock()
		got := strings.Join(slices.Sorted(maps.Keys(all)), " ")
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("got %q, want %q", got, want)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestRunProvisions(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("g")
	h.keepVersion("f", "1")
	h.keepVersion("f", "2")
	h.keepVersion("g", "1")
	h.keepAlias("f", alias{Name: "live", Version: "1"})
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "live", 2)) // before the start
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.lambda.Run(ctx) }()
	h.wanted("f:1×2")
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("g", "1", 1))
	h.wanted("f:1×2 g:1×1")
	h.runner.mu.Lock()
	p := h.runner.provisions[0]
	h.runner.mu.Unlock()
	if !p.Asked.Equal(h.now) || p.Function.CodeDir == "" || p.Function.AccountReserved != 3 {
		t.Errorf("got %+v", p)
	}
	h.keepAlias("f", alias{Name: "live", Version: "2"})
	h.wanted("f:2×2 g:1×1")
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("g")})
	h.wanted("f:2×2")
	must[sdk.DeleteProvisionedConcurrencyConfigOutput](h,
		&sdk.DeleteProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")})
	h.wanted("")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A function whose code cannot be had does not keep others from their environments.
func TestRunReportsBrokenFunctions(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("g")
	h.keepVersion("f", "1")
	h.keepVersion("g", "1")
	h.store(func(tx store.Tx) error {
		r := h.reference("f", "1")
		v, err := read(tx, versionKey(r, "1"), h.lambda.decodeVersion)
		if err != nil {
			return err
		}
		v.Code = bundle.Name([]byte("nobody has this"))
		return store.PutJSON(tx, versionKey(r, "1"), v)
	})
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "1", 1))
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("g", "1", 1))
	if err := h.lambda.provision(t.Context()); err == nil {
		t.Error("got no error")
	}
	h.wanted("f:1×1 failing g:1×1")

	// One that no invocation could run is refused in the same words, for good.
	h.lambda.Runtimes = func(types.Runtime) bool { return false }
	if err := h.lambda.provision(t.Context()); err != nil {
		t.Error(err)
	}
	h.wanted("f:1×1 failing g:1×1 failing")
	_, err := do[sdk.InvokeOutput](h, invokeInput("g:1"))
	e, ok := errors.AsType[*awserr.Error](err)
	if got := h.runner.provisions[1].Failure; !ok || got != e.Message {
		t.Errorf("got failure %q, want that of an invocation, %v", got, err)
	}
}

func TestConcernsProvision(t *testing.T) {
	for key, want := range map[string]bool{
		"lambda/concurrency/1/r": true, "lambda/1/r/of/f/alias/live": true, "lambda/1/r/of/f/version/0011": true, "lambda/1/r/of/f/*": true,
		"lambda/1/r/function/f": false, "lambda/1/r/of/alias/policy/": false, "lambda/event/1/r/version/2026-x": false, "iam/1/alias/x": false,
	} {
		if got := concernsProvision(key); got != want {
			t.Errorf("%s: got %v", key, got)
		}
	}
}
