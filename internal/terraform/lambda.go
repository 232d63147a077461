package terraform

import (
	"strings"

	"github.com/licet/licet/internal/landscape"
	"github.com/licet/licet/internal/requirements"
)

// function is a function: its role, and what its configuration needs.
func (p *plan) function(r *instance) {
	b, arn := r.block(), p.text(r, "arn")
	o := p.owner(arn)
	o.Role = p.valueText(b, "role")
	f := requirements.Function{
		ARN: arn, Role: o.Role, Name: r.Address, LogGroup: p.inside(b, "logging_config", "log_group"),
		Tracing: p.inside(b, "tracing_config", "mode") == "Active", DeadLetter: p.inside(b, "dead_letter_config", "target_arn"),
	}
	if f.LogGroup == "" || !r.configured("logging_config") && landscape.IsUnknown(f.LogGroup) { // computed
		f.LogGroup = "/aws/lambda/" + p.text(r, "function_name")
	}
	_, f.LogGroupDeclared = p.owners[p.groupARN(r, f.LogGroup)]
	if r.configured("vpc_config") {
		for _, vpc := range b.blocks("vpc_config") {
			f.VPC = f.VPC || len(asTexts(p.value(vpc, "subnet_ids"))) > 0
		}
	}
	p.out.Calls = append(p.out.Calls, f.Calls()...)
}

func (p *plan) groupARN(r *instance, name string) string {
	region := p.regionOf(r)
	return "arn:" + partitionOf(region, p.Partition) + ":logs:" + region + ":" + p.Account + ":log-group:" + name
}

// alias has a policy of its own, and its function's role.
func (p *plan) alias(r *instance) {
	arn := p.text(r, "arn")
	o := p.owner(arn)
	o.At, o.Type, o.Names = landscape.Place{File: p.file}, "AWS::Lambda::Alias", append(o.Names, r.Address)
	if f := p.owners[landscape.FunctionARN(arn)]; f != nil {
		o.Role = f.Role
	}
}

// functionOf is the ARN of the function, version or alias that a resource names.
func (p *plan) functionOf(r *instance) string {
	arn := p.functionARN(r, p.valueText(r.block(), "function_name"))
	if q := p.valueText(r.block(), "qualifier"); q != "" && landscape.FunctionARN(arn) == arn && arn != "" {
		arn += ":" + q
	}
	return arn
}

// conditionKeys are the arguments of a permission that become conditions (lambda.md 1.2).
var conditionKeys = []struct{ argument, operator, key string }{
	{"source_arn", "ArnLike", "AWS:SourceArn"}, {"source_account", "StringEquals", "AWS:SourceAccount"},
	{"principal_org_id", "StringEquals", "aws:PrincipalOrgID"}, {"event_source_token", "StringEquals", "lambda:EventSourceToken"},
	{"function_url_auth_type", "StringEquals", "lambda:FunctionUrlAuthType"},
	{"invoked_via_function_url", "Bool", "lambda:InvokedViaFunctionUrl"},
}

func (p *plan) permission(r *instance) {
	arn := p.functionOf(r)
	statement := map[string]any{
		"Sid": p.identifier(r), "Effect": "Allow", "Action": p.text(r, "action"), "Resource": arn, "Principal": landscape.Grantee(p.Partition, p.text(r, "principal")),
	}
	conditions := make(map[string]any)
	for _, c := range conditionKeys {
		value := p.open(r.block(), c.argument)
		if value == "" || !r.configured(c.argument) {
			continue
		}
		keys, _ := conditions[c.operator].(map[string]any)
		if keys == nil {
			keys = make(map[string]any)
			conditions[c.operator] = keys
		}
		keys[c.key] = value
	}
	if len(conditions) > 0 {
		statement["Condition"] = conditions
	}
	p.grant(r, arn, statement)
}

