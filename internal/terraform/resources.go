package terraform

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/licet/licet/internal/landscape"
	"github.com/licet/licet/internal/requirements"
)

// declarers read what others refer to, readers what refers to them.
var (
	declarers = map[string]func(*plan, *instance){
		"aws_iam_group":       (*plan).group,
		"aws_iam_policy":      (*plan).managedPolicy,
		"aws_lambda_function": (*plan).function,
	}
	readers = map[string]func(*plan, *instance){
		"aws_cloudwatch_event_target":             (*plan).target,
		"aws_cloudwatch_log_subscription_filter":  (*plan).subscriptionFilter,
		"aws_dynamodb_resource_policy":            (*plan).policyFor,
		"aws_ecr_repository_policy":               (*plan).policyFor,
		"aws_iam_group_membership":                (*plan).groupUsers,
		"aws_iam_group_policy":                    inline("group"),
		"aws_iam_group_policy_attachment":         attachment("group"),
		"aws_iam_policy_attachment":               (*plan).attachments,
		"aws_iam_role_policy":                     inline("role"),
		"aws_iam_role_policy_attachment":          attachment("role"),
		"aws_iam_user_group_membership":           (*plan).userGroups,
		"aws_iam_user_policy":                     inline("user"),
		"aws_iam_user_policy_attachment":          attachment("user"),
		"aws_kinesis_resource_policy":             (*plan).policyFor,
		"aws_kms_key":                             (*plan).key,
		"aws_kms_key_policy":                      (*plan).policyFor,
		"aws_lambda_alias":                        (*plan).alias,
		"aws_lambda_event_source_mapping":         (*plan).mapping,
		"aws_lambda_function_event_invoke_config": (*plan).eventInvokeConfig,
		"aws_lambda_function_url":                 (*plan).functionURL,
		"aws_lambda_layer_version_permission":     (*plan).layerPermission,
		"aws_lambda_permission":                   (*plan).permission,
		"aws_s3_bucket":                           (*plan).ownPolicy,
		"aws_s3_bucket_notification":              (*plan).notification,
		"aws_s3_bucket_policy":                    (*plan).policyFor,
		"aws_secretsmanager_secret":               (*plan).ownPolicy,
		"aws_secretsmanager_secret_policy":        (*plan).policyFor,
		"aws_sns_topic":                           (*plan).ownPolicy,
		"aws_sns_topic_policy":                    (*plan).policyFor,
		"aws_sns_topic_subscription":              (*plan).subscription,
		"aws_sqs_queue":                           (*plan).ownPolicy,
		"aws_sqs_queue_policy":                    (*plan).policyFor,

		"aws_iam_service_linked_role":         notRead,
		"aws_lakeformation_permissions":       notRead,
		"aws_ram_resource_share":              notRead,
		"aws_s3_access_point":                 notRead,
		"aws_ssoadmin_permission_set":         notRead,
		"aws_organizations_policy":            notRead,
		"aws_organizations_policy_attachment": notRead,
		"aws_kms_grant":                       notRead,
	}
)

// notRead notes a type that grants something and is not read.
func notRead(p *plan, r *instance) { p.note(r, "%s is not read: what it grants is not known", r.Type) }

// policyTargets are the arguments by which policies that are resources of their own name whose they are, and the types of these.
var policyTargets = map[string]struct{ argument, of string }{
	"aws_dynamodb_resource_policy": {"resource_arn", "aws_dynamodb_table"}, "aws_ecr_repository_policy": {"repository", "aws_ecr_repository"},
	"aws_kinesis_resource_policy": {"resource_arn", "aws_kinesis_stream"}, "aws_kms_key_policy": {"key_id", "aws_kms_key"},
	"aws_s3_bucket_policy": {"bucket", "aws_s3_bucket"}, "aws_secretsmanager_secret_policy": {"secret_arn", "aws_secretsmanager_secret"},
	"aws_sns_topic_policy": {"arn", "aws_sns_topic"}, "aws_sqs_queue_policy": {"queue_url", "aws_sqs_queue"},
}

