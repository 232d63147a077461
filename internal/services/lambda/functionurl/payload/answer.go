package payload

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

const (
	typeHeader = "Content-Type"
	typeJSON   = "application/json"
)

// Answer is the HTTP response that a function gives. Its header is the caller's to change.
type Answer struct {
	// Status is from 200 to 599.
	Status int
	Header http.Header
	Body   []byte
}

// head is what a response says before its body, in either form.
type head struct {
	StatusCode json.RawMessage            `json:"statusCode"`
	Headers    map[string]json.RawMessage `json:"headers"`
	Cookies    []string                   `json:"cookies"`
}

// Parse reads the result of a function. What has no statusCode is the body itself, in JSON; a text is the body without its quotes (recorded
// by LocalStack's test_lambda_url_invocation, where AWS's page shows it with them). An error says what is wrong with it: it is for whoever
// wrote the function.
func Parse(result []byte) (Answer, error) {
	if !json.Valid(result) {
		return Answer{}, errors.New("the function's response is not JSON")
	}
	result = bytes.TrimSpace(result)
	var text string
	if json.Unmarshal(result, &text) == nil && result[0] == '"' {
		return inferred([]byte(text)), nil
	}
	var given struct {
		head
		Body            json.RawMessage `json:"body"`
		IsBase64Encoded bool            `json:"isBase64Encoded"`
	}
	if result[0] != '{' || !hasStatus(result) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, result); err != nil {
			return Answer{}, err
		}
		return inferred(compact.Bytes()), nil
	}
	if err := json.Unmarshal(result, &given); err != nil {
		return Answer{}, fmt.Errorf("the function's response is not of format 2.0: %w", err)
	}
	a, err := given.answer(typeJSON)
	if err != nil {
		return Answer{}, err
	}
	a.Body, err = body(given.Body, given.IsBase64Encoded)
	return a, err
}

func inferred(body []byte) Answer {
	return Answer{Status: http.StatusOK, Header: http.Header{typeHeader: {typeJSON}}, Body: body}
}

// hasStatus tells whether an object says that it is a response.
func hasStatus(object []byte) bool {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return false
	}
	status, ok := members["statusCode"]
	return ok && string(status) != "null"
}

// answer checks a head. Its media type is otherwise if it says none.
func (h head) answer(otherwise string) (Answer, error) {
	a := Answer{Status: http.StatusOK, Header: http.Header{}}
	if h.StatusCode != nil && string(h.StatusCode) != "null" {
		var err error
		if a.Status, err = status(h.StatusCode); err != nil {
			return Answer{}, err
		}
	}
	for name, raw := range h.Headers {
		value, ok := scalar(raw)
		if !ok {
			return Answer{}, fmt.Errorf("the value of the header %q is neither a text, a number nor a truth value", name)
		}
		if !put(a.Header, name, value) {
			return Answer{}, fmt.Errorf("HTTP cannot have the header %q with this value", name)
		}
	}
	for _, c := range h.Cookies {
		if !isValue(c) {
			return Answer{}, fmt.Errorf("HTTP cannot have the cookie %q", c)
		}
		a.Header.Add("Set-Cookie", c)
	}
	if a.Header.Get(typeHeader) == "" {
		a.Header.Set(typeHeader, otherwise)
	}
	return a, nil
}

// status reads a number, or the text of one (recorded by LocalStack's test_lambda_url_headers_and_status). An answer to the client is final:
// those below 200 are not.
func status(raw json.RawMessage) (int, error) {
	text, ok := scalar(raw)
	n, err := strconv.Atoi(text)
	if !ok || err != nil || n < 200 || n > 599 {
		return 0, fmt.Errorf("the statusCode %.40s is not a number from 200 to 599", raw)
	}
	return n, nil
}

// scalar is the text of a JSON value that is no list, object or null.
func scalar(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err == nil
	case '{', '[', 'n':
		return "", false
	}
	return string(raw), true
}

// body is a text, or the bytes that one encodes. Other values than texts are sent as JSON.
func body(raw json.RawMessage, encoded bool) ([]byte, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var text string
	if raw[0] != '"' {
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return nil, err
		}
		text = compact.String()
	} else if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	if !encoded {
		return []byte(text), nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("isBase64Encoded is true, but the body is no base64: %w", err)
	}
	return b, nil
}
