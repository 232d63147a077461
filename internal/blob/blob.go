// Package blob is the contract of the large immutable bytes: function code, layers.
//
// Blobs are named by the SHA-256 of their content, so that a name can never mean two things. The package never authorizes. What
// Put acknowledged is durable. Engines are in the folders below and pass blobtest. Safe for concurrent use.
package blob

import (
	"context"
	"errors"
	"io"
)

// ErrNotFound is what Open returns for a name that is not there.
var ErrNotFound = errors.New("blob: not found")

// Name is the lower-case hexadecimal SHA-256 of the content.
type Name string

// Store keeps blobs.
type Store interface {
	// Put reads r to its end and keeps the bytes. Putting the same content again is no error. On an error of r nothing is kept.
	Put(ctx context.Context, r io.Reader) (Name, int64, error)
	// Open reads a blob, or returns ErrNotFound. The caller closes it.
	Open(ctx context.Context, name Name) (io.ReadSeekCloser, error)
	// Delete removes a blob; it is no error when it is not there.
	Delete(ctx context.Context, name Name) error
}
