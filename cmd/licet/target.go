package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/tlscert"
)

// target is a server that commands ask for its own pages.
type target struct {
	endpoint string // without a slash at the end
	root     aws.Credentials
	client   *http.Client
}

// findTarget finds the server and the root credentials: of the data directory and account if one is given, else of the environment.
func findTarget(ctx context.Context, data, account string) (*target, error) {
	var t target
	authorities := os.Getenv("AWS_CA_BUNDLE")
	if data == "" && account == "" && os.Getenv("AWS_ENDPOINT_URL") != "" && os.Getenv("AWS_ACCESS_KEY_ID") != "" {
		t.endpoint = os.Getenv("AWS_ENDPOINT_URL")
		t.root = aws.Credentials{
			AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
		}
	} else {
		if data == "" {
			data = defaultDataDir()
		}
		dir := dataDir(data)
		if _, err := os.Stat(data); err != nil { // the keys of a root would make one
			return nil, fmt.Errorf("find the server by its data directory (--data): %w", err)
		}
		var err error
		if t.endpoint, err = dir.endpoint(); err != nil {
			return nil, err
		}
		if account == "" {
			account = defaultAccount
		}
		creds, err := rootCredentials(ctx, dir, account)
		if err != nil {
			return nil, err
		}
		t.root = aws.Credentials{AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey}
		if own, err := dir.authority(); err != nil {
			return nil, err
		} else if own != "" {
			authorities = own
		}
	}
	t.endpoint = strings.TrimSuffix(t.endpoint, "/")
	var err error
	t.client, err = trusting(authorities)
	return &t, err
}

// trusting is a client that trusts the certificate authorities in a file of PEM beside those of the system; "" for these alone.
func trusting(file string) (*http.Client, error) {
	if file == "" {
		return http.DefaultClient, nil
	}
	pool, err := tlscert.Pool(file)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// ask asks for one of licet's own pages with a signed request, which may send something.
func (t *target) ask(ctx context.Context, method, page string, sent []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, t.endpoint+page, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(sent)
	if err := v4.NewSigner().SignHTTP(ctx, t.root, req, hex.EncodeToString(sum[:]), edge.SigningName, "us-east-1", time.Now()); err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the server (does it run?): %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s: %s", resp.Status, printable(refusal(body)))
	}
	return body, nil
}

// refusal is what an answer that refuses says: the message that it has as JSON, else its text.
func refusal(body []byte) string {
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) == nil && said.Message != "" {
		return said.Message
	}
	return strings.TrimSpace(string(body))
}
