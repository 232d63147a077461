package authz

import (
	"cmp"
	"math/bits"
	"slices"
)

// column is an index over the conditions of many statements on one key, which are compared as strings, numbers, dates, booleans or
// addresses. Whatever the request's value, it falls into one of few classes whose values all conditions of the column treat alike:
// between the same two dates, in the same networks. What each class rules out is worked out once, when the group is compiled, by
// evaluating the conditions for one value of the class. A decision then finds the class and has, of all statements at once, those that
// cannot match.
type column struct {
	key    uint32
	family family
	atoms  []uint32
	// What tells the classes of values apart, by family: strings, the points of numbers and dates, the first addresses of ranges.
	strings map[string]uint32
	points  []int64
	starts  []address
	// ruledOut holds for each class a bit for each statement of the group.
	ruledOut []uint64
	words    int
}

// The first classes of every column; those of values follow.
const (
	absentClass uint32 = iota
	unreadableClass
	valueClass
)

const (
	// manyStatements is how many statements a group has that is worth its indices, mostStatements how many it may have at most for
	// columns, whose size grows with it.
	manyStatements = 16
	mostStatements = 512
	// fewUsers is how many conditions a column must have to be worth asking.
	fewUsers = 3
	// maxColumnWork bounds what working out the classes of a column may take, in evaluations, and maxGroupWork that of all columns of a
	// group. What would take more is left to the statements.
	maxColumnWork = 1 << 14
	maxGroupWork  = 1 << 16
)

// makeColumns makes the columns of the group that few conditions or more have, and sorts the steps that they take over behind the others.
func (g *group) makeColumns(few int) {
	byKey := make(map[[2]uint32]int)
	for i := range g.atoms {
		if a := &g.atoms[i]; g.isIndexable(a) {
			name := [2]uint32{a.key, uint32(a.family)}
			at, ok := byKey[name]
			if !ok {
				at = len(g.columns)
				byKey[name] = at
				g.columns = append(g.columns, column{key: a.key, family: a.family, words: (len(g.statements) + 63) / 64})
			}
			g.columns[at].atoms = append(g.columns[at].atoms, uint32(i))
		}
	}
	users, indexed, work := g.users(), make([]bool, len(g.atoms)), 0
	keep := make([]column, 0, len(g.columns))
	for _, c := range g.columns {
		c.findClasses(g)
		if w := c.work(g); w <= maxColumnWork && work+w <= maxGroupWork && c.users(users) >= few {
			work += w
			keep = append(keep, c)
		}
	}
	g.columns = keep
	for i := range g.columns {
		g.columns[i].fill(g, users)
		for _, id := range g.columns[i].atoms {
			indexed[id] = true
		}
	}
	for i := range g.statements {
		g.statements[i].moveIndexed(g, indexed)
	}
}

// moveIndexed moves the steps that columns know to the end.
func (s *statement) moveIndexed(g *group, indexed []bool) {
	isIndexed := func(st step) bool { return st.element == conditionElement && indexed[st.atom] }
	steps := g.steps[s.steps.lo:s.steps.hi]
	slices.SortStableFunc(steps, func(a, b step) int {
		switch {
		case isIndexed(a) == isIndexed(b):
			return 0
		case isIndexed(b):
			return -1
		default:
			return 1
		}
	})
	if at := slices.IndexFunc(steps, isIndexed); at >= 0 {
		s.indexed = s.steps.lo + uint32(at)
	}
}

// isIndexable tells whether a condition can be in a column: its operands are known, and their order is that of integers.
func (g *group) isIndexable(a *atom) bool {
	switch a.family {
	case stringFamily, boolFamily:
		return !slices.ContainsFunc(g.texts[a.lo:a.hi], func(t text) bool { return t.template != nil })
	case numericFamily:
		return !slices.ContainsFunc(g.numbers[a.lo:a.hi], func(n number) bool { return n.ok && !n.isSmall })
	case dateFamily:
		return !slices.ContainsFunc(g.dates[a.lo:a.hi], func(d date) bool { return d.nanoseconds != 0 })
	default:
		return a.family == addressFamily
	}
}

