package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
)

// StreamedResponse is the type of content that says status, headers and cookies before its body, as JSON and eight bytes of zero. What AWS's
// runtime for Node.js writes for awslambda.HttpResponseStream.from has it
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html).
const StreamedResponse = "application/vnd.awslambda.http-integration-response"

// anyBytes is the type of a stream that says none.
const anyBytes = "application/octet-stream"

// maxPrelude bounds what a stream says before its body, in bytes. AWS documents no limit; clients take no longer headers.
const maxPrelude = 64 << 10

var delimiter = make([]byte, 8)

// Splitter parts a stream into its head and its body. The zero value is ready; it is for one goroutine.
type Splitter struct {
	begun   bool
	prelude []byte
}

// Split takes the next part of a stream with a type of content, which is "" where it says none. When the head is known it is given, once, and
// rest is what of the part belongs to the body; until then both are nil. rest is of part, or the caller's. Its error is for whoever wrote the
// function.
func (s *Splitter) Split(contentType string, part []byte) (head *Answer, rest []byte, err error) {
	if s.begun {
		return nil, part, nil
	}
	if t, _, err := mime.ParseMediaType(contentType); err != nil || t != StreamedResponse {
		s.begun = true
		return plain(contentType), part, nil
	}
	searched := max(0, len(s.prelude)-len(delimiter)+1)
	s.prelude = append(s.prelude, part...)
	end := bytes.Index(s.prelude[searched:], delimiter)
	if end < 0 && len(s.prelude) < maxPrelude+len(delimiter) {
		return nil, nil, nil
	}
	if end += searched; end < searched || end > maxPrelude {
		return nil, nil, fmt.Errorf("no eight bytes of zero end the first %d bytes of the stream", maxPrelude)
	}
	a, err := parsePrelude(s.prelude[:end])
	if err != nil {
		return nil, nil, err
	}
	s.begun = true
	return &a, s.prelude[end+len(delimiter):], nil
}

// End is the head of a stream that has ended, if it is not known yet: one without a body.
func (s *Splitter) End(contentType string) (head *Answer, err error) {
	if s.begun {
		return nil, nil
	}
	if head, _, err = s.Split(contentType, nil); head == nil && err == nil {
		err = errors.New("the stream has ended before eight bytes of zero")
	}
	return head, err
}

// plain is the head of a stream that is all body.
func plain(contentType string) *Answer {
	if contentType == "" || !isValue(contentType) {
		contentType = anyBytes
	}
	return &Answer{Status: http.StatusOK, Header: http.Header{typeHeader: {contentType}}}
}

func parsePrelude(text []byte) (Answer, error) {
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return Answer{}, fmt.Errorf("what the stream says before its body is not as it must be: %w", err)
	}
	return h.answer(anyBytes)
}
