package powercut

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Ack is the beginning of a line by which a process says that something is durable.
const Ack = "ack "

// kind of a step.
type kind int

const (
	create kind = iota
	write
	truncate
	sync
	syncAll
	rename
	link
	unlink
	ack
)

// step is one thing that a process did. Names are relative to the directory; "." is the directory itself.
type step struct {
	kind     kind
	name, to string // to is also where a symbolic link leads
	offset   int64  // the size, of a truncation
	data     []byte
	dir      bool
}

// Recording is what a process did to the files of a directory.
type Recording struct {
	dir    string
	before []step // that make what was there
	steps  []step
}

// traced are the calls that change files, and those that say where.
const traced = "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,syncfs,sync,ftruncate,truncate,fallocate," +
	"rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,copy_file_range,sendfile,splice"

// Record runs a process, which works in dir, and says on its standard output what is durable (Ack). What is in dir at first is durable. It
// fails when the recording does not explain what is there in the end.
func Record(dir string, cmd *exec.Cmd) (*Recording, error) {
	r := &Recording{dir: dir}
	if err := r.readBefore(); err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	trace, err := os.CreateTemp("", "powercut-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(trace.Name())
	defer trace.Close()
	args := []string{
		"-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "1048576", "-o", trace.Name(), "-e", "trace=" + traced,
		"-e", "inject=copy_file_range,sendfile,splice:error=ENOSYS", // who copies by them reads and writes then, and that can be recorded
		"-e", "signal=none", "-e", "status=successful", cmd.Path,
	}
	strace := exec.Command("strace", append(args, cmd.Args[1:]...)...)
	strace.Env, strace.Dir, strace.Stderr = cmd.Env, cmd.Dir, os.Stderr
	var out bytes.Buffer
	strace.Stdout = &out
	if err := strace.Run(); err != nil {
		return nil, fmt.Errorf("record: %w\n%s", err, out.String())
	}
	if err := r.read(trace); err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	if acks := strings.Count("\n"+out.String(), "\n"+Ack); acks == 0 || acks != r.count(ack) {
		return nil, fmt.Errorf("the process acknowledged %d times, and %d are recorded", acks, r.count(ack))
	}
	d, _, err := r.replay(len(r.steps))
	if err == nil {
		err = d.compare(dir, func(path string) bool { return r.relative(path) == "" })
	}
	if err != nil {
		return nil, fmt.Errorf("what happened was not recorded: %w", err)
	}
	return r, nil
}

func (r *Recording) readBefore() error {
	return filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		name := r.relative(path)
		if err != nil || name == "." || name == "" {
			return err
		}
		s := step{kind: create, name: name, dir: d.IsDir()}
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			s.to, err = os.Readlink(path)
			r.before = append(r.before, s)
		case d.IsDir():
			r.before = append(r.before, s)
		default:
			var content []byte
			content, err = os.ReadFile(path)
			r.before = append(r.before, s, step{kind: write, name: name, data: content})
		}
		return err
	})
}

// Syncs counts the times that the process waited for the disk.
func (r *Recording) Syncs() int { return r.count(sync) + r.count(syncAll) }

func (r *Recording) count(k kind) (n int) {
	for _, s := range r.steps {
		if s.kind == k {
			n++
		}
	}
	return n
}

// relative is a name in the directory; "" for all others.
func (r *Recording) relative(path string) string {
	if path == r.dir {
		return "."
	}
	name, ok := strings.CutPrefix(path, r.dir+"/")
	if !ok || strings.HasSuffix(name, "-shm") { // shared memory of SQLite, which it makes anew
		return ""
	}
	return name
}

// read reads what strace wrote: a line for each call, with the thread before it, or two where another thread's came between. Megabytes of them are
// too much for regular expressions.
func (r *Recording) read(trace io.Reader) error {
	s := bufio.NewScanner(trace)
	s.Buffer(nil, 64<<20)
	began := map[string]string{} // calls of threads that have not ended
	offsets := map[string]int64{}
	for s.Scan() {
		thread, text, ok := strings.Cut(s.Text(), " ")
		if !ok {
			return fmt.Errorf("cannot read %.200q", s.Text())
		}
		text = strings.TrimLeft(text, " ")
		if rest, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
			began[thread] = rest
			continue
		}
		if _, rest, ok := strings.Cut(text, " resumed>"); ok && strings.HasPrefix(text, "<... ") {
			text = began[thread] + rest
			delete(began, thread)
		}
		if strings.HasPrefix(text, "+++ ") { // the end of a thread
			continue
		}
		c, err := parse(text)
		if err == nil {
			err = r.add(c, offsets)
		}
		if err != nil {
			return fmt.Errorf("%.200s: %w", text, err)
		}
	}
	return s.Err()
}

// call is one of the system. Its arguments are as strace writes them.
type call struct {
	name   string
	args   []string
	result int64
	opened string // the file of a new descriptor
}

// parse reads "name(arguments) = result", where <a path> may follow the result. No text in it has a comma or a bracket: all are in hexadecimal.
func parse(text string) (c call, err error) {
	head, tail, ok := strings.Cut(text, " = ")
	head, closed := strings.CutSuffix(strings.TrimRight(head, " "), ")")
	name, args, opened := strings.Cut(head, "(")
	if !ok || !closed || !opened {
		return c, errors.New("not a call")
	}
	result, _, _ := strings.Cut(tail, " ")
	result, file, _ := strings.Cut(strings.TrimSuffix(result, ">"), "<")
	c = call{name: name, args: strings.Split(args, ", ")}
	if c.opened, err = plain(file); err == nil {
		c.result, err = strconv.ParseInt(result, 10, 64)
	}
	return c, err
}

