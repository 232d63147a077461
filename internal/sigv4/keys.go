package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// maxKeys is how many signing keys a generation holds.
const maxKeys = 1024

// keys keeps derived signing keys. The zero value is ready. When a generation is full it becomes the previous one, and the one before
// is forgotten; what is used comes back.
type keys struct {
	mu                sync.Mutex
	current, previous map[keyID]*signer // guarded by mu
}

// keyID names a signing key. The secret key is in it by its hash.
type keyID struct {
	secret                [sha256.Size]byte
	date, region, service string
}

// signer makes codes with a key. Safe for concurrent use.
type signer struct {
	key []byte
	// idle are hashes that have taken in the key already.
	idle sync.Pool
}

func (s *signer) code(text []byte) []byte {
	h, ok := s.idle.Get().(hash.Hash)
	if !ok {
		h = hmac.New(sha256.New, s.key)
	}
	defer s.idle.Put(h)
	h.Reset()
	h.Write(text)
	return h.Sum(nil)
}

// get gives the signer of a secret key in the scope of s.
func (k *keys) get(secret string, s *Signed) *signer {
	id := keyID{sha256.Sum256([]byte(secret)), s.Date, s.Region, s.Service}
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, ok := k.current[id]; ok {
		return key
	}
	key, ok := k.previous[id]
	if !ok {
		key = &signer{key: derive(secret, s)}
	}
	if k.current == nil || len(k.current) >= maxKeys {
		k.current, k.previous = map[keyID]*signer{}, k.current
	}
	k.current[id] = key
	return key
}

// derive makes a signing key:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#derive-signing-key
func derive(secret string, s *Signed) []byte {
	return code(code(code(code([]byte("AWS4"+secret), s.Date), s.Region), s.Service), terminator)
}

func code(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
