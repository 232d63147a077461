package s3

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	yes, no := true, false
	for text, want := range map[string]Place{
		"s3://my-bucket":            {Bucket: "my-bucket"},
		"s3://my.bucket/":           {Bucket: "my.bucket"},
		"s3://my-bucket/a":          {Bucket: "my-bucket", Prefix: "a"},
		"s3://my-bucket/a/b_c.d-e/": {Bucket: "my-bucket", Prefix: "a/b_c.d-e"},
		"s3://my-bucket/a?endpoint=http://127.0.0.1:9000&region=eu-central-1&path-style=true": {
			Bucket: "my-bucket", Prefix: "a", Endpoint: "http://127.0.0.1:9000", Region: "eu-central-1", PathStyle: &yes,
		},
		"s3://my-bucket?endpoint=https%3A%2F%2Fs3.example.com&path-style=false": {Bucket: "my-bucket", Endpoint: "https://s3.example.com", PathStyle: &no},
	} {
		got, err := Parse(text)
		if diff := cmp.Diff(got, want); diff != "" || err != nil {
			t.Errorf("%s: %v, -got +want:\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"":                                      "want s3://BUCKET/PREFIX",
		"/srv/licet":                            "want s3://BUCKET/PREFIX",
		"S3://my-bucket":                        "want s3://BUCKET/PREFIX",
		"s3:///prefix":                          `"" is not the name of a bucket`,
		"s3://My_Bucket":                        `"My_Bucket" is not the name of a bucket`,
		"s3://my-bucket:80":                     `"my-bucket:80" is not the name of a bucket`,
		"s3://key:hush@my-bucket":               "a URL of S3 has no credentials",
		"s3://my-bucket/a//b":                   "want a prefix of letters",
		"s3://my-bucket/../b":                   "want a prefix of letters",
		"s3://my-bucket/a%20b":                  "want a prefix of letters",
		"s3://my-bucket/a#b":                    "want a prefix of letters",
		"s3://my-bucket?endpont=x":              "there is no parameter endpont",
		"s3://my-bucket?region=a&region=b":      "region is there more than once",
		"s3://my-bucket?path-style=maybe":       `path-style "maybe": want true or false`,
		"s3://my-bucket?endpoint=s3.example":    "endpoint: want http://HOST:PORT",
		"s3://my-bucket?endpoint=http://a:b@c/": "endpoint: want http://HOST:PORT",
		"s3://my-bucket?a;b":                    "read its parameters: ",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestPlace(t *testing.T) {
	for _, tt := range []struct {
		place        Place
		text, folder string
	}{
		{Place{Bucket: "b", Endpoint: "http://x"}, "s3://b", "blobs/"},
		{Place{Bucket: "b", Prefix: "p/q"}, "s3://b/p/q", "p/q/blobs/"},
	} {
		if text, folder := tt.place.String(), tt.place.folder("blobs"); text != tt.text || folder != tt.folder {
			t.Errorf("got %s, %s, want %s, %s", text, folder, tt.text, tt.folder)
		}
	}
}
