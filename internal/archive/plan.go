package archive

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

const (
	// maxLinkTarget is the longest target of a link, PATH_MAX of Linux.
	maxLinkTarget = 4096
	// maxName and maxPath bound a path's elements and its whole length (NAME_MAX, and half of PATH_MAX).
	maxName = 255
	maxPath = 2048
	// maxLinkHops is how many links the way of one path may cross, as in Linux (path_resolution(7)).
	maxLinkHops = 40
	// maxLinkBytes is what the targets of all links may have together, which are kept in memory, and maxLinkSteps how many elements of
	// paths are followed to see where they lead, of which those of long paths count more. Real archives stay far below.
	maxLinkBytes = 16 << 20
	maxLinkSteps = 20_000_000
)

// plan is an archive whose names, types and links were checked. Paths have slashes, are clean and relative.
type plan struct {
	files []file
	links []link
	// directories, parents before their children.
	directories []string
	linkBytes   int // of the targets of all links
}

type file struct {
	path string
	mode fs.FileMode // permission bits as they are written
	zip  *zip.File
}

type link struct{ path, target string }

// newPlan applies the rules to the entries of an archive. maxFiles counts the directories that names imply, too.
func newPlan(entries []*zip.File, maxFiles int) (plan, error) {
	var p plan
	kinds := make(map[string]fs.FileMode, len(entries)) // by path: what is there
	for _, e := range entries {
		if err := p.add(kinds, e); err != nil {
			return plan{}, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if len(kinds) > maxFiles {
			return plan{}, fmt.Errorf("%w: more than %d files and directories", ErrInvalid, maxFiles)
		}
	}
	if len(p.files)+len(p.links) == 0 {
		return plan{}, ErrEmpty
	}
	return p, p.checkLinks()
}

// checkLinks refuses links that lead outside.
func (p *plan) checkLinks() error {
	targets := make(map[string]string, len(p.links))
	for _, l := range p.links {
		targets[l.path] = l.target
	}
	steps := maxLinkSteps
	for _, l := range p.links {
		if !staysInside(l, targets, &steps) {
			return fmt.Errorf("%w: link %q leads outside, or too far", ErrInvalid, l.path)
		}
	}
	return nil
}

func (p *plan) add(kinds map[string]fs.FileMode, e *zip.File) error {
	name := path.Clean(e.Name)
	if !validPath(e.Name) {
		return fmt.Errorf("name %q is not a path inside", e.Name)
	}
	mode := e.Mode()
	if strings.HasSuffix(e.Name, "/") {
		mode = mode.Perm() | fs.ModeDir
	}
	if mode.IsDir() {
		return p.addDirectory(kinds, name)
	}
	if err := p.addDirectory(kinds, path.Dir(name)); err != nil {
		return err
	}
	if _, ok := kinds[name]; ok || name == "." {
		return fmt.Errorf("name %q is there twice", e.Name)
	}
	kinds[name] = mode.Type()
	switch mode.Type() {
	case 0:
		p.files = append(p.files, file{path: name, mode: permissions(mode), zip: e})
		return nil
	case fs.ModeSymlink:
		target, err := readTarget(e)
		p.links = append(p.links, link{path: name, target: target})
		if p.linkBytes += len(target); err == nil && p.linkBytes > maxLinkBytes {
			err = fmt.Errorf("the targets of links have more than %d bytes", maxLinkBytes)
		}
		return err
	default:
		return fmt.Errorf("%q is neither file, directory nor link", e.Name)
	}
}

// addDirectory notes a directory and its parents.
func (p *plan) addDirectory(kinds map[string]fs.FileMode, name string) error {
	if name == "." {
		return nil
	}
	if kind, ok := kinds[name]; ok {
		if kind != fs.ModeDir {
			return fmt.Errorf("%q is a directory and something else", name)
		}
		return nil
	}
	if err := p.addDirectory(kinds, path.Dir(name)); err != nil {
		return err
	}
	kinds[name] = fs.ModeDir
	p.directories = append(p.directories, name)
	return nil
}

func validPath(name string) bool {
	if !filepath.IsLocal(name) || len(name) > maxPath || strings.ContainsRune(name, 0) {
		return false
	}
	for element := range strings.SplitSeq(name, "/") {
		if len(element) > maxName {
			return false
		}
	}
	return true
}

func permissions(mode fs.FileMode) fs.FileMode {
	if mode.Perm() == 0 {
		return 0o444
	}
	return mode.Perm() &^ 0o222
}

func readTarget(e *zip.File) (string, error) {
	r, err := e.Open()
	if err != nil {
		return "", fmt.Errorf("open link %q: %w", e.Name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxLinkTarget))
	if err != nil {
		return "", fmt.Errorf("read link %q: %w", e.Name, err)
	}
	if len(b) == 0 || len(b) == maxLinkTarget || strings.ContainsRune(string(b), 0) {
		return "", fmt.Errorf("link %q has no possible target", e.Name)
	}
	return string(b), nil
}

// staysInside follows a link as the kernel would, across the archive's other links, and tells whether the way never leaves the
// directory. Where it ends need not exist. It takes what it costs from steps, and gives up when these are used up.
func staysInside(l link, targets map[string]string, steps *int) bool {
	at := path.Dir(l.path)
	rest := []string{l.target}
	for hops := 1; len(rest) > 0; {
		if *steps -= 1 + len(at)/16; *steps < 0 {
			return false
		}
		next := rest[len(rest)-1]
		if strings.HasPrefix(next, "/") {
			return false
		}
		component, more, found := strings.Cut(next, "/")
		rest = rest[:len(rest)-1]
		if more = strings.TrimLeft(more, "/"); found && more != "" {
			rest = append(rest, more)
		}
		switch component {
		case "", ".":
			continue
		case "..":
			if at == "." {
				return false
			}
			at = path.Dir(at)
			continue
		}
		at = path.Join(at, component)
		if target, ok := targets[at]; ok {
			if hops++; hops > maxLinkHops {
				return false
			}
			at = path.Dir(at)
			rest = append(rest, target)
		}
	}
	return true
}
