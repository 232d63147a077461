package execution

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/licet/licet/internal/principal"
)

// credentialsPath is where the code of a snapshot asks for credentials: that of the official agent
// (aws-lambda-runtime-interface-emulator, rapi/router.go and rapi/handler/credentials.go).
const credentialsPath = "/2021-04-23/credentials"

// credentials are those of the execution role that an environment has. Most environments have them in the variables of their processes,
// which cannot be replaced, so that the environment is. One that was made from a snapshot asks for them, and may live longer
// (https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html: "container credentials").
type credentials struct {
	obtain func(context.Context) (principal.Credentials, error)
	// token is what the processes have to present when they ask; "" where they have the credentials in their variables.
	token string

	mu      sync.Mutex
	current principal.Credentials
	renew   time.Time // when they must be replaced; zero for never
}

// newCredentials obtains the first. asked says that the processes ask for them.
func newCredentials(ctx context.Context, obtain func(context.Context) (principal.Credentials, error), asked bool) (*credentials, error) {
	c := &credentials{obtain: obtain}
	if asked {
		c.token = rand.Text()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c, c.replace(ctx)
}

// replace obtains new ones. mu is held.
func (c *credentials) replace(ctx context.Context) error {
	got, err := c.obtain(ctx)
	if err == nil {
		c.current, c.renew = got, renewal(time.Now(), got.Expires)
	}
	return err
}

// get gives good ones. Those that processes have in their variables stay as they are.
func (c *credentials) get(ctx context.Context) (principal.Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == "" || c.fresh(time.Now()) {
		return c.current, nil
	}
	if err := c.replace(ctx); err != nil {
		return principal.Credentials{}, err
	}
	return c.current, nil
}

// last gives those that are there.
func (c *credentials) last() principal.Credentials {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// serve tells whether they are good for another invocation, or will be made so.
func (c *credentials) serve(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token != "" || c.fresh(now)
}

// lasting tells whether they need no replacement now.
func (c *credentials) lasting(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fresh(now)
}

// fresh tells whether they need no replacement. mu is held.
func (c *credentials) fresh(now time.Time) bool { return c.renew.IsZero() || now.Before(c.renew) }

// renewal tells when credentials made now need to be replaced: 15 minutes before they expire, which is the longest invocation;
// short ones when three quarters of their life are over.
func renewal(now, expires time.Time) time.Time {
	if expires.IsZero() {
		return time.Time{}
	}
	return expires.Add(-min(15*time.Minute, expires.Sub(now)/4))
}

// ServeHTTP answers processes that ask, in the form of the container credential provider of the SDKs
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html). Refused are all with the words of the agent.
func (c *credentials) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(c.token)) != 1 {
		http.Error(w, "cannot get credentials for the provided token", http.StatusNotFound)
		return
	}
	got, err := c.get(r.Context())
	if err != nil { // such as that the role is gone: the next invocation tells
		http.Error(w, "cannot get credentials for the provided token", http.StatusNotFound)
		return
	}
	answer := struct {
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string `json:"SecretAccessKey"`
		Expiration      string `json:"Expiration,omitempty"`
		Token           string `json:"Token"`
	}{AccessKeyID: got.AccessKeyID, SecretAccessKey: got.SecretAccessKey, Token: got.SessionToken}
	if !got.Expires.IsZero() {
		answer.Expiration = got.Expires.UTC().Format(time.RFC3339)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a connection that broke is the process's own
}
