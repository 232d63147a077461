package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/licet/licet/internal/store"
)

// Queue is a queue as it is kept.
type Queue struct {
	// ID is unique in the store, also among queues that had the same name.
	ID      string `json:"id"`
	ARN     string `json:"arn"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Name    string `json:"name"`
	// Created and Modified in seconds; Purged in milliseconds, 0 for never.
	Created  int64 `json:"created"`
	Modified int64 `json:"modified"`
	Purged   int64 `json:"purged,omitempty"`
	// Attributes are those that can be set, by their names in the API, with their defaults.
	Attributes map[string]string `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`

	// Settings are what the attributes say.
	Settings `json:"-"`
}

// Settings of a queue.
type Settings struct {
	FIFO                               bool
	Delay, Retention, Visibility, Wait time.Duration
	MaxSize                            int
	// Deduplicate takes a hash of the body for a message's deduplication id; ByGroup compares ids within groups only.
	Deduplicate, ByGroup bool
	// DeadLetter is the ARN of the dead-letter queue, to which messages go after MaxReceives; "" for none.
	DeadLetter  string
	MaxReceives int
}

// Redrive is the attribute RedrivePolicy.
type Redrive struct {
	DeadLetterTargetARN string `json:"deadLetterTargetArn"`
	MaxReceiveCount     Number `json:"maxReceiveCount"`
}

// Number is a number that may be written as a text.
type Number int

// UnmarshalJSON reads either form.
func (n *Number) UnmarshalJSON(b []byte) error {
	text := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
	}
	i, err := strconv.Atoi(text)
	*n = Number(i)
	return err
}

// Parse reads the settings off the attributes, which were checked when they were set.
func (q *Queue) Parse() error {
	a := q.Attributes
	seconds := func(name string) time.Duration {
		n, _ := strconv.Atoi(a[name]) // 0 if it is not there
		return time.Duration(n) * time.Second
	}
	size, _ := strconv.Atoi(a["MaximumMessageSize"])
	q.Settings = Settings{
		FIFO: a["FifoQueue"] == "true", Delay: seconds("DelaySeconds"), Retention: seconds("MessageRetentionPeriod"),
		Visibility: seconds("VisibilityTimeout"), Wait: seconds("ReceiveMessageWaitTimeSeconds"), MaxSize: size,
		Deduplicate: a["ContentBasedDeduplication"] == "true", ByGroup: a["DeduplicationScope"] == "messageGroup",
	}
	if text := a["RedrivePolicy"]; text != "" {
		var r Redrive
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return fmt.Errorf("read redrive policy of %s: %w", q.ARN, err)
		}
		q.DeadLetter, q.MaxReceives = r.DeadLetterTargetARN, int(r.MaxReceiveCount)
	}
	return nil
}

// Prefix begins the keys of all queues, and Scope of those of an account in a region.
const Prefix = "sqs/queue/"

// Scope begins the keys of an account's queues in a region.
func Scope(account, region string) string { return Prefix + account + "/" + region + "/" }

// Key is where a queue is kept.
func Key(account, region, name string) string { return Scope(account, region) + name }

func (q *Queue) key() string { return Key(q.Account, q.Region, q.Name) }

// Decode makes a queue of its item.
func Decode(item store.Item) (*Queue, error) {
	q, err := store.DecodeJSON[*Queue](item)
	if err != nil {
		return nil, err
	}
	return q, q.Parse()
}

// Get reads a queue; store.ErrNotFound if it is not there.
func Get(r store.Reader, key string) (*Queue, error) {
	item, err := r.Get(key)
	if err != nil {
		return nil, err
	}
	return Decode(item)
}

// Put keeps a queue that is there.
func Put(tx store.Tx, q *Queue) error { return store.PutJSON(tx, q.key(), q) }

// Create makes a queue. A transaction makes one.
func Create(tx store.Tx, q *Queue) error {
	q.ID = strconv.FormatInt(tx.Revision(), 36)
	if err := q.Parse(); err != nil {
		return err
	}
	return errors.Join(Put(tx, q), q.putCount(tx, count{}), tx.Delete(q.deletedKey()))
}

// Delete deletes a queue with its messages.
func Delete(tx store.Tx, q *Queue, now time.Time) error {
	return errors.Join(
		tx.Delete(q.key()), tx.Delete(q.countKey()), q.drop(tx), store.PutJSON(tx, q.deletedKey(), now.UnixMilli()),
		tx.DeletePrefix("sqs/known/"+q.ID+"/"), tx.DeletePrefix("sqs/forget/"+q.ID+"/"),
	)
}

// Deleted tells when a queue of that name was last deleted; the zero time for never.
func Deleted(r store.Reader, account, region, name string) (time.Time, error) {
	at, err := store.GetJSON[int64](r, deletedPrefix+account+"/"+region+"/"+name)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	return time.UnixMilli(at), err
}

const deletedPrefix = "sqs/deleted/"

func (q *Queue) deletedKey() string {
	return deletedPrefix + q.Account + "/" + q.Region + "/" + q.Name
}

// Purge deletes all messages.
func Purge(tx store.Tx, q *Queue, now time.Time) error {
	c, err := q.count(tx)
	if err != nil {
		return err
	}
	c.Messages = 0
	q.Purged = now.UnixMilli()
	return errors.Join(q.drop(tx), q.putCount(tx, c), Put(tx, q))
}

// drop deletes all that there is of messages.
func (q *Queue) drop(tx store.Tx) error {
	var errs []error
	for _, kind := range []string{"message/", "content/", "due/", "group/", "line/"} {
		errs = append(errs, tx.DeletePrefix("sqs/"+kind+q.ID+"/"))
	}
	return errors.Join(errs...)
}

// count is what a queue counts.
type count struct {
	Messages int64  `json:"m"`
	Last     uint64 `json:"l"` // number of a message
}

// ErrGone says that the queue is not there any more.
var ErrGone = errors.New("queue: it was deleted")

func (q *Queue) countKey() string { return "sqs/count/" + q.ID }

// count reads the counts. All changes of messages begin with it: it is how they see that the queue, which may come from a cache, is there.
func (q *Queue) count(r store.Reader) (count, error) {
	c, err := store.GetJSON[count](r, q.countKey())
	if errors.Is(err, store.ErrNotFound) {
		err = ErrGone
	}
	return c, err
}

func (q *Queue) putCount(tx store.Tx, c count) error { return store.PutJSON(tx, q.countKey(), c) }
