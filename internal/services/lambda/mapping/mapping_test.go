package mapping

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

const (
	account  = "111122223333"
	region   = "eu-central-1"
	role     = "arn:aws:iam::111122223333:role/app"
	function = "arn:aws:lambda:eu-central-1:111122223333:function:f"
	aQueue   = "arn:aws:sqs:eu-central-1:111122223333:jobs"
	aStream  = "arn:aws:kinesis:eu-central-1:111122223333:stream/s"
	aTable   = "arn:aws:dynamodb:eu-central-1:111122223333:table/t/stream/2026-01-01T00:00:00.000"
	aCluster = "arn:aws:kafka:eu-central-1:111122223333:cluster/c/1"
	aBroker  = "arn:aws:mq:eu-central-1:111122223333:broker:b:b-1"
	aDB      = "arn:aws:rds:eu-central-1:111122223333:cluster:docs"
	aSecret  = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:s"
	invalid  = "InvalidParameterValueException"
)

// harness runs operations as dispatch does, but for the decision.
type harness struct {
	t     *testing.T
	s     *Service
	needs []service.Need
	// denied are the actions that the role may not do, "sqs:ReceiveMessage", or with the resource, "s3:PutObject arn:…".
	denied map[string]bool
	asked  []string
	now    time.Time
}

func newHarness(t *testing.T) *harness {
	h := &harness{t: t, denied: make(map[string]bool), now: time.Date(2026, 11, 23, 12, 0, 0, 7_654_321, time.UTC)}
	h.s = New(storetest.New(t), h, h, h)
	return h
}

func (h *harness) Function(_ context.Context, r request.Function) (Function, error) {
	if !strings.HasPrefix(r.ARN(), function) {
		return Function{}, store.ErrNotFound
	}
	return Function{Role: role}, nil
}

func (h *harness) Allows(_ context.Context, roleARN, functionARN, action, resource string) (bool, error) {
	if roleARN != role || functionARN != function {
		return false, fmt.Errorf("asked for %s, %s", roleARN, functionARN)
	}
	h.asked = append(h.asked, action+" "+resource)
	return !h.denied[action] && !h.denied[action+" "+resource], nil
}

func (h *harness) Decrypt(_ *service.Call, key string, encryptionContext map[string]string) (service.Need, bool) {
	need := service.Need{Action: "kms:Decrypt", Target: service.Target{ARN: key}}
	for name, value := range encryptionContext {
		need.Target.Keys.Set(name, value)
	}
	return need, strings.HasPrefix(key, "arn:aws:kms:")
}

func (h *harness) Allowed(_ context.Context, _ *service.Call, need service.Need) (bool, error) {
	return !h.denied[need.Action+" "+need.Target.ARN], nil
}

func (h *harness) do(in any) (any, error) {
	name := strings.TrimSuffix(reflect.TypeOf(in).Elem().Name(), "Input")
	ops := h.s.Operations()
	i := slices.IndexFunc(ops, func(o service.Operation) bool { return o.Name == name })
	if i < 0 {
		h.t.Fatalf("no operation %s", name)
	}
	c := &service.Call{Time: h.now, Account: account, Region: region, Partition: "aws", Service: "lambda", Operation: name}
	needs, err := ops[i].Needs(h.t.Context(), c, in)
	if err != nil {
		return nil, err
	}
	h.needs = needs
	return ops[i].Handle(h.t.Context(), c, in)
}

func must[Out any](h *harness, in any) *Out {
	h.t.Helper()
	out, err := h.do(in)
	if err != nil {
		h.t.Fatalf("%T: %v", in, err)
	}
	return out.(*Out)
}

func (h *harness) refuse(in any, code, message string) {
	h.t.Helper()
	_, err := h.do(in)
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok {
		h.t.Fatalf("got error %v, want %s %s", err, code, message)
	}
	if e.Code != code || e.Message != message {
		h.t.Errorf("got  %s %s\nwant %s %s", e.Code, e.Message, code, message)
	}
}

