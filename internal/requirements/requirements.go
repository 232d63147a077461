// Package requirements says what a function's configuration needs to be permitted: which calls Lambda makes with the execution role, and
// which others make to invoke the function.
//
// It only makes calls; landscape.Explain judges them. Nothing is read and nothing is kept, and all may be called concurrently. A value may
// be marked by landscape.Unknown, and the call with it is unsure then.
//
// What Lambda needs is from https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html, configuration-vpc.html,
// invocation-async-retain-records.html and the pages of the event sources (lambda-services.html), all of that guide. Not asked for are
// permissions that a configuration does not tell of: for KMS keys of queues and streams, and for file systems.
//
// To add an event source: a case in Mapping.source. To add what a function can have: a field of Function, and its calls.
package requirements

import (
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/landscape"
)

// Function is the configuration of a function.
type Function struct {
	// ARN of the function, unqualified, and of its execution role; "" where that is missing.
	ARN, Role string
	// Name is for a reader.
	Name string
	// LogGroup is the name of the group it writes to; "" for /aws/lambda/ with the function's name.
	LogGroup string
	// LogGroupDeclared says that the group exists, and Lambda need not make it.
	LogGroupDeclared bool
	// VPC says that it is connected to one, Tracing that it is traced in any case (mode Active).
	VPC, Tracing bool
	// DeadLetter and Destinations are ARNs: of the dead-letter queue or topic, and of what asynchronous invocations are reported to.
	DeadLetter   string
	Destinations []string
}

