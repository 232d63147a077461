// Package store is the contract of the small transactional state: accounts, users, policies, functions, decisions.
//
// It is a sorted map from string keys to bytes, with serializable transactions, revisions and a change feed. It knows nothing of
// what it keeps and never authorizes; clocks serve only to say how old the news of other processes are. A DB is safe for concurrent use. What Update acknowledged is durable: it
// survives a crash of the process and a loss of power. After an error from Update nothing was changed, unless the error wraps
// ErrUncertain. Engines are in the folders below and pass storetest.
//
// Keys are paths such as "iam/000000000000/user/alice": no NUL bytes, at most MaxKey long, compared bytewise. The first element names the owner; each
// package keeps to its own prefix.
//
// To add an engine: a folder that passes storetest, and one case in cmd/licet.
package store

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrNotFound is what Get returns for a key that is not there.
	ErrNotFound = errors.New("store: not found")
	// ErrUncertain means that a commit's outcome is not known.
	ErrUncertain = errors.New("store: outcome of the commit is unknown")
)

// MaxKey is how long a key may be, in bytes. PostgreSQL's index has room for a little more: a third of a page
// (https://www.postgresql.org/docs/current/btree.html).
const MaxKey = 2600

// MaxValue is how long a value may be, in bytes. Engines could take more, and would hold up everybody else: what is large belongs in a
// blob store.
const MaxValue = 64 << 20

// MaxAge bounds how old what is remembered of a store may be when it is used: others' commits that are older have been told of.
const MaxAge = time.Second

// Current tells whether what a watcher remembers may be used: told is DB.Told, asked for before the memory was looked at, so that a process
// that is stopped in between does not take the one for the other. What is not current must be read from the store.
//
// Both clocks must agree: that of Linux which never jumps does not count the time in which a machine sleeps, and the other one does. A
// virtual machine that is paused by its host with both of them learns of it when its clock is set.
func Current(told time.Time) bool {
	now := time.Now()
	return now.Sub(told) <= MaxAge && now.Round(0).Sub(told.Round(0)) <= MaxAge
}

// Item is a key with its value. The value belongs to the receiver.
type Item struct {
	Key   string
	Value []byte
	// Revision of the last change: the number of the transaction that made it. Later transactions have larger numbers.
	Revision int64
}

// Reader reads a consistent snapshot. It is valid only inside its View or Update and not for concurrent use.
type Reader interface {
	// Get returns the item at key, or ErrNotFound.
	Get(key string) (Item, error)
	// Scan returns up to limit items whose keys start with prefix and are greater than after, in key order. limit <= 0: all.
	Scan(prefix, after string, limit int) ([]Item, error)
	// ScanReverse is Scan from the end: keys less than before ("" for no bound), in descending order.
	ScanReverse(prefix, before string, limit int) ([]Item, error)
}

// Tx reads and writes. It sees its own writes.
type Tx interface {
	Reader
	// Put keeps value, of at most MaxValue bytes, at key; the engine copies value.
	Put(key string, value []byte) error
	// Delete removes key; it is no error when the key is not there.
	Delete(key string) error
	// DeletePrefix removes every key that starts with prefix, which must not be empty.
	DeletePrefix(prefix string) error
	// Revision is the number this transaction will have.
	Revision() int64
}

// DB is a store.
type DB interface {
	// View runs fn on a snapshot. Neither View nor Update may be called inside fn.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn in a serializable transaction and commits it durably if fn returns nil. fn may run more than once and must
	// have no effects outside the transaction.
	Update(ctx context.Context, fn func(Tx) error) error
	// Watch calls fn with the changed keys (or, for DeletePrefix, the prefix, marked by a trailing "*") after each commit: for
	// commits of this process before Update returns, for others soon after. An engine that does not know which keys changed gives
	// a shorter prefix, or "*" for all. Calls are serial. fn must be quick and must not use the DB, nor change or keep the slice.
	// stop ends it, and waits for a call of fn that runs.
	Watch(fn func(changed []string)) (stop func())
	// Told is a moment: the watchers have been told of every commit, of any process, that was acknowledged before it. It stays behind
	// when the engine cannot learn of others' commits. It waits for nothing and does not allocate. See Current.
	Told() time.Time
	// Close waits for running transactions. It does not lose what was acknowledged.
	Close() error
}

// Clocked is a DB with a time of day, which all who use it share.
type Clocked interface {
	// Time is what its clock has shown, and at which moment of this process, with a monotonic reading. It waits for nothing: the moment may
	// be long past when the store cannot be reached.
	Time() (shown, at time.Time)
}
