package cloudformation

import (
	"cmp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
)

// kind is what a type's resources are called.
type kind struct {
	// property has the name; "" for types whose names AWS makes up.
	property string
	// arn has P for the partition, R and A for region and account, N for the name and /path/ for the Path property; "" for none.
	arn string
	// ref tells what Ref gives: "" is the name, "arn", or a form as arn is.
	ref string
	// attributes of Fn::GetAtt, by name, as forms; Arn is always there.
	attributes map[string]string
	lower      bool // names are of lower-case letters
	principal  bool
}

// kinds are the types with a name and an ARN. Return values are those of each type's page in
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html, ARNs those of the Service
// Authorization Reference.
var kinds = map[string]kind{
	"AWS::ApiGateway::RestApi":             {arn: "arn:P:apigateway:R::/restapis/N"},
	"AWS::ApiGatewayV2::Api":               {arn: "arn:P:apigateway:R::/apis/N"},
	"AWS::AppSync::GraphQLApi":             {arn: "arn:P:appsync:R:A:apis/N", ref: "arn", attributes: map[string]string{"ApiId": "N"}},
	"AWS::Cognito::UserPool":               {arn: "arn:P:cognito-idp:R:A:userpool/N", attributes: map[string]string{"UserPoolId": "N", "ProviderName": "cognito-idp.R.amazonaws.com/N"}},
	"AWS::DynamoDB::GlobalTable":           {property: "TableName", arn: "arn:P:dynamodb:R:A:table/N", attributes: map[string]string{"StreamArn": "arn:P:dynamodb:R:A:table/N/stream/LATEST"}},
	"AWS::DynamoDB::Table":                 {property: "TableName", arn: "arn:P:dynamodb:R:A:table/N", attributes: map[string]string{"StreamArn": "arn:P:dynamodb:R:A:table/N/stream/LATEST"}},
	"AWS::ECR::Repository":                 {property: "RepositoryName", arn: "arn:P:ecr:R:A:repository/N", lower: true},
	"AWS::Events::EventBus":                {property: "Name", arn: "arn:P:events:R:A:event-bus/N", attributes: map[string]string{"Name": "N"}},
	"AWS::Events::Rule":                    {property: "Name", arn: "arn:P:events:R:A:rule/N"},
	"AWS::IAM::Group":                      {property: "GroupName", arn: "arn:P:iam::A:group/path/N", principal: true},
	"AWS::IAM::InstanceProfile":            {property: "InstanceProfileName", arn: "arn:P:iam::A:instance-profile/path/N", principal: true},
	"AWS::IAM::ManagedPolicy":              {property: "ManagedPolicyName", arn: "arn:P:iam::A:policy/path/N", ref: "arn", attributes: map[string]string{"PolicyArn": "arn:P:iam::A:policy/path/N"}, principal: true},
	"AWS::IAM::Role":                       {property: "RoleName", arn: "arn:P:iam::A:role/path/N", principal: true},
	"AWS::IAM::User":                       {property: "UserName", arn: "arn:P:iam::A:user/path/N", principal: true},
	"AWS::KMS::Key":                        {arn: "arn:P:kms:R:A:key/N", attributes: map[string]string{"KeyId": "N"}},
	"AWS::Kinesis::Stream":                 {property: "Name", arn: "arn:P:kinesis:R:A:stream/N"},
	"AWS::KinesisFirehose::DeliveryStream": {property: "DeliveryStreamName", arn: "arn:P:firehose:R:A:deliverystream/N"},
	"AWS::Lambda::Function":                {property: "FunctionName", arn: "arn:P:lambda:R:A:function:N"},
	"AWS::Lambda::LayerVersion":            {property: "LayerName", arn: "arn:P:lambda:R:A:layer:N:1", ref: "arn", attributes: map[string]string{"LayerVersionArn": "arn:P:lambda:R:A:layer:N:1"}},
	"AWS::Logs::LogGroup":                  {property: "LogGroupName", arn: "arn:P:logs:R:A:log-group:N", attributes: map[string]string{"Arn": "arn:P:logs:R:A:log-group:N:*"}},
	"AWS::S3::Bucket":                      {property: "BucketName", arn: "arn:P:s3:::N", lower: true, attributes: map[string]string{"DomainName": "N.s3.amazonaws.com", "RegionalDomainName": "N.s3.R.amazonaws.com", "WebsiteURL": "http://N.s3-website-R.amazonaws.com"}},
	"AWS::SNS::Topic":                      {property: "TopicName", arn: "arn:P:sns:R:A:N", ref: "arn", attributes: map[string]string{"TopicArn": "arn:P:sns:R:A:N", "TopicName": "N"}},
	"AWS::SQS::Queue":                      {property: "QueueName", arn: "arn:P:sqs:R:A:N", ref: "https://sqs.R.amazonaws.com/A/N", attributes: map[string]string{"QueueName": "N", "QueueUrl": "https://sqs.R.amazonaws.com/A/N"}},
	"AWS::SSM::Parameter":                  {property: "Name", arn: "arn:P:ssm:R:A:parameter/N"},
	"AWS::Scheduler::Schedule":             {property: "Name", arn: "arn:P:scheduler:R:A:schedule/default/N"},
	"AWS::SecretsManager::Secret":          {property: "Name", arn: "arn:P:secretsmanager:R:A:secret:N-XXXXXX", ref: "arn", attributes: map[string]string{"Id": "arn:P:secretsmanager:R:A:secret:N-XXXXXX"}},
	"AWS::StepFunctions::StateMachine":     {property: "StateMachineName", arn: "arn:P:states:R:A:stateMachine:N", ref: "arn", attributes: map[string]string{"Name": "N"}},
}

