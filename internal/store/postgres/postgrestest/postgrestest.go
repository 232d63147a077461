// Package postgrestest starts PostgreSQL clusters for tests: real servers of the machine's own packages, with fsync on as it is by default.
//
// A cluster lives in a directory of its own, listens on a unix socket there and nowhere else, and ends with its test; when the test's
// process dies, the kernel ends it (Linux). The server refuses to run as root: then it runs as the user postgres, or nobody.
package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start or to end.
const patience = 30 * time.Second

// Cluster is a server with its data. It is not safe for concurrent use.
type Cluster struct {
	dir     string
	as      *syscall.SysProcAttr
	server  *exec.Cmd // nil while it is stopped
	ended   chan error
	logFile *os.File
}

// New makes a cluster and starts it. Close ends it.
func New() (*Cluster, error) { return NewIn("") }

// NewIn is New with the cluster's directory in another one, which the server's user can enter; "" is where temporary files are.
func NewIn(place string) (_ *Cluster, err error) {
	// Not the test's own directory: another user has no way into it.
	dir, err := os.MkdirTemp(place, "licet-postgres-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, as: diesWithParent()}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if err := c.chooseUser(); err != nil {
		return nil, err
	}
	if out, err := c.command("initdb", "--pgdata", c.data(), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
		"--no-instructions").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if c.logFile, err = os.Create(filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	return c, c.Start()
}

// Start makes a cluster that ends with the test.
func Start(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := New()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// chooseUser gives the directory to a user that the server may run as.
func (c *Cluster) chooseUser() error {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return err
		}
		c.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return os.Chown(c.dir, int(uid), int(gid))
	}
	return errors.New("there is no user postgres or nobody to run PostgreSQL as")
}

// command is a program of PostgreSQL: of the newest version that Debian's packages have put there, or found by PATH.
func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	program := name
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		program = slices.MaxFunc(found, func(a, b string) int { return len(a) - len(b) + slices.Compare([]byte(a), []byte(b)) })
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = c.as
	return cmd
}

// Start starts the server again after Stop or Kill, and waits until it takes connections.
func (c *Cluster) Start() error {
	cmd := c.command("postgres", "-D", c.data(), "-k", c.dir, "-c", "listen_addresses=")
	cmd.Stdout, cmd.Stderr = c.logFile, c.logFile
	if err := cmd.Start(); err != nil {
		return err
	}
	c.server, c.ended = cmd, make(chan error, 1)
	go func() { c.ended <- cmd.Wait() }()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := c.try()
		if err == nil {
			return nil
		}
		select {
		case end := <-c.ended:
			c.server = nil
			return fmt.Errorf("postgres ended at its start: %v\n%s", end, c.Log())
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres has not started: %w\n%s", err, c.Log())
		}
	}
}

func (c *Cluster) try() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL(""))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Stop ends the server as its administrator would: it breaks off connections and writes a checkpoint.
func (c *Cluster) Stop() error { return c.end(syscall.SIGINT) }

// Demote makes a stopped server start as a standby without a primary: it can be read, and SQL's pg_promote() ends it
// (https://www.postgresql.org/docs/current/hot-standby.html).
func (c *Cluster) Demote() error {
	// Its directory is the server's own, so that it can remove the file.
	return os.WriteFile(filepath.Join(c.data(), "standby.signal"), nil, 0o600)
}

// Kill ends the server as a crash would: it recovers from its log at the next start.
func (c *Cluster) Kill() error { return c.end(syscall.SIGQUIT) }

func (c *Cluster) end(signal os.Signal) error {
	if c.server == nil {
		return nil
	}
	if err := c.server.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.ended:
		c.server = nil
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("postgres has not ended after %v", patience), c.server.Process.Kill())
	}
}

// Configure sets a parameter of the server that needs no restart.
func (c *Cluster) Configure(parameter, value string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL(""))
	if err != nil {
		return err
	}
	// ALTER SYSTEM takes no arguments of a statement, and no other statement beside it.
	_, err = conn.Exec(ctx, "ALTER SYSTEM SET "+pgx.Identifier{parameter}.Sanitize()+" = '"+strings.ReplaceAll(value, "'", "''")+"'")
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT pg_reload_conf()")
	}
	return errors.Join(err, conn.Close(ctx))
}

