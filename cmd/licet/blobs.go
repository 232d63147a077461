package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/licet/licet/internal/blob/disk"
	"github.com/licet/licet/internal/blob/s3"
	"github.com/licet/licet/internal/services/s3/content"
)

// The blob stores of a server: folders of the place where blobs are.
const (
	codeBlobs   = "blobs"
	objectBlobs = "objects"
)

// blobsFile in a data directory says where the blobs are, for the other commands and the next start. Without it they are in the directory.
const blobsFile = "blobstore"

// blobPlace is where blobs are: a directory, or a bucket.
type blobPlace interface {
	// has tells whether there is anything in a folder.
	has(ctx context.Context, folder string) (bool, error)
	// open opens the blob store in a folder.
	open(ctx context.Context, folder string) (content.Blobs, error)
	// endpoint is the URL of the server that has the bucket; "" for a directory, and for AWS.
	endpoint() string
	// String is what programs that copy call it.
	String() string
}

// folder is a blobPlace on a disk.
type folder string

func (f folder) has(_ context.Context, name string) (bool, error) {
	entries, err := os.ReadDir(filepath.Join(string(f), name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(entries) > 0, err
}

func (f folder) open(_ context.Context, name string) (content.Blobs, error) {
	return disk.Open(filepath.Join(string(f), name))
}

func (folder) endpoint() string { return "" }

func (f folder) String() string { return string(f) }

// bucket is a blobPlace in S3.
type bucket struct {
	*s3.Bucket
	// spool is a directory for what is on its way.
	spool string
}

func (b bucket) has(ctx context.Context, name string) (bool, error) { return b.Has(ctx, name) }

// open opens a store that verifies code before any of it runs. Objects may be read from their middle on.
func (b bucket) open(ctx context.Context, name string) (content.Blobs, error) {
	dir := filepath.Join(b.spool, name)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, err
	}
	return b.Open(ctx, name, s3.Options{Dir: dir, Whole: name == codeBlobs})
}

func (b bucket) endpoint() string { return b.Endpoint() }

// blobs is the text of the place that has the blobs of the directory.
func (d dataDir) blobs() (string, error) {
	b, err := os.ReadFile(d.path(blobsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return string(d), nil
	}
	if err != nil {
		return "", fmt.Errorf("read where the blobs are: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// blobPlace finds the place that a text names.
func (d dataDir) blobPlace(ctx context.Context, text string) (blobPlace, error) {
	if !s3.IsURL(text) {
		return folder(text), nil
	}
	p, err := s3.Parse(text)
	if err != nil {
		return nil, err
	}
	b, err := s3.Connect(ctx, p)
	if err != nil {
		return nil, err
	}
	return bucket{Bucket: b, spool: d.path("spool")}, nil
}

// setBlobs keeps what --blobs says.
func (d dataDir) setBlobs(ctx context.Context, text string) error {
	if !s3.IsURL(text) {
		var err error
		if text, err = filepath.Abs(text); err != nil {
			return fmt.Errorf("find --blobs: %w", err)
		}
		if info, err := os.Stat(text); err != nil {
			return fmt.Errorf("--blobs: %w", err) // a mount that is missing must not be taken for a new place
		} else if !info.IsDir() {
			return fmt.Errorf("--blobs: %s is not a directory", text)
		}
	}
	if err := d.moveTo(ctx, text); err != nil {
		return fmt.Errorf("--blobs: %w", err)
	}
	if err := d.write(blobsFile, text+"\n"); err != nil {
		return fmt.Errorf("write where the blobs are: %w", err)
	}
	return nil
}

// moveTo refuses a place that lacks what the one before has: functions would have lost their code.
func (d dataDir) moveTo(ctx context.Context, text string) error {
	before, err := d.blobs()
	if err != nil || before == text {
		return err
	}
	to, err := d.blobPlace(ctx, text)
	if err != nil {
		return err
	}
	for _, name := range []string{codeBlobs, objectBlobs} {
		if has, err := to.has(ctx, name); has {
			continue
		} else if err != nil {
			return err
		}
		from, err := d.blobPlace(ctx, before)
		had := false
		if err == nil {
			had, err = from.has(ctx, name)
		}
		if err != nil {
			return fmt.Errorf("%s has no %s, and whether there are any where they were is not known (remove %s if there are none): %w",
				to, name, d.path(blobsFile), err)
		}
		if had {
			return fmt.Errorf("%s has no %s, and %s has: copy them first, with %s", to, name, from, copying(from, to, name))
		}
	}
	return nil
}

// copying is the command that copies a folder from one place to another.
func copying(from, to blobPlace, name string) string {
	source, target := quote(from.String()+"/"+name), quote(to.String()+"/"+name)
	switch fromBucket, toBucket := s3.IsURL(from.String()), s3.IsURL(to.String()); {
	case !fromBucket && !toBucket:
		return fmt.Sprintf("cp -a %s %s", source, quote(to.String()))
	case fromBucket && toBucket && from.endpoint() != to.endpoint(): // the CLI speaks to one server at a time
		return syncing(source, "DIRECTORY", from.endpoint()) + " && " + syncing("DIRECTORY", target, to.endpoint())
	default:
		return syncing(source, target, cmp.Or(from.endpoint(), to.endpoint()))
	}
}

func syncing(source, target, endpoint string) string {
	command := "aws s3 sync " + source + " " + target
	if endpoint != "" {
		command += " --endpoint-url " + quote(endpoint)
	}
	return command
}

// openBlobs opens one of the blob stores.
func (d dataDir) openBlobs(ctx context.Context, name string) (content.Blobs, error) {
	text, err := d.blobs()
	if err != nil {
		return nil, err
	}
	place, err := d.blobPlace(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	s, err := place.open(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return s, nil
}
