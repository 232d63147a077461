package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// payload is the event of all invocations: 1 KB of JSON.
var payload = `{"data":"` + strings.Repeat("x", 1024-11) + `"}`

// server is a licet process with its root credentials.
type server struct {
	cmd  *exec.Cmd
	data string
	url  string
	root aws.Credentials
}

// startServer starts licet on a fresh data directory and says how long it took to answer.
func (w *workshop) startServer(ctx context.Context) (*server, time.Duration, error) {
	data, err := os.MkdirTemp(w.dir, "data-")
	if err != nil {
		return nil, 0, err
	}
	return w.startServerOn(ctx, data)
}

// startServerOn is startServer on a data directory that is there, with more flags.
func (w *workshop) startServerOn(ctx context.Context, data string, flags ...string) (*server, time.Duration, error) {
	port, err := freePort()
	if err != nil {
		return nil, 0, err
	}
	s := &server{data: data, url: "http://127.0.0.1:" + port}
	s.cmd = exec.CommandContext(ctx, w.licet, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:" + port, "--sandbox", w.driver}, flags...)...)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return nil, 0, err
	}
	took, err := ready(s.url+"/_licet/health", 10*time.Second)
	if err != nil {
		return nil, 0, err
	}
	out, err := exec.CommandContext(ctx, w.licet, "env", "--data", data).Output()
	if err != nil {
		return nil, 0, fmt.Errorf("licet env: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		switch name {
		case "AWS_ACCESS_KEY_ID":
			s.root.AccessKeyID = strings.Trim(value, `'"`)
		case "AWS_SECRET_ACCESS_KEY":
			s.root.SecretAccessKey = strings.Trim(value, `'"`)
		}
	}
	return s, took, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, firstError(err, l.Close())
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// resident is the memory of the process in MiB.
func (s *server) resident() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS in /proc/%d/status", s.cmd.Process.Pid)
}

