package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/licet/licet/internal/awserr"
)

// The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and …/sigv4-streaming-trailers.html.
const (
	docKey    = "AKIAIOSFODNN7EXAMPLE"
	docSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	docSize   = 66560

	docSeed   = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	docFirst  = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
	docSecond = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
	docLast   = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
)

var docTime = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

// docRequest is the request of the first example.
func docRequest(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, "https://s3.amazonaws.com/examplebucket/chunkObject.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 66824
	for name, value := range map[string]string{
		"X-Amz-Date": "20130524T000000Z", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY", "Content-Encoding": "aws-chunked",
		"X-Amz-Decoded-Content-Length": "66560", "X-Amz-Content-Sha256": signedChunks,
		"Authorization": "AWS4-HMAC-SHA256 Credential=" + docKey + "/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;" +
			"content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=" + docSeed,
	} {
		r.Header.Set(name, value)
	}
	return r
}

func docPayload(t testing.TB) *Payload {
	t.Helper()
	r := docRequest(t)
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New().CheckPayload(r, s, docSecret, Scope{Regions: []string{"us-east-1"}, Services: []string{"s3"}}, docTime)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func docBody() string {
	data := strings.Repeat("a", docSize)
	return "10000;chunk-signature=" + docFirst + "\r\n" + data[:65536] + "\r\n" +
		"400;chunk-signature=" + docSecond + "\r\n" + data[65536:] + "\r\n" +
		"0;chunk-signature=" + docLast + "\r\n\r\n"
}

func TestChunksOfTheDocumentation(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(docBody()), "in small pieces": iotest.HalfReader(strings.NewReader(docBody())),
		"with its last bytes": iotest.DataErrReader(strings.NewReader(docBody())),
	} {
		p := docPayload(t)
		if p.Length() != docSize || !p.Chunked() || p.Stated() != signedChunks {
			t.Errorf("got %+v", p)
		}
		got, err := io.ReadAll(p.Body(r))
		if err != nil || string(got) != strings.Repeat("a", docSize) {
			t.Errorf("%s: got %d bytes, %v", name, len(got), err)
		}
	}
}

