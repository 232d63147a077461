//go:build linux

package oci

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
)

// enterNetwork gives the calling thread a network namespace of its own, with nothing but loopback.
func enterNetwork() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make network namespace: %v", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring up loopback: %v", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("bring up loopback: %v", err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("bring up loopback: %v", err)
	}
	return nil
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
