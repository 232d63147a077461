// Package protocoltest checks a codec against the SDK: every request that AWS ships as a vector with the SDK's module must decode to
// an input that the SDK serializes to the same request, and every output, filled, must come back from the SDK as it was.
//
// It is for tests alone. It opens no connection: the SDK's clients get a transport that calls the codec. Vectors are read from the
// module cache, where `go list -m` finds them.
//
// To test a codec: make a Service and call Requests, Responses and Errors.
package protocoltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
)

// RequestID is the request id that the package gives to the codec.
const RequestID = "c0ffee00-0000-4000-8000-000000000001"

// Service is what is tested.
type Service struct {
	// Module is the SDK's module, such as "github.com/aws/aws-sdk-go-v2/service/iam".
	Module string
	API    *protocol.API
	Codec  protocol.Codec
	// Client makes an SDK client on a configuration.
	Client func(aws.Config) any
	// Complete, if set, changes the request of a vector: what an SDK adds to it after that.
	Complete func(op string, r *protocol.Request)
	// Added are headers that the client adds after what a vector has.
	Added []string
	// Prepare, if set, changes a filled output before it is encoded.
	Prepare func(out any)
	// Unwritable are the operations whose output cannot be encoded, with the reason.
	Unwritable map[string]string
}

// roundTripper is a transport as a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Call calls an operation of the SDK's client, which sends through transport. in is a pointer to the input.
func (s Service) Call(op string, in any, transport func(*http.Request) (*http.Response, error)) (any, error) {
	client := s.Client(aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("http://127.0.0.1:1"),
		HTTPClient:   &http.Client{Transport: roundTripper(transport)},
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		}),
	})
	res := reflect.ValueOf(client).MethodByName(op).Call([]reflect.Value{
		reflect.ValueOf(context.Background()), reflect.ValueOf(in),
	})
	err, _ := res[1].Interface().(error)
	return res[0].Interface(), err
}

// Dir finds the module's folder.
func (s Service) Dir(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", s.Module).Output()
	if err != nil {
		t.Fatalf("find module %s: %v", s.Module, err)
	}
	return strings.TrimSpace(string(out))
}

// Snapshots gives the requests that the module ships by operation.
func (s Service) Snapshots(t testing.TB) map[string]*protocol.Request {
	t.Helper()
	const suffix = ".request.snap"
	files, err := filepath.Glob(filepath.Join(s.Dir(t), "request_snapshot", "*"+suffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("no request snapshots of %s: %v", s.Module, err)
	}
	requests := map[string]*protocol.Request{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		op, r := strings.TrimSuffix(filepath.Base(file), suffix), parseRequest(t, data)
		if s.Complete != nil {
			s.Complete(op, r)
		}
		requests[op] = r
	}
	return requests
}

// parseRequest reads a snapshot: method and target, an empty line, headers, an empty line, the body.
func parseRequest(t testing.TB, data []byte) *protocol.Request {
	t.Helper()
	line, rest, _ := bytes.Cut(data, []byte("\n\n"))
	method, target, _ := strings.Cut(string(line), " ")
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	header, body := parseHeader(t, rest)
	return &protocol.Request{HTTP: &http.Request{Method: method, URL: u, Header: header}, Body: body}
}

func parseHeader(t testing.TB, data []byte) (http.Header, []byte) {
	t.Helper()
	header, body := http.Header{}, []byte(nil)
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		if len(line) == 0 {
			body = rest
			break
		}
		k, v, _ := strings.Cut(string(line), ": ")
		header.Add(k, v)
	}
	return header, body
}

