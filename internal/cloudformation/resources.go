package cloudformation

import (
	"fmt"
	"slices"
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
	"AWS::S3::BucketPolicy":                    policyFor("AWS::S3::Bucket", "PolicyDocument", "Bucket", "arn:%s:s3:::"),
	"AWS::SNS::Subscription":                   (*stack).subscription,
	"AWS::SNS::TopicPolicy":                    policyFor("AWS::SNS::Topic", "PolicyDocument", "Topics", ""),
	"AWS::SNS::TopicInlinePolicy":              policyFor("AWS::SNS::Topic", "PolicyDocument", "TopicArn", ""),
	"AWS::SQS::QueueInlinePolicy":              policyFor("AWS::SQS::Queue", "PolicyDocument", "Queue", ""),
	"AWS::SQS::QueuePolicy":                    policyFor("AWS::SQS::Queue", "PolicyDocument", "Queues", ""),
	"AWS::SecretsManager::ResourcePolicy":      policyFor("AWS::SecretsManager::Secret", "ResourcePolicy", "SecretId", ""),
	"AWS::KMS::Key":                            (*stack).key,
	"AWS::DynamoDB::Table":                     ownPolicy("ResourcePolicy", "PolicyDocument"),
	"AWS::ECR::Repository":                     ownPolicy("RepositoryPolicyText"),
	"AWS::Kinesis::ResourcePolicy":             policyFor("AWS::Kinesis::Stream", "ResourcePolicy", "ResourceArn", ""),
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
	"AWS::Logs::ResourcePolicy":                notRead,
	"AWS::KMS::ReplicaKey":                     notRead,
	"AWS::Events::EventBusPolicy":              (*stack).eventBusPolicy,
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
	s.note(r.at, "The connector %s is not read: what it grants is not known", r.id)
	from := s.resources[textOf(s.value(s.prop(r, "Source", "Id")))]
	role := ""
	switch {
	case from == nil:
	case from.kind == "AWS::Lambda::Function":
		role = s.roleOf(from)
	default: // a state machine, or what has no role
		if made := s.resources[from.id+"Role"]; made != nil {
			role = made.arnOf(s)
		}
	}
	for _, p := range s.out.Principals {
		if from == nil || p.ARN == role { // without a name nobody knows whose it is
			p.Policies = append(p.Policies, landscape.Anything("connector "+r.id, "what it grants"))
		}
	}
	// Of some pairs the destination is given a policy, too.
	for _, n := range s.list(asList(s.prop(r, "Destination"))) {
		if to := s.resources[textOf(s.value(child(n, "Id")))]; to != nil && kinds[to.kind].arn != "" && !kinds[to.kind].principal {
			s.grant(to.arnOf(s), landscape.Unknown("what the connector "+r.id+" grants"))
		}
	}
}

// asList is a list, or the list of one.
func asList(n *yaml.Node) *yaml.Node {
	if n == nil || n.Kind == yaml.SequenceNode {
		return n
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{n}}
}

// policyProperties are the properties that the readers find policies in.
var policyProperties = []string{
	"AssumeRolePolicyDocument", "Policies", "PolicyDocument", "ResourcePolicy", "KeyPolicy", "RepositoryPolicyText",
}

// overlooked makes unsure what has a policy that no reader takes, and notes it.
func (s *stack) overlooked(r *resource) {
	isRead := readers[r.kind] != nil || declarers[r.kind] != nil || r.kind == "AWS::StepFunctions::StateMachine" // of SAM's, its role has them
	keys, values := members(r.props)
	for i, key := range keys {
		if isRead && slices.Contains(policyProperties, key.Value) || !hasStatement(values[i]) {
			continue
		}
		s.note(key, "The policy in %s of %s is not read", key.Value, r.id)
		if k := kinds[r.kind]; k.arn != "" && !k.principal {
			s.grant(r.arnOf(s), landscape.Unknown("the policy in "+key.Value))
		}
	}
}

// hasStatement tells whether a policy document stands somewhere in a node.
func hasStatement(n *yaml.Node) bool {
	return child(n, "Statement") != nil || n != nil && slices.ContainsFunc(n.Content, hasStatement)
}

// policyFor reads a type that gives resources, which one of its properties names, a policy.
func policyFor(kind, document, targets, prefix string) func(*stack, *resource) {
	return func(s *stack, r *resource) {
		n := s.prop(r, targets)
		for _, item := range s.each(n) {
			name, _ := item.(string)
			arn := s.targetARN(name, prefix)
			if arn == "" || landscape.IsUnknown(arn) {
				s.note(n, "Whose the policy %s is, is not known", r.id)
				s.anybodys[kind] = "whether the policy " + r.id + " is its own"
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

func (s *stack) eventBusPolicy(r *resource) {
	notRead(s, r)
	s.anybodys["AWS::Events::EventBus"] = "what " + r.id + " says"
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
