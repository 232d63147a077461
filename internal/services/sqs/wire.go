package sqs

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
)

// Protocols are the two that SQS speaks: JSON with clients since 2023, and the query protocol with older ones, which send to a queue's own
// URL. Both know what inputs cannot tell, a 0 that was given from nothing, and say so in the input (zero).
type Protocols struct {
	protocol.Codec
	older protocol.Codec
}

var _ protocol.Chooser = Protocols{}

// NewProtocols joins the codecs of both.
func NewProtocols(json, query protocol.Codec) Protocols {
	return Protocols{Codec: jsonCodec{json}, older: queryCodec{query}}
}

// Choose tells them apart by the header that the JSON protocol has.
func (p Protocols) Choose(r *http.Request) protocol.Codec {
	if r.Header.Get("X-Amz-Target") != "" || strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-amz-json") {
		return p.Codec
	}
	return p.older
}

type jsonCodec struct{ protocol.Codec }

// Decode reads the input.
func (c jsonCodec) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	in, err := c.Codec.Decode(r, op)
	if err != nil || !mayHaveZero(r.Body) {
		return in, err
	}
	var given zeros
	if err := json.Unmarshal(r.Body, &given); err != nil {
		return in, nil // of an operation that has other members of these names; the codec has read it
	}
	given.mark(in)
	return in, nil
}

// mayHaveZero spares most requests a second reading.
func mayHaveZero(body []byte) bool {
	for _, name := range []string{`"DelaySeconds"`, `"WaitTimeSeconds"`, `"VisibilityTimeout"`, `"MaxNumberOfMessages"`} {
		if bytes.Contains(body, []byte(name)) {
			return true
		}
	}
	return false
}

// zeros are the members for which a 0 is not the same as nothing.
type zeros struct {
	DelaySeconds, WaitTimeSeconds, VisibilityTimeout, MaxNumberOfMessages *int32
	Entries                                                               []struct{ DelaySeconds *int32 }
}

// mark puts zero where a 0 was given.
func (z *zeros) mark(in any) {
	set := func(given, member *int32) {
		if given != nil && *given == 0 {
			*member = zero
		}
	}
	switch in := in.(type) {
	case *sdk.SendMessageInput:
		set(z.DelaySeconds, &in.DelaySeconds)
	case *sdk.SendMessageBatchInput:
		for i := range min(len(in.Entries), len(z.Entries)) {
			set(z.Entries[i].DelaySeconds, &in.Entries[i].DelaySeconds)
		}
	case *sdk.ReceiveMessageInput:
		set(z.WaitTimeSeconds, &in.WaitTimeSeconds)
		set(z.VisibilityTimeout, &in.VisibilityTimeout)
		set(z.MaxNumberOfMessages, &in.MaxNumberOfMessages)
	}
}

type queryCodec struct{ protocol.Codec }

// Decode reads the input. The queue may be that of the path.
func (c queryCodec) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	in, err := c.Codec.Decode(r, op)
	if err != nil {
		return nil, err
	}
	var given zeros
	given.DelaySeconds, given.WaitTimeSeconds = parameter(r.Form, "DelaySeconds"), parameter(r.Form, "WaitTimeSeconds")
	given.VisibilityTimeout, given.MaxNumberOfMessages = parameter(r.Form, "VisibilityTimeout"), parameter(r.Form, "MaxNumberOfMessages")
	if batch, ok := in.(*sdk.SendMessageBatchInput); ok {
		for i := 1; len(given.Entries) < len(batch.Entries) && i <= maxParameters; i++ { // gaps are closed
			name := "SendMessageBatchRequestEntry." + strconv.Itoa(i) + "."
			if !hasPrefix(r.Form, name) {
				continue
			}
			given.Entries = append(given.Entries, struct{ DelaySeconds *int32 }{parameter(r.Form, name+"DelaySeconds")})
		}
	}
	given.mark(in)
	if url := queueURL(in); url != nil && *url == nil && strings.Trim(r.HTTP.URL.Path, "/") != "" {
		*url = aws.String("http://" + r.HTTP.Host + r.HTTP.URL.Path)
	}
	return in, nil
}

// maxParameters bounds the indexes that are looked for. Larger ones may be given, of entries that have no zeros then.
const maxParameters = 1000

func hasPrefix(form url.Values, prefix string) bool {
	for name := range form {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func parameter(form url.Values, name string) *int32 {
	n, err := strconv.ParseInt(form.Get(name), 10, 32)
	if err != nil {
		return nil
	}
	return aws.Int32(int32(n))
}

// queueURL is the member of that name; nil for inputs without.
func queueURL(in any) **string {
	member := reflect.ValueOf(in).Elem().FieldByName("QueueUrl")
	if !member.IsValid() {
		return nil
	}
	return member.Addr().Interface().(**string)
}

// EncodeError writes an error. The query protocol has another text for a queue that is not there (recorded, as those of errors.go).
func (c queryCodec) EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string) {
	if err.Code == "QueueDoesNotExist" {
		older := *err
		older.Message = "The specified queue does not exist for this wsdl version."
		err = &older
	}
	c.Codec.EncodeError(w, err, requestID)
}
