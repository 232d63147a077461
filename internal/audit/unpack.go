package audit

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/authz"
)

// errPacked means that a value is not a batch that this version can read.
var errPacked = errors.New("not a batch of decisions")

// unpacker reads what a packer wrote. Its methods give zero values after the first error. What it gives shares the memory of the batch.
type unpacker struct {
	rest  string
	texts []string
	err   error
}

// header is what the beginning of a batch says.
type header struct{ records, denied int }

// header reads the beginning of a batch, and leaves u at its records.
func (u *unpacker) header() header {
	if u.rest == "" || u.rest[0] != packVersion {
		u.fail()
		return header{}
	}
	u.rest = u.rest[1:]
	return header{records: int(u.number()), denied: int(u.number())}
}

// headerOf reads only how many records a batch has.
func headerOf(value []byte) (header, error) {
	u := &unpacker{rest: string(value[:min(len(value), 1+2*binary.MaxVarintLen64)])}
	return u.header(), u.err
}

// unpack gives the records of a batch.
func unpack(value []byte) (records []Record, err error) {
	u := &unpacker{rest: string(value)}
	for range u.header().records {
		var rec Record
		if u.record(&rec); u.err != nil {
			return nil, u.err
		}
		records = append(records, rec)
	}
	if u.rest != "" {
		u.fail()
	}
	return records, u.err
}

func (u *unpacker) fail() {
	if u.err == nil {
		u.err = errPacked
	}
	u.rest = ""
}

func (u *unpacker) number() uint64 {
	n, size := binary.Uvarint([]byte(u.rest[:min(len(u.rest), binary.MaxVarintLen64)]))
	if size <= 0 {
		u.fail()
		return 0
	}
	u.rest = u.rest[size:]
	return n
}

func (u *unpacker) signed() int64 {
	n, size := binary.Varint([]byte(u.rest[:min(len(u.rest), binary.MaxVarintLen64)]))
	if size <= 0 {
		u.fail()
		return 0
	}
	u.rest = u.rest[size:]
	return n
}

// count is a number of things that follow, each at least a byte long.
func (u *unpacker) count() int {
	n := u.number()
	if n > uint64(len(u.rest)) {
		u.fail()
		return 0
	}
	return int(n)
}

func (u *unpacker) text() string {
	n := u.number()
	if n > 0 {
		if n > uint64(len(u.texts)) {
			u.fail()
			return ""
		}
		return u.texts[n-1]
	}
	size := u.count()
	s := u.rest[:size]
	u.rest = u.rest[size:]
	u.texts = append(u.texts, s)
	return s
}

func (u *unpacker) json(v any) {
	if text := u.text(); u.err == nil {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			u.fail()
			u.err = fmt.Errorf("%w: %w", errPacked, err)
		}
	}
}

func (u *unpacker) record(rec *Record) {
	rec.RequestID = u.text()
	seconds, nanoseconds := u.signed(), u.number()
	rec.Time = time.Unix(seconds, int64(nanoseconds)).UTC()
	rec.Account, rec.Region, rec.Service, rec.Operation = u.text(), u.text(), u.text(), u.text()
	u.json(&rec.Caller)
	rec.SourceIP, rec.UserAgent, rec.Mode, rec.Exempt = u.text(), u.text(), u.text(), u.text()
	bits := u.number()
	rec.Allowed = bits&isAllowed != 0
	if bits&hasFailure != 0 {
		rec.Failure = new(Failure)
		u.json(rec.Failure)
	}
	for range u.count() {
		var d Decision
		if u.decision(rec, &d); u.err != nil {
			return
		}
		rec.Decisions = append(rec.Decisions, d)
	}
}

func (u *unpacker) decision(rec *Record, d *Decision) {
	bits := u.number()
	d.Allowed = bits&isAllowed != 0
	d.Request.Principal = rec.Caller.Principal
	if bits&hasOtherPrincipal != 0 {
		d.Request.Principal = authz.Principal{}
		u.json(&d.Request.Principal)
	}
	r := &d.Request
	r.Action, r.Resource, r.Named, r.ResourceAccount = u.text(), u.text(), u.text(), u.text()
	u.json(&d.Policies)
	d.By, d.Note = authz.PolicyType(u.text()), u.text()
	for range u.count() {
		if u.err != nil {
			return
		}
		name, n := u.text(), u.number()
		if n == 0 {
			r.Context.Set(name, u.text())
			continue
		}
		var values []string
		for n--; n > 0 && u.err == nil; n-- {
			values = append(values, u.text())
		}
		r.Context.SetList(name, values...)
	}
}
