package mapping

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// given holds the members of a request by the names that they are shown under. nil, or "" for an enumeration, is a member that is not
// given: the default for create, no change for update.
type given = types.EventSourceMappingConfiguration

func ofCreate(in *sdk.CreateEventSourceMappingInput) *given {
	return &given{
		AmazonManagedKafkaEventSourceConfig: in.AmazonManagedKafkaEventSourceConfig,
		BatchSize:                           in.BatchSize,
		BisectBatchOnFunctionError:          in.BisectBatchOnFunctionError,
		DestinationConfig:                   in.DestinationConfig,
		DocumentDBEventSourceConfig:         in.DocumentDBEventSourceConfig,
		EventSourceArn:                      in.EventSourceArn,
		FilterCriteria:                      in.FilterCriteria,
		FunctionResponseTypes:               in.FunctionResponseTypes,
		KMSKeyArn:                           in.KMSKeyArn,
		LoggingConfig:                       in.LoggingConfig,
		MaximumBatchingWindowInSeconds:      in.MaximumBatchingWindowInSeconds,
		MaximumRecordAgeInSeconds:           in.MaximumRecordAgeInSeconds,
		MaximumRetryAttempts:                in.MaximumRetryAttempts,
		MetricsConfig:                       in.MetricsConfig,
		ParallelizationFactor:               in.ParallelizationFactor,
		ProvisionedPollerConfig:             in.ProvisionedPollerConfig,
		Queues:                              in.Queues,
		ScalingConfig:                       in.ScalingConfig,
		SelfManagedEventSource:              in.SelfManagedEventSource,
		SelfManagedKafkaEventSourceConfig:   in.SelfManagedKafkaEventSourceConfig,
		SourceAccessConfigurations:          in.SourceAccessConfigurations,
		StartingPosition:                    in.StartingPosition,
		StartingPositionTimestamp:           in.StartingPositionTimestamp,
		Topics:                              in.Topics,
		TumblingWindowInSeconds:             in.TumblingWindowInSeconds,
	}
}

func ofUpdate(in *sdk.UpdateEventSourceMappingInput) *given {
	return &given{
		AmazonManagedKafkaEventSourceConfig: in.AmazonManagedKafkaEventSourceConfig,
		BatchSize:                           in.BatchSize,
		BisectBatchOnFunctionError:          in.BisectBatchOnFunctionError,
		DestinationConfig:                   in.DestinationConfig,
		DocumentDBEventSourceConfig:         in.DocumentDBEventSourceConfig,
		FilterCriteria:                      in.FilterCriteria,
		FunctionResponseTypes:               in.FunctionResponseTypes,
		KMSKeyArn:                           in.KMSKeyArn,
		LoggingConfig:                       in.LoggingConfig,
		MaximumBatchingWindowInSeconds:      in.MaximumBatchingWindowInSeconds,
		MaximumRecordAgeInSeconds:           in.MaximumRecordAgeInSeconds,
		MaximumRetryAttempts:                in.MaximumRetryAttempts,
		MetricsConfig:                       in.MetricsConfig,
		ParallelizationFactor:               in.ParallelizationFactor,
		ProvisionedPollerConfig:             in.ProvisionedPollerConfig,
		ScalingConfig:                       in.ScalingConfig,
		SelfManagedKafkaEventSourceConfig:   in.SelfManagedKafkaEventSourceConfig,
		SourceAccessConfigurations:          in.SourceAccessConfigurations,
		TumblingWindowInSeconds:             in.TumblingWindowInSeconds,
	}
}

