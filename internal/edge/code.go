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

	"github.com/licet/licet/internal/awserr"
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

// serve answers GET /_licet/code/{link}. An error means that nothing was written yet. Who has a wrong link is told no more than
// that, with the code that S3 has for it.
func (l *CodeLinks) serve(w http.ResponseWriter, r *http.Request) error {
	name, ok := l.open(r.PathValue("link"))
	if !ok {
		return awserr.New("AccessDenied", http.StatusForbidden, "This link is not valid or has expired.")
	}
	f, err := l.blobs.Open(r.Context(), name)
	if errors.Is(err, blob.ErrNotFound) {
		return awserr.New("NoSuchKey", http.StatusNotFound, "The code is no longer there.")
	}
	if err != nil {
		return fmt.Errorf("open code %s: %w", name, err)
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/zip")
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
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
