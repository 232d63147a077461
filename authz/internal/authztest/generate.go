package authztest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Generator makes requests and policies from bytes. Half of what policies say is taken from the request that was made last, so that
// things match often; the rest comes from the vocabulary, and now and then straight from the bytes. When the bytes are used up it
// makes the first of all choices, which is the plainest. It never fails.
type Generator struct {
	data []byte
	req  authz.Request
	// made counts the policies, to name them.
	made int
	// focused is true while a statement is written whose conditions are to decide.
	focused bool
}

// NewGenerator makes a generator that reads data. It does not keep what it makes.
func NewGenerator(data []byte) *Generator { return &Generator{data: data} }

// Bytes are the input of a seed, enough for a request, its policies and what a law adds to them.
func Bytes(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, 800)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// Seeds is how many seeds a test shall take that takes n when time does not matter.
func Seeds(n uint64) uint64 {
	if testing.Short() {
		return n / 5
	}
	return n
}

// next gives the next byte; 0 when there is none.
func (g *Generator) next() int {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return int(b)
}

// below gives a number under n, from one byte.
func (g *Generator) below(n int) int { return g.next() % n }

// oneIn is true once in n times, and never when the bytes are used up.
func (g *Generator) oneIn(n int) bool { return g.below(n) == n-1 }

func (g *Generator) pick(from ...string) string { return from[g.below(len(from))] }

// raw gives some bytes as they are.
func (g *Generator) raw() string {
	n := min(g.below(8), len(g.data))
	text := string(g.data[:n])
	g.data = g.data[n:]
	return text
}

// Request makes a request, which the policies made after it will often be about.
func (g *Generator) Request() authz.Request {
	g.req = authz.Request{
		Principal:       g.principal(),
		Action:          g.requested(actions),
		Resource:        g.requested(resources),
		ResourceAccount: g.pick("", "", "", "", "", "111122223333", "111122223333", "111122223333", "999999999999"),
	}
	for _, f := range families {
		g.setKey(f.key, f, false)
		g.setKey(f.listKey, f, true)
	}
	return g.req
}

// principal takes a caller of the vocabulary, once in a while without one of its names.
func (g *Generator) principal() authz.Principal {
	b := g.next()
	p := callers[b%len(callers)]
	if b < 240 {
		return p
	}
	switch g.below(6) {
	case 0:
		p.Kind = authz.PrincipalKind(g.pick("Robot", "", "user"))
	case 1:
		p.Account = ""
	case 2:
		p.ARN = g.pick("", "arn:", "arn:aws", "arn::iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/\xff")
	case 3:
		p.IssuerARN = ""
	case 4:
		p.ID = ""
	default:
		p.ServiceLinked = true
	}
	return p
}

// requested takes a text of the vocabulary, or makes one from the bytes.
func (g *Generator) requested(vocabulary []string) string {
	b := g.next()
	text := vocabulary[b%len(vocabulary)]
	if b >= 250 {
		text += g.raw()
	}
	return text
}

// setKey gives the request a condition key, or leaves it out. A key that is a list by nature has a single value at times, and the
// other way round.
func (g *Generator) setKey(name string, f family, list bool) {
	b := g.next()
	if b >= 224 {
		name = strings.ToUpper(name)
	}
	switch mode := b % 8; {
	case mode == 0:
	case mode == 7 && list, mode < 7 && !list:
		g.req.Context.Set(name, g.gotValue(f))
	default:
		values := make([]string, []int{1, 2, 3, 1, 2, 2, 3, 0}[g.below(8)])
		for i := range values {
			values[i] = g.gotValue(f)
		}
		g.req.Context.SetList(name, values...)
	}
}

func (g *Generator) gotValue(f family) string {
	b := g.next()
	if b >= 250 {
		return g.raw()
	}
	i := b % (len(f.values) + len(f.got))
	if i < len(f.values) {
		return f.values[i]
	}
	return f.got[i-len(f.values)]
}

// Policies makes policies that may apply to the last request: once in three times a single statement on which all depends, or policies
// of any type.
func (g *Generator) Policies() authz.Policies {
	if g.oneIn(3) {
		return g.oneStatement()
	}
	var p authz.Policies
	p.Identity = g.list([]int{1, 1, 2, 2, 0, 3}, false)
	if g.oneIn(4) {
		p.Boundary = g.one(false)
	}
	switch b := g.below(8); {
	case b >= 6, b >= 2 && g.req.Principal.Kind == authz.FederatedUser:
		p.Session = g.list([]int{1, 1, 1, 2, 2, 0}, false)
	}
	if b := g.below(8); b < 5 || b < 7 && g.req.Principal.Account == "" {
		p.Resource = g.one(true)
	}
	switch b := g.below(16); {
	case b >= 14, b >= 8 && strings.HasPrefix(g.req.Action, "sts:"):
		p.Trust = true
	}
	if b := g.below(12); b >= 9 {
		p.SCPs = g.levels(b-8, false)
	}
	if b := g.below(12); b >= 9 {
		p.RCPs = g.levels(b-8, true)
	}
	if g.oneIn(6) {
		p.VPCEndpoint = g.one(true)
	}
	return p
}

