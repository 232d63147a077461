package protocol

import (
	"net/http"
	"strconv"
	"sync"
)

// Buffers are byte slices that held answers and will hold others: some lists are long. The zero value is ready.
type Buffers struct{ pool sync.Pool }

// keptBuffer is the longest buffer that is kept, in bytes.
const keptBuffer = 1 << 20

// Get gives an empty buffer.
func (p *Buffers) Get() *[]byte {
	b, ok := p.pool.Get().(*[]byte)
	if !ok {
		return new([]byte)
	}
	*b = (*b)[:0]
	return b
}

// Put takes a buffer back, which nobody may use afterwards.
func (p *Buffers) Put(b *[]byte) {
	if cap(*b) <= keptBuffer {
		p.pool.Put(b)
	}
}

// Answer writes a response. It keeps no hold of body.
func Answer(w http.ResponseWriter, status int, contentType string, body []byte, requestID string) {
	h := w.Header()
	if status == http.StatusNoContent {
		h.Set("X-Amzn-Requestid", requestID)
		w.WriteHeader(status)
		return
	}
	// A long answer goes out in chunks without its length.
	values := [...]string{requestID, contentType, strconv.Itoa(len(body))}
	h["X-Amzn-Requestid"], h["Content-Type"], h["Content-Length"] = values[0:1:1], values[1:2:2], values[2:3:3]
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_, _ = w.Write(body)
}
