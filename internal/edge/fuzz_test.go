package edge

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/licet/licet/internal/dispatch"
)

// FuzzServeHTTP looks for requests, as bytes of a connection, that panic, that are the server's fault, or that reach an operation which they may not
// reach: they are unsigned, or signed by one who is permitted nothing.
func FuzzServeHTTP(f *testing.F) {
	const host = " HTTP/1.1\r\nHost: licet.example\r\n"
	const form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999\r\n\r\n"
	const json = "X-Amz-Target: Logs_20140328.DescribeLogGroups\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}"
	f.Add([]byte("GET /2015-03-31/functions?MaxItems=1"+host+"\r\n"), uint8(1))
	f.Add([]byte("POST /2015-03-31/functions/arn:aws:lambda:x:1:function:f/invocations"+host+"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n"), uint8(1))
	f.Add([]byte("POST /"+host+json), uint8(2))
	f.Add([]byte("POST /"+host+"X-Amz-Target: AWSOrganizationsV20161128.ListRoots\r\nContent-Length: 2\r\n\r\n{}"), uint8(3))
	f.Add([]byte("POST /"+host+strings.Replace(form, "9999", "45", 1)+"Action=AssumeRole&Version=2011-06-15&RoleArn=x"), uint8(4))
	f.Add([]byte("POST /"+host+strings.Replace(form, "9999", "58", 1)+"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=x"), uint8(0))
	f.Add([]byte("GET /_licet/decisions?last=1"+host+"\r\n"), uint8(5))
	f.Add([]byte("GET /?X-Amz-Signature=0&X-Amz-Credential=a/20260301/eu-central-1/lambda/aws4_request&X-Amz-Algorithm=AWS4-HMAC-SHA256"+host+"\r\n"), uint8(0))
	f.Add([]byte("GET /"+host+"Authorization: AWS4-HMAC-SHA256 Credential=a/20260301/eu-central-1/sts/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n"), uint8(0))
	w := newWorld(f, dispatch.Enforce)
	signedFor := []string{"", "lambda", "logs", "organizations", "sts", SigningName}
	open := map[string]bool{"GetCallerIdentity": true, "ListRoots": true} // to everybody who signs
	f.Fuzz(func(t *testing.T, raw []byte, service uint8) {
		w.t = t
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		r = r.WithContext(t.Context())
		r.RemoteAddr = "127.0.0.1:999" // where failures are not counted
		if service := signedFor[int(service)%len(signedFor)]; service != "" {
			body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			if err != nil {
				return
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			sum := sha256.Sum256(body)
			key := aws.Credentials{AccessKeyID: "NOBODY", SecretAccessKey: "secret of NOBODY"}
			r.URL.Host = r.Host
			if err := v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(sum[:]), service, region, w.now); err != nil {
				return
			}
		}
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, r)
		if answer.Code >= http.StatusInternalServerError && answer.Code != http.StatusNotImplemented {
			t.Errorf("got %d %s", answer.Code, answer.Body)
		}
		select {
		case c := <-w.calls:
			if !open[c.Operation] {
				t.Errorf("%s was reached", c.Operation)
			}
		default:
		}
	})
}
