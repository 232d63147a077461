package authz

import (
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/policy"
)

// glob is a compiled pattern. Which of the compiler's lists its bounds point into depends on its kind.
type glob struct {
	kind globKind
	// openStart and openEnd tell whether a split pattern starts or ends with a wildcard.
	openStart, openEnd bool
	lo, hi             uint32
}

type globKind uint8

const (
	globNever    globKind = iota // matches nothing
	globUnknown                  // cannot be understood
	globAny                      // matches everything
	globExact                    // literals[lo]
	globPrefix                   // literals[lo] and anything after it
	globSuffix                   // anything and literals[lo]
	globSplit                    // literals[lo:hi] with anyRun between them
	globProgram                  // programs[lo]: wildcards of other kinds
	globTemplate                 // templates[lo]: has variables
	globPartial                  // globs[lo] and globs[lo+1]: an ARN without all segments, and what it would be with them (iam.md R4)
)

// program is a pattern with wildcards other than anyRun.
type program struct {
	prefix string // the literal text that it starts with
	code   string // the rest, in the form that places reads
}

// dialect says what the wildcards of a pattern may match.
type dialect uint8

const (
	plainDialect    dialect = iota // everything: actions, StringLike
	resourceDialect                // in the first five segments of an ARN no colon, but for a * that ends its segment (iam.md R2)
	arnDialect                     // in the first five segments of an ARN no colon (iam.md R3)
)

// arnColons separate the segments of an ARN; what follows the fifth is the resource.
const arnColons = 5

// encoder writes the compiled form of a pattern.
type encoder struct {
	dialect dialect
	colons  int
	out     []byte
	// special is true once there is a wildcard other than anyRun, or a byte that is no UTF-8.
	special bool
}

// wild writes text in which * and ? are wildcards.
func (e *encoder) wild(text string) {
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '*' && !e.inSegment(), c == '*' && e.dialect == resourceDialect && endsSegment(text[i+1:]):
			e.mark(anyRun)
		case c == '*':
			e.mark(anyRunInSegment)
		case c == '?' && !e.inSegment():
			e.mark(one)
		case c == '?':
			e.mark(oneInSegment)
		default:
			e.byte(c)
		}
	}
}

// endsSegment tells whether rest, which follows a wildcard, begins with a colon or is the end of the pattern. What is not the end of the
// pattern is followed by a variable, which makes the pattern unknown there.
func endsSegment(rest string) bool { return rest == "" || rest[0] == ':' }

func (e *encoder) inSegment() bool { return e.dialect != plainDialect && e.colons < arnColons }

func (e *encoder) mark(code byte) {
	if n := len(e.out); code == anyRun && n > 1 && e.out[n-2] == mark && e.out[n-1] == anyRun {
		return
	}
	e.special = e.special || code != anyRun
	e.out = append(e.out, mark, code)
}

// literal writes text that stands for itself.
func (e *encoder) literal(text string) {
	for i := range len(text) {
		e.byte(text[i])
	}
}

func (e *encoder) byte(c byte) {
	e.out = append(e.out, c)
	switch c {
	case ':':
		e.colons++
	case mark:
		e.out = append(e.out, literalMark)
	}
}

// pattern compiles text. Variables it has only in documents of version 2012-10-17 (iam.md V1).
func (c *compiler) pattern(text string, d dialect) glob {
	if text == "*" && d != arnDialect {
		return glob{kind: globAny}
	}
	parts := c.parts(text)
	misplaced := d == resourceDialect && isMisplaced(parts)
	if hasVariable(parts) {
		return c.templateGlob(parts, d, misplaced)
	}
	if misplaced {
		return glob{kind: globUnknown}
	}
	// What is no UTF-8 may end inside a character, which only places notices.
	e := encoder{dialect: d, special: !utf8.ValidString(text), out: c.room[:0]}
	for _, p := range parts {
		if p.Kind == policy.Escaped {
			e.literal(p.Text)
		} else {
			e.wild(p.Text)
		}
	}
	c.room = e.out
	switch code := string(e.out); {
	case e.colons >= arnColons || d == plainDialect:
		return c.encoded(code, e.special)
	case d == arnDialect:
		return glob{kind: globNever}
	default:
		return c.partial(code, e.special)
	}
}

// parts splits a text at its variables, if the document has any.
func (c *compiler) parts(text string) []policy.Part {
	if c.variables && strings.Contains(text, "${") {
		return policy.SplitVariables(text)
	}
	return []policy.Part{{Kind: policy.Literal, Text: text}}
}

// isMisplaced tells whether a variable or an escape stands before the fifth colon of a Resource, where none is allowed (iam.md R5).
func isMisplaced(parts []policy.Part) bool {
	colons := 0
	for _, p := range parts {
		if p.Kind != policy.Literal {
			return colons < arnColons
		}
		colons += strings.Count(p.Text, ":")
	}
	return false
}