// nameOf is a resource's name: what its property says, or a placeholder of the form that CloudFormation makes up.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
func (r *resource) nameOf(s *stack) string {
	if r.name != "" {
		return r.name
	}
	k := kinds[r.kind]
	if s.naming[r.id] {
		s.fail(r.at, "the name of %s depends on itself", r.id)
		return r.id
	}
	s.naming[r.id] = true
	defer delete(s.naming, r.id)
	if k.property != "" {
		if n := s.prop(r, k.property); n != nil {
			r.name = s.text(n)
		}
	}
	if r.name == "" {
		r.name = s.StackName + "-" + r.id + "-GENERATED"
		if k.lower {
			r.name = strings.ToLower(r.name)
		}
	}
	return r.name
}

func (r *resource) arnOf(s *stack) string {
	if r.arn == "" {
		r.arn = s.form(r, kinds[r.kind].arn)
	}
	return r.arn
}

// form fills a form of a kind in.
func (s *stack) form(r *resource, form string) string {
	path := "/"
	if n := s.prop(r, "Path"); n != nil && strings.Contains(form, "/path/") {
		path = cmp.Or(s.text(n), "/")
	}
	name := r.nameOf(s)
	if r.kind == "AWS::SSM::Parameter" && form != "" {
		name = strings.TrimPrefix(name, "/")
	}
	parts := strings.SplitN(form, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" {
		for i := 1; i <= 4; i++ {
			parts[i] = s.standIn(parts[i])
		}
		parts[5] = strings.Replace(replaceName(parts[5], name), "/path/", path, 1)
		return strings.Join(parts, ":")
	}
	out := strings.NewReplacer(".R.", "."+s.Region+".", "-R.", "-"+s.Region+".", "/A/", "/"+s.Account+"/").Replace(form)
	return replaceName(out, name)
}

func (s *stack) standIn(part string) string {
	switch part {
	case "P":
		return s.Partition
	case "R":
		return s.Region
	case "A":
		return s.Account
	}
	return part
}

// replaceName puts the name in the place of the one N that stands alone.
func replaceName(form, name string) string {
	for i := range len(form) {
		if form[i] == 'N' && (i == 0 || !letter(form[i-1])) && (i+1 == len(form) || !letter(form[i+1])) {
			return form[:i] + name + form[i+1:]
		}
	}
	return form
}

