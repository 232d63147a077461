package terraform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/internal/landscape"
)

// kind is what a type's resources are called.
type kind struct {
	// name is the argument that has the name; "" for types whose names AWS makes up.
	name string
	// cfn is CloudFormation's name of the type.
	cfn string
	// arn has {P} for the partition, {R} and {A} for region and account, {N} for the name and {path} for the argument path.
	arn string
	// id is what the attribute id is: "" the name, "arn", or the name of another attribute.
	id string
	// attributes are further ones, as forms.
	attributes map[string]string
	principal  bool
}

// kinds are the types with a name and an ARN. Attributes are those of each type's page in
// https://registry.terraform.io/providers/hashicorp/aws/latest/docs, ARNs those of the Service Authorization Reference.
var kinds = map[string]kind{
	"aws_api_gateway_rest_api":             {cfn: "AWS::ApiGateway::RestApi", arn: "arn:{P}:apigateway:{R}::/restapis/{N}", attributes: map[string]string{"execution_arn": "arn:{P}:execute-api:{R}:{A}:{N}"}},
	"aws_apigatewayv2_api":                 {cfn: "AWS::ApiGatewayV2::Api", arn: "arn:{P}:apigateway:{R}::/apis/{N}", attributes: map[string]string{"execution_arn": "arn:{P}:execute-api:{R}:{A}:{N}"}},
	"aws_cloudwatch_event_bus":             {cfn: "AWS::Events::EventBus", name: "name", arn: "arn:{P}:events:{R}:{A}:event-bus/{N}"},
	"aws_cloudwatch_event_rule":            {cfn: "AWS::Events::Rule", name: "name", arn: "arn:{P}:events:{R}:{A}:rule/{N}"},
	"aws_cloudwatch_log_group":             {cfn: "AWS::Logs::LogGroup", name: "name", arn: "arn:{P}:logs:{R}:{A}:log-group:{N}"},
	"aws_cognito_user_pool":                {cfn: "AWS::Cognito::UserPool", arn: "arn:{P}:cognito-idp:{R}:{A}:userpool/{N}"},
	"aws_dynamodb_table":                   {cfn: "AWS::DynamoDB::Table", name: "name", arn: "arn:{P}:dynamodb:{R}:{A}:table/{N}", attributes: map[string]string{"stream_arn": "arn:{P}:dynamodb:{R}:{A}:table/{N}/stream/LATEST"}},
	"aws_ecr_repository":                   {cfn: "AWS::ECR::Repository", name: "name", arn: "arn:{P}:ecr:{R}:{A}:repository/{N}"},
	"aws_iam_group":                        {name: "name", arn: "arn:{P}:iam::{A}:group{path}{N}", principal: true},
	"aws_iam_policy":                       {name: "name", arn: "arn:{P}:iam::{A}:policy{path}{N}", id: "arn", principal: true},
	"aws_iam_role":                         {name: "name", arn: "arn:{P}:iam::{A}:role{path}{N}", principal: true},
	"aws_iam_user":                         {name: "name", arn: "arn:{P}:iam::{A}:user{path}{N}", principal: true},
	"aws_kinesis_firehose_delivery_stream": {cfn: "AWS::KinesisFirehose::DeliveryStream", name: "name", arn: "arn:{P}:firehose:{R}:{A}:deliverystream/{N}", id: "arn"},
	"aws_kinesis_stream":                   {cfn: "AWS::Kinesis::Stream", name: "name", arn: "arn:{P}:kinesis:{R}:{A}:stream/{N}", id: "arn"},
	"aws_kms_key":                          {cfn: "AWS::KMS::Key", arn: "arn:{P}:kms:{R}:{A}:key/{N}", attributes: map[string]string{"key_id": "{N}"}},
	"aws_lambda_function": {cfn: "AWS::Lambda::Function", name: "function_name", arn: "arn:{P}:lambda:{R}:{A}:function:{N}", attributes: map[string]string{
		"invoke_arn": "arn:{P}:apigateway:{R}:lambda:path/2015-03-31/functions/arn:{P}:lambda:{R}:{A}:function:{N}/invocations",
		"version":    "1", "qualified_arn": "arn:{P}:lambda:{R}:{A}:function:{N}:1",
	}},
	"aws_lambda_layer_version":  {cfn: "AWS::Lambda::LayerVersion", name: "layer_name", arn: "arn:{P}:lambda:{R}:{A}:layer:{N}:1", id: "arn", attributes: map[string]string{"layer_arn": "arn:{P}:lambda:{R}:{A}:layer:{N}", "version": "1"}},
	"aws_s3_bucket":             {cfn: "AWS::S3::Bucket", name: "bucket", arn: "arn:{P}:s3:::{N}"},
	"aws_secretsmanager_secret": {cfn: "AWS::SecretsManager::Secret", name: "name", arn: "arn:{P}:secretsmanager:{R}:{A}:secret:{N}-XXXXXX", id: "arn"},
	"aws_sfn_state_machine":     {cfn: "AWS::StepFunctions::StateMachine", name: "name", arn: "arn:{P}:states:{R}:{A}:stateMachine:{N}", id: "arn"},
	"aws_sns_topic":             {cfn: "AWS::SNS::Topic", name: "name", arn: "arn:{P}:sns:{R}:{A}:{N}", id: "arn"},
	"aws_sqs_queue":             {cfn: "AWS::SQS::Queue", name: "name", arn: "arn:{P}:sqs:{R}:{A}:{N}", id: "url", attributes: map[string]string{"url": "https://sqs.{R}.amazonaws.com/{A}/{N}"}},
	"aws_ssm_parameter":         {cfn: "AWS::SSM::Parameter", name: "name", arn: "arn:{P}:ssm:{R}:{A}:parameter/{N}"},
}

