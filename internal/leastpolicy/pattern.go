package leastpolicy

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// ErrNothing means that no request was seen.
var ErrNothing = errors.New("leastpolicy: nothing was seen")

// arnParts is how many parts an ARN has between colons, the last of which may have colons of its own.
const arnParts = 6

// pattern is a resource, or all whose ARNs begin with a text. Two of them are either about different resources or one covers the other,
// which is why what is left after merged has nothing too much.
type pattern struct {
	literal string
	open    bool // whatever follows
	values  valueSet
}

// text is the pattern as a policy has it. Only the last star is one: in the rest nothing is a wildcard or a variable.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html (special characters)
func (p pattern) text() string {
	text := strings.NewReplacer("${", "${$}{", "*", "${*}", "?", "${?}").Replace(p.literal)
	if p.open {
		text += "*"
	}
	return text
}

// madeUpStream is the ARN of a log stream with a name that Lambda makes up for each environment: nobody can know the next.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
var madeUpStream = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(arn:[^:]*:logs:[^:]*:[^:]*:log-group:[^:]*:log-stream:)\d{4}/\d{2}/\d{2}/[^:]*\[[^\[\]:]*\][0-9a-f]{32}$`)
})

// unknownEnd is an ARN whose end only the server behind licet knows, and which was judged without: the six characters of a secret, the id of
// a key (internal/upstream). No name of a resource ends like it but those of objects in S3.
var unknownEnd = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(arn:[^:]*:(?:[a-rt-z][^:]*|s[a-z-][^:]*):.*?)(?:\?{6,}|\*)$`)
})

// generalize makes the patterns of one action.
func generalize(seen map[string]valueSet, g Generalization) []pattern {
	resources := make([]string, 0, len(seen))
	for r := range seen {
		resources = append(resources, r)
	}
	slices.Sort(resources)
	patterns := make([]pattern, 0, len(resources))
	clusters := make(map[string][]string)
	for _, r := range resources {
		head, token := parts(r)
		stream := madeUpStream().FindStringSubmatch(r)
		if stream == nil {
			stream = unknownEnd().FindStringSubmatch(r)
		}
		switch {
		case r == "*": // the action has no resources, and a policy no other word for that
			patterns = append(patterns, pattern{open: true, values: seen[r]})
		case g == Wildcard && head != "":
			patterns = append(patterns, pattern{head, true, seen[r]})
		case stream != nil:
			patterns = append(patterns, pattern{stream[1], true, seen[r]})
		case g == Prefix && token != "":
			clusters[head+token] = append(clusters[head+token], r)
		default:
			patterns = append(patterns, pattern{r, false, seen[r]})
		}
	}
	for _, cluster := range clusters {
		prefix, open := cluster[0], len(cluster) > 1
		if open {
			prefix = common(cluster)
		}
		for _, r := range cluster {
			patterns = append(patterns, pattern{prefix, open, seen[r]})
		}
	}
	return merged(patterns)
}

// parts splits an ARN: head ends where the kind of the resource does (function:, role/, a bucket with its slash), token where the first
// word of the name does. head is "" for what is the only one of its kind, as a bucket or the root user is, and token for a name of one word.
func parts(resource string) (head, token string) {
	fields := strings.SplitN(resource, ":", arnParts)
	if len(fields) < arnParts {
		return "", ""
	}
	name := fields[arnParts-1]
	head = strings.TrimSuffix(resource, name)
	if i := strings.IndexAny(name, ":/"); i >= 0 {
		head += name[:i+1]
		name = name[i+1:]
	} else if fields[2] != "sqs" && fields[2] != "sns" { // whose ARNs name no kind
		return "", ""
	}
	if i := strings.IndexAny(name, separators); i >= 0 {
		token = name[:i+1]
	}
	return head, token
}

// separators end the words of a name.
const separators = "/:-_."

// common is the longest beginning of all resources that ends with a word. All have the first word in common.
func common(resources []string) string {
	prefix := resources[0]
	for _, r := range resources[1:] {
		n := 0
		for n < min(len(prefix), len(r)) && prefix[n] == r[n] {
			n++
		}
		prefix = prefix[:n]
	}
	return prefix[:strings.LastIndexAny(prefix, separators)+1]
}

// merged leaves out of the patterns what others cover. A pattern with values that the one that covers it has not keeps these: together
// under the wider pattern they would be allowed on resources on which nobody had them.
func merged(patterns []pattern) []pattern {
	slices.SortFunc(patterns, func(a, b pattern) int {
		if c := strings.Compare(a.literal, b.literal); c != 0 {
			return c
		}
		switch {
		case a.open == b.open:
			return 0
		case a.open:
			return -1
		default:
			return 1
		}
	})
	var out []pattern
	for _, p := range patterns {
		if n := len(out); n > 0 && out[n-1].literal == p.literal && out[n-1].open == p.open {
			out[n-1].values = out[n-1].values.union(p.values)
			continue
		}
		out = append(out, p)
	}
	var kept, wider []pattern // the wider ones that the current one may begin with, each within the one before
	for _, p := range out {
		for len(wider) > 0 && !strings.HasPrefix(p.literal, wider[len(wider)-1].literal) {
			wider = wider[:len(wider)-1]
		}
		needed := true
		for _, w := range wider {
			if p.values, needed = p.values.without(w.values); !needed {
				break
			}
		}
		if !needed {
			continue
		}
		kept = append(kept, p)
		if p.open {
			wider = append(wider, p)
		}
	}
	return kept
}
