package restjson_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/protocol/restjson"
)

func request(method, target, body string) *protocol.Request {
	return &protocol.Request{HTTP: httptest.NewRequest(method, target, nil), Body: []byte(body)}
}

func decode(codec *restjson.Codec, r *protocol.Request) (any, error) {
	op, err := codec.Operation(r)
	if err != nil {
		return nil, err
	}
	return codec.Decode(r, op)
}

func TestRoutes(t *testing.T) {
	codec := newCodec(t)
	for _, c := range []struct{ method, target, want string }{
		{"POST", "/2015-03-31/functions", "CreateFunction"},
		{"POST", "/2015-03-31/functions/", "CreateFunction"},
		{"GET", "/2015-03-31/functions/?MaxItems=1", "ListFunctions"},
		{"GET", "/2015-03-31/functions/f", "GetFunction"},
		{"GET", "/2015-03-31/functions/f/", "GetFunction"},
		{"GET", "/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f:1", "GetFunction"},
		{"GET", "/2018-10-31/layers", "ListLayers"},
		{"GET", "/2018-10-31/layers?find=LayerVersion&Arn=a", "GetLayerVersionByArn"},
		{"GET", "/2018-10-31/layers?find=Other", "ListLayers"},
		{"GET", "/2018-10-31/layers?find=LayerVersion&find=x", "ListLayers"},
		{"GET", "/2018-10-31/layers/l/versions/1", "GetLayerVersion"},
		{"GET", "/2025-12-01/durable-executions/arn%3Aaws%3Alambda%3Afunction%3Af%3A1%2Fdurable-execution%2Fn%2Fi/history", "GetDurableExecutionHistory"},
		{"POST", "/2015-03-31/functions/f", ""},
		{"PATCH", "/2015-03-31/functions/f", ""},
		{"GET", "/2015-03-31/functions/./x", ""},
		{"GET", "/2015-03-31/functions/..", ""},
		{"GET", "/2015-03-31/functions//", ""},
		{"POST", "/2015-03-31/functions/./invocations", ""},
		{"POST", "/2015-03-31/functions//invocations", ""},
		{"GET", "//2015-03-31/functions", ""},
		{"GET", "/", ""},
	} {
		op, err := codec.Operation(request(c.method, c.target, ""))
		if c.want == "" {
			e, ok := errors.AsType[*awserr.Error](err)
			if !ok || e.Code != "UnknownOperationException" || e.Status != http.StatusNotFound {
				t.Errorf("%s %s: got %v, %v", c.method, c.target, op, err)
			}
			continue
		}
		if err != nil || op.Name != c.want {
			t.Errorf("%s %s: got %v, %v, want %s", c.method, c.target, op, err, c.want)
		}
	}
}

