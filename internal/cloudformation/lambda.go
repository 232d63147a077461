package cloudformation

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
	"github.com/licet/licet/internal/requirements"
)

// functionARN is that of a function by what a property says: a name, an ARN or a partial one, with a qualifier or without.
func (s *stack) functionARN(n *yaml.Node) string { return s.functionNamed(s.text(n)) }

func (s *stack) functionNamed(name string) string {
	return landscape.NamedFunction("arn:"+s.Partition+":lambda:"+s.Region+":"+s.Account+":function:", name)
}

// versionARN has a number that nobody knows, which is the same wherever it is referred to.
func (s *stack) versionARN(r *resource) string {
	return s.functionARN(s.prop(r, "FunctionName")) + ":1"
}

func (s *stack) aliasARN(r *resource) string {
	return s.functionARN(s.prop(r, "FunctionName")) + ":" + s.text(s.prop(r, "Name"))
}

func (s *stack) version(r *resource) { s.qualified(r, s.versionARN(r)) }
func (s *stack) alias(r *resource)   { s.qualified(r, s.aliasARN(r)) }

// qualified puts a version or alias into the landscape: its policy is its own, its role the function's.
func (s *stack) qualified(r *resource, arn string) {
	o := s.owner(arn, nil)
	o.At, o.Type, o.Names = s.at(r.at), r.kind, append(o.Names, r.id)
	if f := s.byARN("AWS::Lambda::Function", landscape.FunctionARN(arn)); f != nil {
		o.Role = s.roleOf(f)
	}
}

// roleOf is the ARN of a function's execution role.
func (s *stack) roleOf(r *resource) string { return s.text(s.prop(r, "Role")) }

// need adds a call that must be allowed.
func (s *stack) need(principal, action, resource, why string, keys ...string) {
	if principal == "" || resource == "" {
		return
	}
	c := landscape.Call{Principal: principal, Action: action, Resource: resource, Why: why}
	for i := 0; i+1 < len(keys); i += 2 {
		c.Context.Set(keys[i], keys[i+1])
	}
	s.out.Calls = append(s.out.Calls, c)
}

// function is a function: its role, and what its configuration needs.
func (s *stack) function(r *resource) {
	arn := r.arnOf(s)
	o := s.owner(arn, r)
	o.Role = s.roleOf(r)
	f := requirements.Function{
		ARN: arn, Role: o.Role, Name: r.id, LogGroup: s.text(s.prop(r, "LoggingConfig", "LogGroup")),
		VPC: len(s.texts(s.prop(r, "VpcConfig", "SubnetIds"))) > 0, Tracing: s.text(s.prop(r, "TracingConfig", "Mode")) == "Active",
		DeadLetter: s.text(s.prop(r, "DeadLetterConfig", "TargetArn")),
	}
	if f.LogGroup == "" {
		f.LogGroup = "/aws/lambda/" + r.nameOf(s)
	}
	_, f.LogGroupDeclared = s.owners["arn:"+s.Partition+":logs:"+s.Region+":"+s.Account+":log-group:"+f.LogGroup]
	s.out.Calls = append(s.out.Calls, f.Calls()...)
}

func (s *stack) eventInvokeConfig(r *resource) {
	f := requirements.Function{ARN: landscape.FunctionARN(s.functionARN(s.prop(r, "FunctionName"))), Name: r.id}
	for _, on := range []string{"OnSuccess", "OnFailure"} {
		if to := s.text(s.prop(r, "DestinationConfig", on, "Destination")); to != "" {
			f.Destinations = append(f.Destinations, to)
		}
	}
	if s.declared(r, f.ARN) {
		s.out.Calls = append(s.out.Calls, f.Deliveries()...)
	}
}

func (s *stack) mapping(r *resource) {
	m := requirements.Mapping{
		Function: landscape.FunctionARN(s.functionARN(s.prop(r, "FunctionName"))), Name: r.id, Source: s.text(s.prop(r, "EventSourceArn")),
		OnFailure: s.text(s.prop(r, "DestinationConfig", "OnFailure", "Destination")),
	}
	for _, item := range s.each(s.prop(r, "SourceAccessConfigurations")) {
		access, _ := item.(map[string]any)
		kind, _ := access["Type"].(string)
		uri, _ := access["URI"].(string)
		m.Access = append(m.Access, [2]string{kind, uri})
	}
	if s.declared(r, m.Function) {
		s.out.Calls = append(s.out.Calls, m.Calls()...)
	}
}

// declared tells whether a function is there, whose role can be asked then.
func (s *stack) declared(r *resource, function string) bool {
	if s.byARN("AWS::Lambda::Function", function) != nil {
		return true
	}
	s.note(r.at, "The function %s is not declared here: whether its role suffices for %s is not known", function, r.id)
	return false
}

