package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// result of a load: requests per second and the quantiles of their latency.
type result struct {
	rate     float64
	share    float64 // of the rate of the target that was loaded beside it
	p50, p99 time.Duration
	cpu      time.Duration // of the server that is measured, for each request; its children not counted
}

// signed makes a signed POST once; it is sent many times, for signatures hold for minutes and the generator's own cost must be small.
func signed(ctx context.Context, url string, body []byte, c aws.Credentials, service string) (*http.Request, error) {
	return signedRequest(ctx, http.MethodPost, url, body, c, service)
}

func signedRequest(ctx context.Context, method, url string, body []byte, c aws.Credentials, service string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if service != "lambda" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, v4.NewSigner().SignHTTP(ctx, c, req, hash, service, "us-east-1", time.Now())
}

// load sends the same request from a number of clients for a while, at least once each; several requests in turn, each client beginning
// with another. Any answer but 200 is an error.
func load(ctx context.Context, clients int, length time.Duration, body []byte, reqs ...*http.Request) (result, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var (
		mu        sync.Mutex
		latencies []time.Duration
		failure   error
		wg        sync.WaitGroup
	)
	start := time.Now()
	for i := range clients {
		wg.Go(func() {
			mine, err := send(ctx, client, reqs, i, body, start.Add(length))
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, mine...)
			if err != nil {
				failure = err
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	if failure != nil {
		return result{}, failure
	}
	rate := float64(len(latencies)) / took.Seconds()
	p50 := median(latencies)
	return result{rate: rate, p50: p50, p99: latencies[len(latencies)*99/100]}, nil
}

func send(ctx context.Context, client *http.Client, reqs []*http.Request, first int, body []byte, until time.Time) ([]time.Duration, error) {
	var latencies []time.Duration
	for i := first; len(latencies) == 0 || time.Now().Before(until); i++ {
		r := reqs[i%len(reqs)].Clone(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body))
		start := time.Now()
		resp, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(resp.Body)
		if err := firstError(err, resp.Body.Close()); err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Amz-Function-Error") != "" {
			return nil, fmt.Errorf("status %d: %s", resp.StatusCode, answer)
		}
		latencies = append(latencies, time.Since(start))
	}
	return latencies, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// target is what is loaded.
type target struct {
	req *http.Request
	pid int // of the process whose CPU time counts; 0 for none
	// others are the same request to other servers, which take turns with it.
	others []*http.Request
}

// repeat is alternate for one target.
func (w *workshop) repeat(ctx context.Context, clients int, body []byte, req *http.Request, pid int) (result, error) {
	results, err := w.alternate(ctx, clients, body, target{req: req, pid: pid})
	if err != nil {
		return result{}, err
	}
	return results[0], nil
}

// alternate gives the medians of several loads of each target, after one that only warms up. The targets take turns: what else happens
// on the machine meanwhile happens to all of them.
func (w *workshop) alternate(ctx context.Context, clients int, body []byte, targets ...target) ([]result, error) {
	samples := make([][]result, len(targets))
	for _, t := range targets {
		if _, err := t.sample(ctx, clients, w.length/3, body); err != nil {
			return nil, err
		}
	}
	for range w.repetitions {
		for i, t := range targets {
			r, err := t.sample(ctx, clients, w.length, body)
			if err != nil {
				return nil, err
			}
			samples[i] = append(samples[i], r)
		}
	}
	results := make([]result, len(targets))
	for i := range targets {
		results[i] = medians(samples[i], samples[0])
	}
	return results, nil
}

// sample is one load.
func (t target) sample(ctx context.Context, clients int, length time.Duration, body []byte) (result, error) {
	before, err := cpuTime(t.pid)
	if err != nil {
		return result{}, err
	}
	r, err := load(ctx, clients, length, body, append([]*http.Request{t.req}, t.others...)...)
	if err != nil {
		return result{}, err
	}
	after, err := cpuTime(t.pid)
	r.cpu = time.Duration(float64(after-before) / (r.rate * length.Seconds()))
	return r, err
}

// medians gives the median of each figure, and of how samples compare with those that were taken just before them.
func medians(samples, before []result) (m result) {
	var rates, shares []float64
	var p50s, p99s, cpus []time.Duration
	for i, s := range samples {
		rates, shares = append(rates, s.rate), append(shares, s.rate/before[i].rate)
		p50s, p99s, cpus = append(p50s, s.p50), append(p99s, s.p99), append(cpus, s.cpu)
	}
	return result{rate: median(rates), share: median(shares), p50: median(p50s), p99: median(p99s), cpu: median(cpus)}
}

// cpuTime is what a process has used, without its children: fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	user, err := strconv.ParseInt(string(fields[11]), 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, err
}
