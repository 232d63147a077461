package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/awserr"
)

// contentHash is the header that says what of the payload is signed.
const contentHash = "X-Amz-Content-Sha256"

// The forms of a payload that comes in chunks (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
// …/sigv4-streaming-trailers.html).
const (
	signedChunks          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedChunksTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedChunksTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	decodedLength         = "X-Amz-Decoded-Content-Length"
)

// Payload is how the payload of a request to S3 is verified: its signature covers what a header says of the payload, so that it can be
// checked before the payload is read.
type Payload struct {
	stated    string // what the header says
	length    int64  // -1 when it is not known
	announced string // the headers that follow chunks
	chunks    *chunkSigner
}

// CheckPayload proves, as Check does, that a request to S3 was signed, without its payload. What the payload must be like is known then:
// it is not verified before it was read from Body to its end.
func (v *Verifier) CheckPayload(r *http.Request, s *Signed, secret string, scope Scope, now time.Time) (*Payload, error) {
	if s.version2 {
		if err := s.checkVersion2(r, secret, scope.Bucket, now); err != nil {
			return nil, err
		}
		return AnonymousPayload(r)
	}
	if err := s.checkTime(now); err != nil {
		return nil, err
	}
	if err := s.checkScope(scope); err != nil {
		return nil, err
	}
	if err := s.checkHeaders(r); err != nil {
		return nil, err
	}
	p, err := newPayload(r, s.Presigned)
	if err != nil {
		return nil, err
	}
	if err := v.compare(r, s, secret, p.stated); err != nil {
		return nil, err
	}
	if p.stated == signedChunks || p.stated == signedChunksTrailer {
		p.chunks = &chunkSigner{key: v.keys.get(secret, s), signed: s, previous: hex.EncodeToString(s.signature)}
	}
	return p, nil
}

// AnonymousPayload is that of a request that signs nothing of it: what it says of its payload is held against it all the same.
func AnonymousPayload(r *http.Request) (*Payload, error) {
	p, err := newPayload(r, true)
	if err == nil && (p.stated == signedChunks || p.stated == signedChunksTrailer) {
		return nil, invalidPayload("The chunks of a request without a signature cannot be signed.")
	}
	return p, err
}

// newPayload reads the headers. The hash may be left out where the signature is in the query
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html).
func newPayload(r *http.Request, optional bool) (*Payload, error) {
	stated := r.Header.Values(contentHash)
	p := &Payload{length: r.ContentLength, announced: r.Header.Get("X-Amz-Trailer")}
	switch {
	case len(stated) == 0 && optional:
		p.stated = unsignedPayload
		return p, nil
	case len(stated) == 0:
		return nil, invalidPayload("Missing required header for this request: x-amz-content-sha256")
	case len(stated) > 1:
		return nil, invalidPayload("x-amz-content-sha256 must be given once.")
	}
	p.stated = stated[0]
	switch {
	case p.Chunked():
		n, err := strconv.ParseInt(r.Header.Get(decodedLength), 10, 64)
		if err != nil || n < 0 {
			return nil, &Error{Kind: Incomplete, s3: awserr.New("MissingContentLength", http.StatusLengthRequired,
				"You must provide the Content-Length HTTP header.")}
		}
		p.length = n
	case p.stated == unsignedPayload:
	default:
		sum, err := hex.DecodeString(p.stated)
		if err != nil || len(sum) != sha256.Size {
			return nil, &Error{Kind: Incomplete, s3: awserr.New("InvalidArgument", http.StatusBadRequest,
				"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "+
					"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.")}
		}
	}
	return p, nil
}

func invalidPayload(text string) error {
	return &Error{Kind: Incomplete, s3: awserr.New("InvalidRequest", http.StatusBadRequest, "%s", text)}
}

// Chunked tells whether the payload comes in chunks.
func (p *Payload) Chunked() bool {
	return p.stated == signedChunks || p.stated == signedChunksTrailer || p.stated == unsignedChunksTrailer
}

// Length is that of the payload itself, without what chunks add; -1 when the request does not say.
func (p *Payload) Length() int64 { return p.length }

// Stated is what the request says of its payload: a hash, or the name of a form.
func (p *Payload) Stated() string { return p.stated }

// Body reads the payload and verifies it on the way: io.EOF says that it is what was signed. Other errors are *awserr.Error when the
// client is to blame.
func (p *Payload) Body(body io.Reader) io.Reader {
	switch {
	case p.Chunked():
		return newChunkReader(body, p)
	case p.stated == unsignedPayload:
		return &whole{r: body, left: p.length}
	}
	return &whole{r: body, left: p.length, hash: sha256.New(), stated: p.stated}
}

// whole reads a payload that comes in one piece.
type whole struct {
	r      io.Reader
	left   int64     // negative when it is not known
	hash   hash.Hash // nil for a payload that is not signed
	stated string
}

// Read verifies at the end.
func (w *whole) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if w.hash != nil {
		w.hash.Write(b[:n])
	}
	if w.left >= 0 {
		w.left = max(0, w.left-int64(n))
	}
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF: // net/http has its own for a body that is too short
		return n, incompleteBody(err)
	case w.left > 0:
		return n, incompleteBody(nil)
	case w.hash != nil:
		if computed := hex.EncodeToString(w.hash.Sum(nil)); computed != strings.ToLower(w.stated) {
			e := awserr.New("XAmzContentSHA256Mismatch", http.StatusBadRequest,
				"The provided 'x-amz-content-sha256' header does not match what was computed.")
			e.Members = map[string]string{"ClientComputedContentSHA256": w.stated, "S3ComputedContentSHA256": computed}
			return n, e
		}
	}
	return n, io.EOF
}

func incompleteBody(cause error) error {
	return &awserr.Error{
		Code: "IncompleteBody", Status: http.StatusBadRequest, Cause: cause,
		Message: "You did not provide the number of bytes specified by the Content-Length HTTP header",
	}
}

// chunkSigner makes the signatures of the chunks of one payload, each over the one before.
type chunkSigner struct {
	key      *signer
	signed   *Signed
	previous string
}

// emptyHash is the SHA-256 of nothing.
var emptyHash = fmt.Sprintf("%x", sha256.Sum256(nil))

// chunk gives the signature of the next chunk by the hash of its data.
func (c *chunkSigner) chunk(data []byte) string {
	return c.next(algorithm+"-PAYLOAD", emptyHash+"\n"+hex.EncodeToString(data))
}

// trailer gives the signature of what follows the chunks.
func (c *chunkSigner) trailer(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return c.next(algorithm+"-TRAILER", hex.EncodeToString(sum[:]))
}

func (c *chunkSigner) next(form, rest string) string {
	s := c.signed
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s\n%s\n%s/%s/%s/%s\n%s\n%s", form, s.Time.Format(timeFormat), s.Date, s.Region, s.Service, terminator, c.previous, rest)
	c.previous = hex.EncodeToString(c.key.code(text.Bytes()))
	return c.previous
}