func create(source string, changes ...func(*sdk.CreateEventSourceMappingInput)) *sdk.CreateEventSourceMappingInput {
	in := &sdk.CreateEventSourceMappingInput{FunctionName: aws.String("f"), EventSourceArn: aws.String(source)}
	switch source {
	case aStream, aTable:
		in.StartingPosition = types.EventSourcePositionTrimHorizon
	case aCluster:
		in.Topics = []string{"topic"}
	case aBroker:
		in.Queues = []string{"queue"}
		in.SourceAccessConfigurations = []types.SourceAccessConfiguration{{Type: types.SourceAccessTypeBasicAuth, URI: aws.String(aSecret)}}
	case aDB:
		in.StartingPosition = types.EventSourcePositionLatest
		in.DocumentDBEventSourceConfig = &types.DocumentDBEventSourceConfig{DatabaseName: aws.String("db")}
		in.SourceAccessConfigurations = []types.SourceAccessConfiguration{{Type: types.SourceAccessTypeBasicAuth, URI: aws.String(aSecret)}}
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

// keysOf prints condition keys in order.
func keysOf(t service.Target) string {
	var all []string
	for name, v := range t.Keys.All {
		all = append(all, name+"="+strings.Join(v.Values, ","))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// What is shown of a queue's mapping: recorded from CreateEventSourceMapping (lambda.md 5.5).
func TestQueueLifeCycle(t *testing.T) {
	h := newHarness(t)
	created := must[sdk.CreateEventSourceMappingOutput](h, create(aQueue, func(in *sdk.CreateEventSourceMappingInput) {
		in.Tags = map[string]string{"team": "a"}
	}))
	id := created.UUID
	want := &sdk.CreateEventSourceMappingOutput{
		UUID: id, EventSourceMappingArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:event-source-mapping:" + *id),
		EventSourceArn: aws.String(aQueue), FunctionArn: aws.String(function), BatchSize: aws.Int32(10),
		MaximumBatchingWindowInSeconds: aws.Int32(0), FunctionResponseTypes: []types.FunctionResponseType{},
		LastModified: aws.Time(time.Date(2026, 11, 23, 12, 0, 0, 7_000_000, time.UTC)),
		State:        aws.String("Creating"), StateTransitionReason: aws.String("USER_INITIATED"),
	}
	if diff := cmp.Diff(want, created, cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
		t.Errorf("created: -want +got\n%s", diff)
	}
	if len(h.needs) != 2 || h.needs[0].Target.ARN != "*" || h.needs[1].Action != "lambda:TagResource" {
		t.Errorf("create needs %+v", h.needs)
	}
	if got, want := keysOf(h.needs[0].Target), "aws:RequestTag/team=a aws:TagKeys=team lambda:FunctionArn="+function; got != want {
		t.Errorf("keys of create: got %s, want %s", got, want)
	}
	if got, want := keysOf(h.needs[1].Target), "aws:RequestTag/team=a aws:ResourceTag/team=a aws:TagKeys=team"; got != want {
		t.Errorf("keys of tagging: got %s, want %s", got, want)
	}
	wantAsked := []string{"sqs:ReceiveMessage " + aQueue, "sqs:DeleteMessage " + aQueue, "sqs:GetQueueAttributes " + aQueue}
	if !slices.Equal(h.asked, wantAsked) {
		t.Errorf("simulated %v, want %v", h.asked, wantAsked)
	}

	got := must[sdk.GetEventSourceMappingOutput](h, &sdk.GetEventSourceMappingInput{UUID: id})
	want.State = aws.String("Enabled")
	if diff := cmp.Diff((*sdk.GetEventSourceMappingOutput)(want), got, cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
		t.Errorf("got: -want +got\n%s", diff)
	}
	if got, want := keysOf(h.needs[0].Target), "aws:ResourceTag/team=a lambda:FunctionArn="+function; got != want {
		t.Errorf("keys of get: got %s, want %s", got, want)
	}

	h.now = h.now.Add(time.Hour)
	updated := must[sdk.UpdateEventSourceMappingOutput](h, &sdk.UpdateEventSourceMappingInput{
		UUID: id, BatchSize: aws.Int32(20), MaximumBatchingWindowInSeconds: aws.Int32(5), FunctionName: aws.String("f:live"),
		FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body":{"a":[1]}}`)}}},
		ScalingConfig:  &types.ScalingConfig{MaximumConcurrency: aws.Int32(7)},
	})
	if *updated.State != "Updating" || *updated.BatchSize != 20 || *updated.FunctionArn != function+":live" ||
		updated.LastModified.Equal(*created.LastModified) || *updated.ScalingConfig.MaximumConcurrency != 7 {
		t.Errorf("updated: %+v", updated)
	}
	if len(h.needs) != 2 || keysOf(h.needs[1].Target) != "aws:ResourceTag/team=a lambda:FunctionArn="+function+":live" {
		t.Errorf("update needs %+v", h.needs)
	}
	disabled := must[sdk.UpdateEventSourceMappingOutput](h, &sdk.UpdateEventSourceMappingInput{UUID: id, Enabled: aws.Bool(false),
		FilterCriteria: &types.FilterCriteria{}, ScalingConfig: &types.ScalingConfig{}})
	if *disabled.State != "Disabling" || disabled.FilterCriteria != nil || disabled.ScalingConfig != nil || *disabled.BatchSize != 20 {
		t.Errorf("disabled: %+v", disabled)
	}
	if got := must[sdk.GetEventSourceMappingOutput](h, &sdk.GetEventSourceMappingInput{UUID: id}); *got.State != "Disabled" {
		t.Errorf("state %s", *got.State)
	}
	enabled := must[sdk.UpdateEventSourceMappingOutput](h, &sdk.UpdateEventSourceMappingInput{UUID: id, Enabled: aws.Bool(true)})
	if *enabled.State != "Enabling" {
		t.Errorf("state %s", *enabled.State)
	}
	if gone := must[sdk.DeleteEventSourceMappingOutput](h, &sdk.DeleteEventSourceMappingInput{UUID: id}); *gone.State != "Deleting" {
		t.Errorf("state %s", *gone.State)
	}
	for _, in := range []any{
		&sdk.GetEventSourceMappingInput{UUID: id}, &sdk.DeleteEventSourceMappingInput{UUID: id}, &sdk.UpdateEventSourceMappingInput{UUID: id},
		&sdk.GetEventSourceMappingInput{UUID: aws.String("no/uuid")},
	} {
		h.refuse(in, "ResourceNotFoundException", "The resource you requested does not exist.")
	}
}

// unexported fields and metadata of the SDK's structures.
func unexported(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && (f.Name() == "noSmithyDocumentSerde" || f.Name() == "ResultMetadata")
}

func TestStreamDefaults(t *testing.T) {
	h := newHarness(t)
	for _, source := range []string{aStream, aTable} {
		out := must[sdk.CreateEventSourceMappingOutput](h, create(source))
		if *out.BatchSize != 100 || *out.MaximumRetryAttempts != -1 || *out.MaximumRecordAgeInSeconds != -1 || *out.ParallelizationFactor != 1 ||
			*out.TumblingWindowInSeconds != 0 || *out.BisectBatchOnFunctionError || out.DestinationConfig.OnFailure == nil ||
			*out.LastProcessingResult != "No records processed" || *out.StateTransitionReason != "User action" ||
			out.StartingPosition != types.EventSourcePositionTrimHorizon {
			t.Errorf("%s: %+v", source, out)
		}
	}
	out := must[sdk.CreateEventSourceMappingOutput](h, create(aCluster))
	if *out.BatchSize != 100 || out.MaximumBatchingWindowInSeconds != nil || out.ParallelizationFactor != nil {
		t.Errorf("Kafka: %+v", out)
	}
}

func TestRefused(t *testing.T) {
	h := newHarness(t)
	type input = sdk.CreateEventSourceMappingInput
	filter := func(pattern string) func(*input) {
		return func(in *input) {
			in.FilterCriteria = &types.FilterCriteria{Filters: []types.Filter{{Pattern: &pattern}}}
		}
	}
	onFailure := func(arn string) func(*input) {
		return func(in *input) {
			in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: &arn}}
		}
	}
	pollers := func(least, most int32) func(*input) { // 0 is none
		return func(in *input) {
			in.ProvisionedPollerConfig = &types.ProvisionedPollerConfig{MaximumPollers: &most}
			if least > 0 {
				in.ProvisionedPollerConfig.MinimumPollers = &least
			}
		}
	}
	for _, c := range []struct {
		in      *input
		code    string
		message string
	}{
		{create(aQueue, func(in *input) { in.FunctionName = nil }), "ValidationException",
			"1 validation error detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null"},
		{create(aQueue, func(in *input) { in.FunctionName = aws.String("missing") }), invalid, "Function does not exist"},
		{create(aQueue, func(in *input) { in.EventSourceArn = nil }), invalid, "Unrecognized event source."},
		{create("arn:aws:s3:::bucket"), invalid, "Unrecognized event source."},
		{create("arn:aws:dynamodb:eu-central-1:111122223333:table/t"), invalid, "Unrecognized event source."},
		{create(aQueue, func(in *input) { in.BatchSize = aws.Int32(0) }), "ValidationException",
			"1 validation error detected: Value '0' at 'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{create(aQueue, func(in *input) { in.BatchSize = aws.Int32(11) }), invalid,
			"Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"},
		{create(aQueue+".fifo", func(in *input) { in.BatchSize = aws.Int32(11) }), invalid,
			"BatchSize must not be greater than 10 for FIFO queues."},
		{create(aQueue+".fifo", func(in *input) { in.MaximumBatchingWindowInSeconds = aws.Int32(1) }), invalid,
			"Batching window is not supported for FIFO queues."},
		{create(aQueue, func(in *input) { in.StartingPosition = types.EventSourcePositionLatest }), invalid,
			"StartingPosition is not valid for SQS event sources."},
		{create(aStream, func(in *input) { in.StartingPosition = "" }), invalid, "1 validation error detected: Value null at " +
			"'startingPosition' failed to satisfy constraint: Member must not be null."},
		{create(aTable, func(in *input) { in.StartingPosition = types.EventSourcePositionAtTimestamp }), invalid,
			"Unsupported starting position for arn type: " + aTable},
		{create(aStream, func(in *input) { in.StartingPositionTimestamp = &h.now }), invalid,
			"Timestamp only valid with StartingPosition AT_TIMESTAMP"},
		{create(aStream, func(in *input) {
			in.StartingPosition, in.StartingPositionTimestamp = types.EventSourcePositionAtTimestamp, aws.Time(time.Unix(-7, 0))
		}), invalid, "Received Exception while reading from provided stream. class java.lang.Long can not be converted to a Timestamp"},
		{create(aQueue, filter("")), invalid, "Invalid filter pattern definition."},
		{create(aQueue, filter(`{"a":1}`)), invalid, "Invalid filter pattern definition."},
		{create(aQueue, onFailure(aQueue)), invalid, "Unsupported DestinationConfig parameter for given event source mapping type."},
		{create(aQueue, func(in *input) { in.ParallelizationFactor = aws.Int32(2) }), invalid,
			"Unsupported ParallelizationFactor parameter for given event source mapping type."},
		{create(aQueue, pollers(3, 2)), invalid, "MinimumPollers must not be greater than MaximumPollers."},
		{create(aQueue, pollers(1, 2)), invalid, "MinimumPollers and MaximumPollers must be at least 2 for SQS queues."},
		{create(aQueue, pollers(0, 1)), invalid, "MinimumPollers and MaximumPollers must be at least 2 for SQS queues."},
		{create(aQueue, pollers(2, 2), func(in *input) { in.ProvisionedPollerConfig.PollerGroupName = aws.String("g") }), invalid,
			"PollerGroupName is not supported for SQS queues."},
		{create(aQueue, pollers(2, 2), func(in *input) { in.ScalingConfig = &types.ScalingConfig{MaximumConcurrency: aws.Int32(2)} }), invalid,
			"MaximumConcurrency and ProvisionedPollerConfig cannot be used together."},
		{create(aStream, func(in *input) { in.ScalingConfig = &types.ScalingConfig{MaximumConcurrency: aws.Int32(2)} }), invalid,
			"Unsupported ScalingConfig parameter for given event source mapping type."},
		{create(aStream, func(in *input) { in.MaximumRecordAgeInSeconds = aws.Int32(59) }), invalid,
			"MaximumRecordAgeInSeconds must be -1 or between 60 and 604800."},
		{create(aStream, onFailure("arn:aws:lambda:eu-central-1:111122223333:function:g")), invalid,
			"The destination ARN arn:aws:lambda:eu-central-1:111122223333:function:g is invalid."},
		{create(aStream, onFailure("kafka://topic")), invalid, "The destination ARN kafka://topic is invalid."},
		{create(aCluster, func(in *input) { in.Topics = nil }), invalid, "Required 'topics' parameter is missing."},
		{create(aBroker, func(in *input) { in.Queues = nil }), invalid, "Required 'queues' parameter is missing."},
		{create(aDB, func(in *input) { in.DocumentDBEventSourceConfig = nil }), invalid,
			"Required 'documentDBEventSourceConfig.databaseName' parameter is missing."},
		{create(aQueue, func(in *input) { in.Tags = map[string]string{"aws:x": "y"} }), invalid,
			"aws: prefixed tag key names are not allowed for external use."},
	} {
		h.refuse(c.in, c.code, c.message)
	}
	list := must[sdk.ListEventSourceMappingsOutput](h, &sdk.ListEventSourceMappingsInput{})
	if len(list.EventSourceMappings) != 0 {
		t.Errorf("refused mappings were kept: %+v", list.EventSourceMappings)
	}
}

// Missing permissions of the execution role: lambda.md 3.1 and 5.3.
func TestRoleLacks(t *testing.T) {
	type input = sdk.CreateEventSourceMappingInput
	const cannot = "The function execution role does not have permissions to call "
	for _, c := range []struct {
		source, denied, message string
		change                  func(*input)
	}{
		{aQueue, "sqs:ReceiveMessage", cannot + "ReceiveMessage on SQS", nil},
		{aQueue, "sqs:DeleteMessage", cannot + "DeleteMessage on SQS", nil},
		{aStream, "kinesis:ListShards", "Cannot access stream " + aStream + ". Please ensure the role can perform the GetRecords, " +
			"GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your stream in IAM.", nil},
		{aTable, "dynamodb:GetRecords", "Cannot access stream " + aTable + ". Please ensure the role can perform the GetRecords, " +
			"GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your stream in IAM.", nil},
		{aCluster, "kafka:DescribeClusterV2", cannot + "DescribeClusterV2 on MSK", nil},
		{aCluster, "ec2:CreateNetworkInterface", "The provided execution role does not have permissions to call CreateNetworkInterface on EC2", nil},
		{aBroker, "secretsmanager:GetSecretValue " + aSecret, cannot + "GetSecretValue on SecretsManager", nil},
		{aDB, "rds:DescribeDBClusters", cannot + "DescribeDBClusters on RDS", nil},
		{aStream, "sqs:SendMessage " + aQueue, cannot + "SendMessage on SQS", func(in *input) {
			in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String(aQueue)}}
		}},
		{aStream, "s3:PutObject arn:aws:s3:::failures/*", cannot + "PutObject on S3", func(in *input) {
			in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:s3:::failures")}}
		}},
	} {
		h := newHarness(t)
		in := create(c.source)
		if c.change != nil {
			c.change(in)
		}
		h.denied[c.denied] = true
		h.refuse(in, invalid, c.message)
		h.denied = map[string]bool{}
		out := must[sdk.CreateEventSourceMappingOutput](h, in)
		h.denied[c.denied] = true
		h.refuse(&sdk.UpdateEventSourceMappingInput{UUID: out.UUID, BatchSize: aws.Int32(1)}, invalid, c.message)
	}
}

