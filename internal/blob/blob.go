// Package blob is the contract of the large immutable bytes: function code, layers.
//
// Blobs are named by the SHA-256 of their content, so that a name can never mean two things. The package never authorizes. What
// Put acknowledged is durable. Engines are in the folders below and pass blobtest. Safe for concurrent use.
package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
)

// ErrNotFound is what Open returns for a name that is not there.
var ErrNotFound = errors.New("blob: not found")

// ErrDamaged is what Open, or a Read, of an engine that verifies returns for a blob that is not what its name says.
var ErrDamaged = errors.New("blob: its content is not what its name says")

// Name is the lower-case hexadecimal SHA-256 of the content.
type Name string

// Valid tells whether there can be content of this name: an engine makes no path or key of any other.
func (n Name) Valid() bool {
	return len(n) == 2*sha256.Size && strings.Trim(string(n), "0123456789abcdef") == ""
}

// Store keeps blobs.
type Store interface {
	// Put reads r to its end and keeps the bytes. Putting the same content again is no error. On an error of r nothing is kept.
	Put(ctx context.Context, r io.Reader) (Name, int64, error)
	// Open reads a blob, or returns ErrNotFound. The caller closes it.
	Open(ctx context.Context, name Name) (io.ReadSeekCloser, error)
	// Delete removes a blob; it is no error when it is not there.
	Delete(ctx context.Context, name Name) error
}
