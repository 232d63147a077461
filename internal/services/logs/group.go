package logs

import (
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// group is a log group as it is stored.
type group struct {
	// ID is unique in the store, also among groups that had the same name.
	ID      string `json:"id"`
	Name    string `json:"name"`
	Created int64  `json:"created"` // milliseconds, as all times here
	// RetentionDays is 0 for ever.
	RetentionDays int32             `json:"retention_days,omitempty"`
	Tags          map[string]string `json:"tags,omitempty"`
	// MetricFilters and Subscriptions count the group's filters.
	MetricFilters int32 `json:"metric_filters,omitempty"`
	Subscriptions int   `json:"subscriptions,omitempty"`
	// Protected groups cannot be deleted.
	Protected bool `json:"protected,omitempty"`
}

// stream is a log stream as it is stored.
type stream struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Created int64  `json:"created"`
	// Events is nil until the first event.
	Events *span `json:"events,omitempty"`
	// Bytes is the size of the events.
	Bytes int64 `json:"bytes,omitempty"`
}

// span says what a stream holds.
type span struct {
	First    int64 `json:"first"`
	Last     int64 `json:"last"`
	Ingested int64 `json:"ingested"` // when the last batch came
}

const groupPrefix = "logs/group/"

func scopePrefix(account, region string) string { return groupPrefix + account + "/" + region + "/" }

func groupKey(g groupRef) string { return scopePrefix(g.account, g.region) + g.name }

// streamPrefix is that of a group's streams.
func (g group) streamPrefix() string { return "logs/stream/" + g.ID + "/" }

// eventPrefix is that of all events of a group.
func (g group) eventPrefix() string { return "logs/event/" + g.ID + "/" }

// eventPrefix is that of a stream's events.
func (g group) streamEventPrefix(st stream) string { return g.eventPrefix() + st.ID + "/" }

// newID makes an id out of a transaction's number. A transaction makes one group, one stream, or one filter.
func newID(tx store.Tx) string { return strconv.FormatInt(tx.Revision(), 36) }

// loadGroup reads a group, or answers that it does not exist.
func loadGroup(r store.Reader, c *service.Call, ref groupRef) (group, error) {
	if !ref.inScope(c) {
		return group{}, groupNotFound()
	}
	g, err := store.GetJSON[group](r, groupKey(ref))
	if errors.Is(err, store.ErrNotFound) {
		return g, groupNotFound()
	}
	return g, err
}

// loadStream reads a stream, or answers that it does not exist.
func loadStream(r store.Reader, g group, name string) (stream, error) {
	st, err := store.GetJSON[stream](r, g.streamPrefix()+name)
	if errors.Is(err, store.ErrNotFound) {
		return st, streamNotFound()
	}
	return st, err
}

// oldest is the time of the oldest events that the group's retention leaves.
func (g group) oldest(now time.Time) int64 {
	if g.RetentionDays == 0 {
		return 0
	}
	return max(0, now.Add(-time.Duration(g.RetentionDays)*24*time.Hour).UnixMilli())
}

// pageToken and pageStart turn the key at which a page ended into an opaque token and back.
func pageToken(key string) *string {
	t := base64.RawURLEncoding.EncodeToString([]byte(key))
	return &t
}

func pageStart(token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	key, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || len(key) == 0 {
		return "", invalidToken()
	}
	return string(key), nil
}
