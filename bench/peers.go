package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/licet/licet/internal/sigv4"
)

// benchKey is the key that the front knows; the load signs with it there.
const (
	benchKey    = "AKIABENCHBENCHBENCH0"
	benchSecret = "bench/secret/bench/secret/bench/secret00"
)

// bare is the least that can run a function: a Runtime API of two handlers and the bootstrap as a plain child process.
type bare struct {
	events  chan []byte
	answers chan []byte
	child   *exec.Cmd
	served  *http.Server
}

// startBare starts a command with what it needs in its environment.
func startBare(ctx context.Context, command, env []string) (*bare, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &bare{events: make(chan []byte), answers: make(chan []byte)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-b.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:echo")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(30*time.Second).UnixMilli(), 10))
			w.Write(event) // an error shows as a missing answer
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		answer, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.WriteHeader(http.StatusAccepted)
		b.answers <- answer
	})
	b.served = &http.Server{Handler: mux}
	go b.served.Serve(l) // ends with stop
	b.child = exec.CommandContext(ctx, command[0], command[1:]...)
	b.child.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+l.Addr().String())
	b.child.Stderr = os.Stderr
	return b, b.child.Start()
}

func (b *bare) invoke(event []byte) []byte {
	b.events <- event
	return <-b.answers
}

func (b *bare) stop() {
	b.child.Process.Kill()
	b.child.Wait()
	b.served.Close()
}

// runLoop drives one bare bootstrap for a while and prints invocations per second: bench loop BOOTSTRAP SECONDS.
func runLoop() error {
	b, err := startBare(context.Background(), os.Args[2:3], nil)
	if err != nil {
		return err
	}
	defer b.stop()
	length, err := time.ParseDuration(os.Args[3])
	if err != nil {
		return err
	}
	event := []byte(payload)
	b.invoke(event)
	start, n := time.Now(), 0
	for time.Since(start) < length {
		if got := b.invoke(event); !bytes.Equal(got, event) {
			return fmt.Errorf("the bootstrap answered %q", got)
		}
		n++
	}
	fmt.Println(float64(n) / time.Since(start).Seconds())
	return nil
}

// serveFront verifies signatures and passes payloads to bare bootstraps, nothing else: bench front COUNT COMMAND.... The
// bootstraps have the environment of the front.
func serveFront() error {
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	idle := make(chan *bare, count)
	for range count {
		b, err := startBare(context.Background(), os.Args[3:], os.Environ())
		if err != nil {
			return err
		}
		defer b.stop()
		idle <- b
	}
	verifier := sigv4.New()
	return serve(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verify(verifier, r, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		b := <-idle
		answer := b.invoke(body)
		idle <- b
		w.Write(answer) // an error shows as a failed request of the load
	})
}

func verify(v *sigv4.Verifier, r *http.Request, body []byte) error {
	signed, err := sigv4.Parse(r)
	if err != nil {
		return err
	}
	scope := sigv4.Scope{Regions: []string{"us-east-1"}, Services: []string{"lambda", "iam", "sts"}}
	return v.Check(r, body, signed, benchSecret, scope, time.Now())
}

// serveCeiling answers at once: what the load generator and net/http can do.
func serveCeiling() error {
	return serve(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Write(body) // an error shows as a failed request of the load
	})
}

// serve prints the address of a handler and answers until it is told to stop.
func serve(h http.HandlerFunc) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	s := &http.Server{Handler: h}
	go func() {
		<-ctx.Done()
		s.Close()
	}()
	if err := s.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// peer is one of this program's other processes.
type peer struct {
	cmd *exec.Cmd
	url string
}

func (w *workshop) startPeer(ctx context.Context, env []string, args ...string) (*peer, error) {
	cmd := exec.CommandContext(ctx, w.self, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		return nil, err
	}
	return &peer{cmd: cmd, url: strings.TrimSpace(string(line[:n]))}, nil
}

func (p *peer) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// ready waits for a URL to answer 200 and says how long that took.
func ready(url string, limit time.Duration) (time.Duration, error) {
	start := time.Now()
	for time.Since(start) < limit {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return time.Since(start), nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("%s did not answer in %s", url, limit)
}
