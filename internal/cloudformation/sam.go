package cloudformation

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
)

// transform gives what a type of SAM becomes, and what makes the rest. What SAM makes besides is added to the template as resources of
// CloudFormation, so that it is read as they are.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html
func transform(kind string) (becomes string, expand func(*stack, *resource)) {
	switch kind {
	case "AWS::Serverless::Function":
		return "AWS::Lambda::Function", (*stack).samFunction
	case "AWS::Serverless::StateMachine":
		return "AWS::StepFunctions::StateMachine", (*stack).samStateMachine
	case "AWS::Serverless::SimpleTable":
		return "AWS::DynamoDB::Table", nil
	case "AWS::Serverless::LayerVersion":
		return "AWS::Lambda::LayerVersion", nil
	case "AWS::Serverless::Api":
		return "AWS::ApiGateway::RestApi", nil
	case "AWS::Serverless::HttpApi":
		return "AWS::ApiGatewayV2::Api", nil
	case "AWS::Serverless::GraphQLApi":
		return "AWS::AppSync::GraphQLApi", nil
	}
	return kind, nil
}

// object, list and ref build nodes: their values are nodes, texts, objects or lists.
type (
	object map[string]any
	list   []any
)

func ref(id string) object               { return object{"Ref": id} }
func getAtt(id, attribute string) object { return object{"Fn::GetAtt": list{id, attribute}} }

// node is a value as a node that stands where at does.
func node(at *yaml.Node, v any) *yaml.Node {
	switch v := v.(type) {
	case *yaml.Node:
		return v
	case object:
		n := &yaml.Node{Kind: yaml.MappingNode, Line: at.Line, Column: at.Column}
		for key, value := range v {
			if value == nil || value == (*yaml.Node)(nil) {
				continue
			}
			n.Content = append(n.Content, node(at, key), node(at, value))
		}
		return n
	case list:
		n := &yaml.Node{Kind: yaml.SequenceNode, Line: at.Line, Column: at.Column}
		for _, item := range v {
			n.Content = append(n.Content, node(at, item))
		}
		return n
	default:
		text, _ := v.(string)
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: at.Line, Column: at.Column}
	}
}

// make adds a resource that SAM makes for another.
func (s *stack) make(of *resource, id, kind string, props object) *resource {
	r := &resource{id: id, kind: kind, at: of.at, props: node(of.at, props), unsure: of.unsure}
	s.add(r)
	return r
}

// with is a mapping with other members in the place of those of the same names.
func with(n *yaml.Node, at *yaml.Node, more object) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Line: at.Line, Column: at.Column}
	keys, values := members(n)
	for i, key := range keys {
		if _, replaced := more[key.Value]; !replaced {
			out.Content = append(out.Content, key, values[i])
		}
	}
	out.Content = append(out.Content, node(at, more).Content...)
	return out
}

// merged is what Globals say with what a resource says: mappings are merged, lists put together, and else the resource's value holds.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
func merged(global, own *yaml.Node) *yaml.Node {
	_, _, globalCall := callOf(global)
	_, _, ownCall := callOf(own)
	switch {
	case global == nil:
		return own
	case own == nil:
		return global
	case globalCall || ownCall || global.Kind != own.Kind || own.Kind == yaml.ScalarNode:
		return own
	case own.Kind == yaml.SequenceNode:
		out := *own
		out.Content = append(append([]*yaml.Node{}, global.Content...), own.Content...)
		return &out
	}
	out := *own
	out.Content = nil
	keys, values := members(global)
	for i, key := range keys {
		out.Content = append(out.Content, key, merged(values[i], child(own, key.Value)))
	}
	keys, values = members(own)
	for i, key := range keys {
		if child(global, key.Value) == nil {
			out.Content = append(out.Content, key, values[i])
		}
	}
	return &out
}

func callOf(n *yaml.Node) (string, *yaml.Node, bool) {
	if n == nil {
		return "", nil, false
	}
	return call(n)
}

// madeBySAM finds what templates may refer to by Function.Alias and Function.Version.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html
func (s *stack) madeBySAM(name string) *resource {
	id, what, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	switch what {
	case "Version":
		return s.resources[id+"Version"]
	case "Alias":
		return s.resources[id+"Alias"]
	}
	return nil
}