// users lists for each atom the statements that have it.
func (g *group) users() [][]uint32 {
	users := make([][]uint32, len(g.atoms))
	for i := range g.statements {
		for _, st := range g.steps[g.statements[i].steps.lo:g.statements[i].steps.hi] {
			if st.element == conditionElement {
				users[st.atom] = append(users[st.atom], uint32(i))
			}
		}
	}
	return users
}

// work estimates what fill does, in evaluations.
func (c *column) work(g *group) int {
	operands := 0
	for _, id := range c.atoms {
		operands += int(g.atoms[id].hi - g.atoms[id].lo)
	}
	return int(c.classes()) * (operands + c.words)
}

// users counts the uses of the conditions of a column.
func (c *column) users(users [][]uint32) int {
	n := 0
	for _, id := range c.atoms {
		n += len(users[id])
	}
	return n
}

// findClasses collects what tells the classes apart.
func (c *column) findClasses(g *group) {
	for _, id := range c.atoms {
		a := &g.atoms[id]
		switch c.family {
		case stringFamily:
			for _, t := range g.texts[a.lo:a.hi] {
				if c.strings == nil {
					c.strings = make(map[string]uint32)
				}
				if _, ok := c.strings[t.value]; !ok {
					c.strings[t.value] = valueClass + 1 + uint32(len(c.strings)) // valueClass is that of all other strings
				}
			}
		case numericFamily:
			for _, n := range g.numbers[a.lo:a.hi] {
				c.points = append(c.points, n.small)
			}
		case dateFamily:
			for _, d := range g.dates[a.lo:a.hi] {
				c.points = append(c.points, d.seconds)
			}
		case addressFamily:
			for _, n := range g.networks[a.lo:a.hi] {
				first := address{high: n.high & n.highMask, low: n.low & n.lowMask, version: n.version}
				c.starts = append(c.starts, first, n.after())
			}
		}
	}
	slices.Sort(c.points)
	c.points = slices.Compact(c.points)
	c.starts = slices.DeleteFunc(c.starts, func(a address) bool { return a.version == 0 })
	slices.SortFunc(c.starts, func(a, b address) int {
		return cmp.Or(cmp.Compare(a.version, b.version), cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low))
	})
	c.starts = slices.Compact(c.starts)
}

// isAfter is the order in which starts stand: by version, then by value.
func (a *address) isAfter(b *address) bool {
	if a.version != b.version {
		return a.version > b.version
	}
	if a.high != b.high {
		return a.high > b.high
	}
	return a.low > b.low
}

// after is the address that follows a range; the zero address when there is none.
func (n network) after() address {
	low, carry := bits.Add64(n.low|^n.lowMask, 1, 0)
	high, carry := bits.Add64(n.high|^n.highMask, 0, carry)
	if carry != 0 {
		return address{}
	}
	return address{high: high, low: low, version: n.version}
}

// classes is the number of classes.
func (c *column) classes() uint32 {
	switch c.family {
	case stringFamily:
		return valueClass + 1 + uint32(len(c.strings))
	case boolFamily:
		return valueClass + 2
	case addressFamily:
		return valueClass + 1 + uint32(len(c.starts))
	default: // the points, and what lies before, between and after them
		return valueClass + 1 + 2*uint32(len(c.points))
	}
}

// class finds the class of a value. It is false for what has none: lists, and numbers that are no small integers.
func (c *column) class(k *keyValue) (uint32, bool) {
	switch {
	case k.state == absent:
		return absentClass, true
	case k.state == listOfValues:
		return 0, false
	}
	switch c.family {
	case stringFamily:
		if class, ok := c.strings[k.single]; ok {
			return class, true
		}
		return valueClass, true
	case boolFamily:
		b := k.as(asBool).bool
		return unreadableClass + uint32(b), true
	case numericFamily:
		n := &k.as(asNumber).number
		return c.atPoint(n.small, false, n.ok), n.isSmall || !n.ok
	case dateFamily:
		d := &k.as(asDate).date
		return c.atPoint(d.seconds, d.nanoseconds != 0, d.ok), true
	default:
		a := &k.as(asAddress).address
		if a.version == 0 {
			return unreadableClass, true
		}
		return valueClass + c.startsUpTo(a), true
	}
}

