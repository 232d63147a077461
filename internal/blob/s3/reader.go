package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/licet/licet/internal/blob"
)

var errStalled = errors.New("the server does not go on")

const (
	// near is how far ahead is read rather than asked for anew.
	near = 256 << 10
	// maxBreaks is how often a connection may break without a byte between.
	maxBreaks = 3
)

// reader is the stream of a blob. It is for one goroutine.
type reader struct {
	ctx   context.Context
	store *Store
	name  blob.Name
	size  int64
	// at is where the caller reads next.
	at int64
	// body has the bytes from the offset from; nil: none is open.
	body *body
	from int64
	// hash is of all bytes before from; nil when it does not know them.
	hash hash.Hash
	// breaks counts connections that broke since the last byte.
	breaks int
	// err ended it; it comes again.
	err error
}

// open begins a blob at its start.
func (s *Store) open(ctx context.Context, name blob.Name) (*reader, error) {
	body, size, err := s.get(ctx, name, 0)
	if err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, store: s, name: name, size: size, body: body, hash: sha256.New()}
	if size == 0 {
		err = r.verify() // no byte will come to do it
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Seek moves within the blob.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start of a blob")
	}
	r.at = offset
	return offset, nil
}

// Read reads, and begins anew where it must.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.err == nil && r.at < r.size {
		if r.err = r.reach(); r.err != nil {
			break
		}
		// What lies before the caller's place is read, for the hash, and thrown away.
		b := p
		if ahead := r.at - r.from; ahead > 0 {
			b = make([]byte, min(ahead, 32<<10))
		}
		var n int
		if n, r.err = r.take(b); n > 0 && r.from > r.at {
			r.at = r.from
			return n, nil
		}
	}
	if r.err != nil {
		return 0, fmt.Errorf("read blob %s: %w", r.name, r.err)
	}
	return 0, io.EOF
}

// reach has the body at the caller's place, or shortly before it.
func (r *reader) reach() error {
	if r.from <= r.at && r.at-r.from <= near {
		if r.body != nil {
			return nil
		}
	} else if err := r.move(); err != nil {
		return err
	}
	body, left, err := r.store.get(r.ctx, r.name, r.from)
	if err != nil {
		return err
	}
	if left != r.size-r.from {
		return errors.Join(fmt.Errorf("%d bytes are left where there were %d", left, r.size-r.from), body.Close())
	}
	r.body = body
	return nil
}

// move leaves the body for another place. From the start on the hash is known again.
func (r *reader) move() error {
	err := r.Close()
	r.from, r.hash = r.at, nil
	if r.at <= near {
		r.from, r.hash = 0, sha256.New()
	}
	return err
}

// take reads from the body. It gives nothing, and no error, when the connection broke and another may be tried.
func (r *reader) take(b []byte) (int, error) {
	n, err := r.body.Read(b[:min(int64(len(b)), r.size-r.from)])
	if n > 0 {
		r.breaks = 0
		r.from += int64(n)
		if r.hash != nil {
			r.hash.Write(b[:n]) // never fails
		}
		if r.from == r.size && r.hash != nil {
			if err := r.verify(); err != nil {
				return 0, err
			}
		}
		return n, nil // an error comes again
	}
	if err == nil {
		return 0, nil
	}
	if r.ctx.Err() != nil {
		return 0, r.ctx.Err()
	}
	if r.breaks++; r.breaks > maxBreaks {
		return 0, err
	}
	_ = r.body.Close() // it is broken
	r.body = nil
	return 0, nil
}

// verify compares the hash of all bytes with the name.
func (r *reader) verify() error {
	if hex.EncodeToString(r.hash.Sum(nil)) != string(r.name) {
		return blob.ErrDamaged
	}
	return nil
}

// Close ends reading.
func (r *reader) Close() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}

// body is a part of an answer that must go on in time.
type body struct {
	io.ReadCloser
	watch *time.Timer
	stall time.Duration
	ctx   context.Context
	end   context.CancelCauseFunc
}

// get asks for a blob from an offset on, and tells how many bytes come. What it has asked for ends with ctx, and when the server stalls.
func (s *Store) get(ctx context.Context, name blob.Name, from int64) (*body, int64, error) {
	ctx, end := context.WithCancelCause(ctx)
	watch := time.AfterFunc(s.stall, func() { end(errStalled) })
	in := &sdk.GetObjectInput{Bucket: s.in(), Key: s.key(name)}
	if from > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", from))
	}
	out, err := s.bucket.client.GetObject(ctx, in)
	watch.Stop()
	switch {
	case err != nil && errors.Is(context.Cause(ctx), errStalled):
		err = fmt.Errorf("%w: %w", errStalled, err)
	case err == nil && out.ContentLength == nil:
		err = errors.Join(errors.New("the answer does not tell its length"), out.Body.Close())
	}
	if err != nil {
		end(nil)
		return nil, 0, err
	}
	return &body{ReadCloser: out.Body, watch: watch, stall: s.stall, ctx: ctx, end: end}, *out.ContentLength, nil
}

// Read reads, for so long as there is something in time. Its callers read no further than to the end that was announced.
func (b *body) Read(p []byte) (int, error) {
	b.watch.Reset(b.stall)
	n, err := b.ReadCloser.Read(p)
	b.watch.Stop()
	if err == io.EOF && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && errors.Is(context.Cause(b.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

// Close ends it, and its connection, if it is in the middle.
func (b *body) Close() error {
	b.watch.Stop()
	b.end(nil)
	return b.ReadCloser.Close()
}
