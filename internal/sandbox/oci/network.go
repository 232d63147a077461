//go:build linux

package oci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

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
// are the wanted ones in an own network, and free ones on the host's.
func listen(ctx context.Context, specs []sandbox.ListenerSpec, own bool) (map[string]net.Listener, error) {
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
		listeners[spec.Name] = l
	}
	return listeners, nil
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
