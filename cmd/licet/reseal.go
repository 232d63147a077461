package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
)

// sealedText is what may be a sealed value in a record: bytes in JSON, of which a nonce and a tag are 28. Whether it is one its key tells.
var sealedText = regexp.MustCompile(`"([A-Za-z0-9+/]{38,}={0,2})"`)

// resealPage is how many records are read at once.
const resealPage = 500

// eachSealed calls fn with the records that have sealed values, and the values with their purposes and the ids of their keys.
func eachSealed(ctx context.Context, db store.DB, keys *secret.Keyring, fn func(item store.Item, values []sealedValue) error) error {
	for after := ""; ; {
		var items []store.Item
		if err := db.View(ctx, func(r store.Reader) (err error) {
			items, err = r.Scan("", after, resealPage)
			return err
		}); err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		for _, item := range items {
			after = item.Key
			if values := sealedIn(item.Value, keys); len(values) > 0 {
				if err := fn(item, values); err != nil {
					return err
				}
			}
		}
		if len(items) < resealPage {
			return nil
		}
	}
}

// sealedValue is one in a record.
type sealedValue struct {
	text    []byte // in base64
	purpose string
	plain   []byte
	key     string // id
}

func sealedIn(record []byte, keys *secret.Keyring) (values []sealedValue) {
	if len(record) == 0 || record[0] != '{' {
		return nil
	}
	for _, found := range sealedText.FindAllSubmatch(record, -1) {
		sealed, err := base64.StdEncoding.DecodeString(string(found[1]))
		if err != nil {
			continue
		}
		for _, purpose := range secret.Stored {
			if plain, id, err := keys.OpenBy(purpose, sealed); err == nil {
				values = append(values, sealedValue{bytes.Clone(found[1]), purpose, plain, id})
				break
			}
		}
	}
	return values
}

// countSealed counts the values of a store by the ids of the keys that sealed them.
func countSealed(ctx context.Context, db store.DB, keys *secret.Keyring) (map[string]int, error) {
	counts := map[string]int{}
	err := eachSealed(ctx, db, keys, func(_ store.Item, values []sealedValue) error {
		for _, v := range values {
			counts[v.key]++
		}
		return nil
	})
	return counts, err
}

// reseal seals with the first key what is sealed with others, a record in each transaction; servers may run meanwhile. It counts the values.
func reseal(ctx context.Context, db store.DB, keys *secret.Keyring) (n int, err error) {
	err = eachSealed(ctx, db, keys, func(item store.Item, values []sealedValue) error {
		done := 0
		if err := db.Update(ctx, func(tx store.Tx) error {
			done = 0
			now, err := tx.Get(item.Key)
			if errors.Is(err, store.ErrNotFound) {
				return nil
			} else if err != nil {
				return err
			}
			record := now.Value
			for _, v := range sealedIn(record, keys) { // it may have changed
				if v.key == keys.IDs()[0] {
					continue
				}
				sealed, err := keys.Seal(v.purpose, v.plain)
				if err != nil {
					return err
				}
				record = bytes.ReplaceAll(record, v.text, []byte(base64.StdEncoding.EncodeToString(sealed)))
				done++
			}
			if done == 0 {
				return nil
			}
			return tx.Put(item.Key, record)
		}); err != nil {
			return fmt.Errorf("seal %s anew: %w", item.Key, err)
		}
		n += done
		return nil
	})
	return n, err
}

// keyCheck is the record by which a store knows its key.
const keyCheck = "key/check"

// checkOfKey is that record.
type checkOfKey struct {
	Sealed []byte `json:"sealed"`
}

// checkKey refuses a key file that is not the store's, so that nothing is sealed with it, and one from before the key was replaced: what it seals
// would be lost with the old key. A store without a check has none to refuse.
func checkKey(ctx context.Context, db store.DB, keys *secret.Keyring) error {
	return db.View(ctx, func(r store.Reader) error {
		c, err := store.GetJSON[checkOfKey](r, keyCheck)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		_, id, err := keys.OpenBy(secret.CheckPurpose, c.Sealed)
		if errors.Is(err, secret.ErrSealed) {
			return errors.New("the key file is not that of the store: all servers of a store need the same, and a store that was moved needs its own")
		} else if err != nil {
			return err
		}
		if keys.State(id) == secret.Next {
			return fmt.Errorf("the key file is older than the store, which is sealed with key %s already: copy it again from where licet key use was called",
				id)
		}
		return nil
	})
}

// markKey gives a store its check, if it has none. It must be called when something that is sealed was opened already, or the store is new.
func markKey(ctx context.Context, db store.DB, keys *secret.Keyring) error {
	return db.Update(ctx, func(tx store.Tx) error {
		c, err := store.GetJSON[checkOfKey](tx, keyCheck)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if c.Sealed, err = keys.Seal(secret.CheckPurpose, []byte("licet")); err != nil {
			return err
		}
		return store.PutJSON(tx, keyCheck, c)
	})
}

// keyPeriod is how often the key file is looked at for a change.
const keyPeriod = time.Second

// readKeys reads a key file, which must be that of the store.
func (s *server) readKeys(ctx context.Context, path string) (*secret.File, error) {
	f, err := secret.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return f, checkKey(ctx, s.db, f.Keyring())
}

// followKey reads the key file anew when it changes, until ctx ends.
func (s *server) followKey(ctx context.Context, path string) error {
	tick := time.NewTicker(keyPeriod)
	defer tick.Stop()
	var before os.FileInfo // that of the file which was read when the server began is not known: the first look reads it again
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := os.Stat(path)
		if err == nil && before != nil && now.ModTime().Equal(before.ModTime()) && now.Size() == before.Size() && os.SameFile(now, before) {
			continue
		}
		var f *secret.File
		if err == nil {
			f, err = s.readKeys(ctx, path)
		}
		if err != nil {
			s.logger.ErrorContext(ctx, "The key file has changed and cannot be used; the keys that it had are.", slog.Any("err", err))
			continue
		}
		before = now
		if slices.Equal(s.keys.IDs(), f.Keyring().IDs()) {
			continue
		}
		s.keys.Use(f)
		s.directory.ForgetTokens()
		s.node.SetKeys(s.keys.IDs())
		s.logger.InfoContext(ctx, "The key file was read anew.", slog.Any("keys", s.keys.IDs()))
	}
}