// Suspend stops all processes of the server where they are, as a disk does that takes nothing. Resume lets them go on.
func (c *Cluster) Suspend() error { return c.signal(syscall.SIGSTOP, stopped) }

// Resume is the end of Suspend.
func (c *Cluster) Resume() error { return c.signal(syscall.SIGCONT, func(int) error { return nil }) }

// signal sends a signal to the server and its children, if it runs, and waits for the effect on each.
func (c *Cluster) signal(s syscall.Signal, wait func(pid int) error) error {
	if c.server == nil {
		return nil
	}
	if err := c.server.Process.Signal(s); err != nil { // first: it makes no more children
		return err
	}
	if err := wait(c.server.Process.Pid); err != nil {
		return err
	}
	all, err := c.Processes()
	if err != nil {
		return err
	}
	for _, pid := range all[1:] {
		if err := syscall.Kill(pid, s); errors.Is(err, syscall.ESRCH) {
			continue
		} else if err != nil {
			return err
		}
		if err := wait(pid); err != nil {
			return err
		}
	}
	return nil
}

// stopped waits until a process has stopped, or ended: the signal alone has effect only when the process runs next.
func stopped(pid int) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			return nil
		}
		if err != nil {
			return err
		}
		// The state comes after the name, in which there may be anything (proc_pid_stat(5)).
		state := stat[bytes.LastIndexByte(stat, ')')+1:]
		if len(state) > 1 && bytes.IndexByte([]byte("TZX"), state[1]) >= 0 {
			return nil
		}
	}
	return fmt.Errorf("process %d has not stopped after %v", pid, patience)
}

// Processes are those of the server, which runs: itself, and its children. Linux tells who they are.
func (c *Cluster) Processes() ([]int, error) {
	pid := c.server.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, err
	}
	all := []int{pid}
	for child := range strings.FieldsSeq(string(children)) {
		pid, err := strconv.Atoi(child)
		if err != nil {
			return nil, err
		}
		all = append(all, pid)
	}
	return all, nil
}

// Running tells whether the server has not ended by itself, as it does when it cannot go on.
func (c *Cluster) Running() bool {
	if c.server == nil {
		return false
	}
	select {
	case err := <-c.ended:
		c.ended <- err
		return false
	default:
		return true
	}
}

// Recover waits until the server takes connections again after a fault that it may not survive, and starts it again if it does not. One that
// cannot go on runs for a while before it ends.
func (c *Cluster) Recover() error {
	for deadline := time.Now().Add(patience); c.Running(); time.Sleep(10 * time.Millisecond) {
		err := c.try()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres neither takes connections nor ends: %w\n%s", err, c.Log())
		}
	}
	return errors.Join(c.Kill(), c.Start())
}

// Close ends the server and deletes its data.
func (c *Cluster) Close() error {
	err := c.end(syscall.SIGQUIT)
	if c.logFile != nil {
		err = errors.Join(err, c.logFile.Close())
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// URL of the database as its superuser, in a schema; "" for the default one.
func (c *Cluster) URL(schema string) string { return c.URLAt(c.dir, schema) }

// As is URL for another role than the superuser.
func (c *Cluster) As(role, schema string) string {
	return strings.Replace(c.URL(schema), "postgres@", role+"@", 1)
}

// URLAt is URL by way of another directory, with the socket of a proxy.
func (c *Cluster) URLAt(dir, schema string) string {
	q := url.Values{"host": {dir}}
	if schema != "" {
		q.Set("search_path", schema)
	}
	return "postgres://postgres@/postgres?" + q.Encode()
}

// Socket is the path of the server's socket. A proxy's has the same name in another directory.
func (c *Cluster) Socket() string { return filepath.Join(c.dir, ".s.PGSQL.5432") }

// Log is what the server has logged.
func (c *Cluster) Log() string {
	b, err := os.ReadFile(c.logFile.Name())
	if err != nil {
		return err.Error()
	}
	return string(b)
}
