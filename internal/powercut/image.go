package powercut

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// sector is what a disk writes whole, in bytes.
const sector = 512

// file has what is durable of it, and what was done since.
type file struct {
	durable []byte
	since   []step
}

// disk is what is known of one at some step. Names stand for the same file as long as it has both.
type disk struct {
	now, durable map[string]*file // by name
	dirs         map[string]bool  // that are there now
	since        []step           // changes of names that are not durable
	files        []*file          // that since's steps are about, in their order
}

// Images calls fn with n directories, below one that is made for each, that may be left when the power is cut, and with what was acknowledged before. The
// cuts are spread over the recording; all else the seed chooses.
func (r *Recording) Images(seed uint64, n int, scratch string, fn func(dir string, acknowledged []string) error) error {
	for i := range n {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		cut := len(r.steps)
		if i > 0 { // the first is of the end
			cut = random.IntN(len(r.steps) + 1)
		}
		d, acknowledged := r.replay(cut)
		dir := filepath.Join(scratch, fmt.Sprint("image-", i))
		if err := d.write(dir, random); err != nil {
			return fmt.Errorf("write image %d: %w", i, err)
		}
		if err := fn(dir, acknowledged); err != nil {
			return fmt.Errorf("seed %d, image %d, cut after %d of %d steps: %w", seed, i, cut, len(r.steps), err)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// replay does the first steps.
func (r *Recording) replay(steps int) (d *disk, acknowledged []string) {
	d = &disk{now: map[string]*file{}, durable: map[string]*file{}, dirs: map[string]bool{}}
	for name, content := range r.before {
		f := &file{durable: content}
		d.now[name], d.durable[name] = f, f
	}
	for _, s := range r.steps[:steps] {
		if s.kind == ack {
			acknowledged = append(acknowledged, s.name)
			continue
		}
		d.do(s)
	}
	return d, acknowledged
}

func (d *disk) do(s step) {
	f := d.now[s.name]
	switch s.kind {
	case write, truncate:
		if f != nil {
			f.since = append(f.since, s)
		}
	case sync:
		if f != nil {
			f.durable, f.since = f.apply(f.since, nil), nil
			return
		}
		d.syncDir(s.name)
	case create:
		switch {
		case s.dir:
			d.dirs[s.name] = true
		case f == nil:
			f = &file{}
			d.now[s.name] = f
			d.note(s, f)
		}
	case rename, link:
		d.now[s.to] = f
		if s.kind == rename {
			delete(d.now, s.name)
		}
		d.note(s, f)
	case unlink:
		delete(d.now, s.name)
		d.note(s, f)
	}
}

func (d *disk) note(s step, f *file) {
	d.since, d.files = append(d.since, s), append(d.files, f)
}

// syncDir makes the names of a directory durable.
func (d *disk) syncDir(dir string) {
	var since []step
	var files []*file
	for i, s := range d.since {
		if s.in(dir) {
			apply(d.durable, s, d.files[i])
		} else {
			since, files = append(since, s), append(files, d.files[i])
		}
	}
	d.since, d.files = since, files
}

// in tells whether a change of names is one of a directory.
func (s step) in(dir string) bool {
	name := s.name
	if s.to != "" {
		name = s.to
	}
	return path.Dir(name) == dir
}

// apply does a change of names.
func apply(names map[string]*file, s step, f *file) {
	switch s.kind {
	case create:
		names[s.name] = f
	case rename, link:
		names[s.to] = f
		if s.kind == rename {
			delete(names, s.name)
		}
	case unlink:
		delete(names, s.name)
	}
}

// apply gives the content after some changes; random leaves out any of them, and sectors of writes. nil leaves out none.
func (f *file) apply(changes []step, random *rand.Rand) []byte {
	b := slices.Clone(f.durable)
	grow := func(size int64) {
		if size > int64(len(b)) {
			b = append(b, make([]byte, size-int64(len(b)))...)
		}
	}
	for _, s := range changes {
		if random != nil && random.IntN(3) == 0 {
			continue
		}
		if s.kind == truncate {
			grow(s.offset)
			b = b[:s.offset]
			continue
		}
		grow(s.offset + int64(len(s.data)))
		torn := random != nil && random.IntN(3) == 0
		for at := 0; at < len(s.data); {
			end := min(len(s.data), at+sector-int((s.offset+int64(at))%sector))
			if !torn || random.IntN(2) == 0 {
				copy(b[s.offset+int64(at):], s.data[at:end])
			}
			at = end
		}
	}
	return b
}

// write makes what may be left.
func (d *disk) write(dir string, random *rand.Rand) error {
	names := maps.Clone(d.durable)
	switch random.IntN(3) {
	case 0: // all names are as they were synced
	case 1: // those of a journal, up to some change
		for i, s := range d.since[:random.IntN(len(d.since)+1)] {
			apply(names, s, d.files[i])
		}
	default:
		for i, s := range d.since {
			if random.IntN(2) == 0 {
				apply(names, s, d.files[i])
			}
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for sub := range d.dirs { // one that is missing is of no interest: what works in it makes it
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	contents := map[*file][]byte{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f := names[name]
		if f == nil {
			continue
		}
		if _, ok := contents[f]; !ok {
			contents[f] = f.apply(f.since, random)
		}
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, contents[f], 0o600); err != nil {
			return err
		}
	}
	return nil
}
