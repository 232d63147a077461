//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
)

// hostPrograms are the directories at the host's root that a sandbox without root of its own shows.
var hostPrograms = [...]string{"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}

// hostSettings are the files and directories of the host's /etc that programs need and that tell nothing of the host.
var hostSettings = [...]string{"etc/alternatives", "etc/ld.so.cache", "etc/localtime", "etc/pki/ca-trust", "etc/pki/tls/certs",
	"etc/pki/tls/cert.pem", "etc/ssl/cert.pem", "etc/ssl/certs", "etc/ssl/openssl.cnf"}

// The user inside, Lambda's own (lambda.md 7.6).
const (
	userID   = 993
	groupID  = 990
	userName = "sbx_user1051"
)

// BoxDir is where the box is in the sandbox's mount namespace. There it hides nothing that a runtime needs, and, unlike the
// driver's own directory, it can be reached by a runtime that has entered the user namespace and has no more rights than anyone.
const BoxDir = "/tmp"

// Paths in a box, the tmpfs that holds all files of a sandbox. Launchers may have others.
const (
	BoxRoot    = "root"    // the root directory inside
	BoxNetwork = "network" // the network namespace
)

// readOnly are the flags of everything that is shown.
const readOnly = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV

// ownMounts gives the calling thread a mount namespace that follows the host's and never changes it. In it, cgroups are
// read-only, so that no runtime meddles with ours, and the v2 hierarchy is gone where crun would refuse to work beside it.
func ownMounts(c *cgroups) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make mount namespace: %v", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("detach mounts from the host's: %v", err)
	}
	for _, m := range c.mounts {
		var err error
		if m.v2 && c.hybrid() {
			err = unix.Unmount(m.dir, unix.MNT_DETACH)
		} else {
			err = unix.Mount("", m.dir, "", unix.MS_REMOUNT|unix.MS_BIND|readOnly|unix.MS_NOEXEC, "")
		}
		if err != nil {
			return fmt.Errorf("hide cgroups at %s: %v", m.dir, err)
		}
	}
	return nil
}

// box is the file system of one sandbox, while it is made: on a thread in the mount namespace that ownMounts made.
type box struct {
	dir  string // mount point of the tmpfs until it is complete
	root *os.Root
	spec sandbox.Spec
	ids  IDs
}

// build mounts the box.
func (b *box) build() error {
	if err := unix.Mount("tmpfs", b.dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=64m"); err != nil {
		return fmt.Errorf("mount box: %v", err)
	}
	root := filepath.Join(b.dir, BoxRoot)
	if err := os.Mkdir(root, 0o755); err != nil {
		return fmt.Errorf("make root directory: %v", err)
	}
	if b.spec.RootDir != "" {
		if err := b.overlay(root); err != nil {
			return err
		}
	}
	var err error
	if b.root, err = os.OpenRoot(root); err != nil {
		return fmt.Errorf("open root directory: %v", err)
	}
	defer b.root.Close()
	steps := []func() error{b.settings, b.tmp, b.mounts, b.later}
	if b.spec.RootDir == "" {
		steps = append([]func() error{b.programs}, steps...)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	// Not before now: what is shown may be below BoxDir on the host.
	if err := unix.Mount(b.dir, BoxDir, "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move box to %s: %v", BoxDir, err)
	}
	return nil
}