const managedPolicies = "arn:${AWS::Partition}:iam::aws:policy/"

func (s *stack) samFunction(r *resource) {
	r.props = merged(child(s.globals, "Function"), r.props)
	more := object{}
	if n := s.prop(r, "DeadLetterQueue"); n != nil {
		more["DeadLetterConfig"] = object{"TargetArn": child(n, "TargetArn")}
	}
	if n := s.prop(r, "Tracing"); n != nil {
		more["TracingConfig"] = object{"Mode": n}
	}
	target := ref(r.id)
	if n := s.prop(r, "AutoPublishAlias"); n != nil {
		s.make(r, r.id+"Version", "AWS::Lambda::Version", object{"FunctionName": ref(r.id)})
		s.make(r, r.id+"Alias", "AWS::Lambda::Alias", object{"FunctionName": ref(r.id), "Name": n})
		target = ref(r.id + "Alias")
	}
	given := s.prop(r, "Role")
	var own *samRole
	if given == nil {
		more["Role"] = getAtt(r.id+"Role", "Arn")
		own = s.samFunctionRole(r)
	} else {
		own = new(samRole) // what events would add to it is the template's to give
	}
	r.props = with(r.props, r.at, more)
	keys, values := members(s.prop(r, "Events"))
	for i, key := range keys {
		s.samEvent(r, key, values[i], target, own)
	}
	s.samDestinations(r, own)
	if n := s.prop(r, "FunctionUrlConfig"); n != nil && s.text(child(n, "AuthType")) == "NONE" {
		s.make(r, r.id+"UrlPublicPermissions", "AWS::Lambda::Permission", object{
			"Action": "lambda:InvokeFunctionUrl", "FunctionName": target, "Principal": "*", "FunctionUrlAuthType": "NONE",
		})
		s.make(r, r.id+"URLInvokeFunctionPublicPermissions", "AWS::Lambda::Permission", object{
			"Action": "lambda:InvokeFunction", "FunctionName": target, "Principal": "*", "InvokedViaFunctionUrl": "true",
		})
	}
	if given == nil {
		own.add(s, r)
	}
}

// samRole is the role that SAM makes for a function or state machine.
type samRole struct {
	service           string
	managed, policies list
	boundary, path    *yaml.Node
	trust             *yaml.Node
}

// inline adds a policy of one statement.
func (o *samRole) inline(name, action string, resource any) {
	o.policies = append(o.policies, object{"PolicyName": name, "PolicyDocument": object{
		"Version": "2012-10-17", "Statement": list{object{"Effect": "Allow", "Action": action, "Resource": resource}},
	}})
}

func (o *samRole) attach(name string) {
	o.managed = append(o.managed, object{"Fn::Sub": managedPolicies + name})
}

func (o *samRole) add(s *stack, r *resource) {
	props := object{"ManagedPolicyArns": o.managed, "Policies": o.policies, "PermissionsBoundary": o.boundary, "Path": o.path}
	if props["AssumeRolePolicyDocument"] = o.trust; o.trust == nil {
		props["AssumeRolePolicyDocument"] = object{"Version": "2012-10-17", "Statement": list{object{
			"Effect": "Allow", "Principal": object{"Service": o.service}, "Action": "sts:AssumeRole",
		}}}
	}
	s.make(r, r.id+"Role", "AWS::IAM::Role", props)
}

func (s *stack) samFunctionRole(r *resource) *samRole {
	own := &samRole{
		service: "lambda.amazonaws.com", boundary: s.prop(r, "PermissionsBoundary"), path: s.prop(r, "RolePath"),
		trust: s.prop(r, "AssumeRolePolicyDocument"),
	}
	own.attach("service-role/AWSLambdaBasicExecutionRole")
	if s.prop(r, "VpcConfig") != nil {
		own.attach("service-role/AWSLambdaVPCAccessExecutionRole")
	}
	if s.text(s.prop(r, "Tracing")) == "Active" {
		own.attach("AWSXrayWriteOnlyAccess")
	}
	if n := s.prop(r, "DeadLetterQueue"); n != nil {
		action := "sqs:SendMessage"
		if s.text(child(n, "Type")) == "SNS" {
			action = "sns:Publish"
		}
		own.inline("DeadLetterQueue", action, child(n, "TargetArn"))
	}
	s.samPolicies(r, own)
	return own
}

