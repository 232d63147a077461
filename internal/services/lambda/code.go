package lambda

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/licet/licet/internal/archive"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/store"
)

// unpacked names the directories that a version runs from.
type unpacked struct{ code, layers bundle.Set }

func newUnpacked(archive blob.Name, layers []usedLayer) unpacked {
	names := make([]blob.Name, len(layers))
	for i, l := range layers {
		names[i] = l.Code
	}
	return unpacked{code: bundle.NewSet(archive), layers: bundle.NewSet(names...)}
}

// Sweep removes from CodeDir what no function uses and what a crash left unfinished. It must end before the first operation.
func (s *Service) Sweep(ctx context.Context) error {
	used := make(map[string]bool)
	err := s.DB.View(ctx, func(r store.Reader) error {
		clear(used)
		items, err := r.Scan("lambda/", "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			if kind := strings.Split(item.Key, "/"); kind[3] != "function" && (kind[3] != "of" || kind[5] != "version") {
				continue
			}
			type archives struct {
				Code   blob.Name
				Layers []usedLayer
			}
			record, err := store.DecodeJSON[struct { // a function, or a version
				archives
				Latest archives
			}](item)
			if err != nil {
				return err
			}
			for _, a := range []archives{record.archives, record.Latest} {
				u := newUnpacked(a.Code, a.Layers)
				used[u.code.Dir()], used[u.layers.Dir()] = true, true
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list code in use: %w", err)
	}
	dirs, err := os.ReadDir(s.CodeDir)
	if err != nil {
		return fmt.Errorf("list unpacked code: %w", err)
	}
	for _, d := range dirs {
		if !used[d.Name()] {
			if err := archive.Remove(filepath.Join(s.CodeDir, d.Name())); err != nil {
				return fmt.Errorf("remove unused code: %w", err)
			}
		}
	}
	return nil
}
