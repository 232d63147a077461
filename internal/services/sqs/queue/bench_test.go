package queue

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// BenchmarkFlow sends, receives and deletes ten messages, each time in a transaction of its own, without the calls around it.
func BenchmarkFlow(b *testing.B) {
	for _, fifo := range []bool{false, true} {
		b.Run(fmt.Sprintf("fifo=%v", fifo), func(b *testing.B) {
			db := storetest.New(b)
			q := &Queue{Account: "1", Region: "r", Name: "q", Attributes: map[string]string{"FifoQueue": fmt.Sprint(fifo), "MessageRetentionPeriod": "345600"}}
			update := func(fn func(store.Tx) error) {
				if err := db.Update(b.Context(), fn); err != nil {
					b.Fatal(err)
				}
			}
			update(func(tx store.Tx) error { return Create(tx, q) })
			body, n := strings.Repeat("x", 200), 0
			for b.Loop() {
				now := time.Now()
				var list []*Message
				for range 10 {
					n++
					list = append(list, &Message{
						ID: "01234567-89ab-cdef-0123-456789abcdef", Sent: now.UnixMilli(), Due: now.UnixMilli(), Sender: "AROAIOSFODNN7EXAMPLE:session",
						Group: fmt.Sprint(n % 100), Deduplication: fmt.Sprint(n), Content: Content{Body: body},
					})
				}
				update(func(tx store.Tx) error { return Send(tx, q, now, list...) })
				var got []*Message
				update(func(tx store.Tx) (err error) {
					got, err = Receive(tx, q, Receipt{Now: now, Limit: 10, Visibility: time.Minute})
					return err
				})
				var handles []Handle
				for _, m := range got {
					handles = append(handles, q.Handle(m))
				}
				update(func(tx store.Tx) error {
					_, err := DeleteMessages(tx, q, now, handles...)
					return err
				})
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/message")
		})
	}
}
