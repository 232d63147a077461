//go:build linux

package linux

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
)

// ownNetwork gives the calling thread a network namespace of its own, with nothing but loopback. The namespace is also mounted in the
// box, for launchers that need a path.
func ownNetwork() (*os.File, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("make network namespace: %v", err)
	}
	if err := raiseLoopback(); err != nil {
		return nil, fmt.Errorf("bring up loopback: %v", err)
	}
	file := filepath.Join(BoxDir, BoxNetwork)
	err := os.WriteFile(file, nil, 0o600)
	if err == nil {
		err = unix.Mount("/proc/thread-self/ns/net", file, "", unix.MS_BIND, "")
	}
	var network *os.File
	if err == nil {
		network, err = os.Open("/proc/thread-self/ns/net")
	}
	if err != nil {
		return nil, fmt.Errorf("keep network namespace: %v", err)
	}
	return network, nil
}

func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// Dial makes the socket in the sandbox's network namespace, to which it belongs from then on, and connects it.
func (s *place) Dial(ctx context.Context, port int) (net.Conn, error) {
	c, err := s.dial(ctx, port)
	if err != nil {
		return nil, fmt.Errorf("connect to port %d of sandbox %s: %w", port, s.Spec.ID, err)
	}
	return c, nil
}

func (s *place) dial(ctx context.Context, port int) (net.Conn, error) {
	if s.Network == nil {
		var d net.Dialer
		return d.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	fd := -1
	err := s.driver.thread.Do(func() error {
		if err := unix.Setns(int(s.Network.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return errors.Join(err, unix.Setns(int(s.driver.network.Fd()), unix.CLONE_NEWNET))
	})
	if fd < 0 {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "sandbox port "+strconv.Itoa(port))
	defer f.Close()
	if err == nil {
		err = connect(ctx, f, port)
	}
	if err != nil {
		return nil, err
	}
	return net.FileConn(f)
}

// connect connects a socket that does not block.
func connect(ctx context.Context, f *os.File, port int) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := f.SetDeadline(deadline); err != nil {
			return err
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetDeadline(time.Unix(1, 0)) }) // ends the wait below
	defer stop()
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Control(func(fd uintptr) {
		result = unix.Connect(int(fd), &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	})
	if err == nil && errors.Is(result, unix.EINPROGRESS) {
		err = raw.Write(func(fd uintptr) (connected bool) {
			connected, result = connectResult(int(fd))
			return connected
		})
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(err, result)
}

// connectResult is what became of a connect(2) in progress.
func connectResult(fd int) (done bool, err error) {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 0)
	if n == 0 && err == nil || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	return true, err
}

// listen opens the listeners in the calling thread's network namespace, to which their sockets belong from then on. The ports
// are the wanted ones in an own network, and free ones on the host's, for this user alone.
func listen(ctx context.Context, specs []sandbox.ListenerSpec, own bool, user int) (map[string]net.Listener, error) {
	listeners := map[string]net.Listener{}
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	for _, spec := range specs {
		port := 0
		if own {
			port = spec.Port
		}
		l, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open listener %s: %v", spec.Name, err), closeAll(listeners))
		}
		if !own {
			l = ownListener{l, user}
		}
		listeners[spec.Name] = l
	}
	return listeners, nil
}

// ownListener is a listener on the host's loopback, which all sandboxes of the host's network share: it takes the connections of
// one sandbox's user and closes the others.
type ownListener struct {
	net.Listener
	user int
}

// Accept returns the next connection of the user.
func (l ownListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if user, err := peerUser(c); err == nil && user == l.user {
			return c, nil
		}
		_ = c.Close() // nothing was written to it
	}
}

// peerUser finds who made the other end of a connection of this machine (proc_pid_net(5)).
func peerUser(c net.Conn) (int, error) {
	hex := func(a net.Addr) string {
		address := a.(*net.TCPAddr).AddrPort()
		ip := address.Addr().Unmap().As4()
		return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip[:]), address.Port())
	}
	peer, own := hex(c.RemoteAddr()), hex(c.LocalAddr())
	for range 3 { // a line can be missed while others come and go
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			return 0, fmt.Errorf("read connections: %v", err)
		}
		for line := range strings.Lines(string(table)) {
			if f := strings.Fields(line); len(f) > 7 && f[1] == peer && f[2] == own {
				return strconv.Atoi(f[7])
			}
		}
	}
	return 0, fmt.Errorf("connection of %v is gone", c.RemoteAddr())
}

func closeAll(listeners map[string]net.Listener) error {
	var errs []error
	for _, l := range listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