func TestDuplicates(t *testing.T) {
	h := newHarness(t)
	queue := must[sdk.CreateEventSourceMappingOutput](h, create(aQueue))
	h.refuse(create(aQueue), "ResourceConflictException", `An event source mapping with SQS arn (" `+aQueue+` ") and function (" f ") `+
		`already exists. Please update or delete the existing mapping with UUID `+*queue.UUID)
	stream := must[sdk.CreateEventSourceMappingOutput](h, create(aStream))
	h.refuse(create(aStream), "ResourceConflictException", `The event source arn (" `+aStream+` ") and function (" f ") provided mapping `+
		`already exists. Please update or delete the existing mapping with UUID `+*stream.UUID)
	// Another alias, another topic: another mapping.
	must[sdk.CreateEventSourceMappingOutput](h, create(aQueue, func(in *sdk.CreateEventSourceMappingInput) { in.FunctionName = aws.String("f:live") }))
	cluster := must[sdk.CreateEventSourceMappingOutput](h, create(aCluster))
	must[sdk.CreateEventSourceMappingOutput](h, create(aCluster, func(in *sdk.CreateEventSourceMappingInput) { in.Topics = []string{"other"} }))
	h.refuse(create(aCluster), "ResourceConflictException", `An event source mapping with event source ("`+aCluster+`"), function ("`+function+
		`"), topics ("topic") already exists. Please update or delete the existing mapping with UUID `+*cluster.UUID)
}

