package queue

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

var errBroken = errors.New("the disk is broken")

// faulty is a transaction in which one call fails: the one after so many.
type faulty struct {
	store.Tx
	left *int
}

func (f faulty) fail() error {
	*f.left--
	if *f.left == -1 {
		return errBroken
	}
	return nil
}

func (f faulty) Get(key string) (store.Item, error) {
	if err := f.fail(); err != nil {
		return store.Item{}, err
	}
	return f.Tx.Get(key)
}

func (f faulty) Scan(prefix, after string, limit int) ([]store.Item, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Tx.Scan(prefix, after, limit)
}

func (f faulty) Put(key string, value []byte) error {
	return errors.Join(f.fail(), f.Tx.Put(key, value))
}

func (f faulty) Delete(key string) error { return errors.Join(f.fail(), f.Tx.Delete(key)) }

func (f faulty) DeletePrefix(prefix string) error {
	return errors.Join(f.fail(), f.Tx.DeletePrefix(prefix))
}

// setting is a queue with messages in all of their states, with a dead-letter queue.
type setting struct {
	q, dead *Queue
	// held are handles of messages in flight.
	held []Handle
	now  time.Time
}

func newSetting(t *testing.T, db store.DB, fifo bool) *setting {
	t.Helper()
	s := &setting{now: time.UnixMilli(1_700_000_000_000)}
	create := func(name string, attributes map[string]string) *Queue {
		attributes["FifoQueue"], attributes["MessageRetentionPeriod"] = fmt.Sprint(fifo), "345600"
		q := &Queue{ARN: "arn:aws:sqs:r:1:" + name, Account: "1", Region: "r", Name: name, Attributes: attributes}
		if err := db.Update(context.Background(), func(tx store.Tx) error { return Create(tx, q) }); err != nil {
			t.Fatal(err)
		}
		return q
	}
	s.dead = create("dead", map[string]string{})
	s.q = create("q", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:r:1:dead","maxReceiveCount":2}`})
	if err := db.Update(context.Background(), func(tx store.Tx) error {
		old := message("old", "o", s.now.Add(-5*24*time.Hour))
		long := message("long", "l", s.now)
		long.Body = fmt.Sprintf("%5000d", 1)
		err := Send(tx, s.q, s.now, old, message("a", "a", s.now), message("b", "a", s.now), message("dead", "d", s.now), long)
		for range 2 {
			got, receiveErr := Receive(tx, s.q, Receipt{Now: s.now, Limit: 10})
			for _, m := range got {
				if m.ID == "a" || m.ID == "b" || m.ID == "long" {
					_, changeErr := ChangeVisibility(tx, s.q, s.now, Change{s.q.Handle(m), time.Minute})
					s.held, err = append(s.held, s.q.Handle(m)), errors.Join(err, changeErr)
				}
			}
			err = errors.Join(err, receiveErr)
		}
		return errors.Join(err, Send(tx, s.q, s.now, message("c", "c", s.now)))
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func message(id, group string, at time.Time) *Message {
	return &Message{ID: id, Sent: at.UnixMilli(), Due: at.UnixMilli(), Group: group, Deduplication: id, Content: Content{Body: id}}
}

// Whatever call of the store fails, the operation does, so that its transaction is given up.
func TestStoreErrors(t *testing.T) {
	for name, operation := range map[string]func(store.Tx, *setting) error{
		"send": func(tx store.Tx, s *setting) error {
			long := message("x", "a", s.now)
			long.Body = fmt.Sprintf("%5000d", 1)
			return Send(tx, s.q, s.now.Add(window), long, message("y", "new", s.now), message("y", "new", s.now))
		},
		"receive": func(tx store.Tx, s *setting) error {
			_, err := Receive(tx, s.q, Receipt{Now: s.now, Limit: 10, Visibility: time.Minute})
			return err
		},
		"attempt": func(tx store.Tx, s *setting) error {
			if !s.q.FIFO {
				return nil
			}
			_, err := Receive(tx, s.q, Receipt{Now: s.now, Limit: 1, Visibility: time.Minute, Attempt: "x"})
			if err == nil {
				_, err = Receive(tx, s.q, Receipt{Now: s.now, Limit: 1, Visibility: time.Minute, Attempt: "x"})
			}
			return err
		},
		"delete": func(tx store.Tx, s *setting) error {
			_, err := DeleteMessages(tx, s.q, s.now, s.held...)
			return err
		},
		"change": func(tx store.Tx, s *setting) error {
			_, err := ChangeVisibility(tx, s.q, s.now, Change{s.held[0], time.Second}, Change{s.held[1], time.Second})
			return err
		},
		"move": func(tx store.Tx, s *setting) error {
			_, _, err := Move(tx, s.q, s.now, 10, func(*Message) (*Queue, error) { return s.dead, nil })
			return err
		},
		"count": func(tx store.Tx, s *setting) error {
			_, err := Count(tx, s.q, s.now)
			return err
		},
		"ready": func(tx store.Tx, s *setting) error {
			_, _, err := Ready(tx, s.q, s.now)
			return err
		},
		"expire": func(tx store.Tx, s *setting) error {
			_, err := Expire(tx, s.q, s.now.Add(5*24*time.Hour), 3)
			return err
		},
		"has expired": func(tx store.Tx, s *setting) error {
			_, err := HasExpired(tx, s.q, s.now)
			return err
		},
		"purge":        func(tx store.Tx, s *setting) error { return Purge(tx, s.q, s.now) },
		"delete queue": func(tx store.Tx, s *setting) error { return Delete(tx, s.q, s.now) },
		"forget deleted": func(tx store.Tx, s *setting) error {
			if err := Delete(tx, s.q, s.now); err != nil {
				return err
			}
			_, err := ForgetDeleted(tx, s.now, "", 10)
			return err
		},
	} {
		for _, fifo := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, fifo %v", name, fifo), func(t *testing.T) {
				db := storetest.Once(t)
				s := newSetting(t, db, fifo)
				calls := 0
				for ; ; calls++ {
					left := calls
					err := db.Update(context.Background(), func(tx store.Tx) error {
						err := operation(faulty{tx, &left}, s)
						if left < 0 && !errors.Is(err, errBroken) {
							t.Errorf("call %d of the store failed: got %v", calls+1, err)
						}
						return errors.Join(err, errBroken) // nothing is kept for the next
					})
					if left >= 0 { // none failed
						break
					}
					if !errors.Is(err, errBroken) {
						t.Fatal(err)
					}
				}
				if calls == 0 && name != "attempt" {
					t.Error("the store was not called")
				}
			})
		}
	}
}

// Each handle has its own error, and one that is refused does not keep the others from being served.
func TestEachHandle(t *testing.T) {
	db := storetest.Once(t)
	s := newSetting(t, db, false)
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		stale := s.held[0]
		stale.Token = "other"
		each, err := ChangeVisibility(tx, s.q, s.now, Change{stale, 0}, Change{s.held[0], MaxVisibility + 1e6}, Change{s.held[1], MaxVisibility})
		if err != nil || !errors.Is(each[0], ErrNoMessage) || !errors.Is(each[1], ErrTooLong) || each[2] != nil {
			t.Errorf("change: got %v, %v", each, err)
		}
		each, err = DeleteMessages(tx, s.q, s.now, stale, s.held[1], s.held[1])
		if err != nil || !errors.Is(each[0], ErrNoMessage) || each[1] != nil || !errors.Is(each[2], ErrNoMessage) {
			t.Errorf("delete: got %v, %v", each, err)
		}
		return Delete(tx, s.q, s.now)
	}); err != nil {
		t.Fatal(err)
	}
	for name, operation := range map[string]func(store.Tx) error{
		"send":    func(tx store.Tx) error { return Send(tx, s.q, s.now, message("x", "", s.now)) },
		"receive": func(tx store.Tx) error { _, err := Receive(tx, s.q, Receipt{Now: s.now, Limit: 1}); return err },
		"delete":  func(tx store.Tx) error { _, err := DeleteMessages(tx, s.q, s.now, s.held[0]); return err },
		"change":  func(tx store.Tx) error { _, err := ChangeVisibility(tx, s.q, s.now, Change{s.held[0], 0}); return err },
		"ready":   func(tx store.Tx) error { _, _, err := Ready(tx, s.q, s.now); return err },
		"count":   func(tx store.Tx) error { _, err := Count(tx, s.q, s.now); return err },
		"purge":   func(tx store.Tx) error { return Purge(tx, s.q, s.now) },
		"expire":  func(tx store.Tx) error { _, err := Expire(tx, s.q, s.now, 1); return err },
	} {
		if err := db.Update(t.Context(), operation); !errors.Is(err, ErrGone) {
			t.Errorf("%s of a queue that was deleted: got %v", name, err)
		}
	}
}
