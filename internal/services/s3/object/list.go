package object

import (
	"strings"

	"github.com/licet/licet/internal/store"
)

// Query is what a list is asked for.
type Query struct {
	Prefix, Delimiter string
	// After is the key behind which the list begins; "" for the first. AfterVersion begins it behind a version of that key.
	After, AfterVersion string
	// Max is how many entries are wanted, common prefixes among them.
	Max int
}

// Page is a part of a list. Entries are in order, and so are the common prefixes, among them.
type Page struct {
	Versions []Listed
	Prefixes []string
	// Truncated: there is more. Last is the key, or common prefix, of the last entry, and LastVersion its version.
	Truncated         bool
	Last, LastVersion string
}

// Listed is a version in a list.
type Listed struct {
	*Version
	Newest bool
}

// batch is how many versions are read at once.
const batch = 1000

// List gives the newest versions that are no markers.
func List(r store.Reader, bucket string, q Query) (Page, error) {
	l := lister{r: r, bucket: bucket, q: q}
	err := l.run()
	return l.page, err
}

// ListVersions gives all versions and markers.
func ListVersions(r store.Reader, bucket string, q Query) (Page, error) {
	l := lister{r: r, bucket: bucket, q: q, all: true}
	err := l.run()
	return l.page, err
}

// lister makes a page.
type lister struct {
	r      store.Reader
	bucket string
	q      Query
	all    bool // versions

	page Page
	last string // the key that was looked at last: older versions of it follow
	seen bool   // last is set
}

func (l *lister) run() error {
	if l.q.Max <= 0 {
		return nil
	}
	prefix := bucketPrefix(l.bucket) + path(l.q.Prefix)
	at, err := l.start()
	if err != nil {
		return err
	}
	for {
		// A common prefix may stand for any number of versions: it is not worth while to read many before one is met.
		size := batch
		if l.q.Delimiter != "" {
			size = min(batch, 2*l.q.Max+1)
		}
		items, err := l.r.Scan(prefix, at, size)
		if err != nil {
			return err
		}
		next := ""
		for _, item := range items {
			if at = item.Key; next != "" && at <= next {
				continue
			}
			v, err := decode(item)
			if err != nil {
				return err
			}
			var full bool
			if next, full = l.take(v); full {
				l.page.Truncated = true
				return nil
			}
		}
		if len(items) < size {
			return nil
		}
		at = max(at, next)
	}
}

// start is the place behind which the list begins.
func (l *lister) start() (string, error) {
	if l.q.After == "" {
		return "", nil
	}
	if l.q.AfterVersion != "" {
		v, err := Find(l.r, l.bucket, l.q.After, l.q.AfterVersion)
		if err == nil {
			newest, err := Newest(l.r, l.bucket, l.q.After)
			if err != nil {
				return "", err
			}
			l.last, l.seen = newest.Key, true
			return v.place, nil
		}
		if stamp, ok := stampOf(l.q.AfterVersion); ok { // it is gone by now
			return stamp.place(l.bucket, l.q.After), nil
		}
	}
	return versionsOf(l.bucket, l.q.After) + past, nil
}

// take adds a version to the page. skip is the place up to which there is nothing more to see; full tells that the version does not fit.
func (l *lister) take(v *Version) (skip string, full bool) {
	if prefix, ok := l.common(v.Key); ok {
		skip = bucketPrefix(l.bucket) + path(prefix) + past
		if prefix <= l.q.After {
			return skip, false
		}
		if v.Marker && !l.all { // another key may have the same prefix
			return versionsOf(l.bucket, v.Key) + past, false
		}
		if l.isFull() {
			return "", true
		}
		l.page.Prefixes = append(l.page.Prefixes, prefix)
		l.page.Last, l.page.LastVersion = prefix, ""
		return skip, false
	}
	newest := !l.seen || l.last != v.Key
	l.last, l.seen = v.Key, true
	if !l.all {
		skip = versionsOf(l.bucket, v.Key) + past
		if !newest || v.Marker {
			return skip, false
		}
	}
	if l.isFull() {
		return "", true
	}
	l.page.Versions = append(l.page.Versions, Listed{v, newest})
	l.page.Last, l.page.LastVersion = v.Key, v.ID
	return skip, false
}

func (l *lister) isFull() bool { return len(l.page.Versions)+len(l.page.Prefixes) >= l.q.Max }

// common gives the common prefix that stands for a key, if one does.
func (l *lister) common(key string) (string, bool) {
	if l.q.Delimiter == "" {
		return "", false
	}
	rest := key[len(l.q.Prefix):]
	i := strings.Index(rest, l.q.Delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(l.q.Prefix)+i+len(l.q.Delimiter)], true
}
