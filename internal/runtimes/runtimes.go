// Package runtimes knows Lambda's managed runtimes: which interpreter of the host runs them, how, and with which environment.
//
// A runtime is a folder here with a runtime.json and, where the language needs one, a bootstrap program that speaks the Lambda
// Runtime API (2018-06-01, lambda.md 7.5). The package runs no function, opens no network, and downloads nothing: interpreters
// are the host's, and where the host has another version than the runtime's name promises, Command.Exact says so. Interpreters
// are asked for their version once, and again when their file changes.
//
// A Set may be used by any number of goroutines once Install has returned. Install replaces files whole, so that a crash
// leaves old or new ones.
//
// Names, environment and the behaviour of the bootstraps follow the AWS Lambda Developer Guide ("Lambda runtimes", "Using Lambda
// environment variables") and lambda.md 7.6.
//
// To add a runtime: a folder with a runtime.json, whose fields are those of the type description. No Go.
package runtimes

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

//go:embed */runtime.json */*.py */*.mjs
var files embed.FS

// The errors on which a caller may act.
var (
	// ErrNotInstalled: the host has no interpreter for the runtime. The error that wraps it says what to install.
	ErrNotInstalled = errors.New("interpreter is not installed")
	// ErrNoBootstrap: neither the code nor a layer has the program that a runtime without interpreter needs. The words are Lambda's
	// (Runtime.InvalidEntrypoint in the runtime interface emulator).
	//
	//lint:ignore ST1005 shown to users as it is
	ErrNoBootstrap = errors.New("Couldn't find valid bootstrap(s)")
)

// runtimeDir is where a bootstrap is inside a sandbox: LAMBDA_RUNTIME_DIR.
const runtimeDir = "/var/runtime"

// description is a runtime.json. {name} stands for the runtime's name, {version} for its version, {interpreter} for the program
// that was found.
type description struct {
	// Names that the folder serves, with the version that the interpreter of each should have.
	Names map[string]string `json:"names"`
	// Interpreters are candidates on the host, the best first. The first that exists with the right version is taken; failing
	// that, the first that exists.
	Interpreters []string `json:"interpreters"`
	// Install says what a person should install when there is none.
	Install string `json:"install"`
	// Programs are, for runtimes without interpreter, the candidates inside the sandbox.
	Programs []string `json:"programs"`
	// Files of the folder that are shown at /var/runtime.
	Files []string `json:"files"`
	// Args of the process.
	Args []string `json:"args"`
	// Env is what the runtime adds to the function's environment, NAME=value.
	Env []string `json:"env"`
	// Handler says whether a function of this runtime needs a handler.
	Handler bool `json:"handler"`

	folder string
}

// Set is all runtimes.
type Set struct {
	runtimes map[string]Runtime

	mu       sync.Mutex
	dir      string // where Install put the bootstraps
	versions map[string]probe
}

// probe is what an interpreter said of its version, and the file that said it.
type probe struct {
	modified time.Time
	size     int64
	version  string
}

// Load reads the descriptions.
func Load() (*Set, error) {
	s := &Set{runtimes: map[string]Runtime{}, versions: map[string]probe{}}
	paths, err := fs.Glob(files, "*/runtime.json")
	if err != nil {
		return nil, fmt.Errorf("list runtimes: %v", err)
	}
	for _, p := range paths {
		b, err := files.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("read runtime: %v", err)
		}
		d := &description{folder: path.Dir(p)}
		decoder := json.NewDecoder(bytes.NewReader(b))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(d); err != nil {
			return nil, fmt.Errorf("parse %s: %v", p, err)
		}
		for name, version := range d.Names {
			if _, twice := s.runtimes[name]; twice {
				return nil, fmt.Errorf("parse %s: runtime %s is in two folders", p, name)
			}
			s.runtimes[name] = Runtime{Name: name, NeedsHandler: d.Handler, version: version, description: d, set: s}
		}
	}
	return s, nil
}

// Lookup finds a runtime by the name that functions have ("python3.12").
func (s *Set) Lookup(name string) (Runtime, bool) {
	r, ok := s.runtimes[name]
	return r, ok
}