func (s *stack) samStateMachine(r *resource) {
	r.props = merged(child(s.globals, "StateMachine"), r.props)
	if name := s.prop(r, "Name"); name != nil {
		r.props = with(r.props, r.at, object{"StateMachineName": name})
	}
	if s.prop(r, "Role") != nil {
		return
	}
	own := &samRole{service: "states.amazonaws.com", boundary: s.prop(r, "PermissionsBoundary"), path: s.prop(r, "RolePath")}
	s.samPolicies(r, own)
	own.add(s, r)
}

// samPolicies reads the Policies property: names and ARNs of managed policies, documents, and policy templates.
func (s *stack) samPolicies(r *resource, own *samRole) {
	n := s.prop(r, "Policies")
	if n == nil {
		return
	}
	s.samPolicy(r, n, own)
}

func (s *stack) samPolicy(r *resource, item *yaml.Node, own *samRole) {
	name, arg, isCall := call(item)
	switch {
	case !isCall && item.Kind == yaml.SequenceNode:
		for _, one := range item.Content {
			s.samPolicy(r, one, own)
		}
	case isCall && name == "If":
		args := s.args(item, arg, 3, 3)
		if args == nil {
			return
		}
		switch s.condition(args[0].Value) {
		case yes:
			s.samPolicy(r, args[1], own)
		case no:
			s.samPolicy(r, args[2], own)
		default:
			own.policies = append(own.policies, object{"PolicyName": "conditional", "PolicyDocument": item})
		}
	case isCall && name == "Ref" && arg.Value == "AWS::NoValue":
	case isCall:
		own.managed = append(own.managed, item)
	case item.Kind == yaml.ScalarNode:
		if arn, ok := s.namedPolicy(item.Value); ok {
			own.managed = append(own.managed, arn)
		} else {
			own.managed = append(own.managed, item) // an ARN, or what no managed policy is called
		}
	case child(item, "Statement") != nil:
		own.policies = append(own.policies, object{"PolicyName": r.id + "RolePolicy", "PolicyDocument": item})
	case item.Kind == yaml.MappingNode && len(item.Content) == 2:
		s.samTemplate(item, own)
	default:
		s.fail(item, "this is neither a managed policy, nor a document, nor a policy template")
	}
}

// namedPolicy finds a managed policy of AWS by its name.
func (s *stack) namedPolicy(name string) (arn string, ok bool) {
	if strings.HasPrefix(name, "arn:") || s.ManagedPolicyARN == nil {
		return "", false
	}
	return s.ManagedPolicyARN(name)
}

func (s *stack) samTemplate(item *yaml.Node, own *samRole) {
	name, given := item.Content[0].Value, item.Content[1]
	t, ok := policyTemplates()[name]
	if !ok {
		s.note(item, "The policy template %s is not known here", name)
		own.policies = append(own.policies, object{"PolicyName": name, "PolicyDocument": object{
			"Fn::" + "PolicyTemplate": name,
		}})
		return
	}
	parameters := object{}
	for _, p := range t.parameters {
		v := child(given, p)
		if v == nil {
			s.fail(item, "the policy template %s lacks its parameter %s", name, p)
			return
		}
		parameters[p] = v
	}
	filled := func(form string) any {
		if !strings.Contains(form, "${") {
			return form
		}
		return object{"Fn::Sub": list{form, parameters}}
	}
	statements := list{}
	for _, st := range t.statements {
		actions, resources := list{}, list{}
		for _, a := range st.actions {
			actions = append(actions, a)
		}
		for _, form := range st.resources {
			resources = append(resources, filled(form))
		}
		statement := object{"Effect": "Allow", "Action": actions, "Resource": resources}
		if st.key != "" {
			statement["Condition"] = object{"StringEquals": object{st.key: filled(st.value)}}
		}
		statements = append(statements, statement)
	}
	own.policies = append(own.policies, object{"PolicyName": name, "PolicyDocument": object{"Version": "2012-10-17", "Statement": statements}})
}

