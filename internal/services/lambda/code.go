package lambda

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/internal/archive"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/layer"
	"github.com/licet/licet/internal/services/lambda/request"
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

// bootFile is the file of CodeDir that names the run of the machine in which its directories were made.
const bootFile = "boot"

// bootID is the run of the machine since it was started; "" where the system does not tell (proc_sys_kernel(5), random/boot_id).
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// madeSinceBoot tells whether directories in CodeDir are as they were written. They are not synced: after a loss of power one may be there
// without the content of its files.
func (s *Service) madeSinceBoot() (bool, error) {
	made, err := os.ReadFile(filepath.Join(s.CodeDir, bootFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read when code was unpacked: %w", err)
	}
	id := s.bootID()
	return id != "" && string(made) == id, nil
}

// Sweep removes from CodeDir, and from the images, what no function uses and what a crash left unfinished, and all when the machine was started again since. It
// must end before the first operation.
func (s *Service) Sweep(ctx context.Context) error {
	used, err := s.namedCode(ctx)
	if err != nil {
		return err
	}
	if err := s.sweepImages(used); err != nil {
		return err
	}
	whole, err := s.madeSinceBoot()
	if err != nil {
		return err
	}
	dirs, err := os.ReadDir(s.CodeDir)
	if err != nil {
		return fmt.Errorf("list unpacked code: %w", err)
	}
	for _, d := range dirs {
		if (used[d.Name()] == "" && d.Name() != bootFile) || !whole {
			if err := archive.Remove(filepath.Join(s.CodeDir, d.Name())); err != nil {
				return fmt.Errorf("remove unused code: %w", err)
			}
		}
	}
	if whole {
		return nil
	}
	if err := os.WriteFile(filepath.Join(s.CodeDir, bootFile), []byte(s.bootID()), 0o600); err != nil {
		return fmt.Errorf("note when code is unpacked: %w", err)
	}
	return nil
}

// notImage stands for the name of an image where there is none.
const notImage = "code"

// archives are what a function, or a version, runs from.
type archives struct {
	Code   blob.Name
	Layers []usedLayer
	Image  *image
}

// eachArchives calls fn with what every function and version of all accounts runs from.
func eachArchives(ctx context.Context, db store.DB, fn func(archives)) error {
	return db.View(ctx, func(r store.Reader) error {
		items, err := r.Scan("lambda/", "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			if kind := strings.Split(item.Key, "/"); kind[3] != "function" && (kind[3] != "of" || kind[5] != "version") {
				continue
			}
			record, err := store.DecodeJSON[struct { // a function, or a version
				archives
				Latest archives
			}](item)
			if err != nil {
				return err
			}
			fn(record.archives)
			fn(record.Latest)
		}
		return nil
	})
}

// namedCode names the directories that functions, and their versions, run from, and the digests of their images, with the images' names.
func (s *Service) namedCode(ctx context.Context) (map[string]string, error) {
	used := make(map[string]string)
	err := eachArchives(ctx, s.DB, func(a archives) {
		u := newUnpacked(a.Code, a.Layers)
		used[u.code.Dir()], used[u.layers.Dir()] = notImage, notImage
		for _, i := range s.wanted(a.Image) {
			used[i.Digest] = i.URI
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list code in use: %w", err)
	}
	return used, nil
}

// CodeNames names the blobs that functions, versions and layers of a store need.
func CodeNames(ctx context.Context, db store.DB) ([]blob.Name, error) {
	needed := make(map[blob.Name]bool)
	err := eachArchives(ctx, db, func(a archives) {
		needed[a.Code] = true
		for _, l := range a.Layers {
			needed[l.Code] = true
		}
	})
	if err == nil {
		err = layer.EachCode(ctx, db, func(name blob.Name) { needed[name] = true })
	}
	if err != nil {
		return nil, fmt.Errorf("list code: %w", err)
	}
	delete(needed, "") // of images
	return slices.Sorted(maps.Keys(needed)), nil
}

// sweepImages opens the images, and fetches those that are used and not there.
func (s *Service) sweepImages(used map[string]string) error {
	if s.Unpacked == nil {
		return nil
	}
	if err := s.Unpacked.Open(func(digest string) bool { return used[digest] != "" }); err != nil {
		return err
	}
	for digest, name := range used {
		if name != notImage {
			s.Unpacked.Fetch(name, digest)
		}
	}
	return nil
}

// codePeriod is how often it is looked for code that no function has any more.
const codePeriod = 30 * time.Second

// RunCode removes unpacked code when no function has it any more and no environment uses it, until ctx ends.
func (s *Service) RunCode(ctx context.Context) error {
	defer s.DB.Watch(func(changed []string) { // also by other servers, to whose functions code is unpacked here
		if slices.ContainsFunc(changed, concernsCode) {
			s.codeChanged.Store(true)
		}
	})()
	tick := time.NewTicker(codePeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.dropCode(ctx); err != nil && ctx.Err() == nil {
				s.Logger.ErrorContext(ctx, "Unpacked code that no function has could not be removed.", slog.Any("err", err))
			}
		}
	}
}

// concernsCode tells whether a change of a key, or of a prefix, may leave code that no function has.
func concernsCode(key string) bool {
	parts := strings.SplitN(key, "/", 5) // lambda/<account>/<region>/function/… and …/of/…
	return parts[0] == "lambda" && len(parts) == 5 && (parts[3] == "function" || parts[3] == "of" && strings.HasSuffix(key, "*"))
}

// dropCode looks once, if a function has other code than before or is gone.
func (s *Service) dropCode(ctx context.Context) error {
	if !s.codeChanged.CompareAndSwap(true, false) {
		return nil
	}
	named, err := s.namedCode(ctx)
	if err != nil {
		s.codeChanged.Store(true)
		return err
	}
	running := s.Runner.Directories()
	isNamed, isRunning := func(name string) bool { return named[name] != "" }, func(dir string) bool { return running[dir] }
	more, err := s.code.Drop(isNamed, isRunning)
	if s.Unpacked != nil {
		moreImages, dropErr := s.Unpacked.Drop(isNamed, isRunning)
		more, err = more || moreImages, errors.Join(err, dropErr)
	}
	if more || err != nil {
		s.codeChanged.Store(true)
	}
	return err
}

// retire lets go of the environments of a version, or of all for "", that has changed or is gone, and of its code.
func (s *Service) retire(r request.Function, version string) {
	s.Runner.Retire(r.FunctionARN(), version)
	s.codeChanged.Store(true)
}

// expect lets the Runner get ready for a version that is new or has changed.
func (s *Service) expect(v *version) {
	if v.Image != nil && s.Unpacked != nil {
		s.Unpacked.Fetch(v.Image.URI, v.Image.Digest)
	}
	if v.Image == nil && s.Runtimes(v.Runtime) {
		s.Runner.Expect(string(v.Runtime))
	}
}
