package queue

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/store"
)

// Handle names a message as one receive gave it.
type Handle struct {
	Queue  string `json:"q"` // its id
	Number uint64 `json:"n"`
	Token  string `json:"t"`
}

// Handle gives that of a message that was received.
func (q *Queue) Handle(m *Message) Handle { return Handle{q.ID, m.Number, m.Token} }

// String is the handle as receivers get it.
func (h Handle) String() string {
	return base64.StdEncoding.EncodeToString([]byte(h.Queue + " " + number(h.Number) + " " + h.Token))
}

// ErrHandle says that a text is no handle, or that of another queue.
var ErrHandle = errors.New("queue: not a receipt handle of this queue")

// ParseHandle reads a handle of this queue.
func (q *Queue) ParseHandle(text string) (Handle, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	parts := strings.Split(string(b), " ")
	if err != nil || len(parts) != 3 || parts[0] != q.ID || parts[2] == "" {
		return Handle{}, ErrHandle
	}
	n, err := strconv.ParseUint(parts[1], 16, 64)
	if err != nil || number(n) != parts[1] {
		return Handle{}, ErrHandle
	}
	return Handle{q.ID, n, parts[2]}, nil
}

// The ways in which a handle does not lead to its message.
var (
	// ErrNoMessage says that it was deleted, or received again.
	ErrNoMessage = errors.New("queue: the message is not there, or was received again")
	// ErrExpired says that its visibility timeout is over, which counts in a FIFO queue alone.
	ErrExpired = errors.New("queue: the receipt handle has expired")
	// ErrTooLong says that it would be with its receiver for longer than MaxVisibility.
	ErrTooLong = errors.New("queue: the visibility timeout is too long")
)

// MaxVisibility is how long a message may be in flight after a receive.
const MaxVisibility = 12 * time.Hour

// held finds the message of a handle.
func (q *Queue) held(tx store.Tx, h Handle, now time.Time) (*found, error) {
	m, content, err := q.find(tx, h.Number)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, ErrNoMessage
	case err != nil:
		return nil, err
	case m.Token != h.Token:
		return nil, ErrNoMessage
	case q.FIFO && !m.InFlight(now):
		return nil, ErrExpired
	}
	return &found{m, content}, nil
}

// DeleteMessages deletes the messages of handles. Each has its error: nil, ErrNoMessage or ErrExpired. err is of the store, or ErrGone.
func DeleteMessages(tx store.Tx, q *Queue, now time.Time, handles ...Handle) (each []error, err error) {
	c, err := q.count(tx)
	if err != nil {
		return nil, err
	}
	each, o, before := make([]error, len(handles)), q.order(tx), c
	for i, h := range handles {
		m, err := q.held(tx, h, now)
		if each[i] = refusal(err); each[i] != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		c.Messages--
		if err := q.remove(tx, o, m.Message); err != nil {
			return nil, err
		}
	}
	if c == before {
		return each, nil
	}
	return each, errors.Join(o.settle(now), q.putCount(tx, c))
}

// refusal gives the errors that are about one handle.
func refusal(err error) error {
	if errors.Is(err, ErrNoMessage) || errors.Is(err, ErrExpired) || errors.Is(err, ErrTooLong) {
		return err
	}
	return nil
}

// Change is a new visibility timeout of a message, from now on.
type Change struct {
	Handle
	Visibility time.Duration
}

// ChangeVisibility changes visibility timeouts. Errors are those of DeleteMessages, and ErrTooLong.
func ChangeVisibility(tx store.Tx, q *Queue, now time.Time, changes ...Change) (each []error, err error) {
	if _, err := q.count(tx); err != nil {
		return nil, err
	}
	each, o := make([]error, len(changes)), q.order(tx)
	for i, change := range changes {
		m, err := q.held(tx, change.Handle, now)
		if err == nil && now.Add(change.Visibility).UnixMilli() > m.Last+MaxVisibility.Milliseconds() {
			err = ErrTooLong
		}
		if each[i] = refusal(err); each[i] != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		before := m.Due
		m.Due = now.Add(change.Visibility).UnixMilli()
		if err := errors.Join(q.put(tx, m.Message, m.content), o.shift(m.Message, before)); err != nil {
			return nil, err
		}
	}
	return each, o.settle(now)
}
