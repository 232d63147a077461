package execution

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/licet/licet/internal/runtimes"
	"github.com/licet/licet/internal/sandbox"
)

// defaultPath is the PATH of an image that sets none.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// commandOf says how a function is started.
func (m *Manager) commandOf(f *Function) (runtimes.Command, error) {
	if f.Image != nil {
		return runtimes.Command{Args: f.Image.Args, Env: append([]string{defaultPath}, f.Image.Env...)}, nil
	}
	command, err := m.config.Runtimes.Command(f.Runtime)
	if err != nil {
		return runtimes.Command{}, fmt.Errorf("resolve runtime %s: %w", f.Runtime, err)
	}
	return command, nil
}

// dir is the working directory of a function's runtime.
func (f *Function) dir() string {
	if f.Image != nil {
		return f.Image.Dir
	}
	return taskRoot
}

// errWorkingDir says, in AWS's words, why an image's program cannot run in its working directory.
type errWorkingDir string

func (e errWorkingDir) Error() string { return string(e) }

// check finds what makes it impossible to start an image's program and would else look like a failure of ours. The texts are those
// of aws-lambda-runtime-interface-emulator (Bootstrap.Cwd), the first recorded from AWS, too (openbridge/ob_bulkstash, issue 20).
func (i *Image) check() error {
	switch {
	case i == nil:
		return nil
	case len(i.Args) == 0 || i.Args[0] == "":
		return fmt.Errorf("the image names no program: %w: %w", sandbox.ErrExec, fs.ErrNotExist)
	case !path.IsAbs(i.Dir):
		return errWorkingDir(fmt.Sprintf("the working directory '%s' is invalid, it needs to be an absolute path", i.Dir))
	}
	// The user inside owns nothing: each directory on the way must be open for everyone.
	parts := strings.Split(strings.Trim(path.Clean(i.Dir), "/"), "/")
	for n := range parts {
		name := path.Join(parts[:n+1]...)
		if name == "" {
			name = "."
		}
		if name == "tmp" && n == len(parts)-1 {
			return nil // the sandbox has its own, which is empty
		}
		info, err := fs.Stat(i.Files, name)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir():
			return errWorkingDir("the working directory doesn't exist: " + i.Dir)
		case err != nil:
			return fmt.Errorf("look at working directory %s: %w", i.Dir, err)
		case info.Mode().Perm()&0o001 == 0:
			return fmt.Errorf("enter %s: %w: %w", i.Dir, sandbox.ErrExec, fs.ErrPermission)
		}
	}
	return nil
}