// A source is free again when its mapping is gone, or calls another function; how many others there are costs nothing.
func TestDuplicateEnds(t *testing.T) {
	h := newHarness(t)
	db := &reads{DB: h.s.db}
	h.s.db = db
	first := must[sdk.CreateEventSourceMappingOutput](h, create(aQueue))
	few := db.items
	refused := func(in *sdk.CreateEventSourceMappingInput, id *string) {
		t.Helper()
		h.refuse(in, "ResourceConflictException", `An event source mapping with SQS arn (" `+aQueue+` ") and function (" f ") already exists. `+
			`Please update or delete the existing mapping with UUID `+*id)
	}
	onLive := func(in *sdk.CreateEventSourceMappingInput) { in.FunctionName = aws.String("f:live") }
	refused(create(aQueue), first.UUID)
	must[sdk.UpdateEventSourceMappingOutput](h, &sdk.UpdateEventSourceMappingInput{UUID: first.UUID, FunctionName: aws.String("f:live")})
	refused(create(aQueue, onLive), first.UUID)
	second := must[sdk.CreateEventSourceMappingOutput](h, create(aQueue))
	refused(create(aQueue), second.UUID)
	must[sdk.DeleteEventSourceMappingOutput](h, &sdk.DeleteEventSourceMappingInput{UUID: first.UUID})
	must[sdk.CreateEventSourceMappingOutput](h, create(aQueue, onLive))
	for i := range 20 {
		db.items = 0
		must[sdk.CreateEventSourceMappingOutput](h, create(fmt.Sprint(aQueue, i)))
	}
	if db.items > few {
		t.Errorf("read %d items for another mapping, want no more than the %d for the first", db.items, few)
	}
}

