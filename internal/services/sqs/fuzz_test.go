package sqs

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/protocol/query"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/movetask"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/services/sqs/sqsapi"
)

// FuzzNames looks for URLs, ARNs, handles and tokens that panic, that lead out of the scope that they name, or whose errors are not the
// client's.
func FuzzNames(f *testing.F) {
	q := &queue.Queue{ID: "1a"}
	for _, text := range []string{
		"http://x/111111111111/q", "/111111111111/a/../b", arnOf("q"), arnOf("q/x"), queue.Handle{Queue: "1a", Number: 7, Token: "T"}.String(),
		*token("q"), (&movetask.Task{ID: "01234567-89ab-cdef-0123-456789abcdef", Source: arnOf("q")}).Handle(), "%zz", "",
	} {
		f.Add(text)
	}
	c := &service.Call{Account: account, Region: "us-east-1"}
	f.Fuzz(func(t *testing.T, text string) {
		check := func(key string, err error) {
			if err != nil {
				if e, ok := errors.AsType[*awserr.Error](err); !ok || !e.Sender() {
					t.Errorf("got %v", err)
				}
				return
			}
			if strings.Count(key, "/") != 4 || strings.ContainsRune(key, 0) {
				t.Errorf("%q leads to the key %q", text, key)
			}
		}
		byURL, err := byURL(c, &text)
		check(byURL.key(), err)
		byARN, err := byARN(c, &text, "SourceArn")
		check(byARN.key(), err)
		if err == nil && reach(text) != byARN {
			t.Errorf("%s: got %v and %v", text, reach(text), byARN)
		}
		if key, err := tokenKey(queue.Scope(account, "us-east-1"), &text); text != "" {
			check(key, err)
		}
		if h, err := movetask.ParseHandle(text); err == nil && (h.TaskID == "" || strings.ContainsAny(h.TaskID, "/\x00")) {
			t.Errorf("%s: got %+v", text, h)
		}
		if h, err := q.ParseHandle(text); err == nil && (h.Queue != "1a" || h.Token == "") {
			t.Errorf("%s: got %+v", text, h)
		}
	})
}

// FuzzDecode looks for requests in either of the two protocols that panic, or whose errors are not the client's.
func FuzzDecode(f *testing.F) {
	for _, r := range []struct{ target, path, body string }{
		{"SendMessage", "/", `{"QueueUrl":"http://x/111111111111/q","MessageBody":"a","DelaySeconds":0}`},
		{"SendMessageBatch", "/", `{"QueueUrl":"q","Entries":[{"Id":"1","MessageBody":"a","DelaySeconds":0},null]}`},
		{"ReceiveMessage", "/", `{"QueueUrl":"q","WaitTimeSeconds":0,"VisibilityTimeout":0,"MaxNumberOfMessages":0}`},
		{"", "/111111111111/q", "Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=1&SendMessageBatchRequestEntry.3.DelaySeconds=0"},
		{"", "/", "Action=ReceiveMessage&QueueUrl=q&WaitTimeSeconds=0&AttributeName.1=All"},
	} {
		f.Add(r.target, r.path, []byte(r.body))
	}
	api := sqsapi.API()
	both := NewProtocols(json.New(api, json.Version10), query.New(api))
	f.Fuzz(func(t *testing.T, target, path string, body []byte) {
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: path}, Host: "sqs.localhost", Header: http.Header{}}
		if target != "" {
			r.Header.Set("X-Amz-Target", "AmazonSQS."+target)
		} else {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		req := &protocol.Request{HTTP: r, Body: body}
		codec := both.Choose(r)
		op, err := codec.Operation(req)
		if err == nil {
			_, err = codec.Decode(req, op)
		}
		if e, ok := errors.AsType[*awserr.Error](err); err != nil && (!ok || !e.Sender()) {
			t.Errorf("got %v", err)
		}
	})
}
