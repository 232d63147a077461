package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// result of a load: requests per second and the quantiles of their latency.
type result struct {
	rate     float64
	p50, p99 time.Duration
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

// load sends the same request from a number of clients for a while. Any answer but 200 is an error.
func load(ctx context.Context, clients int, length time.Duration, body []byte, req *http.Request) (result, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var (
		mu        sync.Mutex
		latencies []time.Duration
		failure   error
		wg        sync.WaitGroup
	)
	start := time.Now()
	for range clients {
		wg.Go(func() {
			mine, err := send(ctx, client, req, body, start.Add(length))
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

func send(ctx context.Context, client *http.Client, req *http.Request, body []byte, until time.Time) ([]time.Duration, error) {
	var latencies []time.Duration
	for time.Now().Before(until) {
		r := req.Clone(ctx)
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

// repeat gives the median rate and latencies of several loads, after one that only warms up.
func (w *workshop) repeat(ctx context.Context, clients int, body []byte, req *http.Request) (result, error) {
	if _, err := load(ctx, clients, w.length/3, body, req); err != nil {
		return result{}, err
	}
	var rates []float64
	var p50s, p99s []time.Duration
	for range w.repetitions {
		r, err := load(ctx, clients, w.length, body, req)
		if err != nil {
			return result{}, err
		}
		rates, p50s, p99s = append(rates, r.rate), append(p50s, r.p50), append(p99s, r.p99)
	}
	return result{median(rates), median(p50s), median(p99s)}, nil
}