// identifier is the Sid of a permission: what the statement is called, or the resource.
func (p *plan) identifier(r *instance) string {
	if id := p.text(r, "statement_id"); id != "" && !landscape.IsUnknown(id) {
		return id
	}
	return p.placeholder(r)
}

// grant adds a statement to a policy that is made of such.
func (p *plan) grant(r *instance, arn string, statement map[string]any) {
	if arn == "" || landscape.IsUnknown(arn) && p.owners[arn] == nil {
		p.note(r, "Whose permission %s is, is not known", r.Address)
		if strings.Contains(arn, ":function:") {
			statement["Resource"] = "*"
			p.loose = append(p.loose, landscape.Optional(statement, "whose permission "+r.Address+" is"))
		}
		return
	}
	sid, _ := statement["Sid"].(string)
	if p.sids[[2]string{arn, sid}] {
		p.note(r, "%s has a statement %s already: AWS refuses another", arn, sid)
		return
	}
	p.sids[[2]string{arn, sid}] = true
	p.statements[arn] = append(p.statements[arn], statement)
}

// functionURL is a URL: where it is without authorization, the provider adds the statement by which everybody gets in
// (github.com/hashicorp/terraform-provider-aws, internal/service/lambda/function_url.go).
func (p *plan) functionURL(r *instance) {
	if p.text(r, "authorization_type") != "NONE" {
		return
	}
	arn := p.functionOf(r)
	p.grant(r, arn, map[string]any{
		"Sid": "FunctionURLAllowPublicAccess", "Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": arn, "Principal": "*",
		"Condition": map[string]any{"StringEquals": map[string]any{"lambda:FunctionUrlAuthType": "NONE"}},
	})
}

func (p *plan) layerPermission(r *instance) {
	layer := p.text(r, "layer_name")
	if !strings.HasPrefix(layer, "arn:") {
		region := p.regionOf(r)
		layer = "arn:" + partitionOf(region, p.Partition) + ":lambda:" + region + ":" + p.Account + ":layer:" + layer
	}
	arn := layer + ":" + p.text(r, "version_number")
	statement := map[string]any{
		"Sid": p.identifier(r), "Effect": "Allow", "Action": p.text(r, "action"), "Resource": arn, "Principal": landscape.Grantee(p.Partition, p.text(r, "principal")),
	}
	if id := p.text(r, "organization_id"); id != "" {
		statement["Condition"] = map[string]any{"StringEquals": map[string]any{"aws:PrincipalOrgID": id}}
	}
	p.grant(r, arn, statement)
}

func (p *plan) mapping(r *instance) {
	b := r.block()
	m := requirements.Mapping{
		Function: landscape.FunctionARN(p.functionOf(r)), Name: r.Address, Source: p.valueText(b, "event_source_arn"),
		OnFailure: p.inside(b, "destination_config", "on_failure", "destination_arn"),
	}
	for _, access := range b.blocks("source_access_configuration") {
		m.Access = append(m.Access, [2]string{p.valueText(access, "type"), p.valueText(access, "uri")})
	}
	if p.declared(r, m.Function) {
		p.out.Calls = append(p.out.Calls, m.Calls()...)
	}
}

// declared tells whether a function is there, whose role can be asked then.
func (p *plan) declared(r *instance, function string) bool {
	if o := p.owners[function]; o != nil && o.Role != "" {
		return true
	}
	p.note(r, "The function %s is not declared here: whether its role suffices is not known", function)
	return false
}

func (p *plan) eventInvokeConfig(r *instance) {
	f := requirements.Function{ARN: landscape.FunctionARN(p.functionARN(r, p.text(r, "function_name"))), Name: r.Address}
	for _, on := range []string{"on_success", "on_failure"} {
		if to := p.inside(r.block(), "destination_config", on, "destination"); to != "" {
			f.Destinations = append(f.Destinations, to)
		}
	}
	if p.declared(r, f.ARN) {
		p.out.Calls = append(p.out.Calls, f.Deliveries()...)
	}
}
