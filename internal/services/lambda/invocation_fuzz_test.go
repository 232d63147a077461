package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/awserr"
)

// FuzzInvocation: what a function is given as its client context is a JSON object, what as its event JSON, and all else is the caller's fault.
func FuzzInvocation(f *testing.F) {
	f.Add(base64.StdEncoding.EncodeToString([]byte(`{"custom":{"a":1}}`)), []byte("{}"))
	f.Add(base64.StdEncoding.EncodeToString([]byte("null")), []byte("\"\xff\""))
	f.Add("e30", []byte("1e400"))
	f.Fuzz(func(t *testing.T, clientContext string, payload []byte) {
		got, err := checkInvocation(&sdk.InvokeInput{ClientContext: aws.String(clientContext), Payload: payload})
		if err != nil {
			if e, ok := errors.AsType[*awserr.Error](err); !ok || !e.Sender() {
				t.Errorf("got %v", err)
			}
			return
		}
		var object map[string]json.RawMessage
		if got != "" && json.Unmarshal([]byte(got), &object) != nil || len(payload) > 0 && !json.Valid(payload) {
			t.Errorf("%q with %q is taken, as %q", payload, clientContext, got)
		}
	})
}
