package payload

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00"

// split takes a stream in parts of a size, and gives its head and body.
func split(contentType, text string, size int) (head *Answer, body []byte, err error) {
	var s Splitter
	note := func(h *Answer, rest []byte) {
		if h != nil {
			head = h
		}
		body = append(body, rest...)
	}
	for len(text) > 0 {
		n := min(size, len(text))
		h, rest, err := s.Split(contentType, []byte(text[:n]))
		if err != nil {
			return nil, nil, err
		}
		note(h, rest)
		text = text[n:]
	}
	h, err := s.End(contentType)
	note(h, nil)
	return head, body, err
}

func TestSplitter(t *testing.T) {
	full := Answer{Status: 203, Header: http.Header{"Content-Type": {"text/html"}, "Set-Cookie": {"a=b"}}}
	for name, c := range map[string]struct {
		contentType, text string
		head              Answer
		body              string
	}{
		"all":           {StreamedResponse, `{"statusCode":203,"headers":{"content-type":"text/html"},"cookies":["a=b"]}` + zeros + "body", full, "body"},
		"zeros in body": {StreamedResponse + "; x=y", `{"statusCode":203,"headers":{"content-type":"text/html"},"cookies":["a=b"]}` + zeros + zeros + "\x00", full, zeros + "\x00"},
		"no body":       {StreamedResponse, `{}` + zeros, Answer{Status: 200, Header: http.Header{"Content-Type": {"application/octet-stream"}}}, ""},
		"plain":         {"text/plain", "a" + zeros + "b", Answer{Status: 200, Header: http.Header{"Content-Type": {"text/plain"}}}, "a" + zeros + "b"},
		"no type":       {"", "x", Answer{Status: 200, Header: http.Header{"Content-Type": {"application/octet-stream"}}}, "x"},
		"nothing":       {"text/plain", "", Answer{Status: 200, Header: http.Header{"Content-Type": {"text/plain"}}}, ""},
	} {
		for _, size := range []int{1, 3, 7, 8, 9, 1000} {
			head, body, err := split(c.contentType, c.text, size)
			if err != nil {
				t.Errorf("%s in parts of %d: %v", name, size, err)
				continue
			}
			if diff := cmp.Diff(c.head, *head); diff != "" || string(body) != c.body {
				t.Errorf("%s in parts of %d: got body %q (-want +got):\n%s", name, size, body, diff)
			}
		}
	}
}

func TestSplitterRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "has ended",
		`{"statusCode":200}`:                   "has ended",
		`{"statusCode":200}` + zeros[1:] + "x": "has ended",
		"no JSON" + zeros:                      "is not as it must be",
		`{"statusCode":100}` + zeros:           "statusCode 100",
		`{"headers":{"a":"\n"}}` + zeros:       `the header "a"`,
		strings.Repeat(" ", maxPrelude+8):      "no eight bytes of zero",
		strings.Repeat(" ", maxPrelude-1) + "{}" + zeros: "no eight bytes of zero",
	} {
		for _, size := range []int{1, 9, 1 << 20} {
			if _, _, err := split(StreamedResponse, text, size); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.40q in parts of %d: got %v, want an error about %s", text, size, err, want)
			}
		}
	}
}

// FuzzSplitter: how a stream is cut makes no difference, and its head is harmless.
func FuzzSplitter(f *testing.F) {
	f.Add(`{"statusCode":200}`+zeros+"body", 3)
	f.Add(`{}`+zeros+zeros, 8)
	f.Add("{"+zeros, 1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		if size < 1 {
			t.Skip()
		}
		whole, body, err := split(StreamedResponse, text, len(text)+1)
		cut, cutBody, cutErr := split(StreamedResponse, text, size)
		if (err == nil) != (cutErr == nil) || !bytes.Equal(body, cutBody) || !cmp.Equal(whole, cut) {
			t.Errorf("whole: %v %q %v, in parts of %d: %v %q %v", whole, body, err, size, cut, cutBody, cutErr)
		}
		if err == nil {
			harmless(t, *whole)
		}
	})
}