// reads is a store that counts the items that changes read.
type reads struct {
	store.DB
	items int
}

func (r *reads) Update(ctx context.Context, fn func(store.Tx) error) error {
	return r.DB.Update(ctx, func(tx store.Tx) error { return fn(countedTx{tx, r}) })
}

type countedTx struct {
	store.Tx
	of *reads
}

func (c countedTx) Get(key string) (store.Item, error) {
	c.of.items++
	return c.Tx.Get(key)
}

func (c countedTx) Scan(prefix, after string, limit int) ([]store.Item, error) {
	items, err := c.Tx.Scan(prefix, after, limit)
	c.of.items += len(items)
	return items, err
}

func TestList(t *testing.T) {
	h := newHarness(t)
	want := make(map[string]bool)
	for i := range 5 {
		want[*must[sdk.CreateEventSourceMappingOutput](h, create(fmt.Sprint(aQueue, i))).UUID] = true
	}
	must[sdk.CreateEventSourceMappingOutput](h, create(aQueue, func(in *sdk.CreateEventSourceMappingInput) { in.FunctionName = aws.String("f:live") }))
	got := make(map[string]bool)
	in := &sdk.ListEventSourceMappingsInput{FunctionName: aws.String("f"), MaxItems: aws.Int32(2)}
	for pages := 1; ; pages++ {
		out := must[sdk.ListEventSourceMappingsOutput](h, in)
		for _, m := range out.EventSourceMappings {
			got[*m.UUID] = true
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	one := must[sdk.ListEventSourceMappingsOutput](h, &sdk.ListEventSourceMappingsInput{EventSourceArn: aws.String(aQueue + "3")})
	if len(one.EventSourceMappings) != 1 || *one.EventSourceMappings[0].EventSourceArn != aQueue+"3" {
		t.Errorf("by source: %+v", one.EventSourceMappings)
	}
	h.refuse(&sdk.ListEventSourceMappingsInput{Marker: aws.String("?")}, invalid, "Invalid Marker: ?")
}

// Nobody makes another account's function work for a queue: the function's account is the one that would have to allow it.
func TestFunctionOfAnotherAccount(t *testing.T) {
	h := newHarness(t)
	const theirs = "arn:aws:lambda:eu-central-1:444455556666:function:f"
	if _, err := h.do(create(aQueue, func(in *sdk.CreateEventSourceMappingInput) { in.FunctionName = aws.String(theirs) })); err == nil {
		t.Error("created")
	}
	if got := h.needs[0].Target.Account; got != "444455556666" {
		t.Errorf("create is judged as of account %q", got)
	}
	id := must[sdk.CreateEventSourceMappingOutput](h, create(aQueue)).UUID
	if got := h.needs[0].Target.Account; got != account {
		t.Errorf("create for a function of its own is judged as of account %q", got)
	}
	if _, err := h.do(&sdk.UpdateEventSourceMappingInput{UUID: id, FunctionName: aws.String(theirs)}); err == nil {
		t.Error("updated")
	}
	if len(h.needs) != 2 || h.needs[1].Target.Account != "444455556666" {
		t.Errorf("update needs %+v", h.needs)
	}
}

// Filters under a key are for those who may decrypt with it, and no list shows them.
func TestEncryptedFilters(t *testing.T) {
	h := newHarness(t)
	const key, other = "arn:aws:kms:eu-central-1:111122223333:key/1", "arn:aws:kms:eu-central-1:111122223333:key/2"
	filters := &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body":["secret"]}`)}}}
	in := create(aQueue, func(in *sdk.CreateEventSourceMappingInput) {
		in.KMSKeyArn, in.FilterCriteria = aws.String(key), filters
	})
	get := &sdk.GetEventSourceMappingInput{UUID: must[sdk.CreateEventSourceMappingOutput](h, in).UUID}
	if got := must[sdk.GetEventSourceMappingOutput](h, get); got.FilterCriteria == nil || got.FilterCriteriaError != nil {
		t.Errorf("who may decrypt sees %+v, %+v", got.FilterCriteria, got.FilterCriteriaError)
	}
	h.denied["kms:Decrypt "+key] = true
	if got := must[sdk.GetEventSourceMappingOutput](h, get); got.FilterCriteria != nil || *got.FilterCriteriaError.ErrorCode != "AccessDeniedException" {
		t.Errorf("who may not decrypt sees %+v, %+v", got.FilterCriteria, got.FilterCriteriaError)
	}
	update := &sdk.UpdateEventSourceMappingInput{UUID: get.UUID, BatchSize: aws.Int32(5)}
	if got := must[sdk.UpdateEventSourceMappingOutput](h, update); got.FilterCriteria != nil || len(h.needs) != 1 {
		t.Errorf("who may not decrypt updates with %d needs and sees %+v", len(h.needs), got.FilterCriteria)
	}
	list := must[sdk.ListEventSourceMappingsOutput](h, &sdk.ListEventSourceMappingsInput{}).EventSourceMappings
	if len(list) != 1 || list[0].FilterCriteria != nil {
		t.Errorf("listed %+v", list)
	}
	// Another key, or none, shows them to others.
	for _, to := range []string{"", other} {
		update.KMSKeyArn = aws.String(to)
		must[sdk.UpdateEventSourceMappingOutput](h, update)
		if len(h.needs) != 2 || h.needs[1].Action != "kms:Decrypt" || h.needs[1].Target.ARN != key ||
			keysOf(h.needs[1].Target) != "aws:lambda:EventSourceArn="+aQueue+" aws:lambda:FunctionArn="+function {
			t.Errorf("a change of the key to %q needs %+v", to, h.needs)
		}
		update.KMSKeyArn = aws.String(key)
		must[sdk.UpdateEventSourceMappingOutput](h, update)
	}
	update.KMSKeyArn, update.FilterCriteria = aws.String(other), filters // new filters for a new key
	must[sdk.UpdateEventSourceMappingOutput](h, update)
	if len(h.needs) != 1 {
		t.Errorf("a change of key and filters needs %+v", h.needs)
	}
	update.KMSKeyArn = aws.String("arn:aws:sns:eu-central-1:111122223333:t")
	h.refuse(update, invalid, "KMSKeyArn is not the ARN of a KMS key: arn:aws:sns:eu-central-1:111122223333:t")
	h.denied["kms:Decrypt "+other] = true
	out := must[sdk.DeleteEventSourceMappingOutput](h, &sdk.DeleteEventSourceMappingInput{UUID: get.UUID})
	if out.FilterCriteria != nil {
		t.Errorf("who may not decrypt deletes and sees %+v", out.FilterCriteria)
	}
}

func TestTags(t *testing.T) {
	h := newHarness(t)
	created := must[sdk.CreateEventSourceMappingOutput](h, create(aQueue))
	a, err := arn.Parse(*created.EventSourceMappingArn)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.s.UpdateTags(t.Context(), a, func(tags map[string]string) error { tags["team"] = "a"; return nil }); err != nil {
		t.Fatal(err)
	}
	tags, err := h.s.Tags(t.Context(), a)
	if err != nil || tags["team"] != "a" {
		t.Errorf("got %v, %v", tags, err)
	}
	target, err := h.s.Target(t.Context(), nil, "", a)
	if err != nil || target.ARN != a.String() || target.Account != account || keysOf(target) != "aws:ResourceTag/team=a" {
		t.Errorf("got %+v, %v", target, err)
	}
	a.Resource += "0"
	if _, err := h.s.Tags(t.Context(), a); err == nil {
		t.Error("a mapping that is not there has tags")
	}
	if target, err := h.s.Target(t.Context(), nil, "", a); err != nil || target.Keys.Len() != 0 {
		t.Errorf("got %+v, %v", target, err)
	}
}

func TestPatterns(t *testing.T) {
	for pattern, want := range map[string]bool{
		`{"a":["x"]}`: true, `{"a":{"b":[1,null,true]}}`: true, `{"a":[{"prefix":"x"}]}`: true, `{"a":[{"numeric":[">",0,"<=",5]}]}`: true,
		`{"a":[{"anything-but":["x",1]}]}`: true, `{"a":[{"anything-but":{"prefix":"x"}}]}`: true, `{"a":[{"exists":false}]}`: true,
		`{"$or":[{"a":[1]},{"b":[2]}]}`: true, `{"a":[{"equals-ignore-case":"x"}]}`: true, `{"a":[{"suffix":".png"}]}`: true,

		``: false, `[]`: false, `{}`: false, `{"a":1}`: false, `{"a":"x"}`: false, `{"a":[]}`: false, `{"a":{}}`: false, `{"a":[[1]]}`: false,
		`{"a":[1]} x`: false, `{"a":[{"prefix":1}]}`: false, `{"a":[{"what":1}]}`: false, `{"a":[{"numeric":[">"]}]}`: false,
		`{"a":[{"numeric":["=",1,"<",2]}]}`: false, `{"a":[{"exists":"x"}]}`: false, `{"a":[{"anything-but":[]}]}`: false, `{"a":[{}]}`: false,
	} {
		if got := checkFilters([]types.Filter{{Pattern: &pattern}}) == nil; got != want {
			t.Errorf("%s: got %v", pattern, got)
		}
	}
}
