package mapping

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/services/lambda/fault"
)

// kind of an event source.
type kind string

const (
	queue            kind = "SQS"
	stream           kind = "Kinesis"
	tableStream      kind = "DynamoDB"
	managedKafka     kind = "MSK"
	selfManagedKafka kind = "self-managed Kafka"
	broker           kind = "MQ"
	documents        kind = "DocumentDB"
)

// source is what a mapping reads.
type source struct {
	kind kind
	// arn of the source; zero for a self-managed one.
	arn arn.ARN
	// names of what duplicates are found by: the ARN, or the bootstrap servers.
	names []string
}

func (s source) fifo() bool { return s.kind == queue && strings.HasSuffix(s.arn.Resource, ".fifo") }

func (s source) isStream() bool { return s.kind == stream || s.kind == tableStream }

func (s source) isKafka() bool { return s.kind == managedKafka || s.kind == selfManagedKafka }

// sourceOf finds the source that a configuration names. Text: lambda.md 5.5.
func sourceOf(m *types.EventSourceMappingConfiguration) (source, error) {
	switch {
	case m.SelfManagedEventSource != nil && m.EventSourceArn != nil:
		return source{}, fault.InvalidParameter("EventSourceArn and SelfManagedEventSource cannot both be given.") // ours
	case m.SelfManagedEventSource != nil:
		var servers []string
		for _, list := range m.SelfManagedEventSource.Endpoints {
			servers = append(servers, list...)
		}
		slices.Sort(servers)
		return source{kind: selfManagedKafka, names: servers}, nil
	case m.EventSourceArn == nil:
		return source{}, unrecognized()
	}
	a, err := arn.Parse(*m.EventSourceArn)
	if err != nil {
		return source{}, unrecognized()
	}
	s := source{arn: a, names: []string{*m.EventSourceArn}}
	resourceType, _, _ := strings.Cut(a.Resource, "/")
	switch a.Service {
	case "sqs":
		s.kind = queue
	case "kinesis":
		s.kind = stream
	case "dynamodb":
		if !strings.Contains(a.Resource, "/stream/") {
			return source{}, unrecognized()
		}
		s.kind = tableStream
	case "kafka":
		s.kind = managedKafka
	case "mq":
		s.kind = broker
	case "rds":
		s.kind = documents
	default:
		return source{}, unrecognized()
	}
	if s.kind == managedKafka && resourceType != "cluster" && resourceType != "vpc-connection" {
		return source{}, unrecognized()
	}
	return s, nil
}

func unrecognized() error { return fault.InvalidParameter("Unrecognized event source.") }

// defaultBatch: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html, BatchSize.
func (s source) defaultBatch() int32 {
	if s.kind == queue {
		return 10
	}
	return 100
}

// permission is an action that the execution role needs, on the source unless another resource is named.
type permission struct {
	action, resource string
}

// permissions that the poller needs: esm-permissions of https://docs.aws.amazon.com/lambda/latest/dg/lambda-permissions.html and the
// pages of the sources (lambda.md 5.2). Those for logs are left out: nobody is refused for them.
func (s source) permissions(m *types.EventSourceMappingConfiguration) []permission {
	var all []permission
	on := func(resource string, actions ...string) {
		for _, a := range actions {
			all = append(all, permission{a, resource})
		}
	}
	self := s.arn.String()
	switch s.kind {
	case queue:
		on(self, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
	case stream:
		if name, consumer, ok := strings.Cut(s.arn.Resource, "/consumer/"); ok && consumer != "" { // enhanced fan-out
			on(self, "kinesis:SubscribeToShard")
			of := s.arn
			of.Resource = name
			self = of.String()
		}
		on(self, "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:ListShards")
	case tableStream:
		on(self, "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams")
	case managedKafka:
		on(self, "kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers")
	case broker:
		on(self, "mq:DescribeBroker")
	case documents:
		on(self, "rds:DescribeDBClusters", "rds:DescribeDBClusterParameters")
		on("*", "rds:DescribeDBSubnetGroups")
	}
	if s.inVPC(m) {
		on("*", "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DeleteNetworkInterface",
			"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups")
	}
	for _, access := range m.SourceAccessConfigurations {
		if access.URI != nil && strings.Contains(*access.URI, ":secretsmanager:") {
			on(*access.URI, "secretsmanager:GetSecretValue")
		}
	}
	return all
}

// inVPC tells the sources that Lambda reaches by network interfaces of its own.
func (s source) inVPC(m *types.EventSourceMappingConfiguration) bool {
	if s.kind == selfManagedKafka {
		return slices.ContainsFunc(m.SourceAccessConfigurations, func(a types.SourceAccessConfiguration) bool {
			return a.Type == types.SourceAccessTypeVpcSubnet
		})
	}
	return s.kind == managedKafka || s.kind == broker || s.kind == documents
}
