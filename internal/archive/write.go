package archive

import (
	"errors"
	"fmt"
	"os"
)

// write puts a plan into the empty directory dir. Links come last, so that nothing is ever written through one.
func write(dir string, p plan, limits Limits) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	for _, d := range p.directories {
		if err := root.Mkdir(d, 0o700); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	b := budget{left: limits.UnpackedBytes}
	for _, f := range p.files {
		if err := writeFile(root, f, &b); err != nil {
			return err
		}
	}
	for _, l := range p.links {
		if err := root.Symlink(l.target, l.path); err != nil {
			return fmt.Errorf("make link: %w", err)
		}
	}
	// Children first: nothing can be changed in a directory after its mode is set.
	for i := len(p.directories) - 1; i >= 0; i-- {
		if err := root.Chmod(p.directories[i], 0o555); err != nil {
			return fmt.Errorf("set mode: %w", err)
		}
	}
	return os.Chmod(dir, 0o555)
}

func writeFile(root *os.Root, f file, b *budget) error {
	w, err := root.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make file: %w", err)
	}
	if err := b.copy(w, f.zip); err != nil {
		return errors.Join(err, w.Close())
	}
	return errors.Join(w.Chmod(f.mode), w.Close())
}
