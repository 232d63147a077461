package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/internal/registry"
)

const (
	// fetchesAtOnce is how many images are fetched at a time; others wait.
	fetchesAtOnce = 2
	// patience is how long one may take.
	patience = 30 * time.Minute
	// retryPeriod is how long nobody who wants to run an image makes it be tried again.
	retryPeriod = 30 * time.Second
	// unfinished begins the names of directories that are being made, or removed.
	unfinished = ".unpack-"
)

// Source has images. *registry.Registry is one.
type Source interface {
	// Open gives the image with that digest from where an image of that name is. ctx bounds what is read of it.
	Open(ctx context.Context, name, digest string) (registry.Content, error)
}

// Settings of a Store.
type Settings struct {
	// Dir is an existing directory of the Store's own.
	Dir    string
	Source Source
	Limits Limits
	// Room tells whether the disk has room. Unset: it always has.
	Room func() bool
	// Logger. Unset: nothing is logged.
	Logger *slog.Logger
}

// Image is one that is unpacked.
type Image struct {
	// Dir has its root file system.
	Dir string
	Config
}

// Store keeps images.
type Store struct {
	Settings
	lifetime context.Context
	end      context.CancelFunc
	running  sync.WaitGroup
	turns    chan struct{}

	mu     sync.Mutex
	images map[string]*entry // by digest
	round  int               // counts calls of Drop
}

// entry is an image that is there, is being fetched, or could not be.
type entry struct {
	done chan struct{} // closed when the fields below are set
	Image
	err   error
	ended time.Time
	// round in which it was given to a caller last; guarded by Store.mu.
	round int
}

// State is how far an image is.
type State int

// The states of an image.
const (
	Missing State = iota
	Fetching
	Failed
	Ready
)

// New makes a Store.
func New(s Settings) *Store {
	if s.Room == nil {
		s.Room = func() bool { return true }
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	s.Limits = s.Limits.orDefault()
	ctx, cancel := context.WithCancel(context.Background())
	return &Store{Settings: s, lifetime: ctx, end: cancel, turns: make(chan struct{}, fetchesAtOnce), images: map[string]*entry{}}
}

// Open finds the images that are there, and removes those that are not named by their digest and what a crash left unfinished.
func (s *Store) Open(named func(digest string) bool) error {
	dirs, err := os.ReadDir(s.Dir)
	if err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	for _, d := range dirs {
		path := filepath.Join(s.Dir, d.Name())
		if digest := "sha256:" + d.Name(); !strings.HasPrefix(d.Name(), unfinished) && named(digest) {
			e := &entry{done: make(chan struct{})}
			close(e.done)
			if e.Image, err = load(path); err == nil {
				s.images[digest] = e
				continue
			}
			s.Logger.Warn("An image is not what was unpacked, and is fetched again.", slog.String("digest", digest), slog.Any("err", err))
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove unused image: %w", err)
		}
	}
	return nil
}

func load(dir string) (i Image, err error) {
	content, err := os.ReadFile(filepath.Join(dir, configFile))
	if err != nil {
		return Image{}, err
	}
	i.Dir = filepath.Join(dir, rootDir)
	return i, json.Unmarshal(content, &i.Config)
}

// Close ends what is being fetched.
func (s *Store) Close() {
	s.end()
	s.running.Wait()
}

// Look tells how far an image is, and why it could not be had. It starts nothing.
func (s *Store) Look(digest string) (State, error) {
	s.mu.Lock()
	e := s.images[digest]
	s.mu.Unlock()
	switch {
	case e == nil:
		return Missing, nil
	case !e.over():
		return Fetching, nil
	case e.err != nil:
		return Failed, e.err
	}
	return Ready, nil
}

// over tells whether the outcome is known.
func (e *entry) over() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// Fetch starts to fetch an image, from where an image of that name is, unless it is there or on its way. It does not wait.
func (s *Store) Fetch(name, digest string) {
	s.begin(name, digest, func(*entry) bool { return true })
}

// FetchAgain is Fetch, but that an image that could not be had is only tried again after a while, and not at all if it is itself to
// blame.
func (s *Store) FetchAgain(name, digest string) { s.begin(name, digest, (*entry).mayBeBetter) }

// mayBeBetter tells whether a failure may have passed.
func (e *entry) mayBeBetter() bool {
	return !errors.Is(e.err, ErrInvalid) && !errors.Is(e.err, ErrTooLarge) && time.Since(e.ended) >= retryPeriod
}

// Get gives an image when it is there, which it sees to as FetchAgain does.
func (s *Store) Get(ctx context.Context, name, digest string) (Image, error) {
	e := s.begin(name, digest, (*entry).mayBeBetter)
	select {
	case <-e.done:
		return e.Image, e.err
	case <-ctx.Done():
		return Image{}, fmt.Errorf("wait for image %s: %w", digest, ctx.Err())
	}
}

// begin finds an image, or starts to fetch it, again if the last attempt failed and again says so.
func (s *Store) begin(name, digest string, again func(*entry) bool) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.images[digest]
	if e == nil || e.over() && e.err != nil && again(e) {
		e = &entry{done: make(chan struct{})}
		s.images[digest] = e
		s.running.Go(func() { s.fetch(e, name, digest) })
	}
	e.round = s.round
	return e
}

