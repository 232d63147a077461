package queue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/licet/licet/internal/store"
)

// Message is a message with its state. Times are in milliseconds.
type Message struct {
	ID   string `json:"i"`
	Sent int64  `json:"s"`
	// Due is when it can be received: the end of its delay or of its visibility timeout.
	Due int64 `json:"d"`
	// Receives is how often it was received, First and Last when.
	Receives int   `json:"n,omitempty"`
	First    int64 `json:"f,omitempty"`
	Last     int64 `json:"l,omitempty"`
	// Token is that of the last receive; "" before the first.
	Token string `json:"t,omitempty"`
	// Sender is the unique id of who sent it.
	Sender string `json:"u,omitempty"`
	Trace  string `json:"x,omitempty"`
	Group  string `json:"g,omitempty"`
	// Deduplication is the id by which a queue with order knows that it was sent before.
	Deduplication string `json:"p,omitempty"`
	// Source is the ARN of the queue whose dead letter it is.
	Source string `json:"o,omitempty"`
	// Apart tells that the content is in a row of its own.
	Apart bool `json:"a,omitempty"`

	// Number of the message in its queue.
	Number  uint64 `json:"-"`
	Content `json:"-"`
}

// Content is what does not change. Of messages that were found by their handle it is not read.
type Content struct {
	Body       string               `json:"b"`
	Attributes map[string]Attribute `json:"a,omitempty"`
}

// Attribute is a message attribute: a text, or bytes.
type Attribute struct {
	Type  string  `json:"t"`
	Text  *string `json:"s,omitempty"`
	Bytes []byte  `json:"b,omitempty"`
}

// InFlight tells whether the message is with a receiver.
func (m *Message) InFlight(now time.Time) bool { return m.Token != "" && m.Due > now.UnixMilli() }

// short is how long the content of a message may be that is written again with each change of its state, in bytes.
const short = 2048

func number(n uint64) string { return fmt.Sprintf("%016x", n) }

func (q *Queue) messagePrefix() string { return "sqs/message/" + q.ID + "/" }

func (q *Queue) messageKey(n uint64) string { return q.messagePrefix() + number(n) }

// numberOf reads the number off the key of a message.
func (q *Queue) numberOf(key string) (uint64, error) {
	n, err := strconv.ParseUint(key[len(q.messagePrefix()):], 16, 64)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	return n, nil
}

// past tells whether a message is past the queue's retention.
func (q *Queue) past(m *Message, now time.Time) bool {
	return m.Sent+q.Retention.Milliseconds() <= now.UnixMilli()
}

func (q *Queue) contentKey(n uint64) string { return "sqs/content/" + q.ID + "/" + number(n) }

// add keeps a new message.
func (q *Queue) add(tx store.Tx, m *Message) error {
	content, err := json.Marshal(m.Content)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if m.Apart = len(content) > short; m.Apart {
		err = tx.Put(q.contentKey(m.Number), content)
		content = nil
	}
	return errors.Join(err, q.put(tx, m, content))
}

// put keeps the state of a message, followed by its content if that is short.
func (q *Queue) put(tx store.Tx, m *Message, content []byte) error {
	row, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return tx.Put(q.messageKey(m.Number), append(append(row, '\n'), content...))
}

// find reads a message; its content is not read, but given as it is kept. store.ErrNotFound if it is not there.
func (q *Queue) find(r store.Reader, n uint64) (*Message, []byte, error) {
	item, err := r.Get(q.messageKey(n))
	if err != nil {
		return nil, nil, err
	}
	state, content, _ := bytes.Cut(item.Value, []byte("\n")) // JSON has no line feed of its own
	m := &Message{Number: n}
	if err := json.Unmarshal(state, m); err != nil {
		return nil, nil, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	return m, content, nil
}

// read reads the content of a message that was found with it.
func (q *Queue) read(r store.Reader, m *Message, content []byte) error {
	if m.Apart {
		item, err := r.Get(q.contentKey(m.Number))
		if err != nil {
			return fmt.Errorf("read content of message %s: %w", m.ID, err)
		}
		content = item.Value
	}
	if err := json.Unmarshal(content, &m.Content); err != nil {
		return fmt.Errorf("decode content of message %s: %w", m.ID, err)
	}
	return nil
}

// remove deletes a message and its place in the order.
func (q *Queue) remove(tx store.Tx, o order, m *Message) error {
	err := errors.Join(tx.Delete(q.messageKey(m.Number)), o.leave(m))
	if m.Apart {
		err = errors.Join(err, tx.Delete(q.contentKey(m.Number)))
	}
	return err
}

// dueKey is a place in the index; what is the number of a message or the name of a group.
func (q *Queue) dueKey(due int64, what string) string {
	return q.duePrefix() + dueTime(due) + "-" + what
}

func (q *Queue) duePrefix() string { return DuePrefix + q.ID + "/" }

// DuePrefix begins the keys of the index of all queues. The id of the queue follows, with a slash at its end.
const DuePrefix = "sqs/due/"

// dueTime has a fixed width until the year 2286.
func dueTime(due int64) string { return fmt.Sprintf("%013d", due) }

// place reads a key of the index.
func (q *Queue) place(key string) (due int64, what string, err error) {
	const width = 13
	rest := key[len(q.duePrefix()):]
	if len(rest) < width+1 {
		return 0, "", fmt.Errorf("%s is no place in the index", key)
	}
	due, err = strconv.ParseInt(rest[:width], 10, 64)
	return due, rest[width+1:], err
}
