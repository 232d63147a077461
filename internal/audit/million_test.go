package audit

import (
	"fmt"
	"testing"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/store/storetest"
	"github.com/licet/licet/policy"
)

// BenchmarkGetAmongMillion finds single decisions, and restores their policies, in a log of a million.
func BenchmarkGetAmongMillion(b *testing.B) {
	const n = 1_000_000
	l := New(storetest.New(b), Options{MaxRecords: -1, MaxBytes: -1})
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	policies := authz.Policies{Identity: []authz.Policy{{Name: "own", Document: doc}}}
	for i := range n {
		at := time.Duration(i) * time.Millisecond
		rec := record(madeAt(at, i), at)
		req := authz.Request{Action: "lambda:InvokeFunction", Resource: fmt.Sprintf("arn:aws:lambda:us-east-1:111111111111:function:f%d", i%1000)}
		rec.Decisions = []Decision{{Request: req, Allowed: true, Applied: policies}}
		if _, err := l.Begin(b.Context(), rec); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		i = (i + 7919*13) % n
		rec, err := l.Get(b.Context(), madeAt(time.Duration(i)*time.Millisecond, i))
		if err != nil {
			b.Fatal(err)
		}
		if p, err := l.Policies(b.Context(), rec.Decisions[0].Policies); err != nil || len(p.Identity) != 1 {
			b.Fatal(p, err)
		}
	}
}