func letter(b byte) bool { return 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z' }

// ref is what Ref gives.
func (s *stack) ref(n *yaml.Node, name string) any {
	switch name {
	case "AWS::AccountId":
		return s.Account
	case "AWS::Region":
		return s.Region
	case "AWS::Partition":
		return s.Partition
	case "AWS::StackName":
		return s.StackName
	case "AWS::StackId":
		return "arn:" + s.Partition + ":cloudformation:" + s.Region + ":" + s.Account + ":stack/" + s.StackName + "/GENERATED"
	case "AWS::URLSuffix":
		if s.Partition == "aws-cn" {
			return "amazonaws.com.cn"
		}
		return "amazonaws.com"
	case "AWS::NoValue":
		return noValue
	case "AWS::NotificationARNs":
		return s.unknown(n, name)
	}
	if p := child(s.section("Parameters"), name); p != nil {
		return s.parameter(n, name, p)
	}
	r := s.resources[name]
	if r == nil {
		r = s.madeBySAM(name)
	}
	if r == nil {
		if child(s.section("Resources"), name) == nil {
			s.fail(n, "there is no parameter and no resource %q", name)
			return ""
		}
		return s.unknown(n, name+", which its condition leaves out,")
	}
	switch k, ok := kinds[r.kind]; {
	case r.kind == "AWS::Lambda::Version":
		return s.versionARN(r)
	case r.kind == "AWS::Lambda::Alias":
		return s.aliasARN(r)
	case r.kind == "AWS::Lambda::Url":
		return s.functionARN(s.prop(r, "TargetFunctionArn"))
	case !ok:
		return s.unknown(n, "the name of "+name)
	case k.ref == "arn":
		return r.arnOf(s)
	case k.ref != "":
		return s.form(r, k.ref)
	default:
		return r.nameOf(s)
	}
}

// parameter is the value of a parameter: given, or its default.
func (s *stack) parameter(n *yaml.Node, name string, p *yaml.Node) any {
	text, given := s.Parameters[name]
	kind := ""
	if t := child(p, "Type"); t != nil {
		kind = t.Value
	}
	if d := child(p, "Default"); !given && d != nil {
		text, given = landscape.Clean(d.Value), true
	}
	if !given {
		return s.unknown(n, "the parameter "+name)
	}
	switch {
	case strings.HasPrefix(kind, "AWS::SSM::Parameter::Value<"):
		return s.unknown(n, "the parameter "+name+", whose value is in Systems Manager,")
	case kind == "CommaDelimitedList", strings.HasPrefix(kind, "List<"):
		var list []any
		for _, item := range strings.Split(text, ",") {
			list = append(list, strings.TrimSpace(item))
		}
		return list
	}
	return text
}

func (s *stack) getAtt(n, arg *yaml.Node) any {
	if arg.Kind == yaml.SequenceNode {
		args := s.args(n, arg, 2, 2)
		if args == nil {
			return ""
		}
		return s.attribute(n, args[0].Value, s.text(args[1]))
	}
	name, attribute, ok := strings.Cut(arg.Value, ".")
	if !ok {
		s.fail(n, "GetAtt takes a resource and an attribute")
		return ""
	}
	return s.attribute(n, name, attribute)
}

// attribute is what Fn::GetAtt gives.
func (s *stack) attribute(n *yaml.Node, name, attribute string) any {
	r := s.resources[name]
	if r == nil {
		r = s.madeBySAM(name)
	}
	if r == nil {
		if child(s.section("Resources"), name) == nil {
			s.fail(n, "there is no resource %q", name)
			return ""
		}
		return s.unknown(n, name+"."+attribute+", which a condition leaves out,")
	}
	k := kinds[r.kind]
	form, ok := k.attributes[attribute]
	switch {
	case ok:
		return s.form(r, form)
	case attribute == "Arn" && k.arn != "":
		return r.arnOf(s)
	case r.kind == "AWS::Lambda::Alias" && attribute == "AliasArn":
		return s.aliasARN(r)
	case r.kind == "AWS::Lambda::Version" && attribute == "FunctionArn":
		return s.versionARN(r)
	case r.kind == "AWS::Lambda::Url" && attribute == "FunctionArn":
		return s.functionARN(s.prop(r, "TargetFunctionArn"))
	}
	return s.unknown(n, name+"."+attribute)
}