func TestDecode(t *testing.T) {
	codec := newCodec(t)
	ignore := cmpopts.IgnoreUnexported(
		lambda.GetFunctionInput{}, lambda.InvokeInput{}, lambda.UntagResourceInput{}, lambda.CreateFunctionInput{},
		lambda.ListFunctionsInput{}, lambda.ListDurableExecutionsByFunctionInput{}, types.FunctionCode{},
	)
	for _, c := range []struct {
		method, target, body string
		want                 any
	}{
		{"GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af?Qualifier=%24LATEST", "", &lambda.GetFunctionInput{
			FunctionName: aws.String("arn:aws:lambda:us-east-1:000000000000:function:f"), Qualifier: aws.String("$LATEST"),
		}},
		{"GET", "/2015-03-31/functions/a%2Fb%20c", "not JSON", &lambda.GetFunctionInput{FunctionName: aws.String("a/b c")}},
		{"POST", "/2015-03-31/functions/f/invocations", "not JSON", &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte("not JSON")}},
		{"POST", "/2015-03-31/functions/f/invocations", "", &lambda.InvokeInput{FunctionName: aws.String("f")}},
		{"DELETE", "/2017-03-31/tags/arn?tagKeys=a&tagKeys=b", "", &lambda.UntagResourceInput{Resource: aws.String("arn"), TagKeys: []string{"a", "b"}}},
		{"GET", "/2015-03-31/functions?MaxItems=7&Marker=", "", &lambda.ListFunctionsInput{MaxItems: aws.Int32(7), Marker: aws.String("")}},
		{"POST", "/2015-03-31/functions", "", &lambda.CreateFunctionInput{}},
		{"POST", "/2015-03-31/functions", `{"Publish":true,"Code":{"ZipFile":"YWJj"},"Layers":["l"],"Tags":{"k":"v","n":null}}`, &lambda.CreateFunctionInput{
			Publish: true, Code: &types.FunctionCode{ZipFile: []byte("abc")}, Layers: []string{"l"}, Tags: map[string]string{"k": "v"},
		}},
		{"GET", "/2025-12-01/functions/f/durable-executions?StartedAfter=2026-01-02T03:04:05Z&ReverseOrder=true&Statuses=RUNNING", "",
			&lambda.ListDurableExecutionsByFunctionInput{
				FunctionName: aws.String("f"), StartedAfter: aws.Time(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), ReverseOrder: aws.Bool(true),
				Statuses: []types.ExecutionStatus{types.ExecutionStatusRunning},
			}},
	} {
		got, err := decode(codec, request(c.method, c.target, c.body))
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.target, err)
			continue
		}
		if diff := cmp.Diff(got, c.want, ignore); diff != "" {
			t.Errorf("%s %s (-got +want):\n%s", c.method, c.target, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	codec := newCodec(t)
	for _, c := range []struct{ method, target, body, want string }{
		{"POST", "/2015-03-31/functions", `{"Code":5}`, "NUMBER_VALUE can not be converted to a structure"},
		{"POST", "/2015-03-31/functions", `{"Code":{"ZipFile":"%"}}`, "STRING_VALUE can not be converted to a Blob"},
		{"POST", "/2015-03-31/functions", `{"Publish":"true"}`, "STRING_VALUE can not be converted to a Boolean"},
		{"POST", "/2015-03-31/functions", `{"Timeout":2147483648}`, "NUMBER_VALUE can not be converted to an Integer"},
		{"POST", "/2015-03-31/event-source-mappings", `{"StartingPositionTimestamp":1e300}`, "NUMBER_VALUE can not be converted to a Timestamp"},
		{"POST", "/2015-03-31/functions", `x`, "Could not parse request body into json: expected a value at byte 0"},
		{"GET", "/2015-03-31/functions?MaxItems=x", "", "STRING_VALUE can not be converted to an Integer"},
		{"GET", "/2015-03-31/functions?MaxItems=", "", "STRING_VALUE can not be converted to an Integer"},
		{"GET", "/2025-12-01/functions/f/durable-executions?ReverseOrder=1", "", "STRING_VALUE can not be converted to a Boolean"},
		{"GET", "/2025-12-01/functions/f/durable-executions?StartedAfter=x", "", "STRING_VALUE can not be converted to a Timestamp"},
	} {
		_, err := decode(codec, request(c.method, c.target, c.body))
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok || e.Code != "SerializationException" || e.Status != http.StatusBadRequest || e.Message != c.want {
			t.Errorf("%s %s %s: got %v, want %s", c.method, c.target, c.body, err, c.want)
		}
	}
}

func TestInvokePayloadIsNotCopied(t *testing.T) {
	r := request("POST", "/2015-03-31/functions/f/invocations", "payload")
	in, err := decode(newCodec(t), r)
	if err != nil {
		t.Fatal(err)
	}
	if p := in.(*lambda.InvokeInput).Payload; &p[0] != &r.Body[0] {
		t.Error("the payload is a copy of the body")
	}
}

func TestInvokeAsyncStreamsBody(t *testing.T) {
	in, err := decode(newCodec(t), request("POST", "/2014-11-13/functions/f/invoke-async", "event"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(in.(*lambda.InvokeAsyncInput).InvokeArgs)
	if err != nil || string(got) != "event" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEncode(t *testing.T) {
	codec := newCodec(t)
	for _, c := range []struct {
		method, target string
		out            any
		status         int
		header, body   string
	}{
		{"DELETE", "/2015-03-31/functions/f", &lambda.DeleteFunctionOutput{}, 204, "", ""},
		{"POST", "/2015-03-31/functions/f/invocations", &lambda.InvokeOutput{StatusCode: 200, Payload: []byte("null")}, 200, "application/json", "null"},
		{"POST", "/2015-03-31/functions/f/invocations", &lambda.InvokeOutput{StatusCode: 202}, 202, "application/json", ""},
		{"POST", "/2015-03-31/functions/f/invocations", &lambda.InvokeOutput{StatusCode: 204, Payload: []byte("x")}, 204, "", ""},
		{"POST", "/2015-03-31/functions/f/policy", &lambda.AddPermissionOutput{Statement: aws.String("{}")}, 201, "application/json", `{"Statement":"{}"}`},
		{"GET", "/2016-08-19/account-settings", &lambda.GetAccountSettingsOutput{AccountUsage: &types.AccountUsage{}}, 200, "application/json",
			`{"AccountUsage":{"FunctionCount":0,"TotalCodeSize":0}}`},
	} {
		op, err := codec.Operation(request(c.method, c.target, ""))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := codec.Encode(w, op, c.out, protocoltest.RequestID); err != nil {
			t.Errorf("%s: %v", op.Name, err)
			continue
		}
		if w.Code != c.status || w.Header().Get("Content-Type") != c.header || w.Body.String() != c.body {
			t.Errorf("%s: got %d %q %s, want %d %q %s", op.Name, w.Code, w.Header().Get("Content-Type"), w.Body, c.status, c.header, c.body)
		}
		if got := w.Header().Get("x-amzn-RequestId"); got != protocoltest.RequestID {
			t.Errorf("%s: got request id %q", op.Name, got)
		}
	}
}

func TestEncodeWritesNothingOnError(t *testing.T) {
	codec := newCodec(t)
	for _, c := range []struct {
		target string
		out    any
	}{
		{"/2015-03-31/functions/f/invocations", &lambda.InvokeOutput{StatusCode: 7}},
		{"/2021-11-15/functions/f/response-streaming-invocations", &lambda.InvokeWithResponseStreamOutput{}},
	} {
		op, err := codec.Operation(request("POST", c.target, ""))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := codec.Encode(w, op, c.out, protocoltest.RequestID); err == nil {
			t.Errorf("%s: no error", op.Name)
		}
		if len(w.Header()) > 0 || w.Body.Len() > 0 {
			t.Errorf("%s: wrote %v %s", op.Name, w.Header(), w.Body)
		}
	}
}

func TestEncodeError(t *testing.T) {
	codec := newCodec(t)
	user := map[string]string{"Type": "User"}
	for _, c := range []struct {
		err  *awserr.Error
		want string
	}{
		{&awserr.Error{Code: "ResourceNotFoundException", Status: 404, Message: "Function not found: <f>", Members: user}, `{"Message":"Function not found: <f>","Type":"User"}`},
		{&awserr.Error{Code: "InvalidParameterValueException", Status: 400, Message: "m", Members: user}, `{"Type":"User","message":"m"}`},
		{&awserr.Error{Code: "ValidationException", Status: 400, Message: "m"}, `{"message":"m"}`},
		{&awserr.Error{Code: "AccessDeniedException", Status: 403}, `{"Message":null}`},
		{&awserr.Error{Code: "InvalidSignatureException", Status: 403, Message: "m"}, `{"message":"m"}`},
		{&awserr.Error{Code: "TooManyRequestsException", Status: 429, Message: "m", Headers: map[string]string{"Retry-After": "1"}}, `{"message":"m"}`},
	} {
		w := httptest.NewRecorder()
		codec.EncodeError(w, c.err, protocoltest.RequestID)
		if w.Code != c.err.Status || w.Body.String() != c.want || w.Header().Get("x-amzn-ErrorType") != c.err.Code {
			t.Errorf("%s: got %d %v %s, want %s", c.err.Code, w.Code, w.Header(), w.Body, c.want)
		}
		for k, v := range c.err.Headers {
			if got := w.Header().Get(k); got != v {
				t.Errorf("%s: got %s %q, want %q", c.err.Code, k, got, v)
			}
		}
	}
}

// FuzzDecode looks for requests that panic, and for errors that are not the client's.
func FuzzDecode(f *testing.F) {
	for _, r := range service(f).Snapshots(f) {
		f.Add(r.HTTP.Method, r.HTTP.URL.RequestURI(), string(r.Body))
	}
	codec := newCodec(f)
	f.Fuzz(func(t *testing.T, method, target, body string) {
		r, err := http.NewRequest(method, "http://h", nil)
		if err != nil {
			t.Skip()
		}
		if r.URL, err = r.URL.Parse(target); err != nil {
			t.Skip()
		}
		r.Header.Set("X-Amz-Invocation-Type", body)
		_, err = decode(codec, &protocol.Request{HTTP: r, Body: []byte(body)})
		if e, ok := errors.AsType[*awserr.Error](err); err != nil && (!ok || !e.Sender()) {
			t.Errorf("got %v", err)
		}
	})
}

func BenchmarkInvoke(b *testing.B) {
	codec := newCodec(b)
	r := request("POST", "/2015-03-31/functions/f/invocations?Qualifier=prod", strings.Repeat("x", 1024))
	out := &lambda.InvokeOutput{StatusCode: 200, Payload: r.Body, ExecutedVersion: aws.String("1")}
	w := discard{}
	b.ReportAllocs()
	for b.Loop() {
		r := &protocol.Request{HTTP: r.HTTP, Body: r.Body} // which has read nothing yet
		op, err := codec.Operation(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := codec.Decode(r, op); err != nil {
			b.Fatal(err)
		}
		if err := codec.Encode(w, op, out, protocoltest.RequestID); err != nil {
			b.Fatal(err)
		}
	}
}

// discard is a response that goes nowhere.
type discard http.Header

func (d discard) Header() http.Header         { return http.Header(d) }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(b []byte) (int, error) { return len(b), nil }

// TestBuffers: answers are written into buffers that stay; a payload is not, and is left as it is.
func TestBuffers(t *testing.T) {
	codec := newCodec(t)
	const text = `"what a function returned"`
	payload := []byte(text)
	for _, c := range []struct {
		method, target string
		out            any
		want           string
	}{
		{"POST", "/2015-03-31/functions/f/invocations", &lambda.InvokeOutput{StatusCode: 200, Payload: payload}, text},
		{"GET", "/2015-03-31/functions/f/aliases/a", &lambda.GetAliasOutput{Name: aws.String("a-long-name")}, `{"Name":"a-long-name"}`},
		{"POST", "/2015-03-31/functions/f/invocations", &lambda.InvokeOutput{StatusCode: 200, Payload: payload}, text},
		{"GET", "/2015-03-31/functions/f/aliases/a", &lambda.GetAliasOutput{Name: aws.String("a")}, `{"Name":"a"}`},
	} {
		op, err := codec.Operation(request(c.method, c.target, ""))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := codec.Encode(w, op, c.out, protocoltest.RequestID); err != nil {
			t.Fatal(err)
		}
		if got := w.Body.String(); got != c.want || w.Header().Get("Content-Length") != strconv.Itoa(len(c.want)) {
			t.Errorf("got %s (%s bytes), want %s", got, w.Header().Get("Content-Length"), c.want)
		}
	}
	if string(payload) != text {
		t.Errorf("the payload became %s", payload)
	}
}

// TestKeptEncoding: an output that says that it never changes is encoded once.
func TestKeptEncoding(t *testing.T) {
	codec := newCodec(t)
	op, err := codec.Operation(request("GET", "/2015-03-31/functions/f/aliases/a", ""))
	if err != nil {
		t.Fatal(err)
	}
	encode := func(out *lambda.GetAliasOutput) string {
		w := httptest.NewRecorder()
		if err := codec.Encode(w, op, out, protocoltest.RequestID); err != nil {
			t.Fatal(err)
		}
		return w.Body.String()
	}
	kept, other := &lambda.GetAliasOutput{Name: aws.String("kept")}, &lambda.GetAliasOutput{Name: aws.String("other")}
	protocol.KeepEncoding(&kept.ResultMetadata)
	for range 3 {
		if got := encode(kept); got != `{"Name":"kept"}` {
			t.Errorf("got %s", got)
		}
		if got := encode(other); got != `{"Name":"other"}` {
			t.Errorf("got %s", got)
		}
		kept.Name = aws.String("changed, which is against the contract") // it shows that nothing is encoded
	}
}
