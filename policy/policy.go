package policy

import "sort"

// Version is the version of the policy language a document is written in.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
type Version string

// The two versions. A document without a Version element is of Version2008, in which ${...} is literal text.
const (
	Version2008 Version = "2008-10-17"
	Version2012 Version = "2012-10-17"
)

// Effect is what a matching statement does. Its spelling in a document is case-sensitive.
type Effect string

// The two effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Span is a range of bytes [Start, End) in Document.Source.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Position is a place in a text: line and column count from 1, column in bytes.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Text is a string element of a document and where it stands (its quotes included).
type Text struct {
	Value string
	Span  Span
}

// Document is a parsed policy. It is immutable and safe for concurrent use.
type Document struct {
	// Source is the text as given.
	Source []byte
	// Version is Version2008 when the element is missing.
	Version Version
	// HasVersion tells whether the element is present.
	HasVersion bool
	// ID is the Id element, or "".
	ID         string
	Statements []Statement
	// VersionAt and IDAt are where the values of these elements stand; the zero Span when they are absent.
	VersionAt, IDAt Span
}

// Statement is one statement of a policy. Of each pair (Action and NotAction, Resource and NotResource, Principal and
// NotPrincipal) at most one is set; nil means the element is absent.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    *Principals
	NotPrincipal *Principals
	Action       []Text
	NotAction    []Text
	Resource     []Text
	NotResource  []Text
	// Condition holds one entry for each (operator, key) pair, in the order of the text; all must hold.
	Condition []Condition
	Span      Span
	At        Places
}

// Places says where the values of a statement's elements stand, quotes and brackets included. It is the zero Span for an element
// that is absent; Principals and conditions carry their own.
type Places struct {
	Sid, Effect, Action, NotAction, Resource, NotResource, Condition Span
	// EmptyOperators are the values of condition operators without a key, {"StringEquals":{}}, which Condition cannot hold.
	EmptyOperators []Span
}

// Principals is the value of a Principal or NotPrincipal element.
type Principals struct {
	// Any is true for the bare string "*", which equals {"AWS": "*"}.
	Any bool
	// Entries are the members of the map form, in the order of the text.
	Entries []PrincipalEntry
	Span    Span
	// Empty is where a type has an empty list, {"AWS":[]}, which Entries cannot hold.
	Empty []Span
}

// PrincipalEntry is one principal of the map form.
type PrincipalEntry struct {
	// Type is AWS, Service, Federated or CanonicalUser.
	Type  string
	Value Text
}

// Condition is one key of one operator of a Condition element; it holds when any of Values matches (none, for negated operators).
type Condition struct {
	// Operator is as written, such as "ForAllValues:StringLikeIfExists".
	Operator Text
	// Key is as written, such as "aws:PrincipalTag/team".
	Key Text
	// Values are as written; JSON numbers and booleans keep their source text.
	Values []Text
	Span   Span
}

// Position gives line and column of a byte offset in the source. It reads the source up to there: for many offsets use Lines.
func (d *Document) Position(offset int) Position {
	return linesOf(d.Source[:clamp(offset, len(d.Source))]).Position(offset)
}

// Lines knows where the lines of a text start.
type Lines struct {
	starts []int
	length int
}

// Lines reads the source once, and then gives any number of positions.
func (d *Document) Lines() Lines { return linesOf(d.Source) }

func linesOf(src []byte) Lines {
	l := Lines{starts: []int{0}, length: len(src)}
	for i, b := range src {
		if b == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// Position gives line and column of a byte offset; of one outside the text, those of its nearer end.
func (l Lines) Position(offset int) Position {
	offset = clamp(offset, l.length)
	line := sort.SearchInts(l.starts, offset+1)
	return Position{Line: line, Column: offset - l.starts[line-1] + 1}
}

func clamp(offset, length int) int { return max(0, min(offset, length)) }
