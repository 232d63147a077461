package authztest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
)

// statement writes a statement. Any element but the Effect may be missing, or there where it must not be.
func (g *Generator) statement(effect string, hasPrincipal bool) string {
	fields := []string{`"Effect":` + quoted(effect)}
	element := func(name, value string) { fields = append(fields, quoted(name)+":"+value) }
	b := g.next()
	if b%4 == 3 {
		element("Sid", quoted(g.pick("A", "B", "", "A b")))
	}
	if hasPrincipal != (b/4%32 == 31) {
		element(g.principals(effect))
	}
	switch a := g.below(32); {
	case a < 28, g.focused:
		element("Action", g.texts(g.req.Action, actionPatterns))
	case a < 31:
		element("NotAction", g.texts(g.req.Action, actionPatterns))
	}
	switch r := g.below(32); {
	case r < 26, g.focused:
		element("Resource", g.texts(g.req.Resource, resourcePatterns))
	case r < 29:
		element("NotResource", g.texts(g.req.Resource, resourcePatterns))
	}
	if text := g.conditions(); text != "" {
		element("Condition", text)
	}
	if b >= 192 {
		slices.Reverse(fields)
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// quoted writes a JSON string; bytes that are not UTF-8 become U+FFFD.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(out)
}

// texts writes a list of texts, or a single one. Few lists are empty.
func (g *Generator) texts(own string, vocabulary []string) string {
	b := g.next()
	if g.focused && b < 224 {
		return `"*"`
	}
	list := make([]string, []int{1, 1, 1, 1, 1, 2, 2, 3}[b%8])
	if b == 255 {
		list = nil
	}
	for i := range list {
		list[i] = quoted(g.text(own, vocabulary))
	}
	return listOf(list, b < 128)
}

// listOf writes JSON texts as a list; a single one without brackets if bare.
func listOf(list []string, bare bool) string {
	if bare && len(list) == 1 {
		return list[0]
	}
	return "[" + strings.Join(list, ",") + "]"
}

// text gives a text for a policy: the first of the vocabulary, that of the request, that with a wildcard in it, another of the
// vocabulary, or bytes as they are.
func (g *Generator) text(own string, vocabulary []string) string {
	switch b := g.next(); {
	case b < 56:
		return vocabulary[0]
	case b < 116:
		return own
	case b < 152:
		return g.blurred(own)
	case b < 250:
		return vocabulary[b%len(vocabulary)]
	default:
		return g.raw()
	}
}

// blurred puts a wildcard, or a variable, in the place of some of the text.
func (g *Generator) blurred(text string) string {
	start := g.below(len(text) + 1)
	end := start + []int{0, 1, 1, 2, 5, len(text), len(text), len(text)}[g.below(8)]
	wildcard := g.pick("*", "*", "*", "?", "?", "**", "?*", "*?*", "${*}", "${*}", "${?}", "${aws:username}",
		"${aws:PrincipalTag/team, 'alice'}")
	return text[:start] + wildcard + text[min(end, len(text)):]
}

type entry struct{ kind, name string }

// principals writes a Principal element, or NotPrincipal, which is rare in an Allow.
func (g *Generator) principals(effect string) (element, value string) {
	element = "Principal"
	b := g.next()
	if b%8 == 7 && (effect == "Deny" || b >= 128) {
		element = "NotPrincipal"
	}
	own := ownNames(&g.req.Principal)
	var entries []entry
	switch form := g.next(); {
	case form < 64:
		return element, `"*"`
	case form < 80:
		entries = []entry{{"AWS", "*"}}
	case form < 112:
		entries = own
	case form < 116:
		return element, g.pick(`{}`, `{"AWS":[]}`)
	default:
		for range 1 + form%8/3 {
			if n := g.next(); n < 160 {
				entries = append(entries, own[n%len(own)])
			} else {
				entries = append(entries, others[n%len(others)])
			}
		}
	}
	return element, principalMap(entries, b < 64)
}

// ownNames are the names by which a Principal element may mean the caller.
func ownNames(p *authz.Principal) []entry {
	switch p.Kind {
	case authz.Service:
		return []entry{{"Service", p.ARN}}
	case authz.WebIdentity, authz.SAML:
		return []entry{{"Federated", p.ARN}}
	case authz.Anonymous:
		return []entry{{"AWS", "*"}}
	}
	partition := "aws"
	if parts := strings.Split(p.ARN, ":"); len(parts) > 1 {
		partition = parts[1]
	}
	names := []entry{{"AWS", p.ARN}, {"AWS", p.Account}, {"AWS", "arn:" + partition + ":iam::" + p.Account + ":root"}}
	for _, name := range []string{p.IssuerARN, p.ID} {
		if name != "" {
			names = append(names, entry{"AWS", name})
		}
	}
	return names
}

// principalMap writes entries as an object, whose names must be unique.
func principalMap(entries []entry, bare bool) string {
	var kinds []string
	names := map[string][]string{}
	for _, e := range entries {
		if names[e.kind] == nil {
			kinds = append(kinds, e.kind)
		}
		names[e.kind] = append(names[e.kind], quoted(e.name))
	}
	for i, kind := range kinds {
		kinds[i] = quoted(kind) + ":" + listOf(names[kind], bare)
	}
	return "{" + strings.Join(kinds, ",") + "}"
}

// conditions writes a Condition element; "" for none.
func (g *Generator) conditions() string {
	b := g.next()
	count := []int{0, 0, 1, 1, 1, 2, 2, 3}[b%8]
	if g.focused {
		count = 1 + b%8/3
	}
	if count == 0 && b >= 248 {
		return g.pick(`{}`, `{"StringEquals":{}}`)
	}
	var operators []string
	keys := map[string][]string{} // by operator
	seen := map[string]bool{}
	for range count {
		operator, key, values := g.condition()
		pair := operator + " " + key
		if seen[pair] {
			continue
		}
		seen[pair] = true
		if keys[operator] == nil {
			operators = append(operators, operator)
		}
		keys[operator] = append(keys[operator], quoted(key)+":"+values)
	}
	for i, operator := range operators {
		operators[i] = quoted(operator) + ":{" + strings.Join(keys[operator], ",") + "}"
	}
	if count == 0 {
		return ""
	}
	return "{" + strings.Join(operators, ",") + "}"
}

// condition writes the parts of one condition.
func (g *Generator) condition() (operator, key, values string) {
	f := families[often[g.below(len(often))]]
	operator = f.operators[g.below(len(f.operators))]
	b := g.next()
	key, other := f.key, f.listKey
	switch b % 8 {
	case 3, 4:
		operator = "ForAllValues:" + operator
		key, other = other, key
	case 5, 6, 7:
		operator = "ForAnyValue:" + operator
		key, other = other, key
	}
	if b/8%2 == 1 {
		operator += "IfExists"
	}
	switch k := g.next(); {
	case k < 8:
		key = families[k].key
	case k < 16:
		key = families[k-8].listKey
	case k < 48:
		key = other
	case k >= 224:
		key = strings.ToUpper(key)
	}
	return operator, key, g.conditionValues(f, key)
}

func (g *Generator) conditionValues(f family, key string) string {
	got, _ := g.req.Context.Get(key)
	b := g.next()
	list := make([]string, []int{1, 1, 1, 1, 1, 2, 2, 3}[b%8])
	if b >= 252 {
		list = nil
	}
	for i := range list {
		own := f.values[0]
		if len(got.Values) > 0 {
			own = got.Values[i%len(got.Values)]
		}
		text := g.wanted(own, f)
		list[i] = quoted(text)
		if isWord := text == "true" || text == "false" || isJSONNumber(text); isWord && b%2 == 0 {
			list[i] = text // "the quotation marks are optional", says the grammar
		}
	}
	return listOf(list, b < 128)
}

// wanted gives a value for a condition. Where there are no wildcards they would be but junk, of which the vocabulary has enough.
func (g *Generator) wanted(own string, f family) string {
	if strings.HasPrefix(f.operators[0], "String") || strings.HasPrefix(f.operators[0], "Arn") {
		return g.text(own, f.want)
	}
	switch b := g.next(); {
	case b < 56:
		return own
	case b < 250:
		return f.want[b%len(f.want)]
	default:
		return g.raw()
	}
}

func isJSONNumber(text string) bool {
	return text != "" && strings.Trim(text, "-+.eE0123456789") == "" && json.Valid([]byte(text))
}
