package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// model is a queue as its documentation tells it: a list that is walked through.
type model struct {
	fifo     bool
	messages []*modelled
}

type modelled struct {
	body, group string
	due         time.Time
	token       string // of the last receive
}

func (m *modelled) inFlight(now time.Time) bool { return m.token != "" && m.due.After(now) }

// receivable are the bodies that a receive may give, in the order in which it must give those of a group.
func (m *model) receivable(now time.Time) []*modelled {
	var list []*modelled
	closed := map[string]bool{}
	for _, one := range m.messages {
		closed[one.group] = closed[one.group] || one.inFlight(now)
	}
	for _, one := range m.messages {
		if m.fifo && one.due.After(now) {
			closed[one.group] = true // nothing passes it
		}
		if !one.due.After(now) && !(m.fifo && closed[one.group]) {
			list = append(list, one)
		}
	}
	return list
}

func (m *model) find(body string) *modelled {
	for _, one := range m.messages {
		if one.body == body {
			return one
		}
	}
	return nil
}

// walk does random operations on a queue and on its model.
type walk struct {
	*testing.T
	random *rand.Rand
	db     store.DB
	q      *Queue
	model  *model
	now    time.Time
	sent   int
	// handles of receives, of which many are out of date.
	handles []Handle
	bodies  map[uint64]string // by number
	trace   []string
}

func (w *walk) update(fn func(store.Tx) error) {
	w.Helper()
	if err := w.db.Update(context.Background(), fn); err != nil {
		w.Fatalf("%v after\n%s", err, strings.Join(w.trace, "\n"))
	}
}

func (w *walk) failf(format string, args ...any) {
	w.Helper()
	w.Fatalf(format+" after\n%s", append(args, strings.Join(w.trace, "\n"))...)
}

func (w *walk) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *walk) send() {
	var list []*Message
	for range 1 + w.random.IntN(3) {
		w.sent++
		m := &Message{
			ID: fmt.Sprint(w.sent), Sent: w.now.UnixMilli(), Due: w.now.UnixMilli(), Group: string(rune('a' + w.random.IntN(3))),
			Deduplication: fmt.Sprint(w.sent), Content: Content{Body: fmt.Sprint(w.sent)},
		}
		if w.random.IntN(4) == 0 {
			m.Due += int64(w.random.IntN(5000))
		}
		if w.random.IntN(8) == 0 {
			m.Body += strings.Repeat(" ", short)
		}
		list = append(list, m)
		w.model.messages = append(w.model.messages, &modelled{body: m.Body, group: m.Group, due: time.UnixMilli(m.Due)})
	}
	w.update(func(tx store.Tx) error { return Send(tx, w.q, w.now, list...) })
	for _, m := range list {
		w.bodies[m.Number] = m.Body
		w.note("%v send %s to %s, due %d", w.now.UnixMilli(), m.ID, m.Group, m.Due)
	}
}

func (w *walk) receive() {
	limit, visibility := 1+w.random.IntN(10), time.Duration(w.random.IntN(4))*time.Second
	possible := w.model.receivable(w.now)
	var got []*Message
	w.update(func(tx store.Tx) (err error) {
		got, err = Receive(tx, w.q, Receipt{Now: w.now, Limit: limit, Visibility: visibility})
		return err
	})
	w.note("%v receive up to %d for %v: %d", w.now.UnixMilli(), limit, visibility, len(got))
	if want := min(limit, len(possible)); len(got) != want {
		w.failf("received %d messages, want %d", len(got), want)
	}
	last := map[string]int{}
	for _, m := range got {
		i := slices.IndexFunc(possible, func(p *modelled) bool { return p.body == m.Body })
		if i < 0 {
			w.failf("received %s, which cannot be", m.ID)
		}
		if w.model.fifo {
			for _, before := range possible[:i] {
				if before.group == m.Group && before.token != m.Token && !slices.ContainsFunc(got, func(g *Message) bool { return g.Body == before.body }) {
					w.failf("received %s before %s of the same group", m.ID, before.body)
				}
			}
			if i < last[m.Group] {
				w.failf("received %s out of order", m.ID)
			}
			last[m.Group] = i
		}
		w.handles = append(w.handles, w.q.Handle(m))
	}
	for _, m := range got {
		one := w.model.find(m.Body)
		one.token, one.due = m.Token, w.now.Add(visibility)
	}
}

