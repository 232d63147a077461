package cloudformation

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
)

// readers read what refers to others: policies that are given, resource-based policies, and what must be allowed.
var readers = map[string]func(*stack, *resource){
	"AWS::IAM::GroupPolicy":                    inlineOf("GroupName", "AWS::IAM::Group"),
	"AWS::IAM::ManagedPolicy":                  (*stack).attachManaged,
	"AWS::IAM::Policy":                         (*stack).inline,
	"AWS::IAM::RolePolicy":                     inlineOf("RoleName", "AWS::IAM::Role"),
	"AWS::IAM::UserPolicy":                     inlineOf("UserName", "AWS::IAM::User"),
	"AWS::IAM::UserToGroupAddition":            (*stack).addToGroup,
	"AWS::Lambda::EventInvokeConfig":           (*stack).eventInvokeConfig,
	"AWS::Lambda::EventSourceMapping":          (*stack).mapping,
	"AWS::Lambda::Function":                    (*stack).function,
	"AWS::Lambda::LayerVersionPermission":      (*stack).layerPermission,
	"AWS::Lambda::Permission":                  (*stack).permission,
	"AWS::S3::Bucket":                          (*stack).bucket,
	"AWS::S3::BucketPolicy":                    policyFor("PolicyDocument", "Bucket", "arn:%s:s3:::"),
	"AWS::SNS::Subscription":                   (*stack).subscription,
	"AWS::SNS::TopicPolicy":                    policyFor("PolicyDocument", "Topics", ""),
	"AWS::SQS::QueuePolicy":                    policyFor("PolicyDocument", "Queues", ""),
	"AWS::SecretsManager::ResourcePolicy":      policyFor("ResourcePolicy", "SecretId", ""),
	"AWS::KMS::Key":                            (*stack).key,
	"AWS::DynamoDB::Table":                     ownPolicy("ResourcePolicy", "PolicyDocument"),
	"AWS::ECR::Repository":                     ownPolicy("RepositoryPolicyText"),
	"AWS::Kinesis::ResourcePolicy":             policyFor("ResourcePolicy", "ResourceArn", ""),
	"AWS::Events::Rule":                        (*stack).rule,
	"AWS::Logs::SubscriptionFilter":            (*stack).subscriptionFilter,
	samInvoke:                                  (*stack).notification,
	"AWS::Serverless::Connector":               (*stack).connector,
	"AWS::CloudFormation::Stack":               (*stack).nested,
	"AWS::Serverless::Application":             (*stack).nested,
	"AWS::Lambda::Alias":                       (*stack).alias,
	"AWS::Lambda::Version":                     (*stack).version,
	"AWS::S3::AccessPoint":                     notRead,
	"AWS::Organizations::Policy":               notRead,
	"AWS::SSO::PermissionSet":                  notRead,
	"AWS::S3ObjectLambda::AccessPoint":         notRead,
	"AWS::S3::MultiRegionAccessPoint":          notRead,
	"AWS::RAM::ResourceShare":                  notRead,
	"AWS::LakeFormation::PrincipalPermissions": notRead,
}

// notRead notes a type that grants something and is not read.
func notRead(s *stack, r *resource) {
	s.note(r.at, "%s is not read: what it grants is not known", r.kind)
}

func (s *stack) nested(r *resource) {
	s.note(r.at, "The nested stack %s is not read; name its template among the sources, too", r.id)
}

// connector of SAM gives its source permissions that are not worked out here.
func (s *stack) connector(r *resource) {
	s.note(r.at, "The connector %s is not read: what it grants its source is not known", r.id)
	source := s.prop(r, "Source", "Id")
	if source == nil {
		return
	}
	for _, name := range []string{source.Value, source.Value + "Role"} {
		if p, err := s.out.Principal(name); err == nil && p != nil {
			p.Policies = append(p.Policies, landscape.Anything("connector "+r.id, "what it grants"))
		}
	}
}

// policyFor reads a type that gives resources, which one of its properties names, a policy.
func policyFor(document, targets, prefix string) func(*stack, *resource) {
	return func(s *stack, r *resource) {
		n := s.prop(r, targets)
		for _, item := range s.each(n) {
			name, _ := item.(string)
			arn := s.targetARN(name, prefix)
			if arn == "" || landscape.IsUnknown(arn) {
				s.note(n, "Whose the policy %s is, is not known", r.id)
				continue
			}
			s.statement(r, arn, s.prop(r, document))
		}
	}
}

// targetARN is the ARN of what a property names: by its ARN, the URL of a queue, or a name.
func (s *stack) targetARN(name, prefix string) string {
	switch {
	case name == "", landscape.IsUnknown(name):
		return name
	case strings.HasPrefix(name, "arn:"):
		return name
	case strings.HasPrefix(name, "https://sqs."):
		parts := strings.Split(name, "/")
		return "arn:" + s.Partition + ":sqs:" + s.Region + ":" + s.Account + ":" + parts[len(parts)-1]
	case prefix != "":
		return fmt.Sprintf(prefix, s.Partition) + name
	}
	return name
}

// ownPolicy reads a type that has its resource's policy among its properties.
func ownPolicy(path ...string) func(*stack, *resource) {
	return func(s *stack, r *resource) {
		if n := s.prop(r, path...); n != nil {
			s.statement(r, r.arnOf(s), n)
		}
	}
}

func (s *stack) key(r *resource) {
	o := s.owner(r.arnOf(s), r)
	o.Required = true
	if n := s.prop(r, "KeyPolicy"); n != nil {
		s.statement(r, o.ARN, n)
		return
	}
	// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
	s.grant(o.ARN, map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:" + s.Partition + ":iam::" + s.Account + ":root"},
		"Action": "kms:*", "Resource": "*",
	})
}

// statement adds the statements of a document to the policy of a resource.
func (s *stack) statement(r *resource, arn string, n *yaml.Node) {
	doc, ok := s.optional(r, s.value(n)).(map[string]any)
	if !ok {
		s.grant(arn, landscape.Unknown("the policy "+r.id))
		return
	}
	for _, item := range statementsOf(doc) {
		s.grant(arn, item)
	}
}

func (s *stack) grant(arn string, statement any) {
	s.statements[arn] = append(s.statements[arn], statement)
}