// metric reads one number from the server's metrics.
func (s *server) metric(ctx context.Context, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/_licet/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	page, err := io.ReadAll(resp.Body)
	if err := firstError(err, resp.Body.Close()); err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(page)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

func (w *workshop) measureStart(ctx context.Context) error {
	var times []time.Duration
	var memory []float64
	for range w.repetitions {
		s, took, err := w.startServer(ctx)
		if err != nil {
			return err
		}
		mib, err := s.resident()
		if err := firstError(err, s.stop()); err != nil {
			return err
		}
		times, memory = append(times, took), append(memory, mib)
	}
	fmt.Printf("server ready after start     %8.1f ms   (target < 100)\n", float64(median(times).Microseconds())/1000)
	fmt.Printf("idle memory                  %8.1f MiB  (target < 60)\n\n", median(memory))
	return nil
}

// measureInvoke loads warm functions of each language, beside a front with the same bootstraps.
func (w *workshop) measureInvoke(ctx context.Context) (err error) {
	all, err := w.languages()
	if err != nil {
		return err
	}
	loop, err := w.loopRate(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%-34s %12s %12s\n", "invocations per second", "1 client", "16 clients")
	fmt.Printf("%-34s %12.0f %12s\n", "bare Runtime API loop, 1 sandbox", loop, "-")
	ceiling, err := w.peerRates(ctx, nil, "ceiling")
	if err != nil {
		return err
	}
	printWarm("load generator against net/http", ceiling)
	for _, l := range all {
		if err := w.measureWarm(ctx, l); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

func printWarm(name string, r [2]result) {
	fmt.Printf("%-34s %12.0f %12.0f\n", name, r[0].rate, r[1].rate)
}

// measureWarm loads one function and the front with the same bootstraps, by turns, then looks what the server has kept of it. A second
// front's bootstraps have the variables that licet gives beside those of AWS, where they matter to the language.
func (w *workshop) measureWarm(ctx context.Context, l language) (err error) {
	envs := [][]string{l.env}
	if l.given != nil {
		envs = append(envs, slices.Concat(l.env, l.given))
	}
	var fronts []*peer
	for _, env := range envs {
		front, startErr := w.startPeer(ctx, env, append([]string{"front", "4"}, l.command...)...)
		if startErr != nil {
			return startErr
		}
		defer func() { err = firstError(err, front.stop()) }()
		fronts = append(fronts, front)
	}
	s, _, err := w.startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, s.stop()) }()
	role, caller, err := s.employ(ctx)
	if err == nil {
		err = s.deploy(ctx, "echo", role, l)
	}
	if err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	var results [2][]result // of the front, licet, the second front
	for i, clients := range []int{1, 16} {
		req, err := signed(ctx, s.url+invocations("echo"), []byte(payload), caller, "lambda")
		if err != nil {
			return err
		}
		var targets []target
		for _, front := range fronts {
			request, err := front.request(ctx)
			if err != nil {
				return err
			}
			targets = append(targets, target{req: request, pid: front.cmd.Process.Pid})
		}
		targets = slices.Insert(targets, 1, target{req: req, pid: s.cmd.Process.Pid})
		if results[i], err = w.alternate(ctx, clients, []byte(payload), targets...); err != nil {
			return err
		}
	}
	one, many := results[0], results[1]
	printBoth(l, [2]result{one[0], many[0]}, [2]result{one[1], many[1]})
	if l.given != nil {
		fmt.Printf("%-34s %12.2f %12.2f\n", "licet / front with "+strings.Join(l.given, " "), one[1].share/one[2].share, many[1].share/many[2].share)
	}
	return s.printKept(ctx)
}

func printBoth(l language, front, ours [2]result) {
	printWarm(l.name+", front: SigV4 only, 4 bootstraps", front)
	printWarm(l.name+", licet: signed, judged, recorded", ours)
	fmt.Printf("%-34s %12.2f %12.2f\n", "licet / front", ours[0].share, ours[1].share)
	fmt.Printf("%-34s %9.2f ms %9.2f ms\n", "p50 added to the front", added(ours[0].p50, front[0].p50), added(ours[1].p50, front[1].p50))
	fmt.Printf("%-34s %9.2f ms %9.2f ms\n", "p99 added to the front", added(ours[0].p99, front[0].p99), added(ours[1].p99, front[1].p99))
	fmt.Printf("%-34s %9d µs %9d µs\n", "CPU for each of the front", front[0].cpu.Microseconds(), front[1].cpu.Microseconds())
	fmt.Printf("%-34s %9d µs %9d µs\n", "CPU for each beyond the front's", (ours[0].cpu - front[0].cpu).Microseconds(), (ours[1].cpu - front[1].cpu).Microseconds())
}

// printKept shows environments and memory after a load, when the server has come to rest.
func (s *server) printKept(ctx context.Context) error {
	environments, err := s.metric(ctx, "licet_execution_environments")
	if err != nil {
		return err
	}
	time.Sleep(settledTime)
	mib, err := s.resident()
	if err != nil {
		return err
	}
	fmt.Printf("%-34s %12s %12.0f\n", "environments after it", "", environments)
	fmt.Printf("%-34s %12s %8.1f MiB  (target 60)\n\n", "idle server after it", "", mib)
	return nil
}

func added(ours, front time.Duration) float64 { return float64((ours - front).Microseconds()) / 1000 }

func (w *workshop) loopRate(ctx context.Context) (float64, error) {
	var rates []float64
	for range w.repetitions {
		out, err := exec.CommandContext(ctx, w.self, "loop", w.bootstrap, w.length.String()).Output()
		if err != nil {
			return 0, fmt.Errorf("bare loop: %w", err)
		}
		rate, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			return 0, err
		}
		rates = append(rates, rate)
	}
	return median(rates), nil
}

// peerRates loads another process of this program with 1 and 16 clients.
func (w *workshop) peerRates(ctx context.Context, env []string, args ...string) (rates [2]result, err error) {
	p, err := w.startPeer(ctx, env, args...)
	if err != nil {
		return rates, err
	}
	defer func() { err = firstError(err, p.stop()) }()
	for i, clients := range []int{1, 16} {
		req, err := p.request(ctx)
		if err != nil {
			return rates, err
		}
		if rates[i], err = w.repeat(ctx, clients, []byte(payload), req, p.cmd.Process.Pid); err != nil {
			return rates, fmt.Errorf("%s: %w", args[0], err)
		}
	}
	return rates, nil
}

// request is what a peer is loaded with.
func (p *peer) request(ctx context.Context) (*http.Request, error) {
	return signed(ctx, p.url+"/", []byte(payload), aws.Credentials{AccessKeyID: benchKey, SecretAccessKey: benchSecret}, "lambda")
}

// archived is a deployment package of one file.
func archived(name string, content []byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(content); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