// The constraints of the model.
var (
	arnText         = request.NewText(0, 0, `arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
	destinationText = request.NewText(0, 350, `$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:`+
		`([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
	keyText        = request.NewText(0, 0, `(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()`)
	patternText    = request.NewText(0, 4096, `.*`)
	topicText      = request.NewText(1, 249, `[^.]([a-zA-Z0-9\-_.]+)`)
	queueText      = request.NewText(1, 1000, `[\s\S]*`)
	uriText        = request.NewText(1, 200, `[a-zA-Z0-9-\/*:_+=.@-]*`)
	endpointText   = request.NewText(1, 300, `(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9]):[0-9]{1,5}`)
	databaseText   = request.NewText(1, 63, `[^ /\.$\x22]*`)
	collectionText = request.NewText(1, 57, `[_a-zA-Z0-9][^$]*`)
	groupText      = request.NewText(0, 128, `[a-zA-Z0-9-_]*`)
	registryText   = request.NewText(1, 10000, `[a-zA-Z0-9-\/*:_+=.@-]*`)
)

// validate checks the constraints of the model.
func validate(v *request.Validator, g *given) {
	v.Text("eventSourceArn", g.EventSourceArn, arnText)
	v.Number("batchSize", g.BatchSize, 1, 10000)
	if c := g.FilterCriteria; c != nil {
		for _, f := range c.Filters {
			v.Text("filterCriteria.filters.1.member.pattern", f.Pattern, patternText)
		}
	}
	v.Number("maximumBatchingWindowInSeconds", g.MaximumBatchingWindowInSeconds, 0, 300)
	v.Number("parallelizationFactor", g.ParallelizationFactor, 1, 10)
	request.Enum(v, "startingPosition", g.StartingPosition, g.StartingPosition.Values())
	if d := g.DestinationConfig; d != nil {
		if d.OnSuccess != nil {
			v.Text("destinationConfig.onSuccess.destination", d.OnSuccess.Destination, destinationText)
		}
		if d.OnFailure != nil {
			v.Text("destinationConfig.onFailure.destination", d.OnFailure.Destination, destinationText)
		}
	}
	v.Number("maximumRecordAgeInSeconds", g.MaximumRecordAgeInSeconds, -1, 604800)
	v.Number("maximumRetryAttempts", g.MaximumRetryAttempts, -1, 10000)
	v.Number("tumblingWindowInSeconds", g.TumblingWindowInSeconds, 0, 900)
	validateList(v, "topics", g.Topics, 1, topicText)
	validateList(v, "queues", g.Queues, 1, queueText)
	validateAccess(v, g)
	if len(g.FunctionResponseTypes) > 1 {
		v.Fail("'"+request.List(g.FunctionResponseTypes)+"'", "functionResponseTypes", "Member must have length less than or equal to 1")
	}
	for _, t := range g.FunctionResponseTypes {
		request.Enum(v, "functionResponseTypes", t, t.Values())
	}
	if c := g.ScalingConfig; c != nil {
		v.Number("scalingConfig.maximumConcurrency", c.MaximumConcurrency, 2, 1000)
	}
	validateKafka(v, g)
	if c := g.DocumentDBEventSourceConfig; c != nil {
		v.Text("documentDBEventSourceConfig.databaseName", c.DatabaseName, databaseText)
		v.Text("documentDBEventSourceConfig.collectionName", c.CollectionName, collectionText)
		request.Enum(v, "documentDBEventSourceConfig.fullDocument", c.FullDocument, c.FullDocument.Values())
	}
	v.Text("kMSKeyArn", g.KMSKeyArn, keyText)
	if c := g.MetricsConfig; c != nil {
		for _, m := range c.Metrics {
			request.Enum(v, "metricsConfig.metrics", m, m.Values())
		}
	}
	if c := g.LoggingConfig; c != nil {
		request.Enum(v, "loggingConfig.systemLogLevel", c.SystemLogLevel, c.SystemLogLevel.Values())
	}
	if c := g.ProvisionedPollerConfig; c != nil {
		v.Number("provisionedPollerConfig.minimumPollers", c.MinimumPollers, 1, 200)
		v.Number("provisionedPollerConfig.maximumPollers", c.MaximumPollers, 1, 2000) // the model; another page has 10,000 (lambda.md U8)
		v.Text("provisionedPollerConfig.pollerGroupName", c.PollerGroupName, groupText)
	}
}

func validateList(v *request.Validator, member string, values []string, longest int, t request.Text) {
	if len(values) > longest {
		v.Fail("'"+request.List(values)+"'", member, "Member must have length less than or equal to 1")
	}
	for i := range values {
		v.Text(member, &values[i], t)
	}
}

func validateAccess(v *request.Validator, g *given) {
	if len(g.SourceAccessConfigurations) > 22 {
		v.Fail("", "sourceAccessConfigurations", "Member must have length less than or equal to 22")
	}
	for _, a := range g.SourceAccessConfigurations {
		request.Enum(v, "sourceAccessConfigurations.1.member.type", a.Type, a.Type.Values())
		v.Text("sourceAccessConfigurations.1.member.uRI", a.URI, uriText)
	}
	if g.SelfManagedEventSource == nil {
		return
	}
	for name, servers := range g.SelfManagedEventSource.Endpoints {
		kind := types.EndPointType(name)
		request.Enum(v, "selfManagedEventSource.endpoints", kind, kind.Values())
		if len(servers) < 1 || len(servers) > 10 {
			v.Fail("'"+request.List(servers)+"'", "selfManagedEventSource.endpoints", "Map value must satisfy constraint: "+
				"[Member must have length less than or equal to 10, Member must have length greater than or equal to 1]")
		}
		for i := range servers {
			v.Text("selfManagedEventSource.endpoints", &servers[i], endpointText)
		}
	}
}

func validateKafka(v *request.Validator, g *given) {
	registry := func(member string, r *types.KafkaSchemaRegistryConfig) {
		if r == nil {
			return
		}
		v.Text(member+".schemaRegistryURI", r.SchemaRegistryURI, registryText)
		request.Enum(v, member+".eventRecordFormat", r.EventRecordFormat, r.EventRecordFormat.Values())
		for _, a := range r.AccessConfigs {
			request.Enum(v, member+".accessConfigs.1.member.type", a.Type, a.Type.Values())
			v.Text(member+".accessConfigs.1.member.uRI", a.URI, arnText)
		}
		for _, a := range r.SchemaValidationConfigs {
			request.Enum(v, member+".schemaValidationConfigs.1.member.attribute", a.Attribute, a.Attribute.Values())
		}
	}
	if c := g.AmazonManagedKafkaEventSourceConfig; c != nil {
		v.Text("amazonManagedKafkaEventSourceConfig.consumerGroupId", c.ConsumerGroupId, uriText)
		registry("amazonManagedKafkaEventSourceConfig.schemaRegistryConfig", c.SchemaRegistryConfig)
	}
	if c := g.SelfManagedKafkaEventSourceConfig; c != nil {
		v.Text("selfManagedKafkaEventSourceConfig.consumerGroupId", c.ConsumerGroupId, uriText)
		request.Enum(v, "selfManagedKafkaEventSourceConfig.consumptionMode", c.ConsumptionMode, c.ConsumptionMode.Values())
		registry("selfManagedKafkaEventSourceConfig.schemaRegistryConfig", c.SchemaRegistryConfig)
	}
}

// members are those that not every source takes: whether they are given, and who takes them
// (https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html, the parentheses of each).
func members(g *given) []member {
	streamOrKafka := []kind{stream, tableStream, managedKafka, selfManagedKafka}
	kafka := []kind{managedKafka, selfManagedKafka}
	return []member{
		{"AmazonManagedKafkaEventSourceConfig", g.AmazonManagedKafkaEventSourceConfig != nil, []kind{managedKafka}},
		{"BisectBatchOnFunctionError", g.BisectBatchOnFunctionError != nil, streamOrKafka},
		{"DestinationConfig", g.DestinationConfig != nil, streamOrKafka},
		{"DocumentDBEventSourceConfig", g.DocumentDBEventSourceConfig != nil, []kind{documents}},
		{"FunctionResponseTypes", len(g.FunctionResponseTypes) > 0, append([]kind{queue}, streamOrKafka...)},
		{"LoggingConfig", g.LoggingConfig != nil, kafka},
		{"MaximumRecordAgeInSeconds", g.MaximumRecordAgeInSeconds != nil, streamOrKafka},
		{"MaximumRetryAttempts", g.MaximumRetryAttempts != nil, streamOrKafka},
		{"ParallelizationFactor", g.ParallelizationFactor != nil, []kind{stream, tableStream}},
		{"ProvisionedPollerConfig", g.ProvisionedPollerConfig != nil, append([]kind{queue}, kafka...)},
		{"Queues", len(g.Queues) > 0, []kind{broker}},
		{"ScalingConfig", g.ScalingConfig != nil, []kind{queue}},
		{"SelfManagedKafkaEventSourceConfig", g.SelfManagedKafkaEventSourceConfig != nil, []kind{selfManagedKafka}},
		{"SourceAccessConfigurations", len(g.SourceAccessConfigurations) > 0, []kind{managedKafka, selfManagedKafka, broker, documents}},
		{"Topics", len(g.Topics) > 0, kafka},
		{"TumblingWindowInSeconds", g.TumblingWindowInSeconds != nil, []kind{stream, tableStream}},
	}
}

type member struct {
	name  string
	given bool
	takes []kind
}

// check refuses what the model allows and Lambda does not take for this source. merged is what the mapping would become.
func check(src source, g, merged *given) error {
	for _, m := range members(g) {
		if m.given && !slices.Contains(m.takes, src.kind) {
			// The text is known of DestinationConfig (lambda.md 5.5); for the others it is the same by analogy.
			return fault.InvalidParameter("Unsupported %s parameter for given event source mapping type.", m.name)
		}
	}
	if err := checkDestination(src, g.DestinationConfig); err != nil {
		return err
	}
	if g.FilterCriteria != nil {
		if err := checkFilters(g.FilterCriteria.Filters); err != nil {
			return err
		}
	}
	if age := g.MaximumRecordAgeInSeconds; age != nil && *age >= 0 && *age < 60 { // ours; the range is in lambda.md 5.6
		return fault.InvalidParameter("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.")
	}
	if err := checkPollers(src, merged); err != nil {
		return err
	}
	return checkBatch(src, merged)
}

// checkPollers checks the provisioned mode; the texts are ours. A queue has two pollers at least
// (https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedPollerConfig.html), and either this mode or a MaximumConcurrency
// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html).
func checkPollers(src source, merged *given) error {
	p := merged.ProvisionedPollerConfig
	if p == nil || p.MinimumPollers == nil && p.MaximumPollers == nil && p.PollerGroupName == nil {
		return nil
	}
	least, most := aws.ToInt32(p.MinimumPollers), aws.ToInt32(p.MaximumPollers)
	switch {
	case least != 0 && most != 0 && least > most:
		return fault.InvalidParameter("MinimumPollers must not be greater than MaximumPollers.")
	case src.kind != queue:
		return nil
	case least == 1 || most == 1:
		return fault.InvalidParameter("MinimumPollers and MaximumPollers must be at least 2 for SQS queues.")
	case p.PollerGroupName != nil:
		return fault.InvalidParameter("PollerGroupName is not supported for SQS queues.")
	case merged.ScalingConfig != nil && merged.ScalingConfig.MaximumConcurrency != nil:
		return fault.InvalidParameter("MaximumConcurrency and ProvisionedPollerConfig cannot be used together.")
	}
	return nil
}

func checkBatch(src source, merged *given) error {
	if src.kind != queue {
		return nil
	}
	if src.fifo() && aws.ToInt32(merged.BatchSize) > 10 { // ours; the limit is in lambda.md 5.6
		return fault.InvalidParameter("BatchSize must not be greater than 10 for FIFO queues.")
	}
	if src.fifo() && aws.ToInt32(merged.MaximumBatchingWindowInSeconds) > 0 { // ours
		return fault.InvalidParameter("Batching window is not supported for FIFO queues.")
	}
	if aws.ToInt32(merged.BatchSize) > 10 && aws.ToInt32(merged.MaximumBatchingWindowInSeconds) == 0 {
		return fault.InvalidParameter("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	}
	return nil
}

func checkDestination(src source, d *types.DestinationConfig) error {
	if d == nil {
		return nil
	}
	if d.OnSuccess != nil && aws.ToString(d.OnSuccess.Destination) != "" {
		return fault.InvalidParameter("Unsupported DestinationConfig parameter for given event source mapping type.")
	}
	if d.OnFailure == nil || aws.ToString(d.OnFailure.Destination) == "" {
		return nil
	}
	destination := *d.OnFailure.Destination
	parts := strings.SplitN(destination, ":", 4)
	switch {
	case strings.HasPrefix(destination, "kafka://") && src.isKafka():
		return nil
	case len(parts) == 4 && slices.Contains([]string{"sqs", "sns", "s3"}, parts[2]) && !strings.HasSuffix(destination, ".fifo"):
		return nil
	}
	return fault.InvalidParameter("The destination ARN %s is invalid.", destination) // ours
}

// merge sets what is given in a mapping.
func merge(m, g *given) {
	set(&m.AmazonManagedKafkaEventSourceConfig, g.AmazonManagedKafkaEventSourceConfig)
	set(&m.BatchSize, g.BatchSize)
	set(&m.BisectBatchOnFunctionError, g.BisectBatchOnFunctionError)
	set(&m.DestinationConfig, g.DestinationConfig)
	set(&m.DocumentDBEventSourceConfig, g.DocumentDBEventSourceConfig)
	set(&m.FilterCriteria, g.FilterCriteria)
	if m.FilterCriteria != nil && len(m.FilterCriteria.Filters) == 0 { // an empty one removes the filters
		m.FilterCriteria = nil
	}
	if g.FunctionResponseTypes != nil {
		m.FunctionResponseTypes = g.FunctionResponseTypes
	}
	set(&m.KMSKeyArn, g.KMSKeyArn)
	if aws.ToString(m.KMSKeyArn) == "" {
		m.KMSKeyArn = nil
	}
	set(&m.LoggingConfig, g.LoggingConfig)
	set(&m.MaximumBatchingWindowInSeconds, g.MaximumBatchingWindowInSeconds)
	set(&m.MaximumRecordAgeInSeconds, g.MaximumRecordAgeInSeconds)
	set(&m.MaximumRetryAttempts, g.MaximumRetryAttempts)
	set(&m.MetricsConfig, g.MetricsConfig)
	set(&m.ParallelizationFactor, g.ParallelizationFactor)
	set(&m.ProvisionedPollerConfig, g.ProvisionedPollerConfig)
	if p := m.ProvisionedPollerConfig; p != nil && p.MinimumPollers == nil && p.MaximumPollers == nil { // an empty one ends the mode
		m.ProvisionedPollerConfig = nil
	}
	set(&m.ScalingConfig, g.ScalingConfig)
	if m.ScalingConfig != nil && m.ScalingConfig.MaximumConcurrency == nil { // an empty one removes the limit
		m.ScalingConfig = nil
	}
	set(&m.SelfManagedKafkaEventSourceConfig, g.SelfManagedKafkaEventSourceConfig)
	if g.SourceAccessConfigurations != nil {
		m.SourceAccessConfigurations = g.SourceAccessConfigurations
	}
	set(&m.TumblingWindowInSeconds, g.TumblingWindowInSeconds)
}

// set takes a pointer over if there is one.
func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// withDefaults sets what AWS shows of members that were not given: lambda.md 5.5 and 5.6, esm-permissions.json.
func withDefaults(src source, m *given) {
	fill(&m.BatchSize, src.defaultBatch())
	if m.FunctionResponseTypes == nil && (src.kind == queue || src.isStream()) {
		m.FunctionResponseTypes = []types.FunctionResponseType{}
	}
	if src.kind == queue || src.isStream() { // of the others the default is 500 ms, which the member cannot say
		fill(&m.MaximumBatchingWindowInSeconds, 0)
	}
	if !src.isStream() {
		return
	}
	fill(&m.BisectBatchOnFunctionError, false)
	fill(&m.DestinationConfig, types.DestinationConfig{OnFailure: &types.OnFailure{}})
	fill(&m.MaximumRecordAgeInSeconds, -1)
	fill(&m.MaximumRetryAttempts, -1)
	fill(&m.ParallelizationFactor, 1)
	fill(&m.TumblingWindowInSeconds, 0)
}

func fill[T any](to **T, value T) {
	if *to == nil {
		*to = &value
	}
}
