package logs

import (
	"errors"

	"github.com/licet/licet/internal/store"
)

// sizeKey is where the size of a group's events stands, in bytes: beside the group, which is not written with every batch.
func (g group) sizeKey() string { return "logs/size/" + g.ID }

// size reads the size of a group's events.
func (g group) size(r store.Reader) (int64, error) {
	size, err := store.GetJSON[int64](r, g.sizeKey())
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return size, err
}

// grow changes the sizes of a stream, which the caller writes, and of its group.
func (g group) grow(tx store.Tx, st *stream, bytes int64) error {
	st.Bytes = max(0, st.Bytes+bytes)
	size, err := g.size(tx)
	if err != nil {
		return err
	}
	return store.PutJSON(tx, g.sizeKey(), max(0, size+bytes))
}

// sizeOf is the size of events.
func sizeOf(events []event) (bytes int64) {
	for _, e := range events {
		bytes += int64(e.size())
	}
	return bytes
}
