package protocol

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/licet/licet/internal/awserr"
)

// FuzzEvents: what a function says in a stream, and the error that ends it, cannot be taken for another event: the SDK reads what was sent.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("part"), "slow")
	f.Add([]byte{0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255}, "\xff\r\n") // a message of its own
	f.Fuzz(func(t *testing.T, part []byte, message string) {
		const code = "TooManyRequestsException"
		w := httptest.NewRecorder()
		events := NewEvents(w, func() error { return nil })
		wantText, err := json.Marshal(map[string]string{"message": message})
		if err != nil {
			t.Fatal(err)
		}
		if err := events.Send("PayloadChunk", "application/octet-stream", part); err != nil {
			t.Fatal(err)
		}
		if err := events.Fail(awserr.New(code, 400, "%s", message)); err != nil {
			t.Fatal(err)
		}
		sent := bytes.NewReader(w.Body.Bytes())
		for _, want := range []struct {
			kind, name, value string
			payload           []byte
		}{
			{"event", ":event-type", "PayloadChunk", part}, {"exception", ":exception-type", code, wantText},
		} {
			got, err := eventstream.NewDecoder().Decode(sent, nil)
			if err != nil {
				t.Fatal(err)
			}
			if kind := got.Headers.Get(":message-type").String(); kind != want.kind {
				t.Errorf("got %s, want %s", kind, want.kind)
			}
			if name := got.Headers.Get(want.name).String(); name != want.value || !bytes.Equal(got.Payload, want.payload) {
				t.Errorf("got %q %q, want %q %q", name, got.Payload, want.value, want.payload)
			}
		}
		if sent.Len() > 0 {
			t.Errorf("%d bytes more were sent", sent.Len())
		}
	})
}