// pollers are the managed policies that SAM gives the role of a function with an event source that Lambda polls.
var pollers = map[string]struct{ property, policy string }{
	"SQS":      {"Queue", "service-role/AWSLambdaSQSQueueExecutionRole"},
	"Kinesis":  {"Stream", "service-role/AWSLambdaKinesisExecutionRole"},
	"DynamoDB": {"Stream", "service-role/AWSLambdaDynamoDBExecutionRole"},
	"MSK":      {"Stream", "service-role/AWSLambdaMSKExecutionRole"},
}

// samEvent adds what an event of a function becomes.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
func (s *stack) samEvent(r *resource, key, n *yaml.Node, target object, own *samRole) {
	id, kind, props := r.id+key.Value, s.text(child(n, "Type")), child(n, "Properties")
	permit := func(service string, more object) {
		more["Action"], more["FunctionName"], more["Principal"] = "lambda:InvokeFunction", target, service
		s.make(r, id+"Permission", "AWS::Lambda::Permission", more)
	}
	if p, ok := pollers[kind]; ok {
		own.attach(p.policy)
		s.make(r, id, "AWS::Lambda::EventSourceMapping", object{
			"FunctionName": target, "EventSourceArn": child(props, p.property), "DestinationConfig": child(props, "DestinationConfig"),
		})
		return
	}
	switch kind {
	case "S3":
		permit("s3.amazonaws.com", object{"SourceAccount": ref("AWS::AccountId")})
		s.make(r, id, samInvoke, object{"Service": "s3.amazonaws.com", "Function": target, "Bucket": child(props, "Bucket")})
	case "SNS":
		permit("sns.amazonaws.com", object{"SourceArn": child(props, "Topic")})
		s.make(r, id, "AWS::SNS::Subscription", object{"TopicArn": child(props, "Topic"), "Protocol": "lambda", "Endpoint": arnOfTarget(target)})
	case "Schedule", "CloudWatchEvent", "EventBridgeRule":
		s.make(r, id, "AWS::Events::Rule", object{"Name": child(props, "Name"), "Targets": list{object{"Arn": arnOfTarget(target)}}})
		permit("events.amazonaws.com", object{"SourceArn": getAtt(id, "Arn")})
	case "ScheduleV2":
		s.make(r, id, "AWS::Scheduler::Schedule", object{"Name": child(props, "Name")})
		if child(props, "RoleArn") == nil {
			caller := &samRole{service: "scheduler.amazonaws.com", boundary: child(props, "PermissionsBoundary")}
			caller.inline(id+"RolePolicy", "lambda:InvokeFunction", arnOfTarget(target))
			caller.add(s, &resource{id: id, at: r.at, unsure: r.unsure})
		}
	case "CloudWatchLogs":
		group := object{"Fn::Sub": list{"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${group}:*",
			object{"group": child(props, "LogGroupName")}}}
		permit("logs.amazonaws.com", object{"SourceArn": group})
		s.make(r, id, "AWS::Logs::SubscriptionFilter", object{"LogGroupName": child(props, "LogGroupName"), "DestinationArn": arnOfTarget(target)})
	case "IoTRule":
		permit("iot.amazonaws.com", object{"SourceArn": object{"Fn::Sub": "arn:${AWS::Partition}:iot:${AWS::Region}:${AWS::AccountId}:rule/" + s.StackName + "-" + id}})
	case "AlexaSkill":
		permit("alexa-appkit.amazon.com", object{"EventSourceToken": child(props, "SkillId")})
	case "Cognito":
		pool := child(props, "UserPool")
		if name, arg, ok := callOf(pool); ok && name == "Ref" {
			pool = node(pool, getAtt(arg.Value, "Arn"))
		}
		permit("cognito-idp.amazonaws.com", object{"SourceArn": pool})
	case "Api", "HttpApi":
		s.samAPI(r, kind, props, permit)
	default:
		s.note(n, "The event %s of %s, of type %s, is not read", key.Value, r.id, kind)
	}
}

