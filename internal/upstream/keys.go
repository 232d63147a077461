package upstream

import (
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// keys are the condition keys of a request for an action.
type keys struct {
	prefix  string
	context authz.Context
	// tagged tells that the action takes tags, which the request has in a form that is not known.
	tagged bool
}

// keys finds those that a request says itself: the tags that it gives, and keys of the service that members are called by.
func (q *question) keys(action string) keys {
	k := keys{prefix: q.prefix}
	a, ok := q.data.Action(action)
	if !ok {
		return k
	}
	names := slices.Clone(a.ConditionKeys)
	for _, ref := range a.ResourceTypes {
		names = append(names, ref.ConditionKeys...)
	}
	for _, name := range names {
		if strings.EqualFold(name, "aws:TagKeys") {
			k.tagged = !q.tags(&k.context)
		} else {
			q.sameName(&k.context, name)
		}
	}
	return k
}

// mayHave tells whether AWS may know a value of a key that the request does not say.
func (k *keys) mayHave(name string, on resource) bool {
	name = strings.ToLower(name)
	switch {
	case strings.HasPrefix(name, "aws:resourcetag/"):
		return on.arn != "*" || on.partly
	case strings.HasPrefix(name, "aws:requesttag/"), name == "aws:tagkeys":
		return k.tagged
	case name == "aws:resourceaccount":
		return on.arn == "*" && on.partly
	}
	return strings.HasPrefix(name, strings.ToLower(k.prefix)+":")
}

// sameName sets a key of the service to the member of that name.
func (q *question) sameName(to *authz.Context, name string) {
	switch v := q.in.members[members()[name]].(type) {
	case string:
		if key, ok := q.data.ConditionKey(q.prefix, name); ok && (key.Type != "ARN" || strings.HasPrefix(v, "arn:")) {
			to.Set(name, v)
		}
	case bool:
		to.SetBool(name, v)
	}
}

// members are those that have the values of condition keys, by key. The table of AWS's keys does not say which of them a request has in a
// member: a client could add one of any name.
func members() map[string]string {
	return map[string]string{
		"cloudwatch:namespace":            "Namespace",
		"dynamodb:ReturnConsumedCapacity": "ReturnConsumedCapacity",
		"dynamodb:ReturnValues":           "ReturnValues",
		"dynamodb:Select":                 "Select",
		"kms:EncryptionAlgorithm":         "EncryptionAlgorithm",
		"kms:KeySpec":                     "KeySpec",
		"kms:KeyUsage":                    "KeyUsage",
		"kms:MessageType":                 "MessageType",
		"kms:MultiRegion":                 "MultiRegion",
		"kms:SigningAlgorithm":            "SigningAlgorithm",
		"secretsmanager:Description":      "Description",
		"secretsmanager:Name":             "Name",
		"secretsmanager:SecretId":         "SecretId",
		"secretsmanager:VersionId":        "VersionId",
		"secretsmanager:VersionStage":     "VersionStage",
		"sns:Endpoint":                    "Endpoint",
		"sns:Protocol":                    "Protocol",
		"ssm:Overwrite":                   "Overwrite",
		"ssm:Recursive":                   "Recursive",
	}
}

// tags sets the keys of tags that the request gives. It is false when they are there in a form that is not known, or may be in a body that
// was not read.
func (q *question) tags(to *authz.Context) bool {
	if !q.in.whole {
		return false
	}
	var names []string
	pairs, found := map[string]string{}, 0
	for member, v := range q.in.members {
		switch n := plainName(member); {
		case n == "tagkeys":
			texts := textsOf(v)
			if list, ok := v.([]any); !ok || len(list) != len(texts) {
				return false
			}
			names = append(names, texts...)
		case n == "tags" || n == "taglist" || n == "tag":
			if found++; found > 1 || !readTags(v, pairs) { // of several, one may not be the service's
				return false
			}
		case strings.HasPrefix(n, "tag") || strings.HasSuffix(n, "tags"): // such as TagSpecifications
			return false
		}
	}
	for name, value := range pairs {
		names = append(names, name)
		to.Set("aws:RequestTag/"+name, value)
	}
	if _, _, clash := service.TagClash(pairs); clash {
		return false
	}
	if len(names) > 0 {
		slices.Sort(names)
		to.SetList("aws:TagKeys", names...)
	}
	return true
}

// readTags reads tags in any of the forms that AWS's services have them: a map, or a list of pairs.
func readTags(v any, into map[string]string) bool {
	if m, ok := v.(map[string]any); ok {
		for name, v := range m {
			text, ok := v.(string)
			if !ok {
				return false
			}
			into[name] = text
		}
		return true
	}
	list, ok := v.([]any)
	for _, v := range list {
		pair, isMap := v.(map[string]any)
		if !isMap {
			return false
		}
		var name, value string
		for member, v := range pair {
			text, isText := v.(string)
			switch plainName(member) {
			case "key", "tagkey":
				name, ok = text, ok && isText
			case "value", "tagvalue":
				value, ok = text, ok && (isText || v == nil)
			default:
				return false
			}
		}
		if _, twice := into[name]; twice || name == "" {
			return false
		}
		into[name] = value
	}
	return ok
}

// passedRoles are the needs of a call that gives a service a role to act with: iam:PassRole on each
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html).
func (q *question) passedRoles() []service.Need {
	a, ok := q.data.Action(q.prefix + ":" + q.in.operation)
	if ok && !strings.Contains(a.AccessLevel, "Write") {
		return nil
	}
	found := map[string]bool{}
	q.findRoles("", q.in.members, found)
	var needs []service.Need
	for role := range found {
		n := service.Need{Action: "iam:PassRole", Target: service.Target{ARN: role}, Doubt: &service.Doubt{Key: func(name string) bool {
			name = strings.ToLower(name)
			return strings.HasPrefix(name, "iam:") || strings.HasPrefix(name, "aws:resourcetag/")
		}}}
		n.Target.Account = strings.Split(role, ":")[4]
		if to := passedTo(q.prefix); to != "" {
			set(&n, "iam:PassedToService", to)
		}
		needs = append(needs, n)
	}
	slices.SortFunc(needs, func(a, b service.Need) int { return strings.Compare(a.Target.ARN, b.Target.ARN) })
	return needs
}

