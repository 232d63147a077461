package edge

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/sigv4"
)

// maxDocument bounds the bodies that are documents of a service whose other bodies are streams: the list of the parts of an upload to S3.
const maxDocument = 8 << 20

// answerStreaming does an exchange with a service whose payloads may be streams: who calls is known before any of the payload is read, and
// the payload is verified while it is.
func (s *Server) answerStreaming(
	x *exchange, r *http.Request, codec protocol.StreamingCodec, signed *sigv4.Signed, unsigned error,
) (err error) {
	req := &protocol.Request{HTTP: r}
	raw := &patientBody{x: x, r: r.Body}
	defer func() {
		if err != nil {
			raw.drain(r)
		}
	}()
	op, unknown := x.codec.Operation(req)
	caller, payload, err := s.authenticatePayload(x, r, codec.HostedBucket(r), signed, unsigned)
	if s.isOpen(x, op, unknown, unsigned) {
		x.region = s.config.Region
		caller = anonymous()
		payload, err = sigv4.AnonymousPayload(r)
	}
	if err != nil {
		return s.worded(x, r, err)
	}
	if unknown != nil {
		return unknown
	}
	body := payload.Body(raw)
	if codec.Streams(op) {
		req.Stream = body
	} else {
		var release func()
		if req.Body, release, err = s.readDocument(x, payload.Length(), body); err != nil {
			return err
		}
		defer release()
	}
	if payload.Length() != r.ContentLength {
		req.HTTP = r.WithContext(r.Context()) // a copy
		req.HTTP.ContentLength = payload.Length()
	}
	return s.run(x, req, op, caller, signatureOf(signed, payload))
}

// signatureOf is nil for a request that has none.
func signatureOf(signed *sigv4.Signed, payload *sigv4.Payload) *service.Signature {
	if signed == nil {
		return nil
	}
	return &service.Signature{Version2: signed.Version2(), Presigned: signed.Presigned, Time: signed.Time, Content: payload.Stated()}
}

// authenticatePayload finds who calls, and what the payload must be like.
func (s *Server) authenticatePayload(
	x *exchange, r *http.Request, bucket string, signed *sigv4.Signed, parsed error,
) (principal.Caller, *sigv4.Payload, error) {
	if parsed != nil {
		return principal.Caller{}, nil, parsed
	}
	secret, caller, err := s.key(r.Context(), signed)
	if err != nil {
		return principal.Caller{}, nil, err
	}
	scope := s.scope(x)
	scope.Bucket = bucket
	payload, err := s.verifier.CheckPayload(r, signed, secret, scope, s.config.Now())
	if err != nil {
		return principal.Caller{}, nil, err
	}
	if x.region = signed.Region; signed.Version2() {
		x.region = s.config.Region
	}
	return caller, payload, nil
}

// readDocument reads a body that is no stream. release must be called when it is used no more.
func (s *Server) readDocument(x *exchange, length int64, body io.Reader) (read []byte, release func(), err error) {
	tooLarge := func() error {
		x.Header().Set("Connection", "close") // the rest of the body is not read
		return awserr.New("MaxMessageLengthExceeded", http.StatusBadRequest, "Your request was too large.")
	}
	if length > maxDocument {
		return nil, nil, tooLarge()
	}
	if length < 0 { // it is not announced
		length = maxDocument
	}
	if release, err = s.reserve(x, length); err != nil {
		return nil, nil, err
	}
	read, err = io.ReadAll(io.LimitReader(body, maxDocument+1))
	switch {
	case err != nil && errors.Is(err, http.ErrBodyReadAfterClose):
		err = fmt.Errorf("read body: %w", err)
	case err == nil && len(read) > maxDocument:
		err = tooLarge()
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return read, release, nil
}

// patientBody gives the client time for each part of a body: how long the whole may take depends on its length alone.
type patientBody struct {
	x    *exchange
	r    io.Reader
	left int // until the client is given time again
}

// patience is how much of a body must arrive within bodyTimeout.
const patience = 1 << 20

// maxDrain is how much of a body is read that is not wanted: clients that do not ask before they send one read no answer until they have sent
// it, and of a connection that is closed meanwhile they do not know why. What is longer is cut off.
const maxDrain = 64 << 20

// drain reads the rest of a body, unless the client waits for being told to send it.
func (p *patientBody) drain(r *http.Request) {
	if r.Header.Get("Expect") == "" && r.ContentLength <= maxDrain {
		p.extend(maxDrain)                       // all of it: the client has nothing to gain by it
		_, _ = io.CopyN(io.Discard, p, maxDrain) // the answer is an error anyhow
	}
}

func (p *patientBody) Read(b []byte) (int, error) {
	if p.left <= 0 {
		p.extend(patience)
	}
	n, err := p.r.Read(b)
	p.left -= n
	return n, err
}

// extend gives the client time for so many bytes.
func (p *patientBody) extend(size int) {
	// A test's writer may have no deadline.
	_ = http.NewResponseController(p.x.ResponseWriter).SetReadDeadline(time.Now().Add(bodyTimeout))
	p.left = size
}
