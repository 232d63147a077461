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
	read    readAs // which of the others are known
	bool    boolean
	number  number
	date    date
	address address
}

// glance is what a value says, as far as its form shows when it enters the context: a request is decided by many conditions, and more
// than once.
type glance struct {
	form readAs // none, or one, or isList
	a    uint64 // the number; the seconds of the date; the IPv4 address; the boolean; the place among the lists
}

func glanceAt(value string) glance {
	if value == "" {
		return glance{}
	}
	switch c := value[0]; {
	case c == 't' || c == 'f':
		return glance{form: readAsBool, a: uint64(readBool(value))}
	case c < '0' || c > '9':
	case len(value) <= fewDigits && isDigits(value):
		return glance{form: readAsNumber, a: uint64(readDigits(value))}
	default:
		if d, ok := readUTC(value); ok {
			return glance{form: readAsDate, a: uint64(d.seconds)}
		}
		if a := readAddress(value); a.version == 4 {
			return glance{form: readAsAddress, a: a.low}
		}
	}
	return glance{}
}

type keyState uint8

const (
	notLookedUp keyState = iota
	absent
	singleValue
	listOfValues
)

// readAs is a set of the ways in which a single value was read.
type readAs uint8

const (
	readAsNumber readAs = 1 << iota
	readAsDate
	readAsAddress
	readAsBool
	// isList marks a multi-valued key, whose values are read one by one.
	isList
)

// key finds a key of the group in the request.
func (e *evaluation) key(i uint32) *keyValue {
	k := &e.scratch.keys[i]
	if k.state == notLookedUp {
		k.lookUp(e.req.Context, &e.group.keys[i])
	}
	return k
}

func (k *keyValue) lookUp(c Context, key *conditionKey) {
	at := c.indexOf(key.name, key.hash)
	if at < 0 {
		k.state = absent
		return
	}
	k.read = 0
	if entry := &c.keys.entries[at]; entry.form == isList {
		k.state, k.list = listOfValues, c.keys.lists[entry.a]
	} else {
		k.state, k.single, k.glance = singleValue, entry.one[0], entry.glance
	}
}

// missing tells whether the request lacks the key. An empty list of values counts as absent (iam.md C3).
func (k *keyValue) missing() bool {
	return k.state == absent || k.state == listOfValues && len(k.list) == 0
}

// as makes the value known in a form.
func (k *keyValue) as(form readAs) *typedValue {
	if k.read&form != 0 {
		return &k.typedValue
	}
	k.read |= form
	glanced := k.form == form
	switch form {
	case readAsNumber:
		if glanced {
			k.number = smallNumber(k.single, int64(k.a))
		} else {
			k.number = readNumber(k.single)
		}
	case readAsDate:
		if glanced {
			k.date = date{seconds: int64(k.a), ok: true}
		} else {
			k.date = readDate(k.single)
		}
	case readAsAddress:
		if glanced {
			k.address = address{low: k.a, version: 4}
		} else {
			k.address = readAddress(k.single)
		}
	default:
		if glanced {
			k.bool = boolean(k.a)
		} else {
			k.bool = readBool(k.single)
		}
	}
	return &k.typedValue
}

// only is a value of a list as if it were single.
func only(value string) keyValue { return keyValue{single: value} }
