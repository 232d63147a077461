package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

const (
	maxLinks = 40   // that a name may lead over, as on Linux
	maxName  = 4096 // bytes of a name
	// maxSteps from one directory to the next are enough for a name of a file that somebody would open.
	maxSteps = 100_000
)

// What a name may lead over.
var (
	errLoop = errors.New("too many links")
	errFar  = errors.New("too many directories")
)

// inside resolves a name as a process would whose root is the directory: links lead nowhere outside, and .. at the root is the
// root. The result, "." for the root, has no links. spend is told how deep each part is that is looked for, and may end the search. absent
// is asked about what is not there, or is not a directory where one must be: it may make one.
func inside(root *os.Root, name string, spend func(depth int) error, absent func(path string, last bool) error) (string, error) {
	todo := strings.Split(name, "/")
	var done []string
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = done[:max(0, len(done)-1)]
			continue
		}
		if err := spend(len(done) + 1); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		next := path.Join(path.Join(done...), part)
		last := !slices.ContainsFunc(todo, func(p string) bool { return p != "" && p != "." })
		info, err := root.Lstat(next)
		switch {
		case err == nil && info.Mode()&fs.ModeSymlink != 0:
			target, err := root.Readlink(next)
			if err != nil {
				return "", err
			}
			if links++; links > maxLinks || len(todo) > maxName {
				return "", fmt.Errorf("%s: %w", name, errLoop)
			}
			if strings.HasPrefix(target, "/") {
				done = nil
			}
			todo = append(strings.Split(target, "/"), todo...)
			continue
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", err
		case err != nil || !info.IsDir() && !last:
			if err := absent(next, last); err != nil {
				return "", err
			}
		}
		done = append(done, part)
	}
	return path.Join(append([]string{"."}, done...)...), nil
}

// files is the file system of an image as its code sees it.
type files string

// Files shows the file system below a directory as a process would see it whose root it is.
func Files(dir string) fs.FS { return files(dir) }

func (f files) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	steps := maxSteps
	spend := func(depth int) error {
		if steps -= depth; steps < 0 {
			return errFar
		}
		return nil
	}
	found, err := inside(root, name, spend, func(path string, _ bool) error {
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	})
	if err != nil {
		return nil, err
	}
	return root.Open(found)
}