// file gives the descriptor in an argument, and the path of its file: 3<path>, or AT_FDCWD<path>.
func (c call) file(i int) (fd, path string, err error) {
	fd, rest, ok := strings.Cut(c.args[i], "<")
	if !ok {
		return "", "", nil
	}
	rest, whole := strings.CutSuffix(rest, ">")
	if !whole { // ">(deleted)" follows: nobody will see it again
		return fd, "", nil
	}
	path, err = plain(rest)
	return fd, path, err
}

// text gives the string in an argument.
func (c call) text(i int) (string, error) {
	if inner, ok := strings.CutPrefix(c.args[i], `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok { // else not all of it was recorded
			return plain(inner)
		}
	}
	return "", fmt.Errorf("argument %d is no text, or not all of it", i)
}

// path gives that in an argument, which a directory's descriptor may precede.
func (c call) path(i int) (string, error) {
	text, err := c.text(i)
	if err != nil || filepath.IsAbs(text) {
		return text, err
	}
	if i > 0 {
		if _, dir, err := c.file(i - 1); err != nil || dir != "" {
			return filepath.Join(dir, text), err
		}
	}
	return "", fmt.Errorf("%q is relative to a directory that is not known", text)
}

// add notes a call. offsets are where in files the next write goes, by descriptor.
func (r *Recording) add(c call, offsets map[string]int64) error {
	note := func(s step) {
		if s.name != "" {
			r.steps = append(r.steps, s)
		}
	}
	fd, path, err := c.file(0)
	if err != nil {
		return err
	}
	name := r.relative(path)
	switch c.name {
	case "open", "openat", "creat":
		offsets[strconv.FormatInt(c.result, 10)] = 0
		name, flags := r.relative(c.opened), strings.Join(c.args, " ")
		if name == "" {
			return nil
		}
		if strings.Contains(flags, "O_APPEND") || strings.Contains(flags, "O_TMPFILE") {
			return errors.New("such files are not recorded")
		}
		if c.name == "creat" || strings.Contains(flags, "O_CREAT") {
			note(step{kind: create, name: name})
		}
		if c.name == "creat" || strings.Contains(flags, "O_TRUNC") {
			note(step{kind: truncate, name: name})
		}
	case "lseek":
		offsets[fd] = c.result
	case "write", "pwrite64":
		if name == "" && fd != "1" {
			return nil
		}
		data, err := c.text(1)
		if err == nil && int64(len(data)) < c.result {
			err = errors.New("not all of it was recorded")
		}
		if err != nil {
			return err
		}
		data = data[:c.result]
		switch {
		case fd == "1":
			for line := range strings.Lines(data) {
				if what, ok := strings.CutPrefix(line, Ack); ok {
					note(step{kind: ack, name: strings.TrimSpace(what)})
				}
			}
		case c.name == "write":
			note(step{kind: write, name: name, offset: offsets[fd], data: []byte(data)})
			offsets[fd] += c.result
		default:
			offset, err := strconv.ParseInt(c.args[3], 0, 64)
			note(step{kind: write, name: name, offset: offset, data: []byte(data)})
			return err
		}
	case "writev", "pwritev", "pwritev2", "truncate", "fallocate":
		if c.name == "truncate" {
			path, err := c.path(0)
			if err != nil {
				return err
			}
			name = r.relative(path)
		}
		if name != "" {
			return errors.New("such writes are not recorded")
		}
	case "fsync", "fdatasync":
		note(step{kind: sync, name: name})
	case "syncfs", "sync":
		r.steps = append(r.steps, step{kind: syncAll})
	case "ftruncate":
		size, err := strconv.ParseInt(c.args[1], 0, 64)
		note(step{kind: truncate, name: name, offset: size})
		return err
	default:
		return r.addName(c, note)
	}
	return nil
}

// addName notes a call that changes names.
func (r *Recording) addName(c call, note func(step)) error {
	first, second := 0, 1
	if strings.HasSuffix(c.name, "at") || strings.HasSuffix(c.name, "at2") { // directories come before
		first, second = 1, 3
	}
	if c.name == "symlinkat" {
		first, second = 0, 2
	}
	if strings.HasPrefix(c.name, "symlink") {
		to, err := c.text(first)
		path, pathErr := c.path(second)
		note(step{kind: create, name: r.relative(path), to: to})
		return errors.Join(err, pathErr)
	}
	path, err := c.path(first)
	if err != nil {
		return err
	}
	s := step{name: r.relative(path)}
	switch c.name {
	case "mkdir", "mkdirat":
		s.kind, s.dir = create, true
	case "unlink", "unlinkat", "rmdir":
		s.kind = unlink
	case "rename", "renameat", "renameat2", "link", "linkat":
		s.kind = rename
		if strings.HasPrefix(c.name, "link") {
			s.kind = link
		}
		to, err := c.path(second)
		if err != nil {
			return err
		}
		s.to = r.relative(to)
		if (s.name == "") != (s.to == "") {
			return errors.New("a file comes into the directory, or leaves it")
		}
		if c.name == "renameat2" && c.args[4] != "0" && c.args[4] != "RENAME_NOREPLACE" {
			return errors.New("such renames are not recorded")
		}
	}
	note(s)
	return nil
}

// plain reads strace's hexadecimal text.
func plain(text string) (string, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
	return string(b), err
}
