package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// Errors that the image is to blame for. Any other error is of the network, or the server's.
var (
	// ErrInvalid: it is not what its digest or its media types say, or breaks the rules of the package.
	ErrInvalid = errors.New("invalid image")
	// ErrTooLarge: unpacked it is larger than Limits.
	ErrTooLarge = errors.New("image too large")
)

// ErrNoRoom: the disk has no room for it.
var ErrNoRoom = errors.New("no room on the disk")

// Limits bound what an image may cost.
type Limits struct {
	// Bytes of all layers, unpacked, and of all files in them. 0: 10 GiB, as AWS has it
	// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
	Bytes int64
	// Files, links and directories of all layers together. 0: 500,000, which is ours.
	Files int
	// Steps from one directory to the next that it may take to find them: their names may be long, and lead over links. Images made to run are far
	// below. 0: 100,000,000, which is ours, and takes minutes.
	Steps int
}

func (l Limits) orDefault() Limits {
	if l.Bytes == 0 {
		l.Bytes = 10 << 30
	}
	if l.Files == 0 {
		l.Files = 500_000
	}
	if l.Steps == 0 {
		l.Steps = 100_000_000
	}
	return l
}

// Names that hide what lower layers have (the specification's "Whiteouts"; those that begin with the longer one are AUFS's own).
const (
	whiteout       = ".wh."
	whiteoutOfAUFS = ".wh..wh."
	opaque         = ".wh..wh..opq"
)

// tree is a root file system that layers are applied to, one after the other.
type tree struct {
	ctx   context.Context // ends the work
	root  *os.Root
	left  Limits
	room  func() bool
	since int64           // bytes since room was asked
	own   map[string]bool // what the layer at hand has brought, and the directories above it
	// asked and found are the directory that was resolved last: entries of one come together. "" when links may have changed.
	asked, found string
}

// roomPeriod is how much is written between two looks at the disk, in bytes.
const roomPeriod = 16 << 20

// apply applies a layer, a tar archive.
func (t *tree) apply(layer io.Reader) error {
	t.own, t.asked = map[string]bool{}, ""
	for archive := tar.NewReader(layer); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: read layer: %w", ErrInvalid, err)
		}
		if err := t.add(header, archive); err != nil {
			return fmt.Errorf("%q: %w", header.Name, err)
		}
	}
}

// clean gives a name without surplus parts, "." for the root, and refuses what cannot be one.
func clean(name string) (string, error) {
	name = strings.TrimLeft(name, "/")
	if len(name) > maxName || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("%w: no name of a file", ErrInvalid)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." || len(part) > 255 {
			return "", fmt.Errorf("%w: no name of a file inside", ErrInvalid)
		}
	}
	return path.Clean(name), nil
}

// add adds one entry.
func (t *tree) add(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if err := t.count(); err != nil {
		return err
	}
	name, err := clean(h.Name)
	if err != nil {
		return err
	}
	if name == "." {
		if h.Typeflag != tar.TypeDir {
			return fmt.Errorf("%w: a root that is no directory", ErrInvalid)
		}
		return nil
	}
	dir, base := path.Dir(name), path.Base(name)
	if strings.Contains("/"+dir, "/"+whiteout) {
		return fmt.Errorf("%w: below a whiteout", ErrInvalid)
	}
	if dir, err = t.directory(dir); err != nil {
		return err
	}
	name = path.Join(dir, base)
	if err := t.spend(4 * depth(name)); err != nil { // which is about how often it is found below
		return err
	}
	if hidden, ok := strings.CutPrefix(base, whiteout); ok {
		return t.whiteout(dir, base, hidden)
	}
	if err := t.write(name, h, content); err != nil {
		return err
	}
	t.keep(name)
	return nil
}

// count takes one from the files that are left.
func (t *tree) count() error {
	if t.left.Files--; t.left.Files < 0 {
		return fmt.Errorf("%w: it has too many files", ErrTooLarge)
	}
	return nil
}

// spend takes what it costs to find something so deep, from the root on.
func (t *tree) spend(depth int) error {
	if t.left.Steps -= depth; t.left.Steps < 0 {
		return fmt.Errorf("%w: its files are too hard to find", ErrTooLarge)
	}
	return t.ctx.Err()
}

// depth is how many steps it takes to a path without links.
func depth(path string) int { return 1 + strings.Count(path, "/") }

// keep notes that the layer has brought a path.
func (t *tree) keep(name string) {
	for ; name != "." && !t.own[name]; name = path.Dir(name) {
		t.own[name] = true
	}
}