// held tells what a handle leads to: a message, or why none.
func (w *walk) held(h Handle) (*modelled, error) {
	one := w.model.find(w.bodies[h.Number])
	switch {
	case one == nil || one.token != h.Token:
		return nil, ErrNoMessage
	case w.model.fifo && !one.inFlight(w.now):
		return nil, ErrExpired
	}
	return one, nil
}

func (w *walk) remove() {
	if len(w.handles) == 0 {
		return
	}
	h := w.handles[w.random.IntN(len(w.handles))]
	one, want := w.held(h)
	w.update(func(tx store.Tx) error {
		each, err := DeleteMessages(tx, w.q, w.now, h)
		if err == nil && !errors.Is(each[0], want) {
			err = fmt.Errorf("delete: got %w, want %w", each[0], want)
		}
		return err
	})
	w.note("%v delete %d: %v", w.now.UnixMilli(), h.Number, want)
	w.model.messages = slices.DeleteFunc(w.model.messages, func(m *modelled) bool { return m == one })
}

func (w *walk) change() {
	if len(w.handles) == 0 {
		return
	}
	h, visibility := w.handles[w.random.IntN(len(w.handles))], time.Duration(w.random.IntN(4))*time.Second
	one, want := w.held(h)
	w.update(func(tx store.Tx) error {
		each, err := ChangeVisibility(tx, w.q, w.now, Change{h, visibility})
		if err == nil && !errors.Is(each[0], want) {
			err = fmt.Errorf("change: got %w, want %w", each[0], want)
		}
		return err
	})
	w.note("%v change %d to %v: %v", w.now.UnixMilli(), h.Number, visibility, want)
	if one != nil {
		one.due = w.now.Add(visibility)
	}
}

// check compares counts, and that Ready tells the truth.
func (w *walk) check() {
	var want Counts
	for _, one := range w.model.messages {
		switch {
		case one.inFlight(w.now):
			want.InFlight++
		case one.due.After(w.now):
			want.Delayed++
		default:
			want.Visible++
		}
	}
	if err := w.db.View(w.Context(), func(r store.Reader) error {
		got, err := Count(r, w.q, w.now)
		if err != nil {
			return err
		}
		if total := want.Visible + want.InFlight + want.Delayed; got.Visible+got.InFlight+got.Delayed != total {
			w.failf("counted %+v, want %d in all", got, total)
		}
		// Behind a message that is delayed nothing of a FIFO queue's group is looked at.
		if !w.model.fifo && got != want || got.InFlight != want.InFlight {
			w.failf("counted %+v, want %+v", got, want)
		}
		ready, _, err := Ready(r, w.q, w.now)
		if possible := len(w.model.receivable(w.now)) > 0; err == nil && ready != possible {
			w.failf("ready is %v, want %v", ready, possible)
		}
		return err
	}); err != nil {
		w.Fatal(err)
	}
}

// FuzzModel does what random numbers say on a queue and on a list, and compares.
func FuzzModel(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(seed, seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, fifo bool) {
		w := &walk{
			T: t, random: rand.New(rand.NewPCG(seed, 1)), db: storetest.New(t), model: &model{fifo: fifo}, now: time.UnixMilli(1_700_000_000_000),
			bodies: map[uint64]string{},
			q: &Queue{ARN: "arn:aws:sqs:us-east-1:111111111111:q", Account: "111111111111", Region: "us-east-1", Name: "q", Attributes: map[string]string{
				"FifoQueue": fmt.Sprint(fifo), "MessageRetentionPeriod": "345600",
			}},
		}
		w.update(func(tx store.Tx) error { return Create(tx, w.q) })
		for range 150 {
			switch w.random.IntN(6) {
			case 0, 1:
				w.send()
			case 2, 3:
				w.receive()
			case 4:
				w.remove()
			case 5:
				w.change()
			}
			if w.random.IntN(2) == 0 {
				w.now = w.now.Add(time.Duration(w.random.IntN(2000)) * time.Millisecond)
			}
			w.check()
		}
		w.update(func(tx store.Tx) error { return Delete(tx, w.q, w.now) })
		if err := w.db.View(t.Context(), func(r store.Reader) error {
			items, err := r.Scan("sqs/", "", 0)
			if len(items) != 1 { // that it was deleted
				t.Errorf("%d keys are left", len(items))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}
