package s3

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/s3/object"
)

func TestHosted(t *testing.T) {
	s := &Service{Config: Config{Region: "eu-west-1"}}
	for host, want := range map[string]string{
		"b.s3.eu-west-1.localhost:4566": "b", "a.b.s3.eu-west-1.localhost": "a.b", "b.s3.localhost": "b", "b.localhost:1": "b", "a.b.localhost": "a.b",
		"b.s3.amazonaws.com": "b", "b.s3.eu-west-1.amazonaws.com": "b", "B.s3.localhost": "b",
		"localhost:4566": "", "localhost": "", "s3.localhost": "", "s3.eu-west-1.localhost:4566": "", "127.0.0.1:4566": "", "[::1]:4566": "", "[::1]": "",
		"s3.amazonaws.com": "", "abc.lambda-url.eu-west-1.localhost:4566": "", "example.com": "", "": "",
	} {
		if got := s.Hosted(host); got != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}

func TestRanges(t *testing.T) {
	whole := span{length: 10}
	for header, want := range map[string]span{
		"bytes=0-0": {0, 1, true}, "bytes=0-9": {0, 10, true}, "bytes=9-": {9, 1, true}, "bytes=2-100": {2, 8, true}, "bytes=-1": {9, 1, true},
		"bytes=-100": {0, 10, true}, "bytes=3-2": whole, "bytes=": whole, "bytes=-": whole, "bytes=a-b": whole, "bytes=1": whole, "items=0-1": whole,
		"bytes=0-1,2-3": whole, "bytes=+1-2": whole, "bytes=0-99999999999999999999": whole, "": whole,
	} {
		if got, err := parseRange(header, 10); got != want || err != nil {
			t.Errorf("%s: got %+v, %v, want %+v", header, got, err, want)
		}
	}
	for _, header := range []string{"bytes=10-", "bytes=10-20", "bytes=-0"} {
		_, err := parseRange(header, 10)
		if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != "InvalidRange" || e.Status != 416 {
			t.Errorf("%s: got %v", header, err)
		}
	}
	if _, err := parseRange("bytes=0-", 0); err == nil {
		t.Error("of nothing there is a first byte")
	}
}

// FuzzRange: what is read lies in the object.
func FuzzRange(f *testing.F) {
	f.Add("bytes=0-1", int64(3))
	f.Add("bytes=-5", int64(3))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		p, err := parseRange(header, size)
		if err == nil && (p.offset < 0 || p.length < 0 || p.offset+p.length > size || p.partial && p.length == 0) {
			t.Errorf("%q of %d: got %+v", header, size, p)
		}
	})
}

func TestCopySources(t *testing.T) {
	for header, want := range map[string]source{
		"b/k": {"b", "k", ""}, "/b/k": {"b", "k", ""}, "b/a%20b%2Fc+d": {"b", "a b/c+d", ""}, "b//k": {"b", "/k", ""}, "b/k?versionId=v": {"b", "k", "v"},
		"b%2Fk": {"b", "k", ""}, "b/k%3FversionId=v": {"b", "k?versionId=v", ""},
	} {
		if got, ok := parseSource(header); !ok || got != want {
			t.Errorf("%s: got %+v, %v", header, got, ok)
		}
	}
	for _, header := range []string{"", "b", "b/", "/", "/k", "b/%zz", "b/k?%zz"} {
		if got, ok := parseSource(header); ok {
			t.Errorf("%s: got %+v", header, got)
		}
	}
}

func TestTagging(t *testing.T) {
	header := "b=2&a=1+x&c=%C3%BC&d"
	got, err := parseTagging(&header)
	if diff := cmp.Diff(got, []object.Tag{{Key: "b", Value: "2"}, {Key: "a", Value: "1 x"}, {Key: "c", Value: "ü"}, {Key: "d"}}); diff != "" || err != nil {
		t.Errorf("%v, -got +want:\n%s", err, diff)
	}
	for bad, code := range map[string]string{
		"=x": "InvalidArgument", "a=%zz": "InvalidArgument", "a=1&a=2": "InvalidTag", "a=1&A=2": "InvalidTag", "aws:x=1": "InvalidTag",
		strings.Repeat("k", 129) + "=1": "InvalidTag", "k=" + strings.Repeat("v", 257): "InvalidTag",
		"a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=": "BadRequest",
	} {
		_, err := parseTagging(&bad)
		if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != code {
			t.Errorf("%s: got %v, want %s", bad, err, code)
		}
	}
}

// FuzzTagging: tags that are taken are tags, and come back.
func FuzzTagging(f *testing.F) {
	f.Add("a=1&b=%20")
	f.Fuzz(func(t *testing.T, header string) {
		tags, err := parseTagging(&header)
		if err != nil {
			return
		}
		var again []string
		for _, tag := range tags {
			again = append(again, url.QueryEscape(tag.Key)+"="+url.QueryEscape(tag.Value))
		}
		text := strings.Join(again, "&")
		if back, err := parseTagging(&text); err != nil || !cmp.Equal(back, tags) {
			t.Errorf("%q: got %v, then %v, %v", header, tags, back, err)
		}
	})
}

func TestContentEncoding(t *testing.T) {
	for given, want := range map[string]string{"aws-chunked": "", "gzip,aws-chunked": "gzip", "aws-chunked, gzip , br": "gzip,br", "": "", "gzip": "gzip"} {
		if got := withoutChunked(given); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
}
