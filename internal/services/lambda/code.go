package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/licet/licet/internal/archive"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/store"
)

const (
	// maxZipped and maxUnpacked: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, deployment package.
	maxZipped   = 52_428_800
	maxUnpacked = 262_144_000
	// maxCodeFiles is ours: AWS states none.
	maxCodeFiles = 100_000

	// The whole requests' limits, by their messages (lambda.md 8). They count the code in base64.
	maxCreateRequest = 70_167_211
	maxUpdateRequest = 69_905_067
)

func codeLimits() archive.Limits {
	return archive.Limits{UnpackedBytes: maxUnpacked, Files: maxCodeFiles}
}

// checkCode refuses what is no deployment package. Texts: lambda.md 6.1 and answers recorded from AWS.
func checkCode(operation string, zip []byte) error {
	limit := maxCreateRequest
	if operation == "UpdateFunctionCode" {
		limit = maxUpdateRequest
	}
	if base64.StdEncoding.EncodedLen(len(zip)) > limit {
		return fault.EntityTooLarge("Request must be smaller than %d bytes for the %s operation", limit, operation)
	}
	if len(zip) > maxZipped {
		return fault.EntityTooLarge("Zipped size must be smaller than %d bytes", maxZipped)
	}
	_, err := archive.Inspect(bytes.NewReader(zip), int64(len(zip)), codeLimits())
	switch {
	case errors.Is(err, archive.ErrEmpty):
		return fault.InvalidParameter("Uploaded file must be a non-empty zip")
	case errors.Is(err, archive.ErrTooLarge):
		return fault.InvalidParameter("Unzipped size must be smaller than %d bytes", maxUnpacked)
	case errors.Is(err, archive.ErrInvalid):
		return fault.InvalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
	case err != nil:
		return fmt.Errorf("inspect code: %w", err)
	}
	return nil
}

// storeCode keeps a deployment package that checkCode took, durably.
func (s *Service) storeCode(ctx context.Context, zip []byte) (blob.Name, error) {
	name, _, err := s.Blobs.Put(ctx, bytes.NewReader(zip))
	if err != nil {
		return "", fmt.Errorf("store code: %w", err)
	}
	return name, nil
}

// blobName is the name that the blob store gives to code.
func blobName(zip []byte) blob.Name {
	sum := sha256.Sum256(zip)
	return blob.Name(hex.EncodeToString(sum[:]))
}

// codeSHA256 is a blob's name in the form of the member CodeSha256.
func codeSHA256(name blob.Name) string {
	sum, err := hex.DecodeString(string(name))
	if err != nil {
		panic("lambda: blob name is not hexadecimal: " + string(name)) // against the contract of blob.Name
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// unpacker makes directories from blobs, each once.
type unpacker struct {
	dir   string
	blobs blob.Store

	mu sync.Mutex
	// ready has an entry for every directory that is there or being made.
	ready map[blob.Name]*unpacking
}

type unpacking struct {
	dir  string
	done chan struct{} // closed when err is set
	err  error
}

func newUnpacker(dir string, blobs blob.Store) *unpacker {
	return &unpacker{dir: dir, blobs: blobs, ready: make(map[blob.Name]*unpacking)}
}

// directory gives the directory with the unpacked code, making it on first use. Callers that come meanwhile wait for it.
func (u *unpacker) directory(ctx context.Context, name blob.Name) (string, error) {
	u.mu.Lock()
	p, ok := u.ready[name]
	if !ok {
		p = &unpacking{dir: filepath.Join(u.dir, string(name)), done: make(chan struct{})}
		u.ready[name] = p
	}
	u.mu.Unlock()
	if !ok {
		// Others wait for the result: it must not depend on this caller's patience.
		u.finish(context.WithoutCancel(ctx), name, p)
	}
	select {
	case <-p.done:
		return p.dir, p.err
	case <-ctx.Done():
		return "", fmt.Errorf("wait for code %s: %w", name, ctx.Err())
	}
}

// finish unpacks and tells those who wait, even when it panics. After a failure the next caller tries again.
func (u *unpacker) finish(ctx context.Context, name blob.Name, p *unpacking) {
	p.err = errors.New("unpacking was broken off")
	defer func() {
		if p.err != nil {
			u.mu.Lock()
			delete(u.ready, name)
			u.mu.Unlock()
		}
		close(p.done)
	}()
	p.err = u.unpack(ctx, name, p.dir)
}

func (u *unpacker) unpack(ctx context.Context, name blob.Name, dir string) error {
	if _, err := os.Stat(dir); err == nil { // it appeared by a rename, so it is complete
		return nil
	}
	r, err := u.blobs.Open(ctx, name)
	if err != nil {
		return fmt.Errorf("open code %s: %w", name, err)
	}
	zip, err := io.ReadAll(io.LimitReader(r, maxZipped+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("read code %s: %w", name, err)
	}
	err = archive.Unpack(bytes.NewReader(zip), int64(len(zip)), dir, codeLimits())
	if errors.Is(err, archive.ErrInvalid) || errors.Is(err, archive.ErrTooLarge) || errors.Is(err, archive.ErrEmpty) {
		// It was checked when it was uploaded, so this is rare: the rules have become stricter, or the blob is damaged.
		e := fault.New("InvalidZipFileException", http.StatusBadGateway, "Lambda could not unzip the deployment package.")
		e.Cause = err
		return e
	}
	return err
}

// Sweep removes from CodeDir what no function uses and what a crash left unfinished. It must end before the first operation.
func (s *Service) Sweep(ctx context.Context) error {
	used := make(map[string]bool)
	err := s.DB.View(ctx, func(r store.Reader) error {
		clear(used)
		items, err := r.Scan("lambda/", "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			if kind := strings.Split(item.Key, "/"); kind[3] != "function" && (kind[3] != "of" || kind[5] != "version") {
				continue
			}
			record, err := store.DecodeJSON[struct { // a function, or a version
				Code   string
				Latest struct{ Code string }
			}](item)
			if err != nil {
				return err
			}
			used[record.Code], used[record.Latest.Code] = true, true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list code in use: %w", err)
	}
	dirs, err := os.ReadDir(s.CodeDir)
	if err != nil {
		return fmt.Errorf("list unpacked code: %w", err)
	}
	for _, d := range dirs {
		if !used[d.Name()] {
			if err := archive.Remove(filepath.Join(s.CodeDir, d.Name())); err != nil {
				return fmt.Errorf("remove unused code: %w", err)
			}
		}
	}
	return nil
}
