package store_test

import (
	"context"
	"strings"
	"testing"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// forgetful is a store that changes what is loaded into it.
type forgetful struct {
	store.DB
	change func([]store.Item) []store.Item
}

func (f forgetful) Load(ctx context.Context, revision int64, next func() ([]store.Item, error)) error {
	return f.DB.(store.Loader).Load(ctx, revision, func() ([]store.Item, error) {
		items, err := next()
		if len(items) == 0 {
			return items, err
		}
		return f.change(items), err
	})
}

// A copy that is not the same is an error.
func TestCopyIsVerified(t *testing.T) {
	from := storetest.New(t)
	if err := storetest.Fill(from); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func([]store.Item) []store.Item
		want   string
	}{
		"missing": {func(i []store.Item) []store.Item { return i[1:] }, "the copy of part0 differs"},
		"value": {func(i []store.Item) []store.Item {
			i[len(i)-1].Value = append(i[len(i)-1].Value, 0)
			return i
		}, "differs"},
		"revision": {func(i []store.Item) []store.Item { i[0].Revision++; return i }, "differs"},
		"more":     {func(i []store.Item) []store.Item { return append(i, store.Item{Key: "more/1"}) }, "the copy has more, which"},
	} {
		_, err := store.Copy(t.Context(), from, forgetful{storetest.Once(t), test.change}, func(store.Sum) {})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}
