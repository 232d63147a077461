package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
)

// Upstream is a server that has a service.
type Upstream struct {
	URL *url.URL
	// Credentials sign the calls. Without an access key the account's id is that, as emulators that keep accounts apart expect it, and
	// its secret of no account.
	Credentials aws.Credentials
}

const (
	dialTimeout = 5 * time.Second
	// headTimeout is how long an upstream may take to begin its answer. The longest that AWS lets clients wait is a minute
	// (https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html), but for answers that are made meanwhile.
	headTimeout = 5 * time.Minute
	// partTimeout is how long a client may take to read a part of an answer.
	partTimeout = 5 * time.Minute
)

func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headTimeout,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   64,
		DisableCompression:    true, // answers go on as they are: DynamoDB's have a checksum of their bytes
	}
}

// answer is the output of a call that was passed on.
type answer struct{ response *http.Response }

// handle passes on a call that was let through.
func (r *remote) handle(ctx context.Context, c *service.Call, in *Input) (*answer, error) {
	up, ok := r.upstreams[r.signingName]
	if !ok {
		up, ok = r.upstreams[All]
	}
	if !ok {
		return nil, notConfigured(permitted(c), r.signingName)
	}
	req, err := r.request(ctx, c, in, up)
	if err != nil {
		return nil, err
	}
	response, err := r.transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() == nil { // else the client is gone
			r.logger.WarnContext(ctx, "An upstream did not answer.", "request_id", c.RequestID, "service", r.signingName, "err", err)
		}
		return nil, &awserr.Error{
			Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Cause: err,
			Message: fmt.Sprintf("The call was permitted, but the upstream of %s at %s did not answer: %v", r.signingName, up.URL.Host, reason(err)),
		}
	}
	return &answer{response}, nil
}

// permitted says what was allowed.
func permitted(c *service.Call) string {
	list := make([]string, len(c.Judged))
	for i, n := range c.Judged {
		list[i] = n.Action + " on " + n.Target.ARN
	}
	return strings.Join(list, ", ")
}

// reason is an error without the addresses of this machine.
func reason(err error) error {
	for {
		switch e := err.(type) { // each layer is looked at
		case *url.Error:
			err = e.Err
		case *net.OpError:
			err = e.Err
		default:
			return err
		}
	}
}

// request is the one that is passed on: what was judged, signed anew.
func (r *remote) request(ctx context.Context, c *service.Call, in *Input, up Upstream) (*http.Request, error) {
	from := in.request.HTTP
	to := up.URL.JoinPath()
	to.Path, to.RawPath = strings.TrimSuffix(up.URL.Path, "/")+from.URL.Path, ""
	if from.URL.RawPath != "" {
		to.RawPath = strings.TrimSuffix(up.URL.EscapedPath(), "/") + from.URL.RawPath
	}
	to.RawQuery = withoutSignature(from.URL.RawQuery)
	switch in.form { // the path of a REST service is a part of what was judged
	case json10, json11:
		to.Path, to.RawPath, to.RawQuery = strings.TrimSuffix(up.URL.Path, "/")+"/", "", ""
	case queryForm, ec2:
		to.Path, to.RawPath = strings.TrimSuffix(up.URL.Path, "/")+"/", ""
	case cborForm:
		to.RawQuery = ""
	}
	req, err := http.NewRequestWithContext(ctx, from.Method, to.String(), bytes.NewReader(in.body))
	if err != nil {
		return nil, fmt.Errorf("make request to the upstream of %s: %w", r.signingName, err)
	}
	req.Header = forwarded(from.Header, in.form)
	if in.form == cborForm {
		req.Header.Del("Content-Encoding") // the body is another
	}
	if len(in.body) == 0 {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	credentials := up.Credentials
	if credentials.AccessKeyID == "" {
		credentials = aws.Credentials{AccessKeyID: c.Account, SecretAccessKey: "licet"}
	}
	hash := sha256.Sum256(in.body)
	err = v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(hash[:]), r.signingName, c.Region, time.Now())
	if err != nil {
		return nil, fmt.Errorf("sign request to the upstream of %s: %w", r.signingName, err)
	}
	return req, nil
}

// withoutSignature takes the parameters away by which a presigned request is signed.
func withoutSignature(rawQuery string) string {
	var kept []string
	for part := range strings.SplitSeq(rawQuery, "&") {
		if name, _, _ := strings.Cut(part, "="); part != "" && !strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// hop are the headers that are for one connection (RFC 9110, 7.6.1).
var hop = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// ours are headers of a request that say who sent it to licet, or what it is in another place than where it was judged.
var ours = []string{
	"Authorization", "Cookie", "Date", "Expect", "Forwarded", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256",
	"X-Amz-S3session-Token", "X-Amz-Region-Set", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Http-Method",
	"X-Http-Method-Override", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url",
}

// forwarded are the headers that go on with a request. To servers that speak WSGI or CGI X_Amz_Target is X-Amz-Target (RFC 3875, 4.1.18): it could
// stand for what was judged, or bring back what is taken away.
func forwarded(from http.Header, f form) http.Header {
	to := withoutHop(from)
	maps.DeleteFunc(to, func(name string, _ []string) bool { return strings.Contains(name, "_") })
	for _, name := range ours {
		to.Del(name)
	}
	if f != json10 && f != json11 {
		to.Del("X-Amz-Target")
	}
	if f != cborForm {
		to.Del("Smithy-Protocol")
	}
	if to.Get("User-Agent") == "" {
		to.Set("User-Agent", "") // none at all, rather than Go's own
	}
	return to
}

func withoutHop(from http.Header) http.Header {
	to := from.Clone()
	for _, list := range from.Values("Connection") {
		for name := range strings.SplitSeq(list, ",") {
			to.Del(textproto.TrimString(name))
		}
	}
	for _, name := range hop {
		to.Del(name)
	}
	return to
}

// upstreamRequestID has the id that the upstream gave a request.
const upstreamRequestID = "x-licet-upstream-request-id"

// Encode passes an answer back, each part as it comes. The id of the request is licet's, by which it can be explained.
func (w *wire) Encode(to http.ResponseWriter, _ *protocol.Operation, out any, requestID string) error {
	response := out.(*answer).response
	defer response.Body.Close()
	h := to.Header()
	for name, values := range withoutHop(response.Header) {
		h[name] = values
	}
	for _, name := range []string{"X-Amzn-Requestid", "X-Amz-Request-Id"} {
		if id := h.Get(name); id != "" {
			h.Set(upstreamRequestID, id)
		}
		h.Del(name)
	}
	h.Set("X-Amzn-Requestid", requestID)
	to.WriteHeader(response.StatusCode)
	controller := http.NewResponseController(to)
	part := make([]byte, 32<<10)
	for {
		n, err := response.Body.Read(part)
		if n > 0 {
			_ = controller.SetWriteDeadline(time.Now().Add(partTimeout)) // a test's writer may have none
			if _, err := to.Write(part[:n]); err != nil {
				return nil // the client is gone
			}
			if err := controller.Flush(); err != nil {
				return nil
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			w.remote.logger.Warn("The answer of an upstream was broken off.", "request_id", requestID, "service", w.remote.signingName, "err", err)
			// It must not look like a whole one: nothing more can be written, not even its end.
			_ = controller.SetWriteDeadline(time.Unix(1, 0))
			return nil
		}
	}
}
