package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"crypto/rand"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/principal"
)

const (
	cookieName = "licet-console"
	// purpose of the seal.
	purpose = "console session"
	// lifetime of a session. Using it does not make it longer.
	lifetime = time.Hour
	// maxCookie is what browsers keep of a cookie, name and attributes included (RFC 6265, 6.1).
	maxCookie = 3900
)

// errSignedOut means that the request has no session that is good.
var errSignedOut = errors.New("console: signed out")

// session is what the cookie seals. Without a key it is of somebody who is about to sign in.
type session struct {
	// Nonce is the token of the session's forms.
	Nonce   string    `json:"nonce"`
	Expires time.Time `json:"expires"`
	KeyID   string    `json:"key_id,omitempty"`
	// Token is the session token of temporary credentials.
	Token string `json:"token,omitempty"`
	// Secret is a hash of the key's secret: the session ends when the same key gets another one.
	Secret string `json:"secret,omitempty"`
}

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// equal compares in a time that does not depend on where texts differ, nor on their lengths.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// read opens the request's cookie.
func (c *Console) read(r *http.Request) (session, error) {
	var s session
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return s, errSignedOut
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return s, errSignedOut
	}
	text, err := c.config.Seals.Open(purpose, sealed)
	if err != nil {
		return s, errSignedOut
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("read session: %w", err)
	}
	if s.Nonce == "" || !c.config.Now().Before(s.Expires) {
		return session{}, errSignedOut
	}
	return s, nil
}

// write gives the client a session for the first time.
func (c *Console) write(w http.ResponseWriter, r *http.Request, s session) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	sealed, err := c.config.Seals.Seal(purpose, text)
	if err != nil {
		return fmt.Errorf("seal session: %w", err)
	}
	value := base64.RawURLEncoding.EncodeToString(sealed)
	if len(value) > maxCookie {
		return awserr.New("ValidationException", http.StatusBadRequest,
			"The session token is too long for a cookie. Sign in with a session that carries fewer policies and tags.")
	}
	http.SetCookie(w, c.cookie(r, value, int(s.Expires.Sub(c.config.Now()).Seconds())))
	return nil
}

func (c *Console) cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: value, Path: Pages, MaxAge: age, HttpOnly: true, Secure: secure(r),
		SameSite: http.SameSiteStrictMode}
}

// visit finds who asks. The key is looked up each time: it may be inactive, deleted or expired since.
func (c *Console) visit(r *http.Request) (*visit, error) {
	s, err := c.read(r)
	if err != nil {
		return nil, err
	}
	if s.KeyID == "" || !private(r) {
		return nil, errSignedOut
	}
	secret, caller, err := c.authenticate(r.Context(), s.KeyID, s.Token)
	if err != nil {
		return nil, err
	}
	if !equal(hashSecret(secret), s.Secret) {
		return nil, errSignedOut
	}
	return &visit{Request: r, session: s, caller: caller}, nil
}

// authenticate finds a key. One that is not good is errSignedOut.
func (c *Console) authenticate(ctx context.Context, keyID, token string) (string, principal.Caller, error) {
	secret, caller, err := c.config.Keys.Authenticate(ctx, keyID, token)
	switch {
	case errors.Is(err, edge.ErrUnknownKey), errors.Is(err, edge.ErrExpiredToken):
		return "", caller, errSignedOut
	case err != nil:
		return "", caller, fmt.Errorf("find access key: %w", err)
	case secret == "": // anybody would know it
		return "", caller, errors.New("the access key has no secret")
	}
	return secret, caller, nil
}

// signInPage is the body of the form.
type signInPage struct {
	Problem string
	KeyID   string
	// Private tells whether a secret may be sent.
	Private bool
}

func (c *Console) signInForm(w http.ResponseWriter, r *http.Request) {
	if _, err := c.visit(r); err == nil {
		http.Redirect(w, r, Pages, http.StatusSeeOther)
		return
	}
	if err := c.showSignIn(w, r, http.StatusOK, signInPage{}); err != nil {
		c.fail(w, r, nil, err)
	}
}

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request, status int, body signInPage) error {
	s, err := c.read(r)
	if err != nil || s.KeyID != "" {
		s = session{Nonce: rand.Text(), Expires: c.config.Now().Add(lifetime)}
		if err := c.write(w, r, s); err != nil {
			return err
		}
	}
	body.Private = private(r)
	return c.draw(w, status, "sign_in", "layout.html", page{Title: "Sign in", Token: s.Nonce, Body: body})
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	if err := c.trySignIn(w, r); err != nil {
		c.fail(w, r, nil, err)
	}
}

func (c *Console) trySignIn(w http.ResponseWriter, r *http.Request) error {
	if !private(r) {
		return awserr.New("AccessDeniedException", http.StatusForbidden, "Signing in needs TLS, or a browser on the server's own machine.")
	}
	if err := r.ParseForm(); err != nil {
		return awserr.New("ValidationException", http.StatusBadRequest, "The form cannot be read.")
	}
	s, err := c.read(r)
	if err != nil || !equal(s.Nonce, r.PostForm.Get("form")) {
		return c.showSignIn(w, r, http.StatusForbidden, signInPage{Problem: "The form was too old, or cookies are switched off. Try again."})
	}
	if !c.attempts.begin(r.RemoteAddr) {
		w.Header().Set("Retry-After", "60")
		return c.showSignIn(w, r, http.StatusTooManyRequests, signInPage{Problem: "Too many attempts. Try again in a minute."})
	}
	keyID, token := strings.TrimSpace(r.PostForm.Get("access-key-id")), strings.TrimSpace(r.PostForm.Get("session-token"))
	secret, caller, err := c.authenticate(r.Context(), keyID, token)
	if err != nil && !errors.Is(err, errSignedOut) {
		return err
	}
	given := strings.TrimSpace(r.PostForm.Get("secret-access-key"))
	if !equal(secret, given) || err != nil { // one answer for all, after one comparison for all
		c.config.Logger.WarnContext(r.Context(), "A sign-in to the console was refused.", "remote", r.RemoteAddr)
		return c.showSignIn(w, r, http.StatusForbidden, signInPage{
			KeyID: keyID, Problem: "The access key, its secret or its session token is not valid, or no longer."})
	}
	c.attempts.succeed(r.RemoteAddr)
	expires := c.config.Now().Add(lifetime)
	if caller.Session != nil && caller.Session.Expires.Before(expires) {
		expires = caller.Session.Expires
	}
	err = c.write(w, r, session{Nonce: rand.Text(), Expires: expires, KeyID: keyID, Token: token, Secret: hashSecret(secret)})
	if err != nil {
		return err
	}
	http.Redirect(w, r, Pages, http.StatusSeeOther)
	return nil
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	if s, err := c.read(r); err == nil && !equal(s.Nonce, r.PostFormValue("form")) {
		c.fail(w, r, nil, awserr.New("AccessDeniedException", http.StatusForbidden, "The form is of another session."))
		return
	}
	http.SetCookie(w, c.cookie(r, "", -1))
	http.Redirect(w, r, Pages+"sign-in", http.StatusSeeOther)
}