// partial makes the glob of an ARN that lacks segments.
func (c *compiler) partial(code string, special bool) glob {
	asWritten, padded := c.encoded(code, special), c.encoded(strings.TrimSuffix(code, anyRunMark)+anyRunMark, special)
	c.group.globs = append(c.group.globs, asWritten, padded)
	return glob{kind: globPartial, lo: uint32(len(c.group.globs) - 2)}
}

// hasVariable tells whether parts hold more than literal text and escapes.
func hasVariable(parts []policy.Part) bool {
	for _, p := range parts {
		if p.Kind == policy.Variable || p.Kind == policy.Malformed {
			return true
		}
	}
	return false
}

const anyRunMark = "\xff\x01"

// encoded makes the glob of a pattern in compiled form.
func (c *compiler) encoded(code string, special bool) glob {
	if special {
		start := strings.IndexByte(code, mark)
		if start < 0 {
			start = len(code)
		}
		c.group.programs = append(c.group.programs, program{prefix: code[:start], code: code[start:]})
		return glob{kind: globProgram, lo: uint32(len(c.group.programs) - 1)}
	}
	if !strings.Contains(code, anyRunMark) {
		return glob{kind: globExact, lo: c.literal(code)}
	}
	g := glob{
		kind: globSplit, lo: uint32(len(c.group.literals)),
		openStart: strings.HasPrefix(code, anyRunMark), openEnd: strings.HasSuffix(code, anyRunMark),
	}
	for l := range strings.SplitSeq(code, anyRunMark) {
		if l != "" {
			c.literal(l)
		}
	}
	g.hi = uint32(len(c.group.literals))
	switch {
	case g.lo == g.hi:
		g.kind = globAny
	case g.lo+1 == g.hi && !g.openStart:
		g.kind = globPrefix
	case g.lo+1 == g.hi && !g.openEnd:
		g.kind = globSuffix
	}
	return g
}

func (c *compiler) literal(text string) uint32 {
	c.group.literals = append(c.group.literals, text)
	return uint32(len(c.group.literals) - 1)
}

// glob compares text with a pattern.
func (e *evaluation) glob(g *glob, text string) truth {
	switch g.kind {
	case globPrefix:
		return truthOf(startsWith(text, e.group.literals[g.lo]))
	case globSuffix:
		return truthOf(strings.HasSuffix(text, e.group.literals[g.lo]))
	case globAny:
		return yes
	case globExact:
		return truthOf(e.group.literals[g.lo] == text)
	case globSplit:
		return truthOf(matchSplit(g, e.group.literals[g.lo:g.hi], text))
	case globProgram:
		return truthOf(e.scratch.places.matchProgram(&e.group.programs[g.lo], text))
	case globTemplate:
		return e.template(&e.group.templates[g.lo], text)
	case globPartial:
		return e.partial(g, text)
	case globUnknown:
		return unknown
	default:
		return no
	}
}

// partial compares text with an ARN that lacks segments: unknown where it would match if "*" stood for what it lacks (iam.md R4).
func (e *evaluation) partial(g *glob, text string) truth {
	if e.glob(&e.group.globs[g.lo], text) == yes {
		return yes
	}
	if e.glob(&e.group.globs[g.lo+1], text) == yes {
		return unknown
	}
	return no
}

// matchSplit finds the literals one after the other, each as early as it can be, which is enough: what lies between them may be
// anything.
func matchSplit(g *glob, literals []string, text string) bool {
	if !g.openStart {
		if !startsWith(text, literals[0]) {
			return false
		}
		text, literals = text[len(literals[0]):], literals[1:]
	}
	if !g.openEnd {
		last := literals[len(literals)-1]
		if !strings.HasSuffix(text, last) {
			return false
		}
		text, literals = text[:len(text)-len(last)], literals[:len(literals)-1]
	}
	for _, l := range literals {
		if len(l) == 1 && text != "" && text[0] == l[0] {
			text = text[1:]
			continue
		}
		i := strings.Index(text, l)
		if i < 0 {
			return false
		}
		text = text[i+len(l):]
	}
	return true
}

// startsWith tells what strings.HasPrefix does. It looks at the last byte first, for what a pattern is compared with is often like the
// pattern at its beginning: another ARN, another client's version.
func startsWith(text, prefix string) bool {
	n := len(prefix)
	return n == 0 || n <= len(text) && text[n-1] == prefix[n-1] && text[:n] == prefix
}

func (p *places) matchProgram(prog *program, text string) bool {
	if !strings.HasPrefix(text, prog.prefix) {
		return false
	}
	p.load(text)
	p.start(len(prog.prefix))
	return p.program(prog.code) && p.ended()
}
