package authz

import (
	"strconv"
	"strings"

	"github.com/licet/licet/policy"
)

// atom is a condition: one key under one operator. Equal conditions of a group share one, and its outcome.
type atom struct {
	family   family
	relation relation
	set      setPrefix
	ifExists bool
	negated  bool
	// key is the index of the condition key.
	key uint32
	// span holds the operands, in the list of the family. An atom without any is of noFamily.
	span
}

// family is a group of operators that read their values alike. Each has its own file.
type family uint8

const (
	noFamily   family = iota // no operator of AWS, or nothing to compare with
	nullFamily               // the only one that looks for the key, not at its value
	stringFamily
	foldFamily // strings without regard to case
	likeFamily // patterns: StringLike and the operators of ARNs
	numericFamily
	dateFamily
	boolFamily
	binaryFamily
	addressFamily
)

// setPrefix is policy.SetPrefix in one byte.
type setPrefix uint8

const (
	noSet setPrefix = iota
	allValues
	anyValue
)

// familyOf is the family of an operator, by its name without set prefix and IfExists.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func familyOf(name string) family {
	switch name {
	case "StringEquals", "StringNotEquals":
		return stringFamily
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return foldFamily
	case "StringLike", "StringNotLike", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike":
		return likeFamily
	case "Bool":
		return boolFamily
	case "BinaryEquals":
		return binaryFamily
	case "IpAddress", "NotIpAddress":
		return addressFamily
	case "Null":
		return nullFamily
	}
	switch {
	case strings.HasPrefix(name, "Numeric"):
		return numericFamily
	case strings.HasPrefix(name, "Date"):
		return dateFamily
	default:
		return noFamily
	}
}

// relation is a set of orders in which an operator holds.
type relation uint8

const (
	less relation = 1 << iota
	equal
	greater
)

// relationOf is the relation of an operator that compares numbers or dates; NotEquals is the negation of Equals.
func relationOf(name string) relation {
	r := relation(0)
	if strings.HasSuffix(name, "Equals") {
		r = equal
	}
	switch {
	case strings.Contains(name, "Less"):
		r |= less
	case strings.Contains(name, "Greater"):
		r |= greater
	}
	return r
}

// atom compiles a condition, or finds its equal.
func (c *compiler) atom(condition *policy.Condition) uint32 {
	name := c.nameOf(condition)
	if id, ok := c.atoms[name]; ok {
		return id
	}
	a := atom{key: c.key(condition.Key.Value)}
	if len(condition.Values) > 0 {
		op, _ := policy.ParseOperator(condition.Operator.Value) // what is no operator has no family
		a.family, a.relation, a.negated = familyOf(op.Name), relationOf(op.Name), strings.Contains(op.Name, "Not")
		a.ifExists = op.IfExists
		switch op.Set {
		case policy.ForAllValues:
			a.set = allValues
		case policy.ForAnyValue:
			a.set = anyValue
		}
		c.operands(&a, op.Name, condition.Values)
	}
	id := uint32(len(c.group.atoms))
	c.group.atoms = append(c.group.atoms, a)
	c.atoms[name] = id
	return id
}

// nameOf is equal for conditions that mean the same, and for no others: each text is written with its length before it, so that no
// text can look like several.
func (c *compiler) nameOf(condition *policy.Condition) string {
	name := strconv.AppendBool(nil, c.variables)
	add := func(text string) {
		name = append(strconv.AppendInt(name, int64(len(text)), 10), ':')
		name = append(name, text...)
	}
	add(condition.Operator.Value)
	add(condition.Key.Value)
	for _, v := range condition.Values {
		add(v.Value)
	}
	return string(name)
}

// operands compiles the values of a condition.
func (c *compiler) operands(a *atom, operator string, values []policy.Text) {
	g := c.group
	switch a.family {
	case nullFamily, stringFamily, foldFamily, boolFamily:
		a.span = appendRead(&g.texts, values, c.text)
	case likeFamily:
		d := plainDialect
		if strings.HasPrefix(operator, "Arn") {
			d = arnDialect
		}
		a.span = c.patterns(values, d)
	case numericFamily:
		a.span = appendRead(&g.numbers, values, readNumber)
	case dateFamily:
		a.span = appendRead(&g.dates, values, readDate)
	case binaryFamily:
		a.span = appendRead(&g.blobs, values, readBlob)
	case addressFamily:
		a.span = appendRead(&g.networks, values, readNetwork)
	}
}

