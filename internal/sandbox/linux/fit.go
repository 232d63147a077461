//go:build linux

package linux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
)

// Fit changes the sandbox's cgroups and the size of its /tmp, and mounts in its mount namespace and in those of what runs.
func (s *place) Fit(_ context.Context, l sandbox.Limits, mounts []sandbox.Mount) error {
	if err := l.Validate(); err != nil {
		return err
	}
	for _, m := range mounts {
		if !slices.Contains(s.Spec.Later, m.Target) {
			return fmt.Errorf("show %s at %s: the sandbox has no place for it", m.Source, m.Target)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.fit(l.OrDefault(), mounts); err != nil {
		s.broken = fmt.Errorf("fit sandbox %s: %w", s.Spec.ID, err)
	}
	return s.broken
}

// fit is called with the lock.
func (s *place) fit(l sandbox.Limits, mounts []sandbox.Mount) error {
	l.OpenFiles = s.Spec.Limits.OpenFiles
	if err := errors.Join(s.group.limit(l), s.group.allow(l.Processes+int64(len(s.runs)))); err != nil {
		return err
	}
	err := s.Enter(func() error {
		return unix.Mount("", filepath.Join(BoxDir, BoxRoot, "tmp"), "", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, tmpSize(l))
	})
	if err != nil {
		return fmt.Errorf("size /tmp: %v", err)
	}
	s.Spec.Limits = l
	for _, m := range mounts {
		if err := s.driver.attach(s.Mounts, filepath.Join(BoxDir, BoxRoot), m); err != nil {
			return err
		}
		for r := range s.runs {
			if err := s.attachTo(r, m); err != nil {
				return err
			}
		}
	}
	s.Spec.Mounts = append(slices.Clone(s.Spec.Mounts), mounts...)
	return nil
}

// attachTo mounts in the namespace of what runs. A process that has ended meanwhile needs none.
func (s *place) attachTo(r *run, m sandbox.Mount) error {
	program, err := r.task.Program()
	if err != nil || program == 0 {
		return err
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", program))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find mount namespace: %v", err)
	}
	defer namespace.Close()
	return s.driver.attach(namespace, "/", m)
}

// attach shows a host's file or directory, read-only, at a target below a root in another mount namespace.
func (d *Driver) attach(namespace *os.File, root string, m sandbox.Mount) error {
	err := d.thread.Do(func() error {
		tree, err := unix.OpenTree(unix.AT_FDCWD, m.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(tree)
		attributes := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV, Propagation: unix.MS_PRIVATE}
		if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &attributes); err != nil {
			return err
		}
		return d.within(namespace, func() error { return moveMount(tree, root, m.Target) })
	})
	if err != nil {
		return fmt.Errorf("show %s at %s: %v", m.Source, m.Target, err)
	}
	return nil
}

// moveMount puts a detached mount at a target, in which no link is followed.
func moveMount(tree int, root, target string) error {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	at, err := unix.Openat2(dir, strings.TrimPrefix(target, "/"), &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS})
	if err != nil {
		return err
	}
	defer unix.Close(at)
	return unix.MoveMount(tree, "", at, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}