// fetch makes an entry whole, and tells those who wait. What a stranger's image could make of a mistake of ours is a failure of
// this image.
func (s *Store) fetch(e *entry, name, digest string) {
	e.err = errors.New("fetching was broken off")
	defer func() {
		if mistake := recover(); mistake != nil {
			e.err = fmt.Errorf("fetch image: panic: %v", mistake)
			s.Logger.Error("Fetching an image panicked.", slog.String("image", name), slog.String("digest", digest),
				slog.Any("panic", mistake), slog.String("stack", string(debug.Stack())))
		}
		e.ended = time.Now()
		close(e.done)
	}()
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-s.lifetime.Done():
		return
	}
	ctx, cancel := context.WithTimeout(s.lifetime, patience)
	defer cancel()
	began := time.Now()
	if e.Image, e.err = s.unpack(ctx, name, digest); e.err != nil {
		s.Logger.Warn("An image could not be fetched.", slog.String("image", name), slog.String("digest", digest), slog.Any("err", e.err))
		return
	}
	s.Logger.Info("An image is ready.",
		slog.String("image", name), slog.String("digest", digest), slog.Duration("took", time.Since(began)))
}

// unpack fetches an image beside its place, and moves it there when it is on the disk.
func (s *Store) unpack(ctx context.Context, name, digest string) (Image, error) {
	hex, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return Image{}, fmt.Errorf("%w: digest %q", ErrInvalid, digest)
	}
	parent, err := os.MkdirTemp(s.Dir, unfinished)
	if err != nil {
		return Image{}, fmt.Errorf("make directory for image: %w", err)
	}
	made, dir := filepath.Join(parent, "image"), filepath.Join(s.Dir, hex)
	err = fetch(ctx, s.Source, name, digest, made, s.Limits, s.Room)
	if err == nil {
		err = flush(made)
	}
	if err == nil {
		err = os.Rename(made, dir)
	}
	if err == nil {
		err = flush(s.Dir)
	}
	if err := errors.Join(err, os.RemoveAll(parent)); err != nil {
		return Image{}, err
	}
	return load(dir)
}

// Drop removes the images that nobody needs any more. One that was given to a caller since the last but one call is kept: the
// caller may be about to use it. It tells whether there are any that it kept for this, or because inUse, which gets their Dir, says
// so.
func (s *Store) Drop(named, inUse func(string) bool) (more bool, err error) {
	s.mu.Lock()
	s.round++
	var unused []string
	for digest, e := range s.images {
		switch {
		case named(digest):
		case !e.over() || e.round >= s.round-1 || inUse(e.Dir):
			more = true
		case e.err != nil:
			delete(s.images, digest)
		default:
			hex := strings.TrimPrefix(digest, "sha256:")
			away := filepath.Join(s.Dir, unfinished+hex)
			if err = errors.Join(err, os.Rename(filepath.Join(s.Dir, hex), away)); err == nil {
				delete(s.images, digest)
				unused = append(unused, away)
			}
		}
	}
	s.mu.Unlock()
	for _, dir := range unused {
		if removed := os.RemoveAll(dir); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return more, err
}
