// Package invoker provides the AWS services that invoke functions of their own accord, as resource-based policies name them.
//
// It is a table and no more: it never calls, reads or decides anything, and is never changed, so that anybody may use it at any time.
// Services that invoke with a role of the customer (EventBridge Scheduler and Pipes, Step Functions, Firehose) are not in it, for the
// role's policies decide there; nor is CloudFront, which calls function URLs only.
//
// Who is in it and how each invokes is by https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html and the page of each service
// that it links to. To add a service: one row, in the order of names.
package invoker

import (
	"slices"
	"strings"

	"github.com/licet/licet/internal/nearest"
)

// Service is one that invokes functions.
type Service struct {
	// Principal is its name in policies.
	Principal string
	// Async tells that it invokes with InvocationType Event, unless it is told otherwise.
	Async bool
	// Regional tells that policies may name it with a region, too: sns.af-south-1.amazonaws.com.
	Regional bool
}

// table has every service once, in the order of names.
var table = [...]Service{
	{Principal: "alexa-appkit.amazon.com"},
	{Principal: "alexa-connectedhome.amazon.com"},
	{Principal: "apigateway.amazonaws.com"},
	{Principal: "appsync.amazonaws.com"},
	{Principal: "codecommit.amazonaws.com", Async: true},
	{Principal: "cognito-idp.amazonaws.com"},
	{Principal: "cognito-sync.amazonaws.com"},
	{Principal: "config.amazonaws.com", Async: true},
	{Principal: "connect.amazonaws.com"},
	{Principal: "elasticloadbalancing.amazonaws.com"},
	{Principal: "events.amazonaws.com", Async: true},
	{Principal: "iot.amazonaws.com", Async: true},
	{Principal: "iotevents.amazonaws.com", Async: true},
	{Principal: "lambda.alarms.cloudwatch.amazonaws.com", Async: true},
	{Principal: "lex.amazonaws.com"},
	{Principal: "lexv2.amazonaws.com"},
	{Principal: "logs.amazonaws.com", Async: true, Regional: true},
	{Principal: "s3.amazonaws.com", Async: true},
	{Principal: "secretsmanager.amazonaws.com", Async: true},
	{Principal: "ses.amazonaws.com", Async: true},
	{Principal: "sns.amazonaws.com", Async: true, Regional: true},
	{Principal: "vpc-lattice.amazonaws.com"},
}

// All gives every service, in the order of names.
func All() []Service { return slices.Clone(table[:]) }

// Find gives the service of a name; region is the one that a regional name may have.
func Find(name, region string) (Service, bool) {
	for _, s := range table {
		if name == s.Principal {
			return s, true
		}
		if host, domain, ok := strings.Cut(s.Principal, "."); ok && s.Regional && name == host+"."+region+"."+domain {
			s.Principal = name
			return s, true
		}
	}
	return Service{}, false
}

// Near gives names that are like one that is not there, the likest first, at most three.
func Near(name string) []string {
	byHost := make(map[string]string, len(table))
	hosts := make([]string, len(table))
	for i, s := range table {
		hosts[i], _, _ = strings.Cut(s.Principal, ".")
		byHost[hosts[i]] = s.Principal
	}
	host, _, _ := strings.Cut(name, ".")
	near := nearest.Of(host, hosts)
	for i, h := range near {
		near[i] = byHost[h]
	}
	return near
}