// arnOfTarget is the ARN of a function or alias: Ref of an alias is its ARN already.
func arnOfTarget(target object) any {
	if id, _ := target["Ref"].(string); !strings.HasSuffix(id, "Alias") {
		return getAtt(id, "Arn")
	}
	return target
}

// samAPI lets an API invoke a function, for one method and path.
func (s *stack) samAPI(r *resource, kind string, props *yaml.Node, permit func(string, object)) {
	implicit, property := "ServerlessRestApi", "RestApiId"
	if kind == "HttpApi" {
		implicit, property = "ServerlessHttpApi", "ApiId"
	}
	api := child(props, property)
	if api == nil {
		s.make(&resource{id: implicit, at: r.at}, implicit, map[string]string{"Api": "AWS::ApiGateway::RestApi", "HttpApi": "AWS::ApiGatewayV2::Api"}[kind], object{})
		api = node(r.at, ref(implicit))
	}
	method, path := strings.ToUpper(s.text(child(props, "Method"))), s.text(child(props, "Path"))
	if method == "ANY" || method == "" || method == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
		method = "*"
	}
	for strings.Contains(path, "{") && strings.Contains(path, "}") && strings.Index(path, "{") < strings.Index(path, "}") {
		path = path[:strings.Index(path, "{")] + "*" + path[strings.Index(path, "}")+1:]
	}
	if path == "" || path == "$default" {
		path = "/*"
	}
	parts := object{"api": api, "method": method, "path": path}
	for name, property := range map[string]string{"method": "Method", "path": "Path"} {
		if text, _ := parts[name].(string); landscape.IsUnknown(text) { // which a text of the template cannot be
			parts[name] = child(props, property)
		}
	}
	permit("apigateway.amazonaws.com", object{"SourceArn": object{"Fn::Sub": list{
		"arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${api}/*/${method}${path}", parts,
	}}})
}

// samDestinations reads the EventInvokeConfig property.
func (s *stack) samDestinations(r *resource, own *samRole) {
	config := s.prop(r, "EventInvokeConfig", "DestinationConfig")
	if config == nil {
		return
	}
	actions := map[string]string{
		"SQS": "sqs:SendMessage", "SNS": "sns:Publish", "Lambda": "lambda:InvokeFunction", "EventBridge": "events:PutEvents", "S3Bucket": "s3:PutObject",
	}
	destinations := object{}
	for _, on := range []string{"OnSuccess", "OnFailure"} {
		n := child(config, on)
		if n == nil {
			continue
		}
		kind := s.text(child(n, "Type"))
		var to any = child(n, "Destination")
		if child(n, "Destination") == nil { // SAM makes one
			id := r.id + "EventInvokeConfig" + on
			switch kind {
			case "SQS":
				s.make(r, id+"Queue", "AWS::SQS::Queue", object{})
				to = getAtt(id+"Queue", "Arn")
			case "SNS":
				s.make(r, id+"Topic", "AWS::SNS::Topic", object{})
				to = ref(id + "Topic")
			default:
				s.fail(n, "a destination must be given")
				return
			}
		}
		resource := to
		if kind == "S3Bucket" {
			resource = object{"Fn::Join": list{"", list{to, "/*"}}}
		}
		if action, ok := actions[kind]; ok {
			own.inline(on, action, resource)
		}
		destinations[on] = object{"Destination": to}
	}
	s.make(r, r.id+"EventInvokeConfig", "AWS::Lambda::EventInvokeConfig", object{"FunctionName": ref(r.id), "DestinationConfig": destinations})
}

// samInvoke is the type of what a bucket's notification needs, which SAM writes into the bucket itself.
const samInvoke = "(notification)"

func (s *stack) notification(r *resource) {
	bucket := s.text(s.prop(r, "Bucket"))
	if landscape.IsUnknown(bucket) || bucket == "" {
		return
	}
	s.invoke(s.text(s.prop(r, "Service")), s.functionARN(s.prop(r, "Function")), "arn:"+s.Partition+":s3:::"+bucket, "for the event "+r.id)
}
