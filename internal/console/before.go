package console

import (
	"net/http"
	"strings"
)

// Serves tells whether a path is the console's.
func Serves(path string) bool {
	return path == Root || path == strings.TrimSuffix(Pages, "/") || strings.HasPrefix(path, Pages)
}

// Before answers what is the console's, and gives the rest to next, with one care: objects of buckets and answers of function URLs that
// have the console's origin are written by others. What a browser shows of them as a page it puts into a sandbox, with an origin of its
// own, whose scripts can neither read the console's pages nor be sent its cookie (https://www.w3.org/TR/CSP3/#directive-sandbox). The
// host name of a function URL or bucket is another origin, and all its paths are next's.
func (c *Console) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Serves(r.URL.Path) && !c.config.Others(r) {
			c.ServeHTTP(w, r)
			return
		}
		if dest := r.Header.Get(fetchDest); dest != "" && dest != "empty" && c.knows(r.Host) {
			w = &sandboxed{ResponseWriter: w}
		}
		next.ServeHTTP(w, r)
	})
}

// fetchDest is what a browser will do with the answer (https://www.w3.org/TR/fetch-metadata/). Scripts cannot set it.
const fetchDest = "Sec-Fetch-Dest"

// shown tells whether a browser asks for a page to show it, or the console's own script or pages for a part of them. A script of another
// page of this origin gets nothing. A browser that does not say is refused: it would not say of the others' pages either.
func shown(r *http.Request) bool {
	switch dest := r.Header.Get(fetchDest); {
	case strings.HasPrefix(r.URL.Path, Pages+"assets/"):
		return true
	case dest == "document":
		return true
	default:
		return dest == "empty" && r.Method == http.MethodGet && r.URL.Query().Get("part") == "rows" && r.Header.Get("Sec-Fetch-Site") == "same-origin"
	}
}

// sandboxed is the writer of an answer that others wrote. Their own policies can only add to the sandbox.
type sandboxed struct {
	http.ResponseWriter
	began bool
}

// WriteHeader begins the answer.
func (s *sandboxed) WriteHeader(status int) {
	if !s.began {
		s.began = status >= http.StatusOK // an informational answer is followed by another
		s.Header().Add("Content-Security-Policy", "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads")
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write begins the answer if WriteHeader has not.
func (s *sandboxed) Write(b []byte) (int, error) {
	if !s.began {
		s.WriteHeader(http.StatusOK)
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (s *sandboxed) Unwrap() http.ResponseWriter { return s.ResponseWriter }
