package powercut

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sector is what a disk writes whole, in bytes.
const sector = 512

// node is a file, a directory or a symbolic link.
type node struct {
	dir  bool
	link string // where a symbolic link leads
	// durable is what is durable of a file, and since what was done to it since.
	durable []byte
	since   []step
	// now are the names in a directory, and kept those that are durable.
	now, kept map[string]*node
}

func newDir() *node { return &node{dir: true, now: map[string]*node{}, kept: map[string]*node{}} }

// place is a name in a directory.
type place struct {
	dir  *node
	name string
}

// change of names: one is gone, one is new, or both at once, as a rename does. The zero place is none.
type change struct {
	gone, added place
	node        *node // that is added
}

// disk is what is known of one at some step.
type disk struct {
	root  *node
	since []change // of names, that are not durable
}

// Cuts is how many images a test wants: some, unless LICET_POWERCUTS says otherwise.
func Cuts(some int) (int, error) {
	if text := os.Getenv("LICET_POWERCUTS"); text != "" {
		return strconv.Atoi(text)
	}
	return some, nil
}

// Images calls fn with n directories, one after the other, that may be left when the power is cut, and with what was acknowledged before. The first
// is of the end; the others are of steps that the seed chooses, every second just after a name was changed, as it does what is missing of what was not
// synced.
func (r *Recording) Images(seed uint64, n int, scratch string, fn func(dir string, acknowledged []string) error) error {
	for i := range n {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		cut := len(r.steps)
		if named := r.after(rename, link, unlink); i%2 == 1 && len(named) > 0 {
			cut = named[random.IntN(len(named))]
		} else if i > 0 {
			cut = random.IntN(len(r.steps) + 1)
		}
		d, acknowledged, err := r.replay(cut)
		if err != nil {
			return err
		}
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

// after gives how many steps there are up to each of some kinds.
func (r *Recording) after(kinds ...kind) (steps []int) {
	for i, s := range r.steps {
		if slices.Contains(kinds, s.kind) {
			steps = append(steps, i+1)
		}
	}
	return steps
}

// replay does the first steps.
func (r *Recording) replay(steps int) (d *disk, acknowledged []string, err error) {
	d = &disk{root: newDir()}
	for _, s := range r.before {
		if err := d.do(s); err != nil {
			return nil, nil, err
		}
	}
	d.syncAll()
	for i, s := range r.steps[:steps] {
		if s.kind == ack {
			acknowledged = append(acknowledged, s.name)
		} else if err := d.do(s); err != nil {
			return nil, nil, fmt.Errorf("step %d: %w", i, err)
		}
	}
	return d, acknowledged, nil
}

// find gives the node of a name, and its place. The node is nil if there is none.
func (d *disk) find(name string) (*node, place, error) {
	if name == "." {
		return d.root, place{}, nil
	}
	dir, _, err := d.find(path.Dir(name))
	if err != nil {
		return nil, place{}, err
	}
	if dir == nil || !dir.dir {
		return nil, place{}, fmt.Errorf("%s is not in a directory that was recorded", name)
	}
	return dir.now[path.Base(name)], place{dir, path.Base(name)}, nil
}

func (d *disk) do(s step) error {
	if s.kind == syncAll {
		d.syncAll()
		return nil
	}
	n, at, err := d.find(s.name)
	if err != nil {
		return err
	}
	if n == nil && s.kind != create {
		return fmt.Errorf("%s is not there, and is used", s.name)
	}
	switch s.kind {
	case write, truncate:
		n.since = append(n.since, s)
	case sync:
		if n.dir {
			d.syncNames(n)
		} else {
			n.syncContent()
		}
	case create:
		if n == nil {
			n = &node{link: s.to}
			if s.dir {
				n = newDir()
			}
			d.change(change{added: at, node: n})
		}
	case rename, link:
		_, to, err := d.find(s.to)
		if err != nil {
			return err
		}
		c := change{added: to, node: n}
		if s.kind == rename {
			c.gone = at
		}
		d.change(c)
	case unlink:
		d.change(change{gone: at})
	}
	return nil
}

func (d *disk) change(c change) {
	c.apply(func(n *node) map[string]*node { return n.now })
	d.since = append(d.since, c)
}

// apply changes the names that a directory has by some reckoning.
func (c change) apply(names func(*node) map[string]*node) {
	if c.gone.dir != nil {
		delete(names(c.gone.dir), c.gone.name)
	}
	if c.added.dir != nil {
		names(c.added.dir)[c.added.name] = c.node
	}
}

// syncNames makes the names in a directory durable, and what was done before to those of other directories that a rename has changed with them.
func (d *disk) syncNames(dir *node) {
	places := map[place]bool{}
	var durable, since []change
	for _, c := range slices.Backward(d.since) {
		if c.gone.dir != dir && c.added.dir != dir && !places[c.gone] && !places[c.added] {
			since = append(since, c)
			continue
		}
		durable = append(durable, c)
		for _, p := range []place{c.gone, c.added} {
			if p.dir != nil {
				places[p] = true
			}
		}
	}
	for _, c := range slices.Backward(durable) {
		c.apply(func(n *node) map[string]*node { return n.kept })
	}
	slices.Reverse(since)
	d.since = since
}

// syncAll makes all durable.
func (d *disk) syncAll() {
	for _, c := range d.since {
		c.apply(func(n *node) map[string]*node { return n.kept })
	}
	d.since = nil
	d.root.syncContents()
}

func (n *node) syncContents() {
	n.syncContent()
	for _, sub := range n.now {
		sub.syncContents()
	}
}

// syncContent makes the content of a file durable.
func (n *node) syncContent() { n.durable, n.since = apply(n.durable, n.since, nil), nil }

// content is what may be left of a file, or what is there when random is nil.
func (n *node) content(random *rand.Rand) []byte {
	return apply(slices.Clone(n.durable), n.since, random)
}

// apply does changes to the content of a file; random leaves out any of them, and sectors of writes. nil leaves out none.
func apply(b []byte, changes []step, random *rand.Rand) []byte {
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
func (d *disk) write(to string, random *rand.Rand) error {
	copies := map[*node]map[string]*node{}
	names := func(n *node) map[string]*node {
		if copies[n] == nil {
			copies[n] = maps.Clone(n.kept)
		}
		return copies[n]
	}
	switch random.IntN(3) {
	case 0: // all names are as they were synced
	case 1: // those of a journal, up to some change
		for _, c := range d.since[:random.IntN(len(d.since)+1)] {
			c.apply(names)
		}
	default:
		for _, c := range d.since {
			if random.IntN(2) == 0 {
				c.apply(names)
			}
		}
	}
	contents := map[*node][]byte{} // a file with several names has one
	var put func(n *node, to string) error
	put = func(n *node, to string) error {
		switch {
		case n.dir:
			err := os.Mkdir(to, 0o700)
			for _, name := range slices.Sorted(maps.Keys(names(n))) {
				err = errors.Join(err, put(names(n)[name], filepath.Join(to, name)))
			}
			return err
		case n.link != "":
			return os.Symlink(n.link, to)
		}
		content, ok := contents[n]
		if !ok {
			content = n.content(random)
			contents[n] = content
		}
		return os.WriteFile(to, content, 0o600)
	}
	return put(d.root, to)
}

// compare tells what is not as it was recorded: something has changed the directory by means that are not.
func (d *disk) compare(dir string, ignored func(path string) bool) error {
	var same func(n *node, file string) error
	same = func(n *node, file string) error {
		switch {
		case n.link != "":
			if to, err := os.Readlink(file); err != nil || to != n.link {
				return errors.Join(err, fmt.Errorf("%s leads to %s and not to %s", file, to, n.link))
			}
			return nil
		case !n.dir:
			content, err := os.ReadFile(file)
			if err == nil && string(content) != string(n.content(nil)) {
				err = fmt.Errorf("%s has another content than was recorded", file)
			}
			return err
		}
		entries, err := os.ReadDir(file)
		if err != nil {
			return err
		}
		var there []string
		for _, e := range entries {
			if !ignored(filepath.Join(file, e.Name())) {
				there = append(there, e.Name())
			}
		}
		if recorded := slices.Sorted(maps.Keys(n.now)); !slices.Equal(there, recorded) {
			return fmt.Errorf("%s has %s, and recorded are %s", file, strings.Join(there, " "), strings.Join(recorded, " "))
		}
		for name, sub := range n.now {
			err = errors.Join(err, same(sub, filepath.Join(file, name)))
		}
		return err
	}
	return same(d.root, dir)
}