// Calls are those that must be allowed for the function to work as configured.
func (f Function) Calls() []landscape.Call {
	c := calls{principal: f.ARN}
	if f.Role != "" {
		c.all = append(c.all, landscape.Call{
			Principal: "lambda.amazonaws.com", Action: "sts:AssumeRole", Resource: f.Role, Why: "for Lambda to run " + f.Name,
		})
	}
	a, err := arn.Parse(f.ARN)
	if err != nil {
		return nil // no function
	}
	name := strings.TrimPrefix(a.Resource, "function:")
	group := f.LogGroup
	if group == "" {
		group = "/aws/lambda/" + name
	}
	groupARN := fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s", a.Partition, a.Region, a.AccountID, group)
	// A stream is named by date, version and sandbox; an action on a group is on the empty stream.
	why := "to write the log of " + f.Name
	if !f.LogGroupDeclared {
		c.on(groupARN+":log-stream:", why, "logs:CreateLogGroup")
	}
	c.on(groupARN+":log-stream:2026/01/01/[$LATEST]00000000000000000000000000000000", why, "logs:CreateLogStream", "logs:PutLogEvents")
	if f.VPC {
		c.on("*", "for the VPC of "+f.Name, "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
			"ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
	}
	if f.Tracing {
		c.on("*", "for the tracing of "+f.Name, "xray:PutTraceSegments", "xray:PutTelemetryRecords")
	}
	return append(c.all, f.Deliveries()...)
}

// Deliveries are the calls for dead letters and destinations alone.
func (f Function) Deliveries() []landscape.Call {
	c := calls{principal: f.ARN}
	if f.DeadLetter != "" {
		c.deliver(f.DeadLetter, "for the dead letters of "+f.Name)
	}
	for _, d := range f.Destinations {
		c.deliver(d, "for the results of "+f.Name)
	}
	return c.all
}

// Mapping is the configuration of an event source mapping.
type Mapping struct {
	// Function is the ARN of the function, unqualified.
	Function string
	// Name is the mapping's for a reader.
	Name string
	// Source is the ARN of the event source; "" for Kafka that is self-managed.
	Source string
	// Access are the SourceAccessConfigurations: pairs of type and URI.
	Access [][2]string
	// OnFailure is the ARN of the destination of what could not be processed; "" for none.
	OnFailure string
}

// Calls are those of the poller, which it makes with the function's execution role.
func (m Mapping) Calls() []landscape.Call {
	c := calls{principal: m.Function}
	m.source(&c)
	for _, access := range m.Access {
		if uri := access[1]; strings.Contains(uri, ":secretsmanager:") || landscape.IsUnknown(uri) && !strings.HasPrefix(access[0], "VPC_") &&
			access[0] != "VIRTUAL_HOST" {
			c.on(uri, "for the secret of the event source "+m.Name, "secretsmanager:GetSecretValue")
		}
	}
	if m.OnFailure != "" {
		c.deliver(m.OnFailure, "for the failures of the event source "+m.Name)
	}
	return c.all
}

func (m Mapping) source(c *calls) {
	why := "to read the event source " + m.Name
	network := func() {
		c.on("*", why, "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DeleteNetworkInterface",
			"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups")
	}
	a, err := arn.Parse(m.Source)
	if err != nil {
		if m.Source == "" && slices.ContainsFunc(m.Access, func(access [2]string) bool { return access[0] == "VPC_SUBNET" }) {
			network()
		}
		if landscape.IsUnknown(m.Source) { // of whatever kind, the answer is unsure
			c.on(m.Source, why, "sqs:ReceiveMessage")
		}
		return
	}
	switch a.Service {
	case "sqs":
		c.on(m.Source, why, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
	case "kinesis":
		stream := m.Source
		if of, _, fanOut := strings.Cut(m.Source, "/consumer/"); fanOut {
			c.on(m.Source, why, "kinesis:SubscribeToShard")
			stream = of
		}
		c.on(stream, why, "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
			"kinesis:ListShards")
	case "dynamodb":
		c.on(m.Source, why, "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
		c.on("*", why, "dynamodb:ListStreams")
	case "kafka":
		c.on(m.Source, why, "kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers")
		network()
	case "mq":
		c.on(m.Source, why, "mq:DescribeBroker")
		network()
	case "rds":
		c.on(m.Source, why, "rds:DescribeDBClusters")
		c.on(fmt.Sprintf("arn:%s:rds:%s:%s:cluster-pg:default", a.Partition, a.Region, a.AccountID), why, "rds:DescribeDBClusterParameters")
		c.on(fmt.Sprintf("arn:%s:rds:%s:%s:subgrp:default", a.Partition, a.Region, a.AccountID), why, "rds:DescribeDBSubnetGroups")
		network()
	}
}

// Invoke is the call by which a service invokes a function, or an alias or version of it, for a source.
func Invoke(service, function, source, account, why string) landscape.Call {
	return Send(service, "lambda:InvokeFunction", function, source, account, why)
}

// Send is a call that a service makes for one of its resources.
func Send(service, action, to, source, account, why string) landscape.Call {
	c := landscape.Call{Principal: service, Action: action, Resource: to, Why: why}
	c.Context = authz.Context{}
	c.Context.Set("aws:SourceArn", source)
	c.Context.Set("aws:SourceAccount", account)
	return c
}

// calls gathers those of a principal.
type calls struct {
	principal string
	all       []landscape.Call
}

func (c *calls) on(resource, why string, actions ...string) {
	for _, a := range actions {
		c.all = append(c.all, landscape.Call{Principal: c.principal, Action: a, Resource: resource, Why: why})
	}
}

// deliver is what a destination needs; nothing for a Kafka topic, which IAM does not guard by an ARN of AWS's.
func (c *calls) deliver(destination, why string) {
	a, err := arn.Parse(destination)
	switch {
	case err != nil && landscape.IsUnknown(destination): // of whatever kind, the answer is unsure
		c.on(destination, why, "sqs:SendMessage")
	case a.Service == "sqs":
		c.on(destination, why, "sqs:SendMessage")
	case a.Service == "sns":
		c.on(destination, why, "sns:Publish")
	case a.Service == "lambda":
		c.on(destination, why, "lambda:InvokeFunction")
	case a.Service == "events":
		c.on(destination, why, "events:PutEvents")
	case a.Service == "s3":
		c.on(destination+"/aws/lambda/async/object", why, "s3:PutObject")
		c.on(destination, why, "s3:ListBucket")
	}
}
