package secret

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// State is what a key in a file is for.
type State string

// The states.
const (
	Seals State = "seals" // and opens
	Next  State = "next"  // opens, and has sealed nothing yet
	Old   State = "old"   // opens what it sealed
)

// Key is a master key in a file.
type Key struct {
	Master [KeySize]byte
	State  State
	// Since is when it came to be in this state; zero where that is not known.
	Since time.Time
}

// ID tells keys apart. It says nothing of the key.
func (k Key) ID() string {
	sum := sha256.Sum256(append([]byte("licet key id\n"), k.Master[:]...))
	return hex.EncodeToString(sum[:4])
}

// LogValue, String and GoString keep the key out of logs and texts.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
func (k Key) String() string       { return "key " + k.ID() }
func (k Key) GoString() string     { return k.String() }

// File is the keys in a key file; the first, and it alone, seals.
type File struct{ Keys []Key }

// maxKeys bounds a file: what was not sealed by any of its keys is tried with each.
const maxKeys = 8

// header begins a file with several keys. One with a single key may have the key's bytes alone.
const header = "# Keys of licet. The one that seals is used for what is new; all open. Whoever can read this file can read every secret.\n"

// ReadFile reads a key file that only its owner may read.
func ReadFile(path string) (*File, error) {
	b, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	f, err := ParseFile(b)
	if err != nil {
		return nil, fmt.Errorf("read key file %s: %w", path, err)
	}
	return f, nil
}

// ParseFile reads what is in a key file: the 32 bytes of a key; or a line for each key, with state, time in RFC 3339 and key in base64.
func ParseFile(b []byte) (*File, error) {
	if len(b) == KeySize {
		return &File{Keys: []Key{{Master: [KeySize]byte(b), State: Seals}}}, nil
	}
	if !bytes.HasPrefix(b, []byte("#")) {
		return nil, fmt.Errorf("%d bytes, want %d, or lines that begin with #", len(b), KeySize)
	}
	var f File
	for n, line := range strings.Split(string(b), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Fields(line)
		if len(parts) != 3 {
			return nil, fmt.Errorf("line %d: want a state, a time and a key", n+1)
		}
		k := Key{State: State(parts[0])}
		since, timeErr := time.Parse(time.RFC3339, parts[1])
		master, err := base64.StdEncoding.DecodeString(parts[2])
		switch {
		case timeErr != nil || err != nil || len(master) != KeySize:
			return nil, fmt.Errorf("line %d: the time or the key cannot be read", n+1) // which is not to be repeated
		case k.State != Seals && k.State != Next && k.State != Old, (k.State == Seals) != (len(f.Keys) == 0):
			return nil, fmt.Errorf("line %d: want the key that seals first, and then those that are next or old", n+1)
		}
		k.Since, k.Master = since, [KeySize]byte(master)
		for _, other := range f.Keys {
			if other.Master == k.Master {
				return nil, fmt.Errorf("line %d: the key is there twice", n+1)
			}
		}
		f.Keys = append(f.Keys, k)
	}
	if len(f.Keys) == 0 || len(f.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys, want 1 to %d", len(f.Keys), maxKeys)
	}
	return &f, nil
}

// Text is the file.
func (f *File) Text() []byte {
	b := []byte(header)
	for _, k := range f.Keys {
		b = fmt.Appendf(b, "%s %s %s\n", k.State, k.Since.UTC().Format(time.RFC3339), base64.StdEncoding.EncodeToString(k.Master[:]))
	}
	return b
}

// Write replaces the file at path, durably and at once.
func (f *File) Write(path string) error {
	if _, err := ParseFile(f.Text()); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	_, err = tmp.Write(f.Text())
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write key file: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Keyring is one with the keys of the file.
func (f *File) Keyring() *Keyring {
	k := &Keyring{}
	k.Use(f)
	return k
}

// Find gives the place of a key by its id, or -1.
func (f *File) Find(id string) int {
	for i, k := range f.Keys {
		if k.ID() == id {
			return i
		}
	}
	return -1
}

// Add adds a key that opens, and is to seal later.
func (f *File) Add(now time.Time) Key {
	k := Key{State: Next, Since: now}
	rand.Read(k.Master[:]) // never fails: crypto/rand
	f.Keys = append(f.Keys, k)
	return k
}

// Turn makes the key at a place the one that seals.
func (f *File) Turn(i int, now time.Time) {
	if i == 0 {
		return
	}
	k := f.Keys[i]
	f.Keys[0].State, f.Keys[0].Since = Old, now
	k.State, k.Since = Seals, now
	copy(f.Keys[1:i+1], f.Keys[:i])
	f.Keys[0] = k
}

// Drop removes the key at a place, which does not seal.
func (f *File) Drop(i int) { f.Keys = append(f.Keys[:i:i], f.Keys[i+1:]...) }
