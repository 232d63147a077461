package queue

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/licet/licet/internal/store"
)

// order is how the messages of a queue follow each other, for one transaction.
type order interface {
	// enter puts a new message in its place; leave takes one out.
	enter(m *Message) error
	leave(m *Message) error
	// shift follows a change of when a message is due: it was due before.
	shift(m *Message, before int64) error
	// next gives up to limit messages that are due, beginning after what it gave before; wait is when the next will be, 0 for none.
	next(now time.Time, limit int) (due []*found, wait int64, err error)
	// settle ends the changes.
	settle(now time.Time) error
}

// found is a message with its content as it is kept.
type found struct {
	*Message
	content []byte
}

func (q *Queue) order(tx store.Tx) order {
	if q.FIFO {
		return &groups{q: q, r: tx, tx: tx, touched: map[string]bool{}}
	}
	return &free{q: q, tx: tx, moved: map[uint64]bool{}}
}

// free is the order of standard queues: by when messages are due.
type free struct {
	q     *Queue
	tx    store.Tx
	after string // what next gave last
	// moved are the messages that have another place since, where next must not meet them again: they may be due at once.
	moved map[uint64]bool
}

// The values of the index tell why a message is not due.
var (
	delayed  = []byte("d")
	inFlight = []byte("f")
)

func (o *free) key(m *Message, due int64) string { return o.q.dueKey(due, number(m.Number)) }

func (o *free) enter(m *Message) error { return o.tx.Put(o.key(m, m.Due), delayed) }

func (o *free) leave(m *Message) error { return o.tx.Delete(o.key(m, m.Due)) }

func (o *free) shift(m *Message, before int64) error {
	o.moved[m.Number] = true
	return errors.Join(o.tx.Delete(o.key(m, before)), o.tx.Put(o.key(m, m.Due), inFlight))
}

func (o *free) settle(time.Time) error { return nil }

func (o *free) next(now time.Time, limit int) (list []*found, wait int64, err error) {
	for {
		items, err := o.tx.Scan(o.q.duePrefix(), o.after, limit)
		if err != nil {
			return nil, 0, err
		}
		for _, item := range items {
			due, what, err := o.q.place(item.Key)
			if err != nil {
				return nil, 0, err
			}
			if due > now.UnixMilli() {
				return list, due, nil
			}
			o.after = item.Key
			m, err := o.found(what)
			if err != nil {
				return nil, 0, err
			}
			if !o.moved[m.Number] {
				list = append(list, m)
			}
		}
		if len(list) > 0 || len(items) < limit {
			return list, 0, nil
		}
	}
}

// found reads the message that has a place in the index.
func (o *free) found(what string) (*found, error) {
	n, err := strconv.ParseUint(what, 16, 64)
	if err != nil {
		return nil, fmt.Errorf("read a place in the index: %w", err)
	}
	m, content, err := o.q.find(o.tx, n)
	if err != nil {
		return nil, fmt.Errorf("find message %d of the index: %w", n, err)
	}
	return &found{m, content}, nil
}

// groups is the order of FIFO queues: that in which the messages of a group were sent.
type groups struct {
	q  *Queue
	r  store.Reader
	tx store.Tx // nil for who only reads
	// touched are the groups whose time must be found again.
	touched map[string]bool
	after   string // the place of the last group that next began
	group   string // the group that next is in; "" for none
	last    string // key of the last message of it
}

// most is how many messages one receive gives, and so how many of a group can be in flight.
const most = 10

// groupName is a group as a part of keys.
func groupName(group string) string { return base64.RawURLEncoding.EncodeToString([]byte(group)) }

func (o *groups) groupKey(name string) string { return "sqs/group/" + o.q.ID + "/" + name }

func (o *groups) linePrefix(name string) string { return "sqs/line/" + o.q.ID + "/" + name + "/" }

func (o *groups) lineKey(m *Message) string {
	return o.linePrefix(groupName(m.Group)) + number(m.Number)
}

// enter opens a group with its first message. Those that follow change nothing: they wait for it.
func (o *groups) enter(m *Message) error {
	if err := o.tx.Put(o.lineKey(m), nil); err != nil {
		return err
	}
	name := groupName(m.Group)
	_, err := o.tx.Get(o.groupKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return o.setDue(name, 0, m.Due)
	}
	return err
}

func (o *groups) leave(m *Message) error {
	o.touched[groupName(m.Group)] = true
	return o.tx.Delete(o.lineKey(m))
}

func (o *groups) shift(m *Message, _ int64) error {
	o.touched[groupName(m.Group)] = true
	return nil
}

// setDue moves a group in the index; 0 stands for not there.
func (o *groups) setDue(name string, before, due int64) error {
	var err error
	if before != 0 {
		err = o.tx.Delete(o.q.dueKey(before, name))
	}
	if due == 0 {
		return errors.Join(err, o.tx.Delete(o.groupKey(name)))
	}
	return errors.Join(err, o.tx.Put(o.q.dueKey(due, name), nil), store.PutJSON(o.tx, o.groupKey(name), due))
}

// settle finds when the groups are due whose messages changed.
func (o *groups) settle(now time.Time) error {
	for name := range o.touched {
		before, err := store.GetJSON[int64](o.tx, o.groupKey(name))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		due, err := o.due(name, now)
		if err != nil {
			return err
		}
		if err := o.setDue(name, before, due); err != nil {
			return err
		}
	}
	clear(o.touched)
	return nil
}

// due is when a group can be received from: when none of its messages is in flight, and the delay of the first is over; 0 for one
// without messages.
func (o *groups) due(name string, now time.Time) (int64, error) {
	first, err := o.messages(name, "", most)
	if err != nil || len(first) == 0 {
		return 0, err
	}
	var due int64
	for _, m := range first {
		if m.InFlight(now) {
			due = max(due, m.Due)
		}
	}
	if due == 0 {
		due = first[0].Due
	}
	return due, nil
}

// messages reads up to limit messages of a group.
func (o *groups) messages(name, after string, limit int) ([]*found, error) {
	items, err := o.r.Scan(o.linePrefix(name), after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]*found, len(items))
	for i, item := range items {
		n, err := strconv.ParseUint(item.Key[len(o.linePrefix(name)):], 16, 64)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", item.Key, err)
		}
		m, content, err := o.q.find(o.r, n)
		if err != nil {
			return nil, fmt.Errorf("find what %s stands for: %w", item.Key, err)
		}
		list[i] = &found{m, content}
	}
	return list, nil
}

// next gives messages of one group at a time.
func (o *groups) next(now time.Time, limit int) (list []*found, wait int64, err error) {
	for {
		if o.group == "" {
			items, err := o.r.Scan(o.q.duePrefix(), o.after, 1)
			if err != nil || len(items) == 0 {
				return nil, 0, err
			}
			due, name, err := o.q.place(items[0].Key)
			if err != nil {
				return nil, 0, err
			}
			if due > now.UnixMilli() {
				return nil, due, nil
			}
			o.after, o.group, o.last = items[0].Key, name, ""
		}
		all, err := o.messages(o.group, o.last, limit)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range all {
			if m.Due > now.UnixMilli() { // nothing passes it
				break
			}
			o.last = o.lineKey(m.Message)
			list = append(list, m)
		}
		if len(list) < limit {
			o.group = ""
		}
		if len(list) > 0 {
			return list, 0, nil
		}
	}
}