// destroy notes whose policies the plan destroys.
func (p *plan) destroy() {
	for i := range p.doc.ResourceChanges {
		c := &p.doc.ResourceChanges[i]
		if target, ok := policyTargets[c.Type]; ok && slices.Contains(c.Change.Actions, "delete") {
			gone := &instance{resourceValues: c.resourceValues, in: p.modules[""]}
			p.destroyed[p.targetARN(gone, asText(c.Change.Before[target.argument]))] = true
		}
	}
}

// load reads everything: what has a name first, then policies, for they refer to it.
func (p *plan) load() {
	p.destroy()
	p.noteElsewhere()
	for _, r := range p.order {
		p.place(r)
	}
	// What exists already can be attached, too.
	p.each("", map[string]func(*plan, *instance){"aws_iam_policy": (*plan).managedPolicy})
	p.each("managed", declarers)
	p.each("managed", map[string]func(*plan, *instance){"aws_iam_role": (*plan).role, "aws_iam_user": (*plan).user})
	p.each("managed", readers)
	p.enroll()
	p.finish()
}

// each reads the instances of a mode; "" is any.
func (p *plan) each(mode string, by map[string]func(*plan, *instance)) {
	for _, r := range p.order {
		if read := by[r.Type]; read != nil && p.err == nil && (mode == "" || r.Mode == mode) {
			read(p, r)
		}
	}
}

// owner is the resource of the landscape with an ARN.
func (p *plan) owner(arn string) *landscape.Resource {
	if o := p.owners[arn]; o != nil {
		return o
	}
	o := &landscape.Resource{ARN: arn}
	p.owners[arn] = o
	p.out.Resources = append(p.out.Resources, o)
	return o
}

// policyFor reads a type that gives a resource, which an argument names, a policy.
func (p *plan) policyFor(r *instance) {
	target := policyTargets[r.Type]
	arn := p.targetARN(r, p.text(r, target.argument))
	if arn == "" || landscape.IsUnknown(arn) && p.owners[arn] == nil {
		p.note(r, "Whose the policy %s is, is not known", r.Address)
		p.nobodys[target.of] = r.Address
		return
	}
	if policy, ok := p.policyOf(r, r.block(), "policy", r.Address, ""); ok {
		p.apart[arn] = policy
	}
}

// targetARN is the ARN of what an argument names: by its ARN, a URL, or a name.
func (p *plan) targetARN(r *instance, name string) string {
	region := p.regionOf(r)
	form := func(service, resource string) string {
		return "arn:" + partitionOf(region, p.Partition) + ":" + service + ":" + region + ":" + p.Account + ":" + resource
	}
	switch {
	case name == "", strings.HasPrefix(name, "arn:"):
		return name
	case r.Type == "aws_sqs_queue_policy": // https://sqs.REGION.amazonaws.com/ACCOUNT/NAME
		if parts := strings.Split(name, "/"); len(parts) == 5 {
			if host := strings.Split(parts[2], "."); len(host) > 2 && host[0] == "sqs" {
				region = host[1]
			}
			return form("sqs", parts[4])
		}
		return landscape.Unknown(name)
	case r.Type == "aws_s3_bucket_policy", r.Type == "aws_s3_bucket_notification":
		return "arn:" + partitionOf(region, p.Partition) + ":s3:::" + name
	case r.Type == "aws_kms_key_policy":
		return form("kms", "key/"+name)
	case r.Type == "aws_ecr_repository_policy":
		return form("ecr", "repository/"+name)
	}
	return landscape.Unknown(name)
}

// ownPolicy is the policy among a resource's arguments. Where it is not configured, the plan has the one that exists, which may be that of a
// resource that will be destroyed.
func (p *plan) ownPolicy(r *instance) {
	if !r.configured("policy") && (member(r.unknown, "policy") == true || p.destroyed[p.text(r, "arn")]) {
		return
	}
	if policy, ok := p.policyOf(r, r.block(), "policy", r.Address, ""); ok {
		p.own[p.text(r, "arn")] = policy
	}
}