// appendRead reads values, and appends them to the operands of a family.
func appendRead[T any](operands *[]T, values []policy.Text, read func(string) T) span {
	lo := uint32(len(*operands))
	for _, v := range values {
		*operands = append(*operands, read(v.Value))
	}
	return span{lo, uint32(len(*operands))}
}

// patterns compiles a list of patterns into consecutive globs.
func (c *compiler) patterns(texts []policy.Text, d dialect) span {
	list := make([]glob, len(texts))
	for i, t := range texts {
		list[i] = c.pattern(t.Value, d) // may add globs of its own
	}
	lo := uint32(len(c.group.globs))
	c.group.globs = append(c.group.globs, list...)
	return span{lo, uint32(len(c.group.globs))}
}

// condition evaluates an atom, once for each decision.
func (e *evaluation) condition(id uint32) truth {
	outcome := &e.scratch.outcomes[id]
	if *outcome == 0 {
		*outcome = 1 + uint8(e.compare(&e.group.atoms[id]))
	}
	return truth(*outcome - 1)
}

// compare evaluates one key of one operator.
func (e *evaluation) compare(a *atom) truth {
	k := e.key(a.key)
	if k.state == singleValue && a.family > nullFamily {
		return e.passes(a, k)
	}
	switch {
	case a.family == noFamily:
		return unknown
	case a.family == nullFamily:
		return e.isNull(a, k.missing())
	case k.missing():
		return a.withoutKey()
	default:
		return e.overSet(a, k.list)
	}
}

// withoutKey is the outcome for a request that lacks the key: a positive operator fails, a negated one holds, IfExists and
// ForAllValues hold, ForAnyValue fails (iam.md C2, C3). What ForAnyValue does with IfExists is not documented (iam.md C4).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists
func (a *atom) withoutKey() truth {
	switch a.set {
	case anyValue:
		if a.ifExists {
			return unknown
		}
		return no
	case allValues:
		return yes
	default:
		return truthOf(a.ifExists || a.negated)
	}
}

// overSet compares a list of values: under ForAllValues every one must pass, under ForAnyValue one (iam.md C3, C4). Without a set
// prefix no list matches; whether a negated operator then holds is not documented (iam.md C5).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (e *evaluation) overSet(a *atom, values []string) truth {
	switch {
	case a.set == noSet && a.negated:
		return unknown
	case a.set == noSet:
		return no
	}
	result := truthOf(a.set == allValues)
	for _, v := range values {
		k := only(v)
		if a.set == allValues {
			result = min(result, e.passes(a, &k))
		} else {
			result = max(result, e.passes(a, &k))
		}
	}
	return result
}

// passes tells whether a single value equals one of the operands or, for a negated operator, none (iam.md C1).
func (e *evaluation) passes(a *atom, k *keyValue) truth {
	var result truth
	if a.family == likeFamily {
		result = e.like(a.span, k.single)
	} else {
		result = e.equalsAny(a, k)
	}
	if a.negated {
		return result.not()
	}
	return result
}

// equalsAny is passes for all families but that of patterns, which is the one that decisions spend their time on.
func (e *evaluation) equalsAny(a *atom, k *keyValue) truth {
	g := e.group
	switch a.family {
	case stringFamily:
		return anyOf(g.texts[a.lo:a.hi], func(t *text) truth { return e.stringEquals(t, k.single) })
	case foldFamily:
		return anyOf(g.texts[a.lo:a.hi], func(t *text) truth { return e.stringEqualsFold(t, k.single) })
	case numericFamily:
		got := &k.as(asNumber).number
		return anyOf(g.numbers[a.lo:a.hi], func(n *number) truth { return got.compare(n, a.relation) })
	case dateFamily:
		got := &k.as(asDate).date
		return anyOf(g.dates[a.lo:a.hi], func(d *date) truth { return got.compare(d, a.relation) })
	case boolFamily:
		got := k.as(asBool).bool
		return anyOf(g.texts[a.lo:a.hi], func(t *text) truth { return e.isBool(t, got) })
	case binaryFamily:
		got, ok := e.scratch.decode(k.single)
		return anyOf(g.blobs[a.lo:a.hi], func(b *blob) truth { return b.equals(got, ok) })
	default:
		got := &k.as(asAddress).address
		return anyOf(g.networks[a.lo:a.hi], func(n *network) truth { return n.holds(got) })
	}
}

// anyOf is the or over operands.
func anyOf[T any](operands []T, equals func(*T) truth) truth {
	result := no
	for i := range operands {
		if result = max(result, equals(&operands[i])); result == yes {
			break
		}
	}
	return result
}
