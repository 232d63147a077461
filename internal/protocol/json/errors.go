package json

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	smithy "github.com/aws/smithy-go"

	"github.com/licet/licet/internal/awserr"
)

// Serialization is the answer to a body that cannot be read.
func Serialization(err error) *awserr.Error {
	return awserr.New("SerializationException", http.StatusBadRequest, "%v", err)
}

// Errors knows which member of a service's error shapes holds the text: AWS calls it message in some and Message in others, and
// some SDKs look for exactly the modelled one.
type Errors struct {
	message map[string]string // error code to member name; immutable
}

// NewErrors reads the error shapes of a service. types may be nil.
func NewErrors(types *smithy.TypeRegistry) *Errors {
	// Of the errors that no service models, this one alone has it in upper case, in Lambda at least (lambda.md 2.8).
	e := &Errors{message: map[string]string{"AccessDeniedException": "Message"}}
	if types == nil {
		return e
	}
	for id, entry := range types.Entries {
		for name := range entry.Schema.Members() {
			if strings.EqualFold(name, "message") {
				e.message[id[strings.Index(id, "#")+1:]] = name
			}
		}
	}
	return e
}

// Body is the JSON object of an error: its text, its members, and more. No text is null, as AWS answers some denials.
func (e *Errors) Body(err *awserr.Error, more map[string]string) []byte {
	members := map[string]any{}
	for k, v := range err.Members {
		members[k] = v
	}
	for k, v := range more {
		members[k] = v
	}
	name, ok := e.message[err.Code]
	if !ok {
		name = "message"
	}
	members[name] = nil
	if err.Message != "" {
		members[name] = err.Message
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(members) // a map of strings cannot fail
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
