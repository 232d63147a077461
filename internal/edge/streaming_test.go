package edge

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/licet/licet/internal/awserr"
)

// TestReadDocument: documents, which anonymous callers may send, too, take no more memory than there is for all large bodies.
func TestReadDocument(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		what         string
		length, held int64
		sent         int
		err          error
		want         string
	}{
		{"small", 5, maxLarge, 5, nil, ""},
		{"large", largeBody + 1, 0, largeBody + 1, nil, ""},
		{"without room", largeBody + 1, maxLarge - largeBody, largeBody + 1, nil, "ServiceUnavailable"},
		{"of no known length, without room", -1, maxLarge - largeBody, 5, nil, "ServiceUnavailable"},
		{"announced too large", maxDocument + 1, 0, 5, nil, "MaxMessageLengthExceeded"},
		{"too large", -1, 0, maxDocument + 1, nil, "MaxMessageLengthExceeded"},
		{"broken", largeBody + 1, 0, 0, broken, "broken"},
	} {
		s := &Server{}
		s.large.Store(c.held)
		body := iotest.DataErrReader(strings.NewReader(strings.Repeat("x", c.sent)))
		if c.err != nil {
			body = iotest.ErrReader(c.err)
		}
		read, release, err := s.readDocument(&exchange{ResponseWriter: httptest.NewRecorder()}, c.length, body)
		got := ""
		if e, ok := errors.AsType[*awserr.Error](err); ok {
			got = e.Code
		} else if err != nil {
			got = err.Error()
		}
		if got != c.want || err == nil && len(read) != c.sent {
			t.Errorf("%s: got %q and %d bytes", c.what, got, len(read))
		}
		if err == nil {
			if c.sent > largeBody && s.large.Load() != c.length {
				t.Errorf("%s: %d bytes are reserved", c.what, s.large.Load())
			}
			release()
		}
		if s.large.Load() != c.held {
			t.Errorf("%s: %d bytes are still reserved", c.what, s.large.Load()-c.held)
		}
	}
}