// computed is an attribute that a plan leaves out because AWS makes it, but that follows from the name.
func (p *plan) computed(r *instance, attribute string) (string, bool) {
	if r.Mode == "data" {
		if r.Type == "aws_iam_policy_document" && (attribute == "json" || attribute == "minified_json") {
			return p.policyDocument(r), true
		}
		return "", false
	}
	if r.Type == "aws_lambda_alias" && attribute == "arn" {
		return p.functionARN(r, p.text(r, "function_name")) + ":" + p.text(r, "name"), true
	}
	k, ok := kinds[r.Type]
	if !ok {
		return "", false
	}
	form, further := k.attributes[attribute]
	switch {
	case attribute == "arn":
		form = k.arn
	case attribute == "id" && k.id == "", attribute == k.name && k.name != "":
		form = "{N}"
	case attribute == "id":
		return p.text(r, k.id), true
	case !further:
		return "", false
	}
	name := p.nameOf(r, k)
	switch r.Type {
	case "aws_cloudwatch_event_rule":
		if bus := p.text(r, "event_bus_name"); attribute == "arn" && bus != "" && bus != "default" {
			name = bus[strings.LastIndexByte(bus, '/')+1:] + "/" + name
		}
	case "aws_ssm_parameter":
		if attribute == "arn" {
			name = strings.TrimPrefix(name, "/")
		}
	}
	path := "/"
	if k.principal {
		path = cmp.Or(asText(p.value(r.block(), "path")), "/")
	}
	region := p.regionOf(r)
	return strings.NewReplacer("{path}", path, "{P}", partitionOf(region, p.Partition), "{R}", region, "{A}", p.Account, "{N}", name).Replace(form), true
}

