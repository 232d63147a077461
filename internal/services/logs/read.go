package logs

import (
	"container/heap"
	"slices"
	"strings"

	"github.com/licet/licet/internal/store"
)

const (
	// maxPageEvents and maxPageBytes bound one answer (API_GetLogEvents, limit).
	maxPageEvents = 10_000
	maxPageBytes  = 1 << 20
	// patience is how many bytes are read for one page: one of few events, or none, has a token for the rest.
	patience = 16 << 20
	// segmentPage is how many segments are read at once.
	segmentPage = 16
)

// selection says which events to read, and in which direction.
type selection struct {
	// start and end are times; end is not included.
	start, end int64
	// backward reads from the newest to the oldest.
	backward bool
	// past, if set, is the position after which to read on, in the direction of reading.
	past *position
}

// order compares positions in the direction of reading.
func (s selection) order(p, q position) int {
	if s.backward {
		return q.compare(p)
	}
	return p.compare(q)
}

func (s selection) includes(p position) bool {
	return p.time >= s.start && p.time < s.end && (s.past == nil || s.order(*s.past, p) < 0)
}

// narrowed is s with the times that past excludes left out, for finding segments.
func (s selection) narrowed() (start, end int64) {
	start, end = s.start, s.end
	if s.past != nil && s.backward {
		end = min(end, s.past.time+1)
	} else if s.past != nil {
		start = max(start, s.past.time)
	}
	return start, end
}

// each calls fn with the events of a stream that s selects, in order, until fn wants no more.
func (s selection) each(r store.Reader, g group, st stream, fn func(event) (more bool)) error {
	prefix := g.streamEventPrefix(st)
	start, end := s.narrowed()
	if st.Events == nil || st.Events.Last < start || st.Events.First >= end {
		return nil
	}
	waiting := runs{order: s.order} // read, but events of segments still to be read may come before them
	// release gives fn the waiting events that settled says nothing can come before.
	release := func(settled func(event) bool) (more bool) {
		for waiting.Len() > 0 && settled(waiting.first()) {
			if !fn(waiting.next()) {
				return false
			}
		}
		return true
	}
	scan, from := r.Scan, prefix+timeKey(start-segmentSpan)
	if s.backward {
		scan, from = r.ScanReverse, prefix+timeKey(end)
	}
	for {
		page, err := scan(prefix, from, segmentPage)
		if err != nil {
			return err
		}
		for _, item := range page {
			from = item.Key
			first, err := parseKey(strings.TrimPrefix(item.Key, prefix))
			if err != nil {
				return err
			}
			if !s.backward && first.time >= end || s.backward && first.time+segmentSpan < start {
				page = nil // the rest is out of range
				break
			}
			if !release(func(e event) bool {
				return !s.backward && e.time < first.time || s.backward && e.time > first.time+segmentSpan
			}) {
				return nil
			}
			events, err := decodeSegment(st.Name, first, item.Value)
			if err != nil {
				return err
			}
			events = slices.DeleteFunc(events, func(e event) bool { return !s.includes(e.position) })
			if s.backward {
				slices.Reverse(events)
			}
			waiting.add(events)
		}
		if len(page) < segmentPage {
			release(func(event) bool { return true })
			return nil
		}
	}
}

// runs merges lists of events, each in order. It is a heap with the list on top that has the first event.
type runs struct {
	order func(p, q position) int
	lists [][]event
}

func (r *runs) add(events []event) {
	if len(events) > 0 {
		heap.Push(r, events)
	}
}

func (r *runs) first() event { return r.lists[0][0] }

// next takes the first event out.
func (r *runs) next() event {
	e := r.lists[0][0]
	if r.lists[0] = r.lists[0][1:]; len(r.lists[0]) == 0 {
		heap.Pop(r)
	} else if len(r.lists) > 1 {
		heap.Fix(r, 0)
	}
	return e
}

// Len, Less, Swap, Push and Pop are heap.Interface's.
func (r *runs) Len() int { return len(r.lists) }
func (r *runs) Less(i, j int) bool {
	return r.order(r.lists[i][0].position, r.lists[j][0].position) < 0
}
func (r *runs) Swap(i, j int) { r.lists[i], r.lists[j] = r.lists[j], r.lists[i] }
func (r *runs) Push(list any) { r.lists = append(r.lists, list.([]event)) }
func (r *runs) Pop() any {
	last := len(r.lists) - 1
	list := r.lists[last]
	r.lists = r.lists[:last]
	return list
}

// page collects the first events of several streams that a pattern means, up to a number of events and of bytes, but one at least.
// It is a heap with the last event on top.
type page struct {
	selection
	means  func(message string) bool
	limit  int
	bytes  int
	events []event
	// full is set once an event was left out: the page then ends before it.
	full *position
	// patience is how many bytes of events may be looked at before the page ends, behind the event that came last.
	patience int
	tired    bool
}

// add takes an event in if it is meant, or tells that neither it nor any after it has a place.
func (p *page) add(e event) bool {
	if p.full != nil && p.order(e.position, *p.full) >= 0 {
		return false
	}
	if p.means(e.message) {
		heap.Push(p, e)
		p.bytes += e.size()
	}
	for len(p.events) > p.limit || p.bytes > maxPageBytes && len(p.events) > 1 {
		p.full = &p.drop().position
	}
	if p.patience -= e.size(); p.patience < 0 && !p.tired {
		p.tired = true
		p.cut(e.after(p.backward))
	}
	return true
}

// cut ends the page before a position.
func (p *page) cut(at position) {
	if p.full != nil && p.order(*p.full, at) <= 0 {
		return
	}
	p.full = &at
	for len(p.events) > 0 && p.order(p.events[0].position, at) >= 0 {
		p.drop()
	}
}

// drop takes the last event out.
func (p *page) drop() *event {
	out := heap.Pop(p).(event)
	p.bytes -= out.size()
	return &out
}

// sorted gives the events in the direction of reading.
func (p *page) sorted() []event {
	slices.SortFunc(p.events, func(a, b event) int { return p.order(a.position, b.position) })
	return p.events
}

// Len, Less, Swap, Push and Pop are heap.Interface's.
func (p *page) Len() int           { return len(p.events) }
func (p *page) Less(i, j int) bool { return p.order(p.events[i].position, p.events[j].position) > 0 }
func (p *page) Swap(i, j int)      { p.events[i], p.events[j] = p.events[j], p.events[i] }
func (p *page) Push(e any)         { p.events = append(p.events, e.(event)) }
func (p *page) Pop() any {
	last := p.events[len(p.events)-1]
	p.events = p.events[:len(p.events)-1]
	return last
}
