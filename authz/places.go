package authz

import (
	"math/bits"
	"unicode/utf8"
)

// places is a text in a form against which every pattern is matched in time linear in the pattern's length, whatever its wildcards:
// for each byte that occurs, the set of the places where it stands, 64 places a word. A match is a set of places, too: those that the
// part of the pattern read so far can end at. Reading one more element of the pattern is a few operations on whole words:
//
//	a byte      the places where it stands, moved on by one
//	one         all places, moved on to the start of the next character
//	anyRun      everything from the first place on
//	anyRun in a segment   from each place on to the next colon: the carry of an addition runs through the bytes between
//
// A place is a number of bytes. Only literal bytes can end inside a character; elements of other kinds start and end between two.
// What is not UTF-8 counts a character for each byte. A places is reused from text to text and is for one goroutine.
type places struct {
	text  string
	words int
	// row holds 1 + the index into rows for each byte that occurs, 0 for the others. Each row has words words.
	row  [256]uint16
	rows []uint64
	// inside are the places inside of a character of several bytes; empty for ASCII.
	inside []uint64
	// reach are the places that the pattern so far can end at.
	reach  []uint64
	loaded bool
	// arn makes all wildcards before the fifth colon of the pattern match in a segment only; colons counts them.
	arn    bool
	colons int
}

// The elements of a pattern in its compiled form, a string. Each is a mark and its code; all other bytes are literal. Byte 0xFF occurs
// in no UTF-8 text; where it is literal all the same, it is written as mark and literalMark.
const (
	mark            = '\xff'
	literalMark     = 0
	anyRun          = 1 // * : any characters, or none
	anyRunInSegment = 2 // * in an ARN segment: any characters but colons
	one             = 3 // ? : any character
	oneInSegment    = 4 // ? in an ARN segment: any character but a colon
)

// load makes p the places of text.
func (p *places) load(text string) {
	if p.loaded && p.text == text {
		return
	}
	p.text, p.loaded = text, true
	p.words = len(text)/64 + 1
	p.row = [256]uint16{}
	p.rows, p.inside = p.rows[:0], p.inside[:0]
	for i := 0; i < len(text); i++ {
		c := text[i]
		if p.row[c] == 0 {
			p.rows = appendZeros(p.rows, p.words)
			p.row[c] = uint16(len(p.rows) / p.words)
		}
		p.rows[int(p.row[c]-1)*p.words+i/64] |= 1 << (i % 64)
	}
	if !isASCII(text) {
		p.inside = appendZeros(p.inside, p.words)
		for i := 0; i < len(text); {
			_, size := utf8.DecodeRuneInString(text[i:])
			for j := i + 1; j < i+size; j++ {
				p.inside[j/64] |= 1 << (j % 64)
			}
			i += size
		}
	}
}

func appendZeros(words []uint64, n int) []uint64 {
	for range n {
		words = append(words, 0)
	}
	return words
}

// start begins a match at place from.
func (p *places) start(from int) {
	p.reach = appendZeros(p.reach[:0], p.words)
	p.reach[from/64] = 1 << (from % 64)
	p.arn, p.colons = false, 0
}

// ended tells whether what was read of the pattern covers the whole text.
func (p *places) ended() bool {
	n := len(p.text)
	return p.reach[n/64]>>(n%64)&1 != 0
}

// literal reads bytes that stand for themselves. It is false when nothing is reached any more.
func (p *places) literal(text string) bool {
	if p.words == 2 {
		return p.readInTwoWords(text, false)
	}
	for i := range len(text) {
		if !p.byte(text[i]) {
			return false
		}
	}
	return true
}

// program reads a pattern in compiled form. It is false when nothing is reached any more.
func (p *places) program(code string) bool {
	if p.words == 2 {
		return p.readInTwoWords(code, true)
	}
	for i := 0; i < len(code); i++ {
		c := code[i]
		if c == mark {
			i++
			if code[i] != literalMark {
				p.element(code[i])
				continue
			}
		}
		if !p.byte(c) {
			return false
		}
	}
	return true
}