// nameOf is a resource's name: planned, the reference that it is, or a placeholder of the form that Terraform makes up.
// https://developer.hashicorp.com/terraform/plugin/sdkv2 "id.PrefixedUniqueId": the prefix and 26 digits.
func (p *plan) nameOf(r *instance, k kind) string {
	if k.name == "" {
		return p.placeholder(r)
	}
	if v := r.Values[k.name]; v != nil && member(r.unknown, k.name) != true {
		return asText(v)
	}
	if r.configured(k.name) {
		v, ok := p.evaluate(p.scopeOf(r), r.block().expressions[k.name], k.name)
		if text := asText(v); text != "" {
			return text
		}
		if !ok { // else it is null, as of a variable that is not set
			return landscape.Unknown(r.Address + "." + k.name)
		}
	}
	for _, prefix := range []string{k.name + "_prefix", "name_prefix"} {
		if text := asText(r.Values[prefix]); text != "" {
			return text + p.placeholder(r)
		}
	}
	return "terraform-" + p.placeholder(r)
}

// configured tells whether the configuration has an argument, or whether nobody knows.
func (r *instance) configured(name string) bool {
	return r.config == nil || r.config.Expressions[name] != nil
}

// placeholder stands for what is made up: the resource's own address.
func (p *plan) placeholder(r *instance) string {
	text := strings.TrimPrefix(r.Address, join(r.in.address, r.Type+"."))
	if r.in.address != "" {
		text = r.in.address + "." + text
	}
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, text)
}

// regionOf is the region of a resource: its own (since version 6 of the provider), its provider's, or that of the tests.
func (p *plan) regionOf(r *instance) string {
	if region, _ := r.Values["region"].(string); region != "" {
		return region
	}
	for _, expressions := range p.providers(r) {
		if v, ok := p.evaluate(scope{in: p.modules[""]}, expressions["region"], ""); ok {
			if region, _ := v.(string); region != "" {
				return region
			}
		}
	}
	return p.Region
}

// providers are the expressions of a resource's provider and, of a module that has its parent's (module.app:aws), of that.
func (p *plan) providers(r *instance) (all []map[string]any) {
	if r.config == nil {
		return nil
	}
	key := r.config.ProviderConfigKey
	for _, key := range []string{key, key[strings.LastIndexByte(key, ':')+1:]} {
		all = append(all, p.doc.Configuration.ProviderConfig[key].Expressions)
	}
	return all
}

func partitionOf(region, other string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return other
}

// place puts a resource of the landscape where policies and calls find it.
func (p *plan) place(r *instance) {
	k, ok := kinds[r.Type]
	if !ok || k.principal || r.Mode == "data" {
		return
	}
	o := p.owner(p.text(r, "arn"))
	o.At, o.Type, o.Names, o.Tags = landscape.Place{File: p.file}, k.cfn, append(o.Names, r.Address), p.tags(r)
	if name := p.nameOf(r, k); k.name != "" && name != "" && !landscape.IsUnknown(name) {
		o.Names = append(o.Names, name)
	}
}

// tags are those of the resource with those of the provider. A plan leaves tags_all open also where the provider has none.
func (p *plan) tags(r *instance) map[string]string {
	out := make(map[string]string)
	for _, name := range []string{"tags_all", "tags"} {
		if member(r.unknown, name) == true {
			if name == "tags" || slices.ContainsFunc(p.providers(r), func(e map[string]any) bool { return e["default_tags"] != nil }) {
				p.note(r, "Its tags are not known")
				out[landscape.AnyTag] = landscape.Unknown(r.Address + "." + name)
			}
			continue
		}
		all, _ := p.attribute(r, name).(map[string]any)
		for key, value := range all {
			if out[key] = asText(value); landscape.IsUnknown(out[key]) {
				p.note(r, "The tag %s is not known", key)
			}
		}
	}
	return out
}

// functionARN is that of a function by what an argument says: a name, an ARN or a partial one, with a qualifier or without.
func (p *plan) functionARN(r *instance, name string) string {
	region := p.regionOf(r)
	prefix := fmt.Sprintf("arn:%s:lambda:%s:%s:function:", partitionOf(region, p.Partition), region, p.Account)
	return landscape.NamedFunction(prefix, name)
}