// key is a KMS key, which has a policy in any case.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (p *plan) key(r *instance) {
	p.ownPolicy(r)
	arn := p.text(r, "arn")
	p.owner(arn).Required = true
	if _, ok := p.own[arn]; !ok {
		p.own[arn] = p.parsed(r, encode(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:" + p.Partition + ":iam::" + p.Account + ":root"},
			"Action": "kms:*", "Resource": "*",
		}}}), r.Address+" (the default)", "")
	}
}

// notification needs S3 to be let in. https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
func (p *plan) notification(r *instance) {
	bucket := p.targetARN(r, p.text(r, "bucket"))
	for _, to := range []struct{ block, argument, action string }{
		{"lambda_function", "lambda_function_arn", "lambda:InvokeFunction"}, {"queue", "queue_arn", "sqs:SendMessage"},
		{"topic", "topic_arn", "sns:Publish"},
	} {
		for _, b := range r.block().blocks(to.block) {
			p.send("s3.amazonaws.com", to.action, p.valueText(b, to.argument), bucket, r)
		}
	}
}

func (p *plan) subscription(r *instance) {
	topic, end := p.text(r, "topic_arn"), p.text(r, "endpoint")
	switch p.text(r, "protocol") {
	case "lambda":
		p.send("sns.amazonaws.com", "lambda:InvokeFunction", end, topic, r)
	case "sqs":
		p.send("sns.amazonaws.com", "sqs:SendMessage", end, topic, r)
	}
}

// target is one of an event rule. Where it has a role, that decides.
func (p *plan) target(r *instance) {
	if p.text(r, "role_arn") != "" && r.configured("role_arn") {
		return
	}
	rule := p.text(r, "rule")
	if bus := p.text(r, "event_bus_name"); bus != "" && bus != "default" {
		rule = bus[strings.LastIndexByte(bus, '/')+1:] + "/" + rule
	}
	region := p.regionOf(r)
	source := "arn:" + partitionOf(region, p.Partition) + ":events:" + region + ":" + p.Account + ":rule/" + rule
	to := p.text(r, "arn")
	for service, action := range map[string]string{"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"} {
		if strings.Contains(to, ":"+service+":") {
			p.send("events.amazonaws.com", action, to, source, r)
		}
	}
}

func (p *plan) subscriptionFilter(r *instance) {
	to := p.text(r, "destination_arn")
	if strings.Contains(to, ":lambda:") {
		p.send("logs.amazonaws.com", "lambda:InvokeFunction", to, p.groupARN(r, p.text(r, "log_group_name"))+":*", r)
	}
}

// send needs a service to be let in for one of its resources.
func (p *plan) send(service, action, to, source string, r *instance) {
	if to == "" {
		return
	}
	if landscape.IsUnknown(source) {
		p.note(r, "For what %s calls is not known", service)
	}
	p.out.Calls = append(p.out.Calls, requirements.Send(service, action, to, landscape.Shown(source), p.Account, "for "+r.Address))
}

// finish gives resources their policies.
func (p *plan) finish() {
	for _, r := range p.order { // one of which nobody knows whose it is may be that of each that has none of its own
		if policy := p.nobodys[r.Type]; policy != "" && r.Mode != "data" {
			p.own[p.text(r, "arn")] = landscape.Anything(policy, "whose it is")
		}
	}
	for arn := range p.owners {
		if len(p.loose) > 0 && strings.Contains(arn, ":function:") {
			p.statements[arn] = append(p.statements[arn], p.loose...)
		}
	}
	maps.Copy(p.own, p.apart)
	for _, arn := range slices.Sorted(maps.Keys(p.own)) {
		policy := p.own[arn]
		p.owner(arn).Policy = &policy
	}
	for _, arn := range slices.Sorted(maps.Keys(p.statements)) {
		o := p.owner(arn)
		name := "resource-based policy of " + cmp.Or(strings.Join(o.Names, ", "), landscape.Shown(arn))
		policy, err := landscape.NewPolicy(name, "", map[string]any{"Version": "2012-10-17", "Statement": p.statements[arn]})
		if err != nil {
			p.fail(p.order[0], "%s: %v", name, err)
			return
		}
		o.Policy = &policy
	}
}