// findRoles collects the ARNs of roles in members that are called so.
func (q *question) findRoles(name string, v any, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for member, child := range v {
			q.findRoles(member, child, found)
		}
	case []any:
		for _, child := range v {
			q.findRoles(name, child, found)
		}
	case string:
		name = plainName(name)
		if slices.Contains(rolesByName(q.prefix), name) && v != "" && !strings.HasPrefix(v, "arn:") {
			v = "arn:" + q.call.Partition + ":iam::" + q.call.Account + ":role/" + strings.TrimPrefix(v, "/")
		}
		if parts := strings.SplitN(v, ":", 6); len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" &&
			strings.HasPrefix(parts[5], "role/") && strings.Contains(name, "role") {
			found[v] = true
		}
	}
}

// rolesByName are the members of a service's requests that name a role by its ARN, or by its name, with its path if it has one:
// https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html, https://docs.aws.amazon.com/glue/latest/webapi/API_CreateJob.html,
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html,
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html,
// https://docs.aws.amazon.com/emr/latest/APIReference/API_RunJobFlow.html,
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateActivation.html
func rolesByName(service string) []string {
	switch service {
	case "glue":
		return []string{"role"}
	case "ecs":
		return []string{"role", "taskrolearn", "executionrolearn"}
	case "elasticmapreduce":
		return []string{"servicerole", "autoscalingrole"}
	case "ssm":
		return []string{"iamrole"}
	}
	return nil
}

// passedTo is the principal of a service that assumes the roles it is given, where it is one for all of its roles; "" for others.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html, and each service's guide.
func passedTo(prefix string) string {
	switch prefix {
	case "states", "events", "scheduler", "pipes", "glue", "firehose", "cloudformation", "codebuild", "codepipeline", "sagemaker", "bedrock":
		return prefix + ".amazonaws.com"
	case "ecs":
		return "ecs-tasks.amazonaws.com"
	}
	return ""
}