// startsUpTo counts the starts that are not behind a.
func (c *column) startsUpTo(a *address) uint32 {
	lo, hi := 0, len(c.starts)
	for lo < hi {
		middle := int(uint(lo+hi) / 2)
		if c.starts[middle].isAfter(a) {
			hi = middle
		} else {
			lo = middle + 1
		}
	}
	return uint32(lo)
}

// atPoint finds the class of a number or a date; beyond tells that it is a little more than value.
func (c *column) atPoint(value int64, beyond, ok bool) uint32 {
	if !ok {
		return unreadableClass
	}
	at, found := slices.BinarySearch(c.points, value)
	class := valueClass + 2*uint32(at)
	if found {
		class++
		if beyond {
			class++
		}
	}
	return class
}

// example is a value of a class; for a key that is absent, or whose value cannot be read, one that cannot.
func (c *column) example(class uint32) keyValue {
	var k keyValue
	k.read = 1<<asNumber | 1<<asDate | 1<<asAddress | 1<<asBool
	switch {
	case class < valueClass:
	case c.family == stringFamily:
		k.single = c.exampleString(class)
	case c.family == boolFamily:
		k.bool = boolean(class - unreadableClass)
	case c.family == addressFamily && class == valueClass:
		k.address = address{version: 4} // before all others: no IPv4 address is that low
	case c.family == addressFamily:
		k.address = c.starts[class-valueClass-1]
	default:
		at, between := (class-valueClass)/2, (class-valueClass)%2 == 0
		value := int64(0)
		switch {
		case !between:
			value = c.points[at]
		case at == 0:
			value = c.points[0] - 1
		default:
			value = c.points[at-1] + 1
		}
		k.number = number{isSmall: true, small: value, ok: true}
		k.date = date{seconds: value, ok: true}
		if between {
			k.date = date{seconds: value - 1, nanoseconds: 1, ok: true}
		}
	}
	return k
}

func (c *column) exampleString(class uint32) string {
	longest := ""
	for s, of := range c.strings {
		if of == class {
			return s
		}
		if len(s) > len(longest) {
			longest = s
		}
	}
	return longest + "x" // longer than all: none of them
}

// fill works out what each class rules out.
func (c *column) fill(g *group, users [][]uint32) {
	e := evaluation{group: g}
	c.ruledOut = make([]uint64, int(c.classes())*c.words)
	for class := range c.classes() {
		k := c.example(class)
		out := c.of(class)
		for _, id := range c.atoms {
			a := &g.atoms[id]
			result := a.withoutKey()
			if class != absentClass {
				result = e.passes(a, &k)
			}
			for _, s := range users[id] {
				if !result.holds(g.statements[s].deny) {
					out[s/64] |= 1 << (s % 64)
				}
			}
		}
	}
}

// of is what a class rules out.
func (c *column) of(class uint32) []uint64 {
	return c.ruledOut[int(class)*c.words:][:c.words]
}

// sweep rules out statements by the columns of the group. It leaves in e.indexed whether all of them could be asked: then what is left
// of the statements has passed all indexed steps.
func (e *evaluation) sweep() {
	g, sc := e.group, e.scratch
	e.indexed = len(g.columns) > 0
	sc.ruledOut = appendZeros(sc.ruledOut[:0], len(g.allow.others))
	ruledOut := sc.ruledOut
	for i := range g.columns {
		c := &g.columns[i]
		class, ok := c.class(e.key(c.key))
		if !ok {
			e.indexed = false
			continue
		}
		for w, out := range c.of(class) {
			ruledOut[w] |= out
		}
	}
}