// Requests checks that every snapshot decodes, and that the SDK makes the same request of what it decodes to.
func (s Service) Requests(t *testing.T) {
	snapshots := s.Snapshots(t)
	for _, op := range s.API.Operations {
		t.Run(op.Name, func(t *testing.T) {
			want := snapshots[op.Name]
			if want == nil {
				t.Skip("the module ships no snapshot")
			}
			in, err := s.decode(want, op.Name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.request(op.Name, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range s.Added {
				if want.HTTP.Header.Get(name) == "" {
					got.HTTP.Header.Del(name)
				}
			}
			if diff := cmp.Diff(describe(got), describe(want)); diff != "" {
				t.Errorf("the SDK makes another request of the decoded input (-got +want):\n%s", diff)
			}
		})
	}
}

func (s Service) decode(r *protocol.Request, name string) (any, error) {
	op, err := s.Codec.Operation(r)
	if err != nil {
		return nil, err
	}
	if op.Name != name {
		return nil, fmt.Errorf("taken for %s", op.Name)
	}
	return s.Codec.Decode(r, op)
}

// request gives the request that the SDK sends for an input.
func (s Service) request(op string, in any) (*protocol.Request, error) {
	sent := errors.New("sent")
	var request *protocol.Request
	_, err := s.Call(op, in, func(r *http.Request) (*http.Response, error) {
		request = &protocol.Request{HTTP: r}
		if r.Body != nil {
			var err error
			if request.Body, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
		}
		return nil, sent
	})
	if request == nil {
		return nil, err
	}
	return request, nil
}

// description is what of a request counts.
type description struct {
	Method, Path string
	Query        url.Values
	Header       http.Header
	Body         any
}

func describe(r *protocol.Request) description {
	d := description{r.HTTP.Method, r.HTTP.URL.EscapedPath(), r.HTTP.URL.Query(), http.Header{}, string(r.Body)}
	d.Query.Del("x-id")
	for k, v := range r.HTTP.Header {
		switch k {
		case "Authorization", "User-Agent", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "Content-Length", "X-Amz-Date":
		default:
			d.Header[k] = v
		}
	}
	var object any
	if json.Unmarshal(r.Body, &object) == nil {
		d.Body = object
	} else if form, err := url.ParseQuery(string(r.Body)); err == nil && strings.Contains(d.Header.Get("Content-Type"), "form") {
		d.Body = form
	}
	return d
}

// Responses checks that the SDK reads every encoded output as what it was.
func (s Service) Responses(t *testing.T) {
	snapshots := s.Snapshots(t)
	for i := range s.API.Operations {
		op := &s.API.Operations[i]
		t.Run(op.Name, func(t *testing.T) {
			want := reflect.New(op.Output)
			Fill(want.Elem())
			if s.Prepare != nil {
				s.Prepare(want.Interface())
			}
			w := httptest.NewRecorder()
			err := s.Codec.Encode(w, op, want.Interface(), RequestID)
			if reason, ok := s.Unwritable[op.Name]; ok {
				if err == nil {
					t.Errorf("encodes, although listed as unwritable (%s)", reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Call(op.Name, s.input(t, op, snapshots), func(*http.Request) (*http.Response, error) { return w.Result(), nil })
			if err != nil {
				t.Fatalf("read %s: %v", w.Body, err)
			}
			if diff := cmp.Diff(streams(got), streams(want.Interface())); diff != "" {
				t.Errorf("the SDK reads another stream (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(got, want.Interface(), sdk()...); diff != "" {
				t.Errorf("the SDK reads another output (-got +want):\n%s\nbody: %s", diff, w.Body)
			}
		})
	}
}

// streams reads an output's members that are streams, and takes them out of it.
func streams(out any) map[string]string {
	read := map[string]string{}
	for f, v := range reflect.ValueOf(out).Elem().Fields() {
		if f.Type != reflect.TypeFor[io.ReadCloser]() || v.IsNil() {
			continue
		}
		text, _ := io.ReadAll(v.Interface().(io.Reader)) // the SDK's ends with an error: the vector's checksums are wrong
		read[f.Name] = string(text)
		v.SetZero()
	}
	return read
}

// input gives an input that the SDK accepts.
func (s Service) input(t testing.TB, op *protocol.Operation, snapshots map[string]*protocol.Request) any {
	t.Helper()
	if snap := snapshots[op.Name]; snap != nil {
		in, err := s.decode(snap, op.Name)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	in := reflect.New(op.Input)
	Fill(in.Elem())
	return in.Interface()
}

// sdk says how values of the SDK are compared.
func sdk() []cmp.Option {
	return []cmp.Option{
		cmp.FilterPath(func(p cmp.Path) bool {
			name := p.Last().String()
			return name == ".ResultMetadata" || name == ".noSmithyDocumentSerde"
		}, cmp.Ignore()),
		cmp.Exporter(func(reflect.Type) bool { return true }),
	}
}

// Errors checks that the SDK makes the same error of what the codec writes as of every error response that the module ships. Those
// named in unwritable have members that awserr.Error cannot hold, for the reason given. op is an operation to call.
func (s Service) Errors(t *testing.T, op string, unwritable map[string]string) {
	const suffix = ".error.snap"
	files, err := filepath.Glob(filepath.Join(s.Dir(t), "response_snapshot", "*"+suffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("no error snapshots of %s: %v", s.Module, err)
	}
	in, err := s.decode(s.Snapshots(t)[op], op)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), suffix)
		t.Run(name, func(t *testing.T) {
			status, header, body := parseResponse(t, file)
			if s.API.QueryCompatible() { // the vectors leave out what AWS's answers have
				header.Set("X-Amzn-Query-Error", s.API.QueryCode(name)+";Sender")
			}
			want := s.apiError(t, op, in, &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body))})
			header.Del("X-Amzn-Query-Error") // the codec is to add it itself
			e, err := newError(name, status, header, body)
			if reason, ok := unwritable[name]; ok {
				if err == nil {
					t.Errorf("awserr.Error holds it, although listed as unwritable (%s)", reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			s.Codec.EncodeError(w, e, RequestID)
			if diff := cmp.Diff(s.apiError(t, op, in, w.Result()), want, sdk()...); diff != "" {
				t.Errorf("the SDK reads another error (-got +want):\n%s\nbody: %s", diff, w.Body)
			}
		})
	}
}

func parseResponse(t testing.TB, file string) (status int, header http.Header, body []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	if status, err = strconv.Atoi(string(line)); err != nil {
		t.Fatal(err)
	}
	header, body = parseHeader(t, rest)
	return status, header, body
}

// apiError gives the SDK's error for a response.
func (s Service) apiError(t testing.TB, op string, in any, response *http.Response) error {
	t.Helper()
	_, err := s.Call(op, in, func(*http.Request) (*http.Response, error) { return response, nil })
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Fatalf("the SDK gives no API error but %v", err)
	}
	return e
}

// newError makes the error that a response stands for.
func newError(code string, status int, header http.Header, body []byte) (*awserr.Error, error) {
	var members map[string]string
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	delete(members, "__type")
	e := awserr.New(code, status, "%s", members["message"]+members["Message"])
	delete(members, "message")
	delete(members, "Message")
	e.Members, e.Headers = members, map[string]string{}
	for k := range header {
		if k != "Content-Type" && k != "X-Amz-Target" {
			e.Headers[k] = header.Get(k)
		}
	}
	return e, nil
}
