package payload

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func json200(body string) Answer {
	return Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

func TestParse(t *testing.T) {
	for result, want := range map[string]Answer{
		`{"hello": "world"}`:                    json200(`{"hello":"world"}`),
		` ["hello", 3, true]` + "\n":            json200(`["hello",3,true]`),
		`"hello"`:                               json200(`hello`),
		`"a\nb"`:                                json200("a\nb"),
		`3.10`:                                  json200(`3.10`),
		`true`:                                  json200(`true`),
		`null`:                                  json200(`null`),
		`{"body": "x"}`:                         json200(`{"body":"x"}`),
		`{"statusCode": null}`:                  json200(`{"statusCode":null}`),
		`{"statusCode": 200}`:                   {Status: 200, Header: json200("").Header},
		`{"statusCode": "418", "body": "tea"}`:  {Status: 418, Header: json200("").Header, Body: []byte("tea")},
		`{"statusCode": 200, "body": {"a": 1}}`: json200(`{"a":1}`),
		`{"statusCode": 200, "body": "AP8Q", "isBase64Encoded": true}`: json200("\x00\xff\x10"),
		`{"statusCode": 301, "headers": {"location": "/x", "content-TYPE": "text/html", "x-number": 3, "x-true": true, "Connection": "close",
			"transfer-encoding": "chunked", "content-length": "7", "www-authenticate": "Basic"}, "cookies": ["a=b", "c=d"]}`: {
			Status: 301, Header: http.Header{
				"Location": {"/x"}, "Content-Type": {"text/html"}, "X-Number": {"3"}, "X-True": {"true"}, "X-Amzn-Remapped-Connection": {"close"},
				"X-Amzn-Remapped-Content-Length": {"7"}, "X-Amzn-Remapped-Www-Authenticate": {"Basic"}, "Set-Cookie": {"a=b", "c=d"},
			},
		},
	} {
		got, err := Parse([]byte(result))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", result, err, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for result, want := range map[string]string{
		``:                                    "not JSON",
		`{`:                                   "not JSON",
		`plain`:                               "not JSON",
		`{"statusCode": 199}`:                 "statusCode 199",
		`{"statusCode": 600}`:                 "statusCode 600",
		`{"statusCode": "x"}`:                 "statusCode",
		`{"statusCode": {}}`:                  "statusCode",
		`{"statusCode": 2e2}`:                 "statusCode",
		`{"statusCode": 200, "headers": []}`:  "format 2.0",
		`{"statusCode": 200, "cookies": "a"}`: "format 2.0",
		`{"statusCode": 200, "headers": {"a": ["b"]}}`:              `the header "a"`,
		`{"statusCode": 200, "headers": {"a": null}}`:               `the header "a"`,
		`{"statusCode": 200, "headers": {"a b": "c"}}`:              `the header "a b"`,
		`{"statusCode": 200, "headers": {"Trailer:x": "c"}}`:        `the header "Trailer:x"`,
		`{"statusCode": 200, "headers": {"a": "b\r\nc: d"}}`:        `the header "a"`,
		`{"statusCode": 200, "cookies": ["a\nb"]}`:                  "the cookie",
		`{"statusCode": 200, "body": "?", "isBase64Encoded": true}`: "no base64",
	} {
		if got, err := Parse([]byte(result)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v, want an error about %s", result, got, err, want)
		}
	}
}

// No function says for the server how it decided, or by which command that is explained.
func TestHeadersOfTheServer(t *testing.T) {
	a, err := Parse([]byte(`{"statusCode":200,"headers":{"x-licet-explain":"rm -r .","X-LICET-decision":"allowed"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Content-Type": {"application/json"}, "X-Amzn-Remapped-X-Licet-Explain": {"rm -r ."}, "X-Amzn-Remapped-X-Licet-Decision": {"allowed"},
	}
	if diff := cmp.Diff(want, a.Header); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// harmless fails for an answer that would not be one HTTP response.
func harmless(t *testing.T, a Answer) {
	t.Helper()
	if a.Status < 200 || a.Status > 599 || a.Header.Get("Content-Type") == "" && a.Header["Content-Type"] == nil {
		t.Errorf("got status %d, header %v", a.Status, a.Header)
	}
	for name, values := range a.Header {
		if !isToken(name) || hopByHop[strings.ToLower(name)] || renamed[name] || strings.HasPrefix(name, ours) {
			t.Errorf("got header %q", name)
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				t.Errorf("got header %s %q", name, v)
			}
		}
	}
}

// FuzzParse: no result of a function is anything but one harmless HTTP response, or an error.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"statusCode":200,"headers":{"a":"b\n"},"cookies":["x"],"body":"AA==","isBase64Encoded":true}`, `"x"`, `[1]`, `{"statusCode":"007"}`, ``,
		`{"statusCode":200,"StatusCode":99,"headers":{"Trailer":"x","content-length":"-1","x-licet-decision":"allowed"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, result []byte) {
		if a, err := Parse(result); err == nil {
			harmless(t, a)
		}
	})
}