// directory resolves the name of a directory and makes what is missing of it.
func (t *tree) directory(name string) (string, error) {
	if name == t.asked {
		return t.found, nil
	}
	found, err := inside(t.root, name, t.spend, func(path string, _ bool) error {
		if err := errors.Join(t.count(), t.spend(3*depth(path))); err != nil { // for what follows
			return err
		}
		if err := t.remove(path); err != nil { // a file where a directory must be
			return err
		}
		return t.mkdir(path)
	})
	if errors.Is(err, errLoop) {
		err = fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err != nil {
		return "", err
	}
	// What the name, or a link, leads to may be a file.
	if info, err := t.root.Lstat(found); err != nil || !info.IsDir() {
		if err := errors.Join(err, t.remove(found), t.mkdir(found)); err != nil {
			return "", err
		}
	}
	t.asked, t.found = name, found
	return found, nil
}

// remove removes what is at a path, if anything is.
func (t *tree) remove(name string) error {
	t.asked = ""
	return t.root.RemoveAll(name)
}

// mkdir makes a directory for everyone, whatever the umask.
func (t *tree) mkdir(name string) error {
	if err := t.root.Mkdir(name, 0o755); err != nil {
		return err
	}
	return t.root.Chmod(name, 0o755)
}

// whiteout hides what lower layers have: a file or a directory, or all that is in a directory.
func (t *tree) whiteout(dir, base, hidden string) error {
	switch {
	case base == opaque:
		return t.clear(dir)
	case strings.HasPrefix(base, whiteoutOfAUFS):
		return nil
	case hidden == "" || hidden == "." || hidden == "..":
		return fmt.Errorf("%w: a whiteout of nothing", ErrInvalid)
	}
	return t.hide(path.Join(dir, hidden))
}

// hide removes a path of lower layers. What the layer itself has brought stays.
func (t *tree) hide(name string) error {
	if err := t.spend(depth(name)); err != nil {
		return err
	}
	if !t.own[name] {
		return t.remove(name)
	}
	if info, err := t.root.Lstat(name); err != nil || !info.IsDir() {
		return err
	}
	return t.clear(name)
}

// clear hides all that is in a directory.
func (t *tree) clear(dir string) error {
	f, err := t.root.Open(dir)
	if err != nil {
		return err
	}
	names, err := f.Readdirnames(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if err := t.hide(path.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// write makes what an entry stands for at a path whose directory is there.
func (t *tree) write(name string, h *tar.Header, content io.Reader) error {
	mode := fs.FileMode(h.Mode) & fs.ModePerm
	if h.Typeflag == tar.TypeDir {
		if info, err := t.root.Lstat(name); err != nil || !info.IsDir() {
			if err := errors.Join(t.remove(name), t.mkdir(name)); err != nil {
				return err
			}
		}
		return t.root.Chmod(name, mode|0o700) // which the owner, who is nobody inside, needs to remove it
	}
	if err := t.remove(name); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		if err := t.file(name, mode, h.Size, content); err != nil {
			return err
		}
		return t.root.Chtimes(name, h.ModTime, h.ModTime) // by which Python knows whether what it compiled is current
	case tar.TypeSymlink:
		if h.Linkname == "" || len(h.Linkname) > maxName || strings.ContainsRune(h.Linkname, 0) {
			return fmt.Errorf("%w: a link to nothing", ErrInvalid)
		}
		return t.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		return t.link(name, h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return nil // a sandbox has its own
	}
	return fmt.Errorf("%w: an entry of type %q", ErrInvalid, h.Typeflag)
}

// link makes a hard link to what an earlier entry made, or a lower layer has.
func (t *tree) link(name, target string) error {
	target, err := clean(target)
	if err != nil {
		return err
	}
	dir, err := t.directory(path.Dir(target))
	if err != nil {
		return err
	}
	err = t.root.Link(path.Join(dir, path.Base(target)), name)
	for _, fault := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, syscall.EMLINK, syscall.EISDIR} {
		if errors.Is(err, fault) {
			return fmt.Errorf("%w: a link to what cannot be linked to: %w", ErrInvalid, err)
		}
	}
	return err
}

func (t *tree) file(name string, mode fs.FileMode, size int64, content io.Reader) error {
	if t.left.Bytes -= size; t.left.Bytes < 0 {
		return fmt.Errorf("%w: its files have too many bytes", ErrTooLarge)
	}
	f, err := t.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(watched{f, t}, content)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: read file: %w", ErrInvalid, err)
	}
	return errors.Join(err, f.Chmod(mode), f.Close())
}

// watched writes as long as the disk has room.
type watched struct {
	io.Writer
	t *tree
}

func (w watched) Write(p []byte) (int, error) {
	if w.t.since += int64(len(p)); w.t.since >= roomPeriod {
		w.t.since = 0
		if !w.t.room() {
			return 0, ErrNoRoom
		}
	}
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return n, err
}
