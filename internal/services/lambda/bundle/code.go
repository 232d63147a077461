package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/service"
)

// URLs makes the links by which clients download archives.
type URLs interface {
	// CodeURL is a link that works without credentials for some minutes (AWS: 10).
	CodeURL(ctx context.Context, c *service.Call, name blob.Name) (string, error)
}

// Store keeps an archive that Check took, durably.
func Store(ctx context.Context, blobs blob.Store, zip []byte) (blob.Name, error) {
	name, _, err := blobs.Put(ctx, bytes.NewReader(zip))
	if err != nil {
		return "", fmt.Errorf("store code: %w", err)
	}
	return name, nil
}

// Read gives an archive that was stored.
func Read(ctx context.Context, blobs blob.Store, name blob.Name) ([]byte, error) {
	r, err := blobs.Open(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	archive, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read archive: %w", err)
	}
	return archive, nil
}

// Name is what Store names an archive.
func Name(zip []byte) blob.Name {
	sum := sha256.Sum256(zip)
	return blob.Name(hex.EncodeToString(sum[:]))
}

// SHA256 is an archive's name in the form of the member CodeSha256.
func SHA256(name blob.Name) string {
	sum, err := hex.DecodeString(string(name))
	if err != nil {
		panic("bundle: blob name is not hexadecimal: " + string(name)) // against the contract of blob.Name
	}
	return base64.StdEncoding.EncodeToString(sum)
}