// oneStatement makes policies of which one statement decides, and of that mostly the conditions.
func (g *Generator) oneStatement() authz.Policies {
	g.focused = true
	defer func() { g.focused = false }()
	b := g.next()
	hasPrincipal := b%4 == 3 || g.req.Principal.Account == ""
	open, full := `{"Version":"2012-10-17","Statement":[`, `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},`
	if !hasPrincipal {
		full = `{"Effect":"Allow","Action":"*","Resource":"*"},`
	}
	effect := "Allow"
	if b >= 128 {
		effect = "Deny"
		open += full
	}
	only := authz.Policy{Name: "only", Document: parsed(open + g.statement(effect, hasPrincipal) + "]}")}
	if hasPrincipal {
		return authz.Policies{Resource: &only}
	}
	return authz.Policies{Identity: []authz.Policy{only}}
}

// levels makes some levels of an organization, and rarely none.
func (g *Generator) levels(count int, hasPrincipal bool) [][]authz.Policy {
	levels := make([][]authz.Policy, 0, 3)
	if g.oneIn(16) {
		return levels
	}
	for range count {
		level := g.list([]int{1, 1, 1, 1, 2, 2, 2, 0}, hasPrincipal)
		if g.below(8) < 5 {
			level = append(level, authz.Policy{Name: "full access", Document: allowAll(hasPrincipal)})
		}
		levels = append(levels, level)
	}
	return levels
}

// list makes as many policies as one of the counts says. It is never nil.
func (g *Generator) list(counts []int, hasPrincipal bool) []authz.Policy {
	out := []authz.Policy{}
	for range counts[g.below(len(counts))] {
		out = append(out, *g.one(hasPrincipal))
	}
	return out
}

// one makes a policy. Many allow everything, for a request must be allowed by every type; few have no statement, or no document.
func (g *Generator) one(hasPrincipal bool) *authz.Policy {
	p := &authz.Policy{Name: fmt.Sprintf("policy %d", g.made)}
	g.made++
	b := g.next()
	if b%2 == 1 {
		p.ARN = fmt.Sprintf("arn:aws:iam::111122223333:policy/%d", g.made)
	}
	switch {
	case b < 80:
		p.Document = allowAll(hasPrincipal)
	case b < 252:
		p.Document = parsed(g.document(hasPrincipal))
	case b < 255:
		p.Document = &policy.Document{Version: policy.Version2012, HasVersion: true}
	}
	return p
}

func allowAll(hasPrincipal bool) *policy.Document {
	if hasPrincipal {
		return parsed(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`)
	}
	return parsed(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
}

// parsed reads a text of our own making. FuzzGenerator shows that there is none that it refuses.
func parsed(text string) *policy.Document {
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		panic(fmt.Sprintf("the generator wrote what is no policy: %v\n%s", err, text))
	}
	return doc
}

// document writes a policy.
func (g *Generator) document(hasPrincipal bool) string {
	b := g.next()
	text := "{"
	switch version := b % 16; {
	case version < 11:
		text += `"Version":"2012-10-17",`
	case version < 14:
		text += `"Version":"2008-10-17",`
	}
	if b >= 240 {
		text += `"Id":"generated",`
	}
	statements := make([]string, 1+g.below(3))
	for i := range statements {
		statements[i] = g.statement(g.pick("Allow", "Allow", "Allow", "Allow", "Allow", "Deny"), hasPrincipal)
	}
	text += `"Statement":[` + strings.Join(statements, ",") + "]}"
	if b%16 < 12 {
		return text
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(text), "", "\t"); err != nil {
		panic(err) // as in parsed
	}
	return indented.String()
}

// Statement makes a statement, such as could stand in a policy of a type whose statements have a Principal element, or of one whose
// statements have none.
func (g *Generator) Statement(effect policy.Effect, hasPrincipal bool) policy.Statement {
	return parsed(`{"Version":"2012-10-17","Statement":` + g.statement(string(effect), hasPrincipal) + "}").Statements[0]
}
