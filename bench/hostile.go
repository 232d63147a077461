package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/cedar-policy/cedar-go"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// family is a way to make policies that are slow to evaluate. Nothing in them allows the request, so that every pattern must be
// looked at.
type family struct {
	name string
	// pattern makes the i-th of a policy's patterns; policies differ by their number.
	pattern func(policy, i int) string
	// wrap makes a policy, valid for AWS, of as many patterns as fit.
	wrap func(patterns []string) string
	// cedar makes the translation of the same; nil where Cedar cannot say it.
	cedar func(patterns []string) string
	// texts is how many texts the request has for the patterns, if more than one: then the family does not count for the worst.
	texts int
	// ask changes the request: an s3:GetObject of an object whose key is longText, by a client whose User-Agent is, too.
	ask func(*authz.Request)
}

// longest is the length of the object's key, and here of a User-Agent, too. With what stands before it in the ARN it makes a text as
// long as the ARN of a function can be. The work is the product of the policies' size and the text's: for an S3 key of 1,024 bytes,
// which is the longest, everything here takes up to ten times as long.
const longest = 100

const uploads = "arn:aws:s3:::acme-uploads/"

// scrap holds the characters of all patterns, so that none fails for the lack of one, and starts the text, where they come too early.
const scrap = "9876543210xb_"

var longText = scrap + strings.Repeat("a", longest-len(scrap))

func families() []family {
	return []family{
		{
			// Short patterns of which the text has the beginnings everywhere, and nowhere the end.
			name:    "*a7*, many",
			pattern: func(policy, i int) string { return "arn:aws:s3:::*a" + number(policy, i) + "*" },
			wrap:    resources, cedar: cedarResources,
		},
		{
			// The same where both texts have two letters: no character tells that a pattern is not there. The pattern's four a's do.
			name:    "*abbaaaaba*, many",
			pattern: func(policy, i int) string { return "arn:aws:s3:::*" + letters(400*policy+i) + "*" },
			wrap:    resources, cedar: cedarResources,
			ask: func(req *authz.Request) { req.Resource = uploads + noFourAs() },
		},
		{
			// A matcher that tries every way to spread the stars needs longer than the universe lasts.
			name:    "*a*a*a*…*b*",
			pattern: func(policy, i int) string { return "arn:aws:s3:::*" + strings.Repeat("a*", 50+policy+i%30) + "b*" },
			wrap:    resources, cedar: cedarResources,
		},
		{
			// Between two stars stands what fits almost everywhere: searching it costs its length for each place of the text.
			name:    "*?a?a?a…?b*",
			pattern: func(policy, i int) string { return "arn:aws:s3:::*" + strings.Repeat("?a", 10+policy+i%20) + "?b*" },
			wrap:    resources,
		},
		{
			// Long patterns that differ from the request's ARN at the end only.
			name: "ARN-prefix…x*",
			pattern: func(policy, i int) string {
				return uploads + scrap + strings.Repeat("a", longest/2+policy) + fmt.Sprintf("x%d*", i)
			},
			wrap: resources, cedar: cedarResources,
		},
		{
			// All of these as a condition on what the caller may choose.
			name: "StringLike of these",
			pattern: func(policy, i int) string {
				switch i % 16 {
				case 0:
					return "*" + strings.Repeat("a*", 60+policy+i) + "b*"
				case 1:
					return scrap + strings.Repeat("a", longest/2+policy+i) + "x*"
				default:
					return "*a" + number(policy, i) + "*"
				}
			},
			wrap: func(patterns []string) string {
				return statements(`"Action":"*","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":` + list(patterns) + `}}`)
			},
			cedar: func(patterns []string) string {
				return `permit (principal, action, resource) when { ` + like("context.userAgent", patterns) + ` };`
			},
		},
		{
			// The last entry of each list excludes the request.
			name: "NotAction, NotResource",
			pattern: func(policy, i int) string {
				if i%2 == 0 {
					return fmt.Sprintf("s3:*e*%s*", number(policy, i))
				}
				return "arn:aws:s3:::*a" + number(policy, i) + "*"
			},
			wrap: func(patterns []string) string {
				actions, resources := alternate(patterns)
				return statements(
					`"NotAction":`+list(append(actions, "s3:*t"))+`,"Resource":"*"`,
					`"Action":"*","NotResource":`+list(append(resources, "arn:aws:s3:::*a")))
			},
			cedar: func(patterns []string) string {
				actions, resources := alternate(patterns)
				return `permit (principal, action, resource) unless { action in [` + cedarActions(append(actions, "s3:*t")) + `] };` +
					`permit (principal, action, resource) unless { ` + like("resource.arn", append(resources, "arn:aws:s3:::*a")) + ` };`
			},
		},
		{
			// 50 values, each compared with every pattern: as much text as in 50 requests.
			name:    "ForAnyValue, 50 tags",
			texts:   50,
			pattern: func(policy, i int) string { return "*" + strings.Repeat("a*", 1+i%8) + number(policy, i) + "*" },
			wrap: func(patterns []string) string {
				return statements(`"Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":` + list(patterns) + `}}`)
			},
			ask: func(req *authz.Request) {
				req.Action, req.Resource = "lambda:TagResource", "arn:aws:lambda:eu-central-1:111122223333:function:resize"
				keys := make([]string, 50)
				for i := range keys {
					keys[i] = longText[:longest-i]
				}
				req.Context.SetList("aws:TagKeys", keys...)
			},
		},
		{
			// A variable of 21 characters stands for the 51 of a tag, of which the text has the first 50 everywhere.
			name: "*${aws:PrincipalTag/t}*",
			pattern: func(policy, i int) string {
				return uploads + strings.Repeat("*${aws:PrincipalTag/t}", 1+i%3) + "*" + number(policy, i) + "*"
			},
			wrap: resources,
			ask:  func(req *authz.Request) { req.Context.Set("aws:PrincipalTag/t", strings.Repeat("a", longest/2)+"b") },
		},
	}
}

