package compat

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestPresigned(t *testing.T) {
	t.Parallel()
	user := server.newUser(t)
	session := server.as(server.getSessionToken(t, user))
	expired := refusal{"RequestExpired", 400, "", `^Request has expired\.$`}
	unknown := refusal{"InvalidClientTokenId", 403, "", textUnknown}
	tests := []struct {
		name   string
		caller clients
		signed time.Time
		change func(url.Values)
		want   *refusal // nil: it works
	}{
		{"by a user", user.clients, time.Now(), func(url.Values) {}, nil},
		{"by a session", session, time.Now(), func(url.Values) {}, nil},
		{"until its end", user.clients, time.Now().Add(-50 * time.Minute), func(url.Values) {}, nil},
		{"after its end", user.clients, time.Now().Add(-70 * time.Minute), func(url.Values) {}, &expired},
		{"with its end moved", user.clients, time.Now(), func(q url.Values) { q.Set("X-Amz-Expires", "3601") },
			new(mismatch(textMismatch))},
		{"with another action", user.clients, time.Now(), func(q url.Values) { q.Set("Action", "GetSessionToken") },
			new(mismatch(textMismatch))},
		{"without the token", session, time.Now(), func(q url.Values) { q.Del("X-Amz-Security-Token") }, &unknown},
		{"from tomorrow", user.clients, time.Now().Add(24 * time.Hour), func(url.Values) {}, new(mismatch(textYoung))},
		{"for too long", user.clients, time.Now(), func(q url.Values) { q.Set("X-Amz-Expires", "604801") },
			&refusal{"IncompleteSignature", 400, "", `X-Amz-Expires`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := presigned(t, tt.caller.credentials, tt.signed, tt.change)
			if tt.want != nil {
				protocols()[0].checkRefusal(t, resp, body, *tt.want)
				return
			}
			if resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("<Arn>"+user.arn+"</Arn>")) {
				t.Errorf("got %s %s", resp.Status, body)
			}
		})
	}
}

// presigned calls GetCallerIdentity by a link that is good for an hour.
func presigned(t *testing.T, c aws.Credentials, signed time.Time, change func(url.Values)) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		server.url+"/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=3600", nil)
	if err != nil {
		t.Fatal(err)
	}
	empty := sha256.Sum256(nil)
	link, _, err := v4.NewSigner().PresignHTTP(t.Context(), c, req, hex.EncodeToString(empty[:]), "sts", "us-east-1", signed)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	change(q)
	u.RawQuery = q.Encode()
	req, err = http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, req)
}

// The SDK's own presigner makes the link that IAM authentication of other systems is built on.
func TestPresignedBySDK(t *testing.T) {
	t.Parallel()
	user := server.newUser(t)
	link, err := sts.NewPresignClient(user.sts).PresignGetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), link.Method, link.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range link.SignedHeader {
		req.Header[k] = v
	}
	resp, body := do(t, req)
	if resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(user.arn)) {
		t.Errorf("got %s %s", resp.Status, body)
	}
}
