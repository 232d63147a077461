package protocol

import (
	"slices"
	"sync/atomic"

	"github.com/aws/smithy-go/middleware"
)

// Encoding is the body of an output that answers many calls, kept so that it is encoded once.
type Encoding struct{ body atomic.Pointer[[]byte] }

type encodingKey struct{}

// KeepEncoding lets codecs keep how an output, whose metadata this is, is encoded. Neither the output nor anything that it points to may
// change afterwards, and it must be for every caller that gets it.
func KeepEncoding(m *middleware.Metadata) { m.Set(encodingKey{}, new(Encoding)) }

// EncodingOf gives the place for an output's encoding by its metadata; nil for one that is not to be kept.
func EncodingOf(m *middleware.Metadata) *Encoding {
	e, _ := m.Get(encodingKey{}).(*Encoding)
	return e
}

// Body gives what Keep was given, which must not be changed; nil before that.
func (e *Encoding) Body() []byte {
	if e == nil {
		return nil
	}
	if body := e.body.Load(); body != nil {
		return *body
	}
	return nil
}

// Keep keeps a copy of a body.
func (e *Encoding) Keep(body []byte) {
	if e != nil {
		kept := slices.Clip(slices.Clone(body))
		e.body.Store(&kept)
	}
}
