// Package secret seals bytes under the server's key: session tokens, stored access keys.
//
// Sealing is AES-256-GCM with a random 96-bit nonce under a key derived (HKDF-SHA256) from a master key for one purpose, so that
// what was sealed for one purpose never opens for another. Of several master keys the first seals, and all open: so a key can be replaced
// while what it sealed is still about (File). The package keeps no plaintext and logs nothing. A Keyring is safe for concurrent use.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// KeySize is the length of a master key in bytes.
const KeySize = 32

// ErrSealed means that bytes were not sealed by this keyring for this purpose, or were changed.
var ErrSealed = errors.New("secret: not sealed by this server")

// Keyring seals and opens.
type Keyring struct {
	keys atomic.Pointer[[]*key] // the first seals
}

// key is a master key.
type key struct {
	Key
	// aeads holds a cipher.AEAD by purpose: deriving one costs more than a seal.
	aeads sync.Map
}

// New makes a keyring from a master key.
func New(master [KeySize]byte) *Keyring { return (&File{Keys: []Key{{Master: master}}}).Keyring() }

// Load reads the key file, or makes one with one key (mode 0600, durable) when it is not there. Concurrent processes agree on one key. A
// file that others than its owner may read or write is refused.
func Load(path string) (*Keyring, error) {
	f, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("create key file %s: %w", path, err)
		}
		f, err = ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	return f.Keyring(), nil
}

// read reads a file that only its owner may read.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o and is open to others: chmod 600 it", path, mode)
	}
	return os.ReadFile(path)
}

// create links a complete key file into place; if another process was first, its file stays.
func create(path string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	key := make([]byte, KeySize)
	rand.Read(key) // never fails: crypto/rand
	if _, err := tmp.Write(key); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Seal encrypts plaintext for a purpose.
func (k *Keyring) Seal(purpose string, plaintext []byte) ([]byte, error) {
	aead, err := (*k.keys.Load())[0].aead(purpose)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plaintext)+aead.Overhead())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plaintext, nil), nil
}

// Open decrypts what Seal made for the same purpose, or returns ErrSealed.
func (k *Keyring) Open(purpose string, sealed []byte) ([]byte, error) {
	plain, _, err := k.OpenBy(purpose, sealed)
	return plain, err
}

// OpenBy is Open that tells the id of the key that it was sealed under.
func (k *Keyring) OpenBy(purpose string, sealed []byte) (plain []byte, id string, err error) {
	for _, key := range *k.keys.Load() {
		aead, err := key.aead(purpose)
		if err != nil {
			return nil, "", err
		}
		if len(sealed) < aead.NonceSize() {
			break
		}
		if plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], nil); err == nil {
			return plain, key.ID(), nil
		}
	}
	return nil, "", ErrSealed
}

// IDs are those of the keys, the one that seals first.
func (k *Keyring) IDs() (ids []string) {
	for _, key := range *k.keys.Load() {
		ids = append(ids, key.ID())
	}
	return ids
}

// State is what the key with an id is for; "" where there is no such key.
func (k *Keyring) State(id string) State {
	for _, key := range *k.keys.Load() {
		if key.ID() == id {
			return key.Key.State
		}
	}
	return ""
}

// Use makes the keyring that of a file.
func (k *Keyring) Use(f *File) {
	keys := make([]*key, len(f.Keys))
	for i, one := range f.Keys {
		keys[i] = &key{Key: one}
	}
	k.keys.Store(&keys)
}

func (k *key) aead(purpose string) (cipher.AEAD, error) {
	if a, ok := k.aeads.Load(purpose); ok {
		return a.(cipher.AEAD), nil
	}
	derived, err := hkdf.Key(sha256.New, k.Master[:], nil, "licet/"+purpose, KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive key for %s: %w", purpose, err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("make cipher for %s: %w", purpose, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher for %s: %w", purpose, err)
	}
	a, _ := k.aeads.LoadOrStore(purpose, aead)
	return a.(cipher.AEAD), nil
}

// LogValue keeps the key out of logs.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(k.String()) }

// String keeps the key out of texts.
func (k *Keyring) String() string { return "redacted" }

// GoString keeps the key out of texts made with %#v.
func (k *Keyring) GoString() string { return k.String() }
