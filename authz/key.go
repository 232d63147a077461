package authz

// keyValue is what an evaluation knows of a condition key: the request's value, and that value as operators have read it. It is filled
// as it is asked for.
type keyValue struct {
	state  keyState
	glance // what the context knows of the value
	typedValue
	// single is the value of a key that has one; list those of a multi-valued key.
	single string
	list   []string
}

// typedValue is a value as operators read it.
type typedValue struct {
	read    uint8 // which of the others are known: a bit for each form
	bool    boolean
	number  number
	date    date
	address address
}

// form is a way in which operators read a single value.
type form uint8

const (
	noForm form = iota
	asNumber
	asDate
	asAddress
	asBool
	// isList marks a multi-valued key, whose values are read one by one.
	isList
)

// glance is what a value says, as far as its form shows when it enters the context: a request is decided by many conditions, and more
// than once. It is a form, and above that the number; the seconds of the date; the IPv4 address; the boolean; the place among the
// lists.
type glance uint64

const formBits = 3

func glanceOf(f form, value int64) glance { return glance(value)<<formBits | glance(f) }

func (g glance) form() form { return form(g % (1 << formBits)) }

func (g glance) value() int64 { return int64(g) >> formBits }

func glanceAt(value string) glance {
	if value == "" {
		return 0
	}
	switch c := value[0]; {
	case c == 't' || c == 'f':
		return glanceOf(asBool, int64(readBool(value)))
	case c < '0' || c > '9':
	case len(value) <= fewDigits && isDigits(value):
		return glanceOf(asNumber, readDigits(value))
	default:
		if d, ok := readUTC(value); ok {
			return glanceOf(asDate, d.seconds)
		}
		if a := readAddress(value); a.version == 4 {
			return glanceOf(asAddress, int64(a.low))
		}
	}
	return 0
}

type keyState uint8

const (
	notLookedUp keyState = iota
	absent
	singleValue
	listOfValues
)

// key finds a key of the group in the request.
func (e *evaluation) key(i uint32) *keyValue {
	if k := &e.scratch.keys[i]; k.state != notLookedUp {
		return k
	}
	return e.lookUp(i)
}

func (e *evaluation) lookUp(i uint32) *keyValue {
	k, key, c := &e.scratch.keys[i], &e.group.keys[i], e.req.Context
	at := c.indexOf(key.name, key.hash)
	if at < 0 {
		k.state = absent
		return k
	}
	k.read = 0
	if entry := &c.keys.entries[at]; entry.form() == isList {
		k.state, k.list = listOfValues, c.keys.lists[entry.value()]
	} else {
		k.state, k.single, k.glance = singleValue, entry.one[0], entry.glance
	}
	return k
}

// missing tells whether the request lacks the key. An empty list of values counts as absent (iam.md C3).
func (k *keyValue) missing() bool {
	return k.state == absent || k.state == listOfValues && len(k.list) == 0
}

// as makes the value known in a form.
func (k *keyValue) as(f form) *typedValue {
	if k.read>>f&1 != 0 {
		return &k.typedValue
	}
	k.read |= 1 << f
	glanced := k.form() == f
	switch f {
	case asNumber:
		if glanced {
			k.number = smallNumber(k.single, k.value())
		} else {
			k.number = readNumber(k.single)
		}
	case asDate:
		if glanced {
			k.date = date{seconds: k.value(), ok: true}
		} else {
			k.date = readDate(k.single)
		}
	case asAddress:
		if glanced {
			k.address = address{low: uint64(k.value()), version: 4}
		} else {
			k.address = readAddress(k.single)
		}
	default:
		if glanced {
			k.bool = boolean(k.value())
		} else {
			k.bool = readBool(k.single)
		}
	}
	return &k.typedValue
}

// only is a value of a list as if it were single.
func only(value string) keyValue { return keyValue{single: value} }