// measureHostile asks ten policies of each family, and, to show that time grows with their size and no faster, five and twenty of
// the family that is the worst for an evaluator.
func (o options) measureHostile(all []evaluator) error {
	fmt.Println("10 policies of 6,144 characters, hostile:")
	worst, worstFamily := make([]cost, len(all)), make([]family, len(all))
	for _, f := range families() {
		q, err := f.question(10)
		if err != nil {
			return err
		}
		costs, err := o.ask(q, all)
		if err != nil {
			return err
		}
		name := "  " + f.name
		if f.texts > 0 {
			name += " (not in the worst)"
		}
		printCosts(name, costs, "")
		for i, c := range costs {
			if c.ns > worst[i].ns && f.texts == 0 {
				worst[i], worstFamily[i] = c, f
			}
		}
	}
	printCosts("  the worst for one text", worst, "200 µs")
	growth := make([]string, len(all))
	for i, e := range all {
		growth[i] = "-"
		if worst[i].ns == 0 {
			continue
		}
		var err error
		if growth[i], err = o.growth(worstFamily[i], e); err != nil {
			return err
		}
	}
	printRow("  the worst: 10 policies / 5, 20 / 10", growth, "2, 2")
	return nil
}

// growth compares the times of five, ten and twenty policies.
func (o options) growth(f family, e evaluator) (string, error) {
	var decisions []func()
	for _, policies := range []int{5, 10, 20} {
		q, err := f.question(policies)
		if err != nil {
			return "", err
		}
		d, err := e.decision(q)
		if err != nil {
			return "", err
		}
		decisions = append(decisions, d)
	}
	c := o.inTurns(decisions)
	return fmt.Sprintf("%.2f, %.2f", c[1].ns/c[0].ns, c[2].ns/c[1].ns), nil
}

// question asks a number of policies of the family, each of nearly 6,144 characters.
func (f family) question(policies int) (*question, error) {
	call := analystCall()
	call.UserAgent = longText
	q := &question{name: f.name, request: requestOf(call, "s3:GetObject", uploads+longText), target: "200 µs"}
	if f.ask != nil {
		f.ask(&q.request)
	}
	if f.cedar != nil {
		q.cedar = &cedarQuestion{policies: cedar.NewPolicySet()}
		q.cedar.entities, q.cedar.request = cedarRequest(call, q.request.Action, q.request.Resource)
	}
	for n := range policies {
		patterns := f.patterns(n)
		name := fmt.Sprintf("%s %d", f.name, n)
		p, err := document(name, []byte(f.wrap(patterns)), policy.Identity)
		if err != nil {
			return nil, err
		}
		q.policies.Identity = append(q.policies.Identity, p)
		if f.cedar == nil {
			continue
		}
		if err := q.cedar.add(name, []byte(f.cedar(patterns))); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// patterns fills the n-th policy with as many as fit.
func (f family) patterns(n int) []string {
	var patterns []string
	for i := 0; ; i++ {
		next := append(patterns, f.pattern(n, i))
		if policy.Size([]byte(f.wrap(next)), policy.Identity) > maxSize {
			return patterns
		}
		patterns = next
	}
}

// resources is a policy whose patterns are of resources.
func resources(patterns []string) string {
	return statements(`"Action":"*","Resource":` + list(patterns))
}

func statements(bodies ...string) string {
	for i, b := range bodies {
		bodies[i] = `{"Effect":"Allow",` + b + `}`
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(bodies, ",") + `]}`
}

// list is a JSON list. Patterns have nothing that JSON, or Cedar, would want escaped.
func list(texts []string) string { return `["` + strings.Join(texts, `","`) + `"]` }

func cedarResources(patterns []string) string {
	return `permit (principal, action, resource) when { ` + like("resource.arn", patterns) + ` };`
}

func like(attribute string, patterns []string) string {
	return attribute + ` like "` + strings.Join(patterns, `" || `+attribute+` like "`) + `"`
}

func cedarActions(names []string) string {
	return `Action::"` + strings.Join(names, `", Action::"`) + `"`
}

// number is a short text that no two patterns of a family share, and no request has.
func number(policy, i int) string { return strconv.Itoa(1000*policy + i) }

// letters spells a number of up to 13 bits with two letters, and four a's between.
func letters(n int) string {
	s := strings.NewReplacer("0", "a", "1", "b").Replace(fmt.Sprintf("%013b", n))
	return s[:6] + "aaaa" + s[6:]
}

// noFourAs is a text of two letters, as irregular as can be had without four a's beside each other.
func noFourAs() string {
	var b strings.Builder
	for random := rand.New(rand.NewPCG(1, 2)); b.Len() < longest; {
		b.WriteString("aaab"[random.IntN(4):])
	}
	return b.String()[:longest]
}

// alternate deals a list out to two.
func alternate(all []string) (even, odd []string) {
	for i, s := range all {
		if i%2 == 0 {
			even = append(even, s)
		} else {
			odd = append(odd, s)
		}
	}
	return even, odd
}
