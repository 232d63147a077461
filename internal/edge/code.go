package edge

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
)

// codeLinkLife is how long a Code.Location link works: AWS says 10 minutes
// (https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html).
const codeLinkLife = 10 * time.Minute

// CodeLinks makes and serves the links by which GetFunction lets a client download a function's code. A link carries its own
// permission, sealed and expiring, as a presigned S3 URL does.
type CodeLinks struct {
	blobs blob.Store
	keys  *secret.Keyring
	now   func() time.Time
}

// NewCodeLinks makes links to blobs.
func NewCodeLinks(blobs blob.Store, keys *secret.Keyring, now func() time.Time) *CodeLinks {
	return &CodeLinks{blobs: blobs, keys: keys, now: now}
}

const codePurpose = "code-link"

// CodeURL gives a link to a blob under the host by which the caller reached the server.
func (l *CodeLinks) CodeURL(_ context.Context, c *service.Call, name blob.Name) (string, error) {
	expires := strconv.FormatInt(l.now().Add(codeLinkLife).Unix(), 10)
	sealed, err := l.keys.Seal(codePurpose, []byte(string(name)+" "+expires))
	if err != nil {
		return "", fmt.Errorf("seal code link: %w", err)
	}
	scheme := "http"
	if c.SecureTransport {
		scheme = "https"
	}
	return scheme + "://" + c.Host + pagePrefix + "code/" + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// ServeHTTP answers GET /_licet/code/{link}.
func (l *CodeLinks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := l.open(r.PathValue("link"))
	if !ok {
		http.Error(w, "This link is not valid or has expired.", http.StatusForbidden)
		return
	}
	f, err := l.blobs.Open(r.Context(), name)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		http.Error(w, "The code is no longer there.", http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, "The code could not be read.", http.StatusInternalServerError)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/zip")
	http.ServeContent(w, r, "", time.Time{}, f)
}

// open reads a link.
func (l *CodeLinks) open(link string) (blob.Name, bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(link)
	if err != nil {
		return "", false
	}
	plain, err := l.keys.Open(codePurpose, sealed)
	if err != nil {
		return "", false
	}
	name, expires, ok := strings.Cut(string(plain), " ")
	if !ok {
		return "", false
	}
	at, err := strconv.ParseInt(expires, 10, 64)
	return blob.Name(name), err == nil && l.now().Unix() < at
}