// Names lists all runtimes, sorted.
func (s *Set) Names() []string {
	var names []string
	for name := range s.runtimes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Install writes the bootstraps below an absolute directory, readable for everyone. It comes before the first Resolve.
func (s *Set) Install(dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("install runtimes in %q: want an absolute path", dir)
	}
	for _, r := range s.runtimes {
		for _, name := range r.description.Files {
			b, err := files.ReadFile(path.Join(r.description.folder, name))
			if err != nil {
				return fmt.Errorf("install runtime %s: %v", r.Name, err)
			}
			if err := replace(filepath.Join(dir, r.description.folder), name, b); err != nil {
				return fmt.Errorf("install runtime %s: %v", r.Name, err)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dir = dir
	return nil
}

// replace writes a file unless it has that content already.
func replace(dir, name string, content []byte) error {
	target := filepath.Join(dir, name)
	if old, err := os.ReadFile(target); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

// Runtime is one managed runtime.
type Runtime struct {
	// Name as functions have it: "python3.12".
	Name string
	// NeedsHandler is true when a function of this runtime must have a handler.
	NeedsHandler bool

	version     string
	description *description
	set         *Set
}

// Command says how to run a function of a runtime.
type Command struct {
	// Args of the process; paths are those inside a sandbox with an own file system.
	Args []string
	// Programs, if any, are what Args[0] may be: see WithProgram.
	Programs []string
	// Env is what the runtime adds to the function's environment; EnvAt translates it for other sandboxes.
	Env []string
	// Mounts show the bootstrap.
	Mounts []sandbox.Mount
	// Version of the interpreter ("3.11.2"), "" for a runtime without.
	Version string
	// Exact is false when the host's interpreter has another version than the runtime's name promises.
	Exact bool
}

// Resolve finds the interpreter on the host. It returns an error that wraps ErrNotInstalled when there is none.
func (r Runtime) Resolve() (Command, error) {
	d := r.description
	interpreter, version, exact, err := r.interpreter()
	if err != nil {
		return Command{}, err
	}
	c := Command{Programs: slices.Clone(d.Programs), Version: version, Exact: exact}
	if len(d.Programs) > 0 {
		interpreter, c.Exact = d.Programs[0], true
	}
	replacer := strings.NewReplacer("{name}", r.Name, "{version}", r.version, "{interpreter}", interpreter)
	for _, a := range d.Args {
		c.Args = append(c.Args, replacer.Replace(a))
	}
	for _, e := range d.Env {
		c.Env = append(c.Env, replacer.Replace(e))
	}
	if len(d.Files) > 0 {
		dir := r.set.installed()
		if dir == "" {
			return Command{}, fmt.Errorf("resolve runtime %s: its bootstrap is not installed", r.Name)
		}
		c.Mounts = []sandbox.Mount{{Source: filepath.Join(dir, d.folder), Target: runtimeDir}}
	}
	return c, nil
}

func (s *Set) installed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dir
}

// interpreter picks the best of the candidates.
func (r Runtime) interpreter() (program, version string, exact bool, err error) {
	d := r.description
	if len(d.Interpreters) == 0 {
		return "", "", false, nil
	}
	replacer := strings.NewReplacer("{name}", r.Name, "{version}", r.version)
	var broken []error
	for _, candidate := range d.Interpreters {
		candidate = replacer.Replace(candidate)
		v, err := r.set.probe(candidate)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			broken = append(broken, err)
			continue
		}
		if v == r.version || strings.HasPrefix(v, r.version+".") {
			return candidate, v, true, nil
		}
		if program == "" {
			program, version = candidate, v
		}
	}
	if program == "" {
		err := fmt.Errorf("runtime %s: %w: install %s", r.Name, ErrNotInstalled, replacer.Replace(d.Install))
		return "", "", false, errors.Join(append([]error{err}, broken...)...)
	}
	return program, version, false, nil
}

var versionPattern = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

// probe asks an interpreter for its version.
func (s *Set) probe(program string) (string, error) {
	info, err := os.Stat(program)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.versions[program]; p.version != "" && p.size == info.Size() && p.modified.Equal(info.ModTime()) {
		return p.version, nil
	}
	out, err := exec.Command(program, "--version").Output()
	version := versionPattern.FindString(string(out))
	if err != nil || version == "" {
		return "", fmt.Errorf("ask %s for its version: answer %q, %v", program, out, err)
	}
	s.versions[program] = probe{modified: info.ModTime(), size: info.Size(), version: version}
	return version, nil
}

// WithProgram returns the command with the first of its Programs that the function has, in its code (at /var/task) or its layers
// (at /opt; "" for none), both given as host directories. A command without Programs it returns as it is. The error is
// ErrNoBootstrap with the candidates: the text that Lambda shows.
func (c Command) WithProgram(codeDir, layerDir string) (Command, error) {
	if len(c.Programs) == 0 {
		return c, nil
	}
	host := strings.NewReplacer("/var/task/", codeDir+"/", "/opt/", layerDir+"/")
	for _, p := range c.Programs {
		if layerDir == "" && strings.HasPrefix(p, "/opt/") {
			continue
		}
		if _, err := os.Stat(host.Replace(p)); err == nil {
			c.Args = append([]string{p}, c.Args[1:]...)
			return c, nil
		}
	}
	return Command{}, fmt.Errorf("%w: %v", ErrNoBootstrap, c.Programs)
}

// EnvAt returns Env with every path, alone or in a list, as the function path has it (Sandbox.Path).
func (c Command) EnvAt(path func(string) string) []string {
	var env []string
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		if strings.HasPrefix(value, "/") {
			var list []string
			for _, p := range strings.Split(value, ":") {
				list = append(list, path(p))
			}
			value = strings.Join(list, ":")
		}
		env = append(env, name+"="+value)
	}
	return env
}
