package audit

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
)

// packVersion is the first byte of a batch. Another form of records gets another number; unpack then knows both.
const packVersion = 1

// The packed form of a batch is: packVersion, the numbers of records and of denied ones, the records. Numbers are varints. A text is
// the number of an earlier text of the batch, counted from 1, or 0 with its length and bytes: records of the same second say much the
// same. What is large and seldom new (callers, references to policies) is a text in JSON, made once for many records.
//
// pack and unpack are the only ones that know the form. TestRoundTrip fails when they forget a field.

// Bits of a record and of a decision.
const (
	isAllowed = 1 << iota
	hasFailure
	hasOtherPrincipal // than the caller
)

// packer packs records, batch after batch. It remembers the JSON of what the records share.
type packer struct {
	log     *Log
	callers map[callerKey]string
	sets    map[setKey]knownSet
	// The batch that is being made: its records, and the numbers of the texts in it.
	b               []byte
	records, denied int
	texts           map[string]uint64
}

// callerKey tells callers apart. Tags are told by their keys: both are made once.
type callerKey struct {
	authz.Principal
	accessKeyID, userName string
	tags                  authz.Context
	session               *principal.Session
}

// setKey tells policies apart by where they are: they do not change, and stay where they are while a record has them.
type setKey struct {
	day                               int64
	identity, session                 *authz.Policy
	identities, sessions              int
	scps, rcps                        *[]authz.Policy
	scpLevels, rcpLevels              int
	boundary, resource, endpoint      *authz.Policy
	trust, hasSession, hasSCP, hasRCP bool
}

// knownSet is the JSON of a PolicySet with the texts that were not stored when it was made.
type knownSet struct {
	text  string
	texts []text
}

func newPacker(l *Log) *packer {
	return &packer{log: l, callers: make(map[callerKey]string), sets: make(map[setKey]knownSet), texts: make(map[string]uint64)}
}

// begin begins a batch.
func (p *packer) begin() {
	p.records, p.denied, p.b = 0, 0, p.b[:0]
	clear(p.texts)
}

// end gives the batch.
func (p *packer) end() []byte {
	out := make([]byte, 1, 1+2*binary.MaxVarintLen64+len(p.b))
	out[0] = packVersion
	out = binary.AppendUvarint(out, uint64(p.records))
	out = binary.AppendUvarint(out, uint64(p.denied))
	return append(out, p.b...)
}

func (p *packer) number(n uint64) { p.b = binary.AppendUvarint(p.b, n) }

// new writes a text that is not in the batch.
func (p *packer) new(s string) {
	p.b = append(p.b, 0)
	p.number(uint64(len(s)))
	p.b = append(p.b, s...)
}

func (p *packer) text(s string) {
	if n, ok := p.texts[s]; ok {
		p.number(n)
		return
	}
	p.texts[s] = uint64(len(p.texts)) + 1
	p.new(s)
}

// record packs a record, which others may be reading, and gives the policy texts that must be stored with it.
func (p *packer) record(rec *Record) (used []text, err error) {
	caller, err := p.caller(&rec.Caller)
	if err != nil {
		return nil, err
	}
	p.records++
	if !rec.Allowed {
		p.denied++
	}
	p.text(rec.RequestID)
	p.b = binary.AppendVarint(p.b, rec.Time.Unix())
	p.number(uint64(rec.Time.Nanosecond()))
	for _, s := range [...]string{
		rec.Account, rec.Region, rec.Service, rec.Operation, caller, rec.SourceIP, rec.UserAgent, rec.Mode, rec.Exempt,
	} {
		p.text(s)
	}
	bits := bit(rec.Allowed, isAllowed) | bit(rec.Failure != nil, hasFailure)
	p.number(bits)
	if rec.Failure != nil {
		if err := p.json(rec.Failure); err != nil {
			return nil, err
		}
	}
	p.number(uint64(len(rec.Decisions)))
	for i := range rec.Decisions {
		more, err := p.decision(rec, &rec.Decisions[i])
		if err != nil {
			return nil, err
		}
		used = append(used, more...)
	}
	return used, nil
}

func (p *packer) decision(rec *Record, d *Decision) (used []text, err error) {
	set, err := p.set(rec, d)
	if err != nil {
		return nil, err
	}
	other := d.Request.Principal != rec.Caller.Principal
	p.number(bit(d.Allowed, isAllowed) | bit(other, hasOtherPrincipal))
	if other {
		if err := p.json(d.Request.Principal); err != nil {
			return nil, err
		}
	}
	for _, s := range [...]string{
		d.Request.Action, d.Request.Resource, d.Request.Named, d.Request.ResourceAccount, set.text, string(d.By), d.Note,
	} {
		p.text(s)
	}
	p.number(uint64(d.Request.Context.Len()))
	for name, v := range d.Request.Context.All {
		p.text(name)
		if !v.Multi {
			p.number(0)
			p.text(v.Values[0])
			continue
		}
		p.number(uint64(len(v.Values)) + 1)
		for _, s := range v.Values {
			p.text(s)
		}
	}
	return set.texts, nil
}

func (p *packer) json(v any) error {
	b, err := json.Marshal(v)
	p.text(string(b))
	return err
}

// caller gives the JSON of a caller.
func (p *packer) caller(c *principal.Caller) (string, error) {
	key := callerKey{c.Principal, c.AccessKeyID, c.UserName, c.Tags.Keys(), c.Session}
	text, ok := p.callers[key]
	if !ok {
		b, err := json.Marshal(c)
		if err != nil {
			return "", err
		}
		text = string(b)
		p.callers[key] = text
	}
	return text, nil
}

// set gives the PolicySet of what applied.
func (p *packer) set(rec *Record, d *Decision) (knownSet, error) {
	a := &d.Applied
	key := setKey{
		day:      rec.Time.Unix() / int64(24*time.Hour/time.Second),
		identity: first(a.Identity), identities: len(a.Identity), session: first(a.Session), sessions: len(a.Session),
		scps: first(a.SCPs), scpLevels: len(a.SCPs), rcps: first(a.RCPs), rcpLevels: len(a.RCPs),
		boundary: a.Boundary, resource: a.Resource, endpoint: a.VPCEndpoint, trust: a.Trust,
		hasSession: a.Session != nil, hasSCP: a.SCPs != nil, hasRCP: a.RCPs != nil,
	}
	known, ok := p.sets[key]
	if ok {
		return known, nil
	}
	set, used := p.log.refs(*a)
	for _, t := range used {
		t.day = rec.Time.UTC().Format(time.DateOnly)
		if !p.log.texts.isStored(t) {
			known.texts = append(known.texts, t)
		}
	}
	b, err := json.Marshal(set)
	if err != nil {
		return knownSet{}, err
	}
	known.text = string(b)
	p.sets[key] = known
	return known, nil
}

// first gives the place of a list.
func first[T any](list []T) *T {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

func bit(is bool, b uint64) uint64 {
	if is {
		return b
	}
	return 0
}