// overlay puts the image's directory at root, so that mount points can be made without changing it.
func (b *box) overlay(root string) error {
	upper, work := filepath.Join(b.dir, "upper"), filepath.Join(b.dir, "work")
	if err := errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755)); err != nil {
		return fmt.Errorf("make overlay directories: %v", err)
	}
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`)
	options := "lowerdir=" + escape.Replace(b.spec.RootDir) + ",upperdir=" + escape.Replace(upper) + ",workdir=" + escape.Replace(work)
	if err := unix.Mount("overlay", root, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount root directory %s: %v", b.spec.RootDir, err)
	}
	return nil
}

// programs shows the host's programs and libraries.
func (b *box) programs() error {
	for _, name := range hostPrograms {
		info, err := os.Lstat("/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look at /%s: %v", name, err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if err := b.bind("/"+name, name); err != nil {
				return err
			}
			continue
		}
		target, err := os.Readlink("/" + name)
		if err == nil {
			err = b.root.Symlink(target, name)
		}
		if err != nil {
			return fmt.Errorf("link /%s: %v", name, err)
		}
	}
	for _, name := range hostSettings {
		if _, err := os.Stat("/" + name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := b.bind("/"+name, name); err != nil {
			return err
		}
	}
	return b.write(map[string]string{
		"etc/passwd": fmt.Sprintf("root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"+
			"%s:x:%d:%d::/home/%[1]s:/sbin/nologin\n", userName, b.ids.User, b.ids.Group),
		"etc/group":         fmt.Sprintf("root:x:0:\nnogroup:x:65534:\n%s:x:%d:\n", userName, b.ids.Group),
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
	})
}

// settings writes what belongs to the sandbox rather than to its programs, and makes the mount points of the runtime.
func (b *box) settings() error {
	files := map[string]string{"etc/hosts": ownHosts}
	if b.spec.Network == sandbox.NetworkHost {
		for _, name := range []string{"etc/resolv.conf", "etc/hosts"} {
			content, err := os.ReadFile("/" + name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read /%s: %v", name, err)
			}
			files[name] = string(content)
		}
		files["etc/hosts"] += "\n" + ownHosts
	}
	for _, dir := range []string{"proc", "dev"} {
		if err := b.root.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make /%s: %v", dir, err)
		}
	}
	return b.write(files)
}

// HostName inside; the host's own is the host's affair.
const HostName = "sandbox"

// ownHosts has the names by which Lambda's guide lets code in a sandbox find itself
// (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html, "Specifying a destination protocol").
const ownHosts = "127.0.0.1 localhost " + HostName + " " + HostName + ".localdomain\n"

func (b *box) write(files map[string]string) error {
	if err := b.root.MkdirAll("etc", 0o755); err != nil {
		return fmt.Errorf("make /etc: %v", err)
	}
	for name, content := range files {
		// An image may have a link there: it is replaced.
		if err := b.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("replace /%s: %v", name, err)
		}
		if err := b.root.WriteFile(name, []byte(content), 0o644); err != nil {
			return fmt.Errorf("write /%s: %v", name, err)
		}
	}
	return nil
}

// devices of a sandbox's /dev, by their numbers (the kernel's admin-guide/devices.txt).
var devices = map[string][2]uint32{"null": {1, 3}, "zero": {1, 5}, "full": {1, 7}, "random": {1, 8}, "urandom": {1, 9}, "tty": {5, 0}}

// MakeDevices fills /dev, for launchers whose runtime does not.
func (g *Ground) MakeDevices() error {
	err := g.Enter(func() error {
		root, err := os.OpenRoot(filepath.Join(BoxDir, BoxRoot))
		if err != nil {
			return err
		}
		defer root.Close()
		b := &box{root: root}
		err = b.at("dev", func(path string) error {
			return unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=755,size=64k")
		})
		if err != nil {
			return err
		}
		return b.at("dev", fillDevices)
	})
	if err != nil {
		return fmt.Errorf("make /dev: %v", err)
	}
	return nil
}

func fillDevices(dir string) error {
	for name, number := range devices {
		path := dir + "/" + name
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(number[0], number[1]))); err != nil {
			return err
		}
		if err := os.Chmod(path, 0o666); err != nil { // whatever the umask
			return err
		}
	}
	for name, target := range map[string]string{"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink("/proc/self/"+target, dir+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

// tmp mounts /tmp.
func (b *box) tmp() error {
	options := fmt.Sprintf("mode=700,uid=%d,gid=%d,%s", b.ids.HostUser(), b.ids.HostGroup(), tmpSize(b.spec.Limits))
	if err := b.root.MkdirAll("tmp", 0o755); err != nil {
		return fmt.Errorf("make /tmp: %v", err)
	}
	return b.at("tmp", func(path string) error {
		return unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options)
	})
}

// tmpSize is the size of /tmp as mount options of a tmpfs.
func tmpSize(l sandbox.Limits) string {
	return fmt.Sprintf("size=%d,nr_inodes=%d", l.TmpBytes, tmpFiles(l))
}

// mounts shows what the spec asks for, outer targets before inner ones.
func (b *box) mounts() error {
	sorted := slices.SortedFunc(slices.Values(b.spec.Mounts), func(x, y sandbox.Mount) int { return len(x.Target) - len(y.Target) })
	for _, m := range sorted {
		if err := b.bind(m.Source, strings.TrimPrefix(m.Target, "/")); err != nil {
			return err
		}
	}
	return nil
}

// later makes the directories at which Fit may mount.
func (b *box) later() error {
	for _, target := range b.spec.Later {
		if err := b.root.MkdirAll(strings.TrimPrefix(target, "/"), 0o755); err != nil {
			return fmt.Errorf("make mount point %s: %v", target, err)
		}
	}
	return nil
}

// bind shows a host's file or directory at a name below the root.
func (b *box) bind(source, name string) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("show %s at /%s: %v", source, name, err)
	}
	if info.IsDir() {
		err = b.root.MkdirAll(name, 0o755)
	} else if err = b.root.MkdirAll(filepath.Dir(name), 0o755); err == nil {
		var f *os.File
		if f, err = b.root.OpenFile(name, os.O_CREATE|os.O_RDONLY, 0o644); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("make mount point /%s: %v", name, err)
	}
	return b.at(name, func(path string) error {
		return unix.Mount(source, path, "", unix.MS_BIND, "")
	}, func(path string) error {
		return unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|readOnly, "")
	})
}

// at calls each step with a path of a name below the root that leads nowhere else, whatever links an image has: os.Root resolves
// the name, anew for each step because the one before may have mounted something there.
func (b *box) at(name string, steps ...func(path string) error) error {
	for _, step := range steps {
		f, err := b.root.Open(name)
		if err == nil {
			err = errors.Join(step(fmt.Sprintf("/proc/thread-self/fd/%d", f.Fd())), f.Close())
		}
		if err != nil {
			return fmt.Errorf("mount at /%s: %v", name, err)
		}
	}
	return nil
}

// IDs are the user and group of a sandbox, inside, and where they begin on the host.
type IDs struct {
	User, Group int
	Base        int  // of the range of IDCount ids that are this sandbox's on the host
	Namespace   bool // User and Group are relative to Base, in a user namespace
}

// Ranges of IDCount ids from idBase on belong to sandboxes, one each: above all that distributions and systemd hand out
// ("Users, Groups, UIDs and GIDs on systemd systems": 1879048192 to 2147483647 is unused).
const (
	idBase  = 1_900_000_000
	IDCount = 1024
	idSlots = 200_000
)

func newIDs(slot int, namespace bool) IDs {
	i := IDs{User: userID, Group: groupID, Base: idBase + slot*IDCount, Namespace: namespace}
	if !namespace {
		i.User += i.Base
		i.Group += i.Base
	}
	return i
}

func (i IDs) HostUser() int {
	if i.Namespace {
		return i.Base + i.User
	}
	return i.User
}

func (i IDs) HostGroup() int {
	if i.Namespace {
		return i.Base + i.Group
	}
	return i.Group
}