// readInTwoWords is literal and program for texts as long as most ARNs, without a loop over the words.
func (p *places) readInTwoWords(code string, isProgram bool) bool {
	low, high := p.reach[0], p.reach[1]
	end := p.before(1)<<1 | 1
	plain := len(p.inside) == 0 && !p.arn
	for i := 0; i < len(code); i++ {
		c := code[i]
		if c == mark && isProgram {
			i++
			if code[i] == one && plain {
				low, high = low<<1, (high<<1|low>>63)&end
				continue
			}
			if code[i] != literalMark {
				p.reach[0], p.reach[1] = low, high
				p.element(code[i])
				low, high = p.reach[0], p.reach[1]
				continue
			}
		}
		if c == ':' {
			p.colons++
		}
		r := int(p.row[c])
		if r == 0 {
			return false
		}
		row := p.rows[2*r-2 : 2*r]
		low, high = low&row[0], high&row[1]
		if low|high == 0 {
			return false
		}
		low, high = low<<1, high<<1|low>>63
	}
	p.reach[0], p.reach[1] = low, high
	return true
}

func (p *places) byte(c byte) bool {
	if c == ':' {
		p.colons++
	}
	r := int(p.row[c])
	if r == 0 {
		return false
	}
	reach := p.reach
	row := p.rows[(r-1)*p.words:][:len(reach)]
	carry, all := uint64(0), uint64(0)
	for w, at := range row {
		v := reach[w] & at
		reach[w] = v<<1 | carry
		carry = v >> 63
		all |= v
	}
	return all != 0
}

// settle drops the places inside of a character, where only a literal can go on.
func (p *places) settle() {
	for w, at := range p.inside {
		p.reach[w] &^= at
	}
}

// colonRow are the words of the row of colons, or nil.
func (p *places) colonRow() []uint64 {
	if r := int(p.row[':']); r != 0 {
		return p.rows[(r-1)*p.words : r*p.words]
	}
	return nil
}

// element reads a wildcard.
func (p *places) element(code byte) {
	p.settle()
	var barred []uint64
	if code == anyRunInSegment || code == oneInSegment || p.arn && p.colons < arnColons {
		barred = p.colonRow()
	}
	switch {
	case code == one || code == oneInSegment:
		p.step(barred)
	case barred == nil:
		p.flood()
	default:
		p.spread(barred)
	}
	p.settle()
}

// step moves every place on by one character that does not stand at barred.
func (p *places) step(barred []uint64) {
	carry := uint64(0)
	for w, v := range p.reach {
		if barred != nil {
			v &^= barred[w]
		}
		p.reach[w] = v<<1 | carry
		carry = v >> 63
	}
	p.through()
	p.reach[len(p.reach)-1] &= p.before(p.words-1)<<1 | 1 // no place is behind the end
}

// before are the places of word w that a byte stands at: all but the end.
func (p *places) before(w int) uint64 {
	if n := len(p.text); w == n/64 {
		return 1<<(n%64) - 1
	}
	return ^uint64(0)
}

// through moves places inside of a character on to its end.
func (p *places) through() {
	carry := uint64(0)
	for w, in := range p.inside {
		moving := p.reach[w] & in
		sum, c := bits.Add64(moving, in, carry)
		p.reach[w] = p.reach[w]&^in | sum&^in
		carry = c
	}
}

// flood reaches everything from the first place on.
func (p *places) flood() {
	found := false
	for w, v := range p.reach {
		switch {
		case found:
			p.reach[w] = p.before(w)
		case v != 0:
			found = true
			p.reach[w] = -(v & -v) & p.before(w)
		}
	}
	if n := len(p.text); found {
		p.reach[n/64] |= 1 << (n % 64)
	}
}

// spread reaches, from each place on, what no barred byte stands before.
func (p *places) spread(barred []uint64) {
	carry := uint64(0)
	for w, v := range p.reach {
		free := p.before(w) &^ barred[w]
		sum, c := bits.Add64(v&free, free, carry)
		p.reach[w] = (sum ^ free) | v
		carry = c
	}
}