// permission is a statement of a function's policy, as AddPermission writes it (lambda.md 1.4).
func (s *stack) permission(r *resource) {
	arn := s.functionARN(s.prop(r, "FunctionName"))
	if landscape.IsUnknown(arn) {
		s.note(r.at, "Whose permission %s is, is not known", r.id)
		for _, kind := range []string{"AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::Lambda::Version"} {
			s.anybodys[kind] = "whether the permission " + r.id + " is its own"
		}
		return
	}
	statement := map[string]any{
		"Sid": r.id, "Effect": "Allow", "Action": s.text(s.prop(r, "Action")), "Resource": arn,
		"Principal": landscape.Grantee(s.Partition, s.text(s.prop(r, "Principal"))),
	}
	conditions := make(map[string]any)
	for _, c := range []struct{ property, operator, key string }{
		{"SourceArn", "ArnLike", "AWS:SourceArn"}, {"SourceAccount", "StringEquals", "AWS:SourceAccount"},
		{"PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"}, {"EventSourceToken", "StringEquals", "lambda:EventSourceToken"},
		{"FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"},
		{"InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"},
	} {
		if n := s.prop(r, c.property); n != nil {
			keys, _ := conditions[c.operator].(map[string]any)
			if keys == nil {
				keys = make(map[string]any)
			}
			keys[c.key] = s.text(n)
			conditions[c.operator] = keys
		}
	}
	if len(conditions) > 0 {
		statement["Condition"] = conditions
	}
	s.grantIn(r, arn, statement)
}

func (s *stack) layerPermission(r *resource) {
	arn := s.text(s.prop(r, "LayerVersionArn"))
	statement := map[string]any{
		"Sid": r.id, "Effect": "Allow", "Action": s.text(s.prop(r, "Action")), "Resource": arn,
		"Principal": landscape.Grantee(s.Partition, s.text(s.prop(r, "Principal"))),
	}
	if n := s.prop(r, "OrganizationId"); n != nil {
		statement["Condition"] = map[string]any{"StringEquals": map[string]any{"aws:PrincipalOrgID": s.text(n)}}
	}
	s.grantIn(r, arn, statement)
}

// invoke needs a service to be let in by a function's policy.
func (s *stack) invoke(service, function, source, why string) {
	if function == "" || !strings.Contains(function, ":lambda:") || landscape.IsUnknown(function) {
		return
	}
	s.need(service, "lambda:InvokeFunction", function, why, "aws:SourceArn", source, "aws:SourceAccount", s.Account)
}

// bucket is what its notifications need. https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
func (s *stack) bucket(r *resource) {
	arn, why := r.arnOf(s), "for the notifications of "+r.id
	for _, n := range s.list(s.prop(r, "NotificationConfiguration", "LambdaConfigurations")) {
		s.invoke("s3.amazonaws.com", s.functionARN(child(n, "Function")), arn, why)
	}
	for _, n := range s.list(s.prop(r, "NotificationConfiguration", "QueueConfigurations")) {
		s.need("s3.amazonaws.com", "sqs:SendMessage", s.text(child(n, "Queue")), why, "aws:SourceArn", arn, "aws:SourceAccount", s.Account)
	}
	for _, n := range s.list(s.prop(r, "NotificationConfiguration", "TopicConfigurations")) {
		s.need("s3.amazonaws.com", "sns:Publish", s.text(child(n, "Topic")), why, "aws:SourceArn", arn, "aws:SourceAccount", s.Account)
	}
}

// list are the items of a list that is written in the template; one that a function makes is not known.
func (s *stack) list(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		s.unknown(n, "a list that a function makes")
		return nil
	}
	return n.Content
}

func (s *stack) subscription(r *resource) {
	topic, end, why := s.text(s.prop(r, "TopicArn")), s.text(s.prop(r, "Endpoint")), "for the subscription "+r.id
	switch s.text(s.prop(r, "Protocol")) {
	case "lambda":
		s.invoke("sns.amazonaws.com", end, topic, why)
	case "sqs":
		s.need("sns.amazonaws.com", "sqs:SendMessage", end, why, "aws:SourceArn", topic, "aws:SourceAccount", s.Account)
	}
}

func (s *stack) rule(r *resource) {
	for _, n := range s.list(s.prop(r, "Targets")) {
		target, why := s.text(child(n, "Arn")), "for the targets of the rule "+r.id
		switch {
		case child(n, "RoleArn") != nil: // the role decides
		case strings.Contains(target, ":lambda:"):
			s.invoke("events.amazonaws.com", target, r.arnOf(s), why)
		case strings.Contains(target, ":sqs:"):
			s.need("events.amazonaws.com", "sqs:SendMessage", target, why, "aws:SourceArn", r.arnOf(s), "aws:SourceAccount", s.Account)
		case strings.Contains(target, ":sns:"):
			s.need("events.amazonaws.com", "sns:Publish", target, why, "aws:SourceArn", r.arnOf(s), "aws:SourceAccount", s.Account)
		}
	}
}

func (s *stack) subscriptionFilter(r *resource) {
	group := "arn:" + s.Partition + ":logs:" + s.Region + ":" + s.Account + ":log-group:" + s.text(s.prop(r, "LogGroupName")) + ":*"
	s.invoke("logs.amazonaws.com", s.text(s.prop(r, "DestinationArn")), group, "for the subscription filter "+r.id)
}

// grantIn adds a statement that is there when its resource is.
func (s *stack) grantIn(r *resource, arn string, statement any) {
	if r.unsure {
		statement = landscape.Optional(statement, "whether "+r.id+" is there")
	}
	s.grant(arn, statement)
}
