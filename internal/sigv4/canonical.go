package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// payloadHash gives the payload's part of the canonical request, after checking the header that states it.
func (s *Signed) payloadHash(r *http.Request, body []byte) (string, error) {
	const name = contentHash
	stated := r.Header.Values(name)
	if s.Presigned && len(stated) == 0 && s.Service == serviceS3 {
		// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
		return unsignedPayload, nil
	}
	sum := sha256.Sum256(body)
	var hash [2 * sha256.Size]byte
	hex.Encode(hash[:], sum[:])
	switch {
	case len(stated) == 0:
		return string(hash[:]), nil
	case len(stated) > 1:
		return "", incomplete("Found more than one '%s' header.", name)
	case stated[0] == unsignedPayload && s.Service == serviceS3:
		return unsignedPayload, nil
	case strings.HasPrefix(stated[0], "STREAMING-"):
		return "", incomplete("%s in '%s' is not supported.", stated[0], name)
	case subtle.ConstantTimeCompare([]byte(stated[0]), hash[:]) != 1:
		return "", invalid("The provided '%s' header does not match what was computed.", strings.ToLower(name))
	}
	return stated[0], nil
}

// appendRequest appends the canonical request, which is what was signed, by its hash:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request
func (s *Signed) appendRequest(b []byte, r *http.Request, payload string) ([]byte, error) {
	query, err := canonicalQuery(r.URL.RawQuery, s.Presigned)
	if err != nil {
		return nil, err
	}
	b = append(b, r.Method...)
	b = append(b, '\n')
	if b, err = appendPath(b, wirePath(r), s.Service == serviceS3); err != nil {
		return nil, err
	}
	b = append(b, '\n')
	b = append(b, query...)
	b = append(b, '\n')
	for _, name := range s.signedHeaders {
		values := headerValues(r, name)
		if values == nil {
			return nil, invalid("The signed header '%s' is not in the request.", name)
		}
		b = append(b, strings.ToLower(name)...)
		b = append(b, ':')
		for i, v := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTrimmed(b, v)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	for i, name := range s.signedHeaders {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, strings.ToLower(name)...)
	}
	b = append(b, '\n')
	return append(b, payload...), nil
}

// appendStringToSign appends what the signature is the code of.
func (s *Signed) appendStringToSign(b, request []byte) []byte {
	b = append(b, algorithm+"\n"...)
	b = s.Time.AppendFormat(b, timeFormat)
	b = append(b, '\n')
	for _, part := range [...]string{s.Date, s.Region, s.Service} {
		b = append(b, part...)
		b = append(b, '/')
	}
	b = append(b, terminator+"\n"...)
	sum := sha256.Sum256(request)
	return hex.AppendEncode(b, sum[:])
}

// headerValues gives a header's values; net/http keeps two of them elsewhere. It is nil if the header is absent.
func headerValues(r *http.Request, name string) []string {
	switch strings.ToLower(name) {
	case "host":
		return []string{r.Host}
	case "content-length":
		if r.Header["Content-Length"] == nil && r.ContentLength >= 0 {
			return []string{strconv.FormatInt(r.ContentLength, 10)}
		}
	}
	return r.Header.Values(name)
}

// appendTrimmed appends a header value without the spaces around it, and of more than one space in it only one.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t\r\n")
	for i := range len(v) {
		if v[i] == ' ' && v[i-1] == ' ' {
			continue
		}
		b = append(b, v[i])
	}
	return b
}

// wirePath gives the path as the client sent it: that is what it signed.
func wirePath(r *http.Request) string {
	path := r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") {
		path, _, _ = strings.Cut(r.RequestURI, "?")
	}
	if path == "" {
		return "/"
	}
	return path
}

// appendPath appends the canonical path: what came, encoded once more; for S3, encoded once.
func appendPath(b []byte, path string, s3 bool) ([]byte, error) {
	if s3 {
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return nil, incomplete("Unable to parse the path: %v", err)
		}
		return appendEncoded(b, decoded, true), nil
	}
	return appendEncoded(b, normalize(path), true), nil
}

// normalize removes dot segments and empty ones.
func normalize(path string) string {
	if !strings.Contains(path, "//") && !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(path, "/")
	var kept []string
	for _, s := range segments {
		switch s {
		case "", ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, s)
		}
	}
	out := "/" + strings.Join(kept, "/")
	if segments[len(segments)-1] == "" && len(kept) > 0 {
		out += "/"
	}
	return out
}

// canonicalQuery gives the parameters encoded anew and sorted, without the signature itself.
func canonicalQuery(raw string, presigned bool) (string, error) {
	if raw == "" {
		return "", nil
	}
	type pair struct{ key, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		key, err := url.QueryUnescape(k)
		if err != nil {
			return "", incomplete("Unable to parse the query string: %v", err)
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return "", incomplete("Unable to parse the query string: %v", err)
		}
		if presigned && key == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, pair{string(appendEncoded(nil, key, false)), string(appendEncoded(nil, value, false))})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if d := strings.Compare(a.key, b.key); d != 0 {
			return d
		}
		return strings.Compare(a.value, b.value)
	})
	var out strings.Builder
	for i, p := range pairs {
		if i > 0 {
			out.WriteByte('&')
		}
		out.WriteString(p.key + "=" + p.value)
	}
	return out.String(), nil
}

// appendEncoded appends s with all but RFC 3986's unreserved characters, and slashes in paths, percent-encoded.
func appendEncoded(b []byte, s string, path bool) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~', path && c == '/':
			b = append(b, c)
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}
