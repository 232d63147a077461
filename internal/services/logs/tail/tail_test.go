package tail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func anything(string) bool { return true }

func open(t *testing.T, h *Hub, s Selection) *Session {
	t.Helper()
	s.Account = "1"
	session, err := h.Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func texts(u Update) string {
	var all []string
	for _, e := range u.Events {
		all = append(all, e.Group+"/"+e.Stream+":"+e.Message)
	}
	return strings.Join(all, " ")
}

func events(stream string, messages ...string) (list []Event) {
	for i, m := range messages {
		list = append(list, Event{Stream: stream, Message: m, Timestamp: int64(i)})
	}
	return list
}

func TestSelection(t *testing.T) {
	for name, test := range map[string]struct {
		selection Selection
		want      string
	}{
		"groups":   {Selection{Groups: map[string]string{"g": "G", "h": "H"}, Means: anything}, "G/a1:x G/a2:x H/a1:x G/a1:y G/a2:y H/a1:y"},
		"streams":  {Selection{Groups: map[string]string{"g": "G"}, Streams: []string{"a2", "b"}, Means: anything}, "G/a2:x G/a2:y"},
		"prefixes": {Selection{Groups: map[string]string{"g": "G"}, Prefixes: []string{"b", "a"}, Means: anything}, "G/a1:x G/a2:x G/a1:y G/a2:y"},
		"pattern":  {Selection{Groups: map[string]string{"h": "H"}, Means: func(m string) bool { return m == "y" }}, "H/a1:y"},
	} {
		h := &Hub{}
		s := open(t, h, test.selection)
		h.Publish("g", "a1", events("a1", "x", "y"))
		h.Publish("g", "a2", events("a2", "x", "y"))
		h.Publish("h", "a1", events("a1", "x", "y"))
		h.Publish("i", "a1", events("a1", "x", "y"))
		u := s.update()
		if got := texts(u); got != test.want || u.Sampled {
			t.Errorf("%s: %s, sampled %v, want %s", name, got, u.Sampled, test.want)
		}
		if u := s.update(); len(u.Events) > 0 {
			t.Errorf("%s: again %v", name, u)
		}
	}
}

// An update is bounded in events and in bytes, and a sample of all that came.
func TestSample(t *testing.T) {
	for name, size := range map[string]int{"small": 1, "large": 100 << 10, "too large": maxBytes + 1} {
		h := &Hub{}
		s := open(t, h, Selection{Groups: map[string]string{"g": "G"}, Means: anything})
		for i := range 20 {
			list := events("s", strings.Split(strings.Repeat(strings.Repeat("x", size)+" ", 50), " ")[:50]...)
			for j := range list {
				list[j].Timestamp = int64(i*50 + j)
			}
			h.Publish("g", "s", list)
		}
		u := s.update()
		bytes := 0
		for i, e := range u.Events {
			bytes += len(e.Message)
			if i > 0 && e.Timestamp <= u.Events[i-1].Timestamp {
				t.Fatalf("%s: not in order", name)
			}
		}
		if !u.Sampled || len(u.Events) > maxEvents || bytes > maxBytes || size <= maxBytes && len(u.Events) == 0 {
			t.Errorf("%s: %d events of %d bytes, sampled %v", name, len(u.Events), bytes, u.Sampled)
		}
		if size == 1 && u.Events[maxEvents-1].Timestamp < 500 {
			t.Errorf("%s: the last events have no chance", name)
		}
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{}
		s := open(t, h, Selection{Groups: map[string]string{"g": "G"}, Means: anything})
		var got []string
		start := time.Now()
		done := make(chan error)
		go func() {
			done <- s.Run(t.Context(), func(u Update) error {
				got = append(got, fmt.Sprintf("%v %s", time.Since(start), texts(u)))
				return nil
			})
		}()
		synctest.Wait()
		h.Publish("g", "s", events("s", "a"))
		time.Sleep(1500 * time.Millisecond)
		h.Publish("g", "s", events("s", "b", "c"))
		time.Sleep(2 * time.Second)
		err := <-done
		if diff := cmp.Diff([]string{"1s G/s:a", "2s G/s:b G/s:c", "3s "}, got[:3]); diff != "" {
			t.Errorf("updates (-want +got):\n%s", diff)
		}
		if !errors.Is(err, ErrTimeout) || time.Since(start) != Life || h.Watched() {
			t.Errorf("after %v: %v, watched %v", time.Since(start), err, h.Watched())
		}
	})
}

func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{}
		wrong := errors.New("gone")
		gone, cancelled := open(t, h, Selection{}), open(t, h, Selection{})
		if err := gone.Run(t.Context(), func(Update) error { return wrong }); !errors.Is(err, wrong) {
			t.Errorf("client gone: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := cancelled.Run(ctx, func(Update) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		left, leave := context.WithCancel(t.Context())
		if _, err := h.Open(left, Selection{}); err != nil || !h.Watched() {
			t.Errorf("opened: %v, watched %v", err, h.Watched())
		}
		leave()
		synctest.Wait()
		if h.Watched() {
			t.Error("a session outlives its context")
		}
		var last *Session
		for range maxSessions {
			last = open(t, h, Selection{})
		}
		if _, err := h.Open(t.Context(), Selection{Account: "1"}); !errors.Is(err, ErrTooMany) {
			t.Errorf("one more: %v", err)
		}
		if _, err := h.Open(t.Context(), Selection{Account: "2"}); err != nil {
			t.Errorf("of another account: %v", err)
		}
		h.Close()
		h.Close()
		if err := last.Run(t.Context(), func(Update) error { return nil }); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		if _, err := h.Open(t.Context(), Selection{Account: "3"}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
