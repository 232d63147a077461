package edge

import (
	"io"
	"net/http"
	"time"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
)

const (
	// maxBody bounds a request: the largest that Lambda takes is a 50 MB zip in base64 (limits.json: 70,167,211 bytes).
	maxBody = 70_167_211
	// largeBody is the size above which a body counts towards maxLarge, which bounds what all such bodies take at one time. A body
	// is read before anything is known for sure about its sender, who may be code inside a sandbox.
	largeBody = 1 << 20
	maxLarge  = 1 << 30
	// bodyTimeout and answerTimeout end connections whose other side sends or reads too slowly: 70 MB at 2 Mbit/s takes so long.
	bodyTimeout   = 5 * time.Minute
	answerTimeout = 5 * time.Minute
)

// readBody reads the body within limits. release must be called when it is used no more.
func (s *Server) readBody(x *exchange, r *http.Request) (body []byte, release func(), err error) {
	size := r.ContentLength
	if size > maxBody {
		return nil, nil, tooLarge(x, r)
	}
	if size < 0 { // it is not announced
		size = maxBody
	}
	if release, err = s.reserve(x, size); err != nil {
		return nil, nil, err
	}
	// It ends with the body. A test's writer may have none.
	_ = http.NewResponseController(x.ResponseWriter).SetReadDeadline(time.Now().Add(bodyTimeout))
	if r.ContentLength >= 0 {
		body = make([]byte, size)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	}
	switch {
	case err != nil:
		err = &awserr.Error{
			Code: "IncompleteBody", Status: http.StatusBadRequest, Cause: err,
			Message: "The request body ended before its announced length.",
		}
	case len(body) > maxBody:
		err = tooLarge(x, r)
	default:
		return body, release, nil
	}
	release()
	return nil, nil, err
}

// reserve makes room for a body.
func (s *Server) reserve(x *exchange, size int64) (release func(), err error) {
	if size <= largeBody {
		return func() {}, nil
	}
	release = func() { s.large.Add(-size) }
	if s.large.Add(size) > maxLarge {
		release()
		x.Header().Set("Connection", "close") // the body is not read
		return nil, unavailable("The server has no room for so large a request now.")
	}
	return release, nil
}

// tooLarge has AWS's text (lambda.md 6, recorded), which names the operation; where that stands in the body, it is not known.
func tooLarge(x *exchange, r *http.Request) error {
	x.Header().Set("Connection", "close") // the rest of the body is not read
	operation := ""
	if op, err := x.codec.Operation(&protocol.Request{HTTP: r}); err == nil {
		operation = " for the " + op.Name + " operation"
	}
	return awserr.New("RequestEntityTooLargeException", http.StatusRequestEntityTooLarge,
		"Request must be smaller than %d bytes%s", maxBody, operation)
}
