package sqs

import (
	"errors"
	"strings"
	"testing"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/movetask"
	"github.com/licet/licet/internal/services/sqs/queue"
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