// TestChunksChanged: nothing of a payload can be changed, moved or left out.
func TestChunksChanged(t *testing.T) {
	body := docBody()
	for name, c := range map[string]struct{ old, new, code string }{
		"data":              {"aaaa\r\n400", "aaab\r\n400", "SignatureDoesNotMatch"},
		"data of the last":  {"aaaa\r\n0;", "aaab\r\n0;", "SignatureDoesNotMatch"},
		"signature":         {docSecond, strings.Repeat("0", 64), "SignatureDoesNotMatch"},
		"order":             {docFirst, docSecond, "SignatureDoesNotMatch"},
		"last signature":    {docLast, docFirst, "SignatureDoesNotMatch"},
		"no signature":      {";chunk-signature=" + docFirst, "", "InvalidRequest"},
		"no last chunk":     {"0;chunk-signature=" + docLast + "\r\n\r\n", "", "IncompleteBody"},
		"early end":         {"400;chunk-signature=" + docSecond + "\r\n" + strings.Repeat("a", 1024) + "\r\n", "", "SignatureDoesNotMatch"},
		"broken off":        {"aaaa\r\n0;chunk-signature=" + docLast + "\r\n\r\n", "aa", "IncompleteBody"},
		"more behind it":    {docLast + "\r\n\r\n", docLast + "\r\n\r\nx", "InvalidRequest"},
		"a trailer":         {docLast + "\r\n\r\n", docLast + "\r\nx:y\r\n\r\n", "InvalidRequest"},
		"size":              {"400;", "401;", "IncompleteBody"},
		"size of nothing":   {"400;", ";", "InvalidRequest"},
		"size that is none": {"400;", "-4;", "InvalidRequest"},
		"no end of line":    {"aaaa\r\n0;", "aaaaa\n0;", "InvalidRequest"},
		"long line":         {"400;", strings.Repeat("0", 2*maxChunkLine) + "400;", "InvalidRequest"},
	} {
		i := strings.LastIndex(body, c.old)
		if i < 0 {
			t.Fatalf("%s is not there", name)
		}
		changed := body[:i] + c.new + body[i+len(c.old):]
		_, err := io.ReadAll(docPayload(t).Body(strings.NewReader(changed)))
		if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
}

// TestTrailers: headers behind chunks come with the signature of the request, or without any where the request says so.
func TestTrailers(t *testing.T) {
	const sum = "x-amz-checksum-crc32c:sOO8/Q=="
	for _, c := range []struct{ body, code string }{
		{"5\r\nhello\r\n0\r\n" + sum + "\r\n\r\n", ""},
		{"5\r\nhello\r\n0\r\n" + sum + "\r\n", ""},
		{"5\r\nhello\r\n0\r\n" + sum + "\n\r\n", ""},
		{"2\r\nhe\r\n3;ignored=1\r\nllo\r\n0\r\n" + sum + "\r\n\r\n", ""},
		{"5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError"},
		{"5\r\nhello\r\n0\r\nx\r\n\r\n", "InvalidRequest"},
		{"5\r\nhello\r\n0\r\n" + sum + "\r\n" + sum + "\r\n\r\n", "InvalidRequest"},
		{"5\r\nhello\r\n0\r\n" + strings.Repeat("x:y\r\n", 2), "InvalidRequest"},
		{"6\r\nhello!\r\n0\r\n" + sum + "\r\n\r\n", "IncompleteBody"},
		{"4\r\nhell\r\n0\r\n" + sum + "\r\n\r\n", "IncompleteBody"},
		{"hello", "IncompleteBody"},
	} {
		r := &http.Request{ContentLength: int64(len(c.body)), Header: http.Header{
			contentHash: {unsignedChunksTrailer}, decodedLength: {"5"}, "X-Amz-Trailer": {"x-amz-checksum-crc32c"},
		}}
		p, err := AnonymousPayload(r)
		if err != nil {
			t.Fatal(err)
		}
		body := p.Body(strings.NewReader(c.body)).(*ChunkReader)
		got, err := io.ReadAll(body)
		if c.code != "" {
			if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != c.code {
				t.Errorf("%q: got %v, want %s", c.body, err, c.code)
			}
			continue
		}
		trailer, _ := body.Trailer("x-amz-checksum-crc32c")
		if err != nil || string(got) != "hello" || trailer != "sOO8/Q==" {
			t.Errorf("%q: got %q, trailer %q, %v", c.body, got, trailer, err)
		}
	}
}

// signedTrailerBody signs chunks and trailers as a client does.
func signedTrailerBody(p *Payload, trailer string, chunks ...string) string {
	signer := *p.chunks
	var b strings.Builder
	for _, data := range append(chunks, "") {
		sum := sha256.Sum256([]byte(data))
		fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n", len(data), signer.chunk(sum[:]))
		if data != "" {
			b.WriteString(data + "\r\n")
		}
	}
	fmt.Fprintf(&b, "%s\r\nx-amz-trailer-signature:%s\r\n\r\n", trailer, signer.trailer([]byte(trailer+"\n")))
	return b.String()
}

func TestSignedTrailers(t *testing.T) {
	payload := func() *Payload {
		p := docPayload(t)
		p.stated, p.length, p.announced = signedChunksTrailer, 5, "x-amz-checksum-crc32c"
		return p
	}
	const sum = "x-amz-checksum-crc32c:sOO8/Q=="
	good := signedTrailerBody(payload(), sum, "he", "llo")
	if got, err := io.ReadAll(payload().Body(strings.NewReader(good))); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, changed := range map[string]string{
		"trailer":     strings.Replace(good, "sOO8/Q==", "sOO8/A==", 1),
		"no trailer":  signedTrailerBody(payload(), "x-amz-other:1", "hello"),
		"signature":   strings.Replace(good, "trailer-signature:", "trailer-signature:0", 1),
		"unsigned":    good[:strings.Index(good, "x-amz-trailer-signature")] + "\r\n",
		"other chunk": strings.Replace(good, "llo", "llO", 1),
	} {
		_, err := io.ReadAll(payload().Body(strings.NewReader(changed)))
		if _, ok := errors.AsType[*awserr.Error](err); !ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestWhole: a payload in one piece is held against its hash and its length.
func TestWhole(t *testing.T) {
	sum := sha256.Sum256([]byte("hello"))
	for _, c := range []struct {
		stated, body string
		length       int64
		code         string
	}{
		{hex.EncodeToString(sum[:]), "hello", 5, ""},
		{strings.ToUpper(hex.EncodeToString(sum[:])), "hello", 5, ""},
		{hex.EncodeToString(sum[:]), "hellO", 5, "XAmzContentSHA256Mismatch"},
		{unsignedPayload, "hello", 5, ""},
		{unsignedPayload, "hello", 6, "IncompleteBody"},
		{unsignedPayload, "hello", -1, ""},
	} {
		p := &Payload{stated: c.stated, length: c.length}
		got, err := io.ReadAll(p.Body(strings.NewReader(c.body)))
		if c.code == "" {
			if err != nil || string(got) != c.body {
				t.Errorf("%+v: got %q, %v", c, got, err)
			}
			continue
		}
		if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != c.code {
			t.Errorf("%+v: got %v", c, err)
		}
	}
	_, err := io.ReadAll((&Payload{stated: unsignedPayload, length: 5}).Body(iotest.ErrReader(errors.New("gone"))))
	if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != "IncompleteBody" {
		t.Errorf("got %v", err)
	}
}

// TestPayloadHeaders: what a request says of its payload must be something.
func TestPayloadHeaders(t *testing.T) {
	for _, c := range []struct {
		change func(http.Header)
		code   string
	}{
		{func(h http.Header) { h.Del(contentHash) }, "InvalidRequest"},
		{func(h http.Header) { h.Add(contentHash, unsignedPayload) }, "InvalidRequest"},
		{func(h http.Header) { h.Set(contentHash, "STREAMING-UNKNOWN") }, "InvalidArgument"},
		{func(h http.Header) { h.Set(contentHash, "00") }, "InvalidArgument"},
		{func(h http.Header) { h.Set(decodedLength, "-1") }, "MissingContentLength"},
		{func(h http.Header) { h.Del(decodedLength) }, "MissingContentLength"},
		{func(h http.Header) { h.Set(decodedLength, "66561") }, "SignatureDoesNotMatch"},
		{func(h http.Header) { h.Set("X-Amz-Date", "20130524T001600Z") }, "RequestTimeTooSkewed"},
		{func(h http.Header) { h.Set("X-Amz-Acl", "private") }, "AccessDenied"},
		{func(h http.Header) {
			h.Set("Authorization", strings.Replace(h.Get("Authorization"), "us-east-1", "us-west-2", 1))
		}, "AuthorizationHeaderMalformed"},
		{func(h http.Header) {
			h.Set("Authorization", strings.Replace(h.Get("Authorization"), "/s3/", "/sqs/", 1))
		}, "AuthorizationHeaderMalformed"},
		{func(h http.Header) {
			h.Set("Authorization", strings.Replace(h.Get("Authorization"), "/20130524/", "/20130525/", 1))
		}, "AuthorizationHeaderMalformed"},
	} {
		r := docRequest(t)
		c.change(r.Header)
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = New().CheckPayload(r, s, docSecret, Scope{Regions: []string{"us-east-1"}, Services: []string{"s3"}}, docTime)
		if e, ok := errors.AsType[*Error](err); !ok || e.AWS(S3).Code != c.code {
			t.Errorf("got %v, want %s", err, c.code)
		}
	}
	if _, err := AnonymousPayload(docRequest(t)); err == nil {
		t.Error("chunks that nobody can have signed are taken")
	}
}

// FuzzChunks looks for payloads that panic, that give other bytes than they should have, or errors that are not the client's.
func FuzzChunks(f *testing.F) {
	f.Add(docBody(), true)
	f.Add("5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n", false)
	f.Add("0\r\n\r\n", false)
	f.Fuzz(func(t *testing.T, body string, signed bool) {
		p := &Payload{stated: unsignedChunksTrailer, length: 5}
		if signed {
			p = docPayload(t)
		}
		got, err := io.ReadAll(p.Body(strings.NewReader(body)))
		if e, ok := errors.AsType[*awserr.Error](err); err != nil && (!ok || !e.Sender()) {
			t.Errorf("got %v", err)
		}
		if err == nil && int64(len(got)) != p.length {
			t.Errorf("got %d bytes without an error, want %d", len(got), p.length)
		}
		if err == nil && signed && !bytes.Equal(got, bytes.Repeat([]byte("a"), docSize)) {
			t.Error("what was not signed is taken")
		}
	})
}
