package logs

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
)

const (
	// eventOverhead is what each event counts beside its message (API_PutLogEvents).
	eventOverhead = 26
	// A segment holds events of one batch that are no further apart than segmentSpan milliseconds, and a few of them, so that
	// reading a page of events reads little else.
	segmentSpan   = 60_000
	segmentEvents = 1000
	segmentBytes  = 64 << 10
)

// position orders the events of a store, and names each.
type position struct {
	time  int64  // of the event, in milliseconds
	batch int64  // the transaction that brought it
	index uint16 // in the batch
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.time, q.time), cmp.Compare(p.batch, q.batch), cmp.Compare(p.index, q.index))
}

// after is the position next to p in a direction of reading: nothing is between the two.
func (p position) after(backward bool) position {
	switch {
	case !backward:
		p.index++
	case p.index > 0:
		p.index--
	default:
		p.batch, p.index = p.batch-1, math.MaxUint16
	}
	return p
}

// key is the position as a part of a key, in the same order.
func (p position) key() string { return fmt.Sprintf("%016x%016x%04x", p.time, p.batch, p.index) }

// timeKey is the least key of a position at a time or later.
func timeKey(time int64) string { return fmt.Sprintf("%016x", max(0, time)) }

func parseKey(key string) (p position, err error) {
	if len(key) != 36 {
		return p, fmt.Errorf("%q is not a position", key)
	}
	time, err1 := strconv.ParseInt(key[:16], 16, 64)
	batch, err2 := strconv.ParseInt(key[16:32], 16, 64)
	index, err3 := strconv.ParseUint(key[32:], 16, 16)
	return position{time, batch, uint16(index)}, errors.Join(err1, err2, err3)
}

// id is the position as AWS shows event ids: 56 decimal digits.
func (p position) id() string { return fmt.Sprintf("%020d%020d%016d", p.time, p.batch, p.index) }

func parseID(id string) (position, error) {
	if len(id) != 56 {
		return position{}, invalidToken()
	}
	time, err1 := strconv.ParseUint(id[:20], 10, 63)
	batch, err2 := strconv.ParseUint(id[20:40], 10, 63)
	index, err3 := strconv.ParseUint(id[40:], 10, 16)
	if errors.Join(err1, err2, err3) != nil {
		return position{}, invalidToken()
	}
	return position{int64(time), int64(batch), uint16(index)}, nil
}

// event is a log event.
type event struct {
	position
	stream   string // its name
	ingested int64
	message  string
}

// size is what an event counts in limits.
func (e event) size() int { return len(e.message) + eventOverhead }

// segment is a run of events of one batch, in order of time.
type segment struct {
	first    position
	ingested int64
	events   []event
}

// segments splits a batch, whose events are in order of time.
func segments(events []event) []segment {
	var list []segment
	bytes := 0
	for i, e := range events {
		if n := len(list); n == 0 || len(list[n-1].events) == segmentEvents || bytes+e.size() > segmentBytes ||
			e.time-list[n-1].first.time > segmentSpan {
			list = append(list, segment{first: e.position, ingested: e.ingested})
			bytes = 0
		}
		last := &list[len(list)-1]
		last.events = append(last.events, events[i])
		bytes += e.size()
	}
	return list
}

// encode writes a segment without its first position, which is in the key: the time of ingestion, then of each event the time
// after the one before, and the message with its length; numbers as varints. Events of a segment have consecutive indexes.
func (s segment) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(s.ingested))
	before := s.first.time
	for _, e := range s.events {
		b = binary.AppendUvarint(b, uint64(e.time-before))
		b = binary.AppendUvarint(b, uint64(len(e.message)))
		b = append(b, e.message...)
		before = e.time
	}
	return b
}

// decodeSegment reads what encode wrote.
func decodeSegment(stream string, first position, data []byte) ([]event, error) {
	d := decoder{data: data}
	ingested := int64(d.number())
	var events []event
	for at := first; len(d.data) > 0 && !d.bad; at.index++ {
		at.time += int64(d.number())
		events = append(events, event{position: at, stream: stream, ingested: ingested, message: d.text()})
	}
	if d.bad {
		return nil, fmt.Errorf("segment %s of log stream %q is damaged", first.key(), stream)
	}
	return events, nil
}

// decoder reads from the front of data, and is bad once something was not there.
type decoder struct {
	data []byte
	bad  bool
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *decoder) text() string {
	n := d.number()
	if d.bad || n > uint64(len(d.data)) {
		d.bad = true
		return ""
	}
	s := string(d.data[:n])
	d.data = d.data[n:]
	return s
}
