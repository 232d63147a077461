package powercut

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	rename
	link
	unlink
	ack
)

// step is one thing that a process did. Names are relative to the directory; "." is the directory itself.
type step struct {
	kind     kind
	name, to string
	offset   int64
	data     []byte
	dir      bool
}

// Recording is what a process did to the files of a directory.
type Recording struct {
	dir    string
	before map[string][]byte // files that were there
	steps  []step
}

// Record runs a process, which works in dir, and says on its standard output what is durable (Ack). What is in dir at first is durable.
func Record(dir string, cmd *exec.Cmd) (*Recording, error) {
	r := &Recording{dir: dir, before: map[string][]byte{}}
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		r.before[r.relative(path)] = b
		return err
	}); err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	trace, err := os.CreateTemp("", "powercut-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(trace.Name())
	defer trace.Close()
	args := []string{
		"-f", "-qq", "-y", "-xx", "-s", "1048576", "-o", trace.Name(),
		"-e", "trace=open,openat,creat,write,pwrite64,writev,pwritev,lseek,fsync,fdatasync,ftruncate,truncate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat,rmdir",
		"-e", "signal=none", "-e", "status=successful", cmd.Path,
	}
	traced := exec.Command("strace", append(args, cmd.Args[1:]...)...)
	traced.Env, traced.Dir, traced.Stderr = cmd.Env, cmd.Dir, os.Stderr
	var out bytes.Buffer
	traced.Stdout = &out
	if err := traced.Run(); err != nil {
		return nil, fmt.Errorf("record: %w\n%s", err, out.String())
	}
	if err := r.read(trace); err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	if acks := strings.Count(out.String(), Ack); acks == 0 || acks != r.count(ack) {
		return nil, fmt.Errorf("the process acknowledged %d times, and %d are recorded", acks, r.count(ack))
	}
	return r, nil
}

// Syncs counts the times that the process waited for the disk.
func (r *Recording) Syncs() int { return r.count(sync) }

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
	if !ok || strings.HasSuffix(name, " (deleted)") || strings.HasSuffix(name, "-shm") { // shared memory of SQLite, which it makes anew
		return ""
	}
	return name
}

var (
	lineText   = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumed    = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	callText   = regexp.MustCompile(`^(\w+)\((.*)\) += (-?\d+)(.*)$`)
	quotedText = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	fileText   = regexp.MustCompile(`^(\d+)<([^>]*)>`)
)

// read reads what strace wrote.
func (r *Recording) read(trace io.Reader) error {
	s := bufio.NewScanner(trace)
	s.Buffer(nil, 64<<20)
	began := map[string]string{} // calls of threads that have not ended
	offsets := map[string]int64{}
	for s.Scan() {
		m := lineText.FindStringSubmatch(s.Text())
		if m == nil {
			return fmt.Errorf("cannot read %.200q", s.Text())
		}
		thread, text := m[1], m[2]
		if rest, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
			began[thread] = rest
			continue
		}
		if m := resumed.FindStringSubmatch(text); m != nil {
			text = began[thread] + m[1]
			delete(began, thread)
		}
		m = callText.FindStringSubmatch(text)
		if m == nil {
			continue // the end of a thread
		}
		if err := r.call(m[1], m[2], m[3], m[4], offsets); err != nil {
			return fmt.Errorf("%.200s: %w", text, err)
		}
	}
	return s.Err()
}

// call notes one call. offsets are where in files the next write goes, by descriptor.
func (r *Recording) call(name, args, result, rest string, offsets map[string]int64) error {
	fd, path := "", ""
	if m := fileText.FindStringSubmatch(args); m != nil {
		fd, path = m[1], r.relative(plain(m[2]))
	}
	var texts []string
	for _, m := range quotedText.FindAllStringSubmatch(args, -1) {
		texts = append(texts, plain(m[1]))
	}
	add := func(s step) {
		if s.name != "" || s.to != "" {
			r.steps = append(r.steps, s)
		}
	}
	number := func(i int) (int64, error) { // of the arguments at the end
		parts := strings.Split(args, ", ")
		return strconv.ParseInt(parts[len(parts)-i], 0, 64)
	}
	switch name {
	case "open", "openat", "creat":
		offsets[result] = 0
		if opened := regexp.MustCompile(`^<([^>]*)>`).FindStringSubmatch(rest); opened != nil {
			file := r.relative(plain(opened[1]))
			if strings.Contains(args, "O_APPEND") && file != "" {
				return errors.New("files that are appended to are not recorded")
			}
			if strings.Contains(args, "O_CREAT") {
				add(step{kind: create, name: file})
			}
			if strings.Contains(args, "O_TRUNC") {
				add(step{kind: truncate, name: file})
			}
		}
	case "lseek":
		n, err := strconv.ParseInt(result, 10, 64)
		offsets[fd] = n
		return err
	case "write":
		if fd == "1" && len(texts) == 1 {
			for line := range strings.Lines(texts[0]) {
				if what, ok := strings.CutPrefix(line, Ack); ok {
					r.steps = append(r.steps, step{kind: ack, name: strings.TrimSpace(what)})
				}
			}
			return nil
		}
		if len(texts) != 1 {
			return nil
		}
		n, err := strconv.ParseInt(result, 10, 64)
		if err != nil || int(n) > len(texts[0]) {
			return errors.Join(err, errors.New("a write was recorded in part"))
		}
		add(step{kind: write, name: path, offset: offsets[fd], data: []byte(texts[0][:n])})
		offsets[fd] += n
	case "pwrite64":
		offset, err := number(1)
		if err != nil || len(texts) != 1 {
			return errors.Join(err, errors.New("a write cannot be read"))
		}
		add(step{kind: write, name: path, offset: offset, data: []byte(texts[0])})
	case "writev", "pwritev":
		if path != "" {
			return errors.New("writes of several parts are not recorded")
		}
	case "fsync", "fdatasync":
		add(step{kind: sync, name: path})
	case "ftruncate":
		size, err := number(1)
		add(step{kind: truncate, name: path, offset: size})
		return err
	case "rename", "renameat", "renameat2", "link", "linkat":
		if len(texts) != 2 {
			return errors.New("names cannot be read")
		}
		k := rename
		if strings.HasPrefix(name, "link") {
			k = link
		}
		add(step{kind: k, name: r.relative(texts[0]), to: r.relative(texts[1])})
	case "unlink", "unlinkat", "rmdir":
		if len(texts) == 1 {
			add(step{kind: unlink, name: r.relative(texts[0])})
		}
	case "mkdir", "mkdirat":
		if len(texts) == 1 {
			add(step{kind: create, name: r.relative(texts[0]), dir: true})
		}
	}
	return nil
}

// plain reads strace's hexadecimal text; what is not in it stands for itself.
func plain(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		if strings.HasPrefix(text, `\x`) && len(text) >= 4 {
			if n, err := strconv.ParseUint(text[2:4], 16, 8); err == nil {
				b.WriteByte(byte(n))
				text = text[4:]
				continue
			}
		}
		b.WriteByte(text[0])
		text = text[1:]
	}
	return b.String()
}
