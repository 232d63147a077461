package upstream

import (
	"slices"
	"strings"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/service"
)

// maxResources bounds how many resources a call may name: more than AWS lets any.
const maxResources = 1000

// general finds the needs of a call by what AWS says of its action: one for each type of resource that the action needs, or takes and the
// request names. A type that the request does not name is one of which all may be meant.
func (q *question) general(action string) []service.Need {
	var needs []service.Need
	for _, on := range q.resources(action) {
		needs = append(needs, q.about(action, on))
	}
	return needs
}

// resources are those that the action acts on.
func (q *question) resources(action string) []resource {
	a, ok := q.data.Action(action)
	if !ok || len(a.ResourceTypes) == 0 { // dispatch denies an action that AWS does not have
		return []resource{{arn: "*"}}
	}
	members := q.texts()
	claimed := q.claimed(&a, members)
	var all, named []resource
	for _, ref := range a.ResourceTypes {
		// Both count: which of several members the service goes by is not known, and a client may add some that it has not.
		found := claimed[ref.Name]
		if filled := q.filled(a.Service, ref.Name, members); len(found) == 0 || len(filled) > 0 && !filled[0].partly {
			found = append(found, filled...)
		}
		for _, f := range found {
			if !f.partly {
				named = append(named, f)
			}
			if ref.Required || !f.partly {
				all = append(all, f)
			}
		}
	}
	if len(named) > 0 && alternatives(a.Service) {
		all = named
	}
	if len(all) == 0 {
		return []resource{anything()}
	}
	slices.SortFunc(all, func(a, b resource) int { return strings.Compare(a.arn, b.arn) })
	return slices.Compact(all)
}

// hasResources tells whether an action can be limited to resources.
func (q *question) hasResources(action string) bool {
	a, ok := q.data.Action(action)
	return ok && len(a.ResourceTypes) > 0
}

// alternatives tells the services of whose types an action with several takes one: the data do not say.
func alternatives(service string) bool {
	return slices.Contains([]string{
		"arc-zonal-shift", "bedrock", "chime", "dynamodb", "elasticloadbalancing", "kinesis", "payment-cryptography", "sagemaker", "states",
	}, service)
}

// values are what a request names, by the names of members in lower case.
type values map[string][]string

// texts gives the members that are texts or lists of texts.
func (q *question) texts() values {
	out := make(values)
	for name, v := range q.in.members {
		switch v := v.(type) {
		case string:
			out[plainName(name)] = append(out[plainName(name)], v)
		case []any:
			if texts := textsOf(v); len(texts) == len(v) {
				out[plainName(name)] = append(out[plainName(name)], texts...)
				if singular, ok := strings.CutSuffix(plainName(name), "s"); ok {
					out[singular] = append(out[singular], texts...)
				}
			}
		}
	}
	for name, value := range defaults(q.prefix) {
		if out[name] == nil {
			out[name] = []string{value}
		}
	}
	return out
}

// defaults are what services take where a request names nothing.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html,
// https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
func defaults(service string) map[string]string {
	switch service {
	case "scheduler":
		return map[string]string{"groupname": "default"}
	case "athena":
		return map[string]string{"workgroup": "primary"}
	}
	return nil
}

func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// claimed gives the ARNs in the request to those types that they fit best.
func (q *question) claimed(a *awsdata.Action, members values) map[string][]resource {
	out := make(map[string][]resource)
	for _, texts := range members {
		for _, text := range texts {
			if !strings.HasPrefix(text, "arn:") {
				continue
			}
			best, length := "", 0
			for _, ref := range a.ResourceTypes {
				for _, pattern := range q.patterns(a.Service, ref.Name) {
					if n := literals(pattern); n > length && q.data.Fits(text, pattern) {
						best, length = ref.Name, n
					}
				}
			}
			if best != "" {
				out[best] = append(out[best], resource{arn: text})
			}
		}
	}
	return out
}

// patterns are those of a type's ARNs.
func (q *question) patterns(service, name string) []string {
	t, ok := q.data.ResourceType(service, name)
	if !ok || t.ARNPattern == "" {
		return nil
	}
	return strings.Split(t.ARNPattern, ", ")
}

// literals counts what is not placeholders.
func literals(pattern string) (n int) {
	for pattern != "" {
		text, rest, _ := strings.Cut(pattern, "${")
		n += len(text)
		_, pattern, _ = strings.Cut(rest, "}")
	}
	return n
}

// filled makes ARNs of a type out of the request's members. What none of them says is "*".
func (q *question) filled(serviceName, name string, members values) []resource {
	var best []resource
	for _, pattern := range q.patterns(serviceName, name) {
		if got := q.fill(pattern, members); best == nil || best[0].partly && !got[0].partly {
			best = got
		}
	}
	return best
}

func (q *question) fill(pattern string, members values) []resource {
	made := []resource{{}}
	for pattern != "" {
		text, rest, found := strings.Cut(pattern, "${")
		made = each(made, func(r resource) []resource { r.arn += text; return []resource{r} })
		if !found {
			break
		}
		var placeholder string
		placeholder, pattern, _ = strings.Cut(rest, "}")
		last := !strings.Contains(pattern, "${")
		made = each(made, func(r resource) []resource {
			texts := q.place(placeholder, last, members)
			if texts == nil {
				return []resource{{arn: r.arn + "*", partly: true}}
			}
			var out []resource
			for _, t := range texts {
				out = append(out, resource{arn: r.arn + t, partly: r.partly})
			}
			return out
		})
	}
	return made
}

func each(list []resource, do func(resource) []resource) []resource {
	var out []resource
	for _, r := range list {
		out = append(out, do(r)...)
	}
	if len(out) > maxResources {
		return []resource{anything()}
	}
	return out
}

// place gives all that may stand for a placeholder; nil when the request does not say.
func (q *question) place(placeholder string, last bool, members values) []string {
	switch placeholder {
	case "Partition":
		return []string{q.call.Partition}
	case "Region":
		return []string{q.call.Region}
	case "Account", "AccountId":
		return []string{q.call.Account}
	}
	name := plainName(placeholder)
	stem := name
	for _, end := range []string{"name", "identifier", "id"} {
		if s, ok := strings.CutSuffix(name, end); ok && s != "" {
			stem = s
			break
		}
	}
	names := []string{name, stem, stem + "name", stem + "id", stem + "identifier"}
	if last && strings.Contains(strings.ToLower(q.in.operation), stem) { // CreateSchedule has Name where others have ScheduleName
		names = append(names, "name", "id", "identifier")
	}
	slices.Sort(names)
	var found []string
	for _, n := range slices.Compact(names) {
		for _, text := range members[n] {
			if text != "" && !strings.HasPrefix(text, "arn:") { // those are for claimed
				found = append(found, text)
			}
		}
	}
	return found
}
