package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Errors that the archive is to blame for. Any other error is the server's.
var (
	// ErrInvalid means that the bytes are not a zip archive, or one that breaks the rules of the package.
	ErrInvalid = errors.New("archive: invalid archive")
	// ErrEmpty means that the archive has no files.
	ErrEmpty = errors.New("archive: no files in the archive")
	// ErrTooLarge means that the unpacked files reach Limits.UnpackedBytes.
	ErrTooLarge = errors.New("archive: unpacked size over the limit")
)

// TemporaryPrefix begins the name of a directory that is being written.
const TemporaryPrefix = ".unpack-"

// Limits bound what an archive may cost. Both are required.
type Limits struct {
	// UnpackedBytes is what the contents of all files must stay below.
	UnpackedBytes int64
	// Files is the most files, links and directories together.
	Files int
}

// Summary says what an archive holds.
type Summary struct {
	// Files counts files and links, not directories.
	Files int
	// UnpackedBytes is the size of all contents, by reading them.
	UnpackedBytes int64
}

// Inspect reads an archive of size bytes completely. It returns ErrInvalid, ErrEmpty or ErrTooLarge for archives that Unpack would
// refuse for the same reason.
func Inspect(r io.ReaderAt, size int64, limits Limits) (Summary, error) {
	p, err := read(r, size, limits)
	if err != nil {
		return Summary{}, err
	}
	b := budget{left: limits.UnpackedBytes}
	for _, f := range p.files {
		if err := b.copy(io.Discard, f.zip); err != nil {
			return Summary{}, err
		}
	}
	return Summary{Files: len(p.files) + len(p.links), UnpackedBytes: limits.UnpackedBytes - b.left}, nil
}

// Unpack writes an archive of size bytes into dir, whose parent must exist. It is no error when dir exists already: it was made by
// an Unpack of, by the caller's word, the same archive.
func Unpack(r io.ReaderAt, size int64, dir string, limits Limits) error {
	return Merge([]Archive{{ReaderAt: r, Size: size}}, dir, limits)
}

// Archive is a file of Size bytes that was not opened yet.
type Archive struct {
	io.ReaderAt
	Size int64
}

// Merge is Unpack for archives that lie over each other: what a later one has hides what is at that path in an earlier one, and a
// file or link also what is below it. Nothing is written through a link, so a directory over a link takes its place. Each archive
// must be valid by itself; UnpackedBytes is what is written in the end, Files what each may have.
func Merge(archives []Archive, dir string, limits Limits) error {
	plans := make([]plan, len(archives))
	for i, a := range archives {
		var err error
		if plans[i], err = read(a, a.Size, limits); err != nil {
			return err
		}
	}
	p, err := overlay(plans)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), TemporaryPrefix)
	if err != nil {
		return fmt.Errorf("make directory beside %s: %w", dir, err)
	}
	if err := write(tmp, p, limits); err != nil {
		return errors.Join(fmt.Errorf("unpack into %s: %w", dir, err), Remove(tmp))
	}
	if err := os.Rename(tmp, dir); err != nil {
		if removed := Remove(tmp); !exists(dir) || removed != nil {
			return errors.Join(err, removed)
		}
	}
	return nil
}

// Remove deletes a directory that Unpack made, or one that it left unfinished. It is no error when dir does not exist.
func Remove(dir string) error {
	// Entries of a read-only directory can be deleted only by root.
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(dir))
}

func exists(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// read opens an archive and checks everything about it but the contents of its files.
func read(r io.ReaderAt, size int64, limits Limits) (plan, error) {
	// zip.NewReader keeps an entry in memory for every record of the directory, whatever number the header tells.
	if n, err := countSignatures(io.NewSectionReader(r, 0, size), limits.Files); err != nil {
		return plan{}, fmt.Errorf("read archive: %w", err)
	} else if n > limits.Files {
		return plan{}, fmt.Errorf("%w: more than %d entries", ErrInvalid, limits.Files)
	}
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // the plan has the rules for paths
		return plan{}, fmt.Errorf("%w: %v", ErrInvalid, err)
	}
	if shareBytes(z.File, size) {
		return plan{}, fmt.Errorf("%w: entries share their bytes", ErrInvalid)
	}
	return newPlan(z.File, limits.Files)
}

// shareBytes tells whether entries have more bytes in an archive than it has, so that some lie over each other. To read all of these
// could cost any time, whatever it gives: a compressed byte need not become one of content.
func shareBytes(entries []*zip.File, size int64) bool {
	left := uint64(size)
	for _, e := range entries {
		if e.CompressedSize64 > left {
			return true
		}
		left -= e.CompressedSize64
	}
	return false
}

// countSignatures counts the signatures of central directory records, up to one more than limit. There are at least as many
// as there are entries, and more only when a file inside is itself an uncompressed zip archive.
func countSignatures(r io.Reader, limit int) (int, error) {
	signature := []byte("PK\x01\x02")
	buf := make([]byte, 64<<10)
	count, kept := 0, 0
	for count <= limit {
		n, err := r.Read(buf[kept:])
		chunk := buf[:kept+n]
		count += bytes.Count(chunk, signature)
		// A signature may lie across two reads; three bytes are too few to be counted twice.
		kept = copy(buf, chunk[max(0, len(chunk)-len(signature)+1):])
		if err == io.EOF {
			return count, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return count, nil
}

// budget is what the contents may still cost.
type budget struct{ left int64 }

// copy writes the content of f to w, or fails when that would use up the budget. The whole content is read, so that its checksum
// was compared.
func (b *budget) copy(w io.Writer, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("%w: open %q: %v", ErrInvalid, f.Name, err)
	}
	defer r.Close()
	source := &reader{r: io.LimitReader(r, b.left)}
	n, err := io.Copy(w, source)
	b.left -= n
	switch {
	case source.err != nil:
		return fmt.Errorf("%w: read %q: %v", ErrInvalid, f.Name, source.err)
	case err != nil:
		return fmt.Errorf("write %q: %w", f.Name, err)
	case b.left <= 0:
		return fmt.Errorf("%w at %q", ErrTooLarge, f.Name)
	}
	return nil
}

// reader remembers the error of reading, to tell it from one of writing.
type reader struct {
	r   io.Reader
	err error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != io.EOF {
		r.err = err
	}
	return n, err
}
