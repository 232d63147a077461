package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/licet/licet/internal/store"
)

func BenchmarkUpdate(b *testing.B) {
	for _, parallel := range []int{1, 16} {
		b.Run(fmt.Sprint("callers=", parallel), func(b *testing.B) {
			db := open(b, filepath.Join(b.TempDir(), "db"))
			defer db.Close()
			var n atomic.Int64
			b.SetParallelism(parallel)
			if parallel == 1 {
				b.SetParallelism(1)
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					key := fmt.Sprintf("bench/%08d", n.Add(1))
					if err := db.Update(b.Context(), func(tx store.Tx) error { return tx.Put(key, make([]byte, 500)) }); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkGet(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "db"))
	defer db.Close()
	if err := db.Update(b.Context(), func(tx store.Tx) error {
		for i := range 10000 {
			if err := tx.Put(fmt.Sprintf("bench/%08d", i), make([]byte, 500)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := db.View(b.Context(), func(r store.Reader) error {
			_, err := r.Get("bench/00005000")
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}
