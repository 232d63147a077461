package json_test

import (
	stdjson "encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/services/logs/logsapi"
)

func request(target, body string) *protocol.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("X-Amz-Target", target)
	return &protocol.Request{HTTP: r, Body: []byte(body)}
}

func decode(codec protocol.Codec, r *protocol.Request) (any, error) {
	op, err := codec.Operation(r)
	if err != nil {
		return nil, err
	}
	return codec.Decode(r, op)
}

func TestDecode(t *testing.T) {
	codec := json.New(logsapi.API(), json.Version11)
	ignore := cmpopts.IgnoreUnexported(cloudwatchlogs.PutLogEventsInput{}, types.InputLogEvent{})
	for _, c := range []struct {
		body string
		want *cloudwatchlogs.PutLogEventsInput
	}{
		{`{}`, &cloudwatchlogs.PutLogEventsInput{}},
		{` { "logGroupName" : "g" , "unknown" : {"a":[1,-2.5e3,true,false,null,"x\"y"]} } `, &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g")}},
		{`{"logGroupName":"a","logGroupName":"b"}`, &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("b")}},
		{`{"logGroupName":"a","logGroupName":null}`, &cloudwatchlogs.PutLogEventsInput{}},
		{`{"logGroupName":"","logEvents":[]}`, &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String(""), LogEvents: []types.InputLogEvent{}}},
		{`{"logGroupName":"\u00e9\ud83d\ude00\n","logStreamName":"é😀"}`, &cloudwatchlogs.PutLogEventsInput{
			LogGroupName: aws.String("é😀\n"), LogStreamName: aws.String("é😀"),
		}},
		{`{"logEvents":[{"timestamp":1,"message":"m"},{"timestamp":9223372036854775807}]}`, &cloudwatchlogs.PutLogEventsInput{
			LogEvents: []types.InputLogEvent{
				{Timestamp: aws.Int64(1), Message: aws.String("m")}, {Timestamp: aws.Int64(math.MaxInt64)},
			},
		}},
	} {
		got, err := decode(codec, request("Logs_20140328.PutLogEvents", c.body))
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		if diff := cmp.Diff(got, any(c.want), ignore); diff != "" {
			t.Errorf("%s (-got +want):\n%s", c.body, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	codec := json.New(logsapi.API(), json.Version11)
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	many := `{"logEvents":[` + strings.Repeat("{},", 300_000) + `{}]}`
	for _, c := range []struct{ body, want string }{
		{``, "Could not parse request body into json: expected a value at byte 0"},
		{`null`, "NULL_VALUE can not be converted to a structure"},
		{`[]`, "Start of list found where not expected"},
		{`"x"`, "STRING_VALUE can not be converted to a structure"},
		{`{`, "Could not parse request body into json: expected a member name at byte 1"},
		{`{}x`, "Could not parse request body into json: expected the end of the text at byte 2"},
		{`{"a"}`, "Could not parse request body into json: expected a colon at byte 4"},
		{`{"a":}`, "Could not parse request body into json: expected a value at byte 5"},
		{`{"a":1 "b":2}`, "Could not parse request body into json: expected a comma at byte 7"},
		{`{"a":01}`, "Could not parse request body into json: expected a number at byte 5"},
		{`{"a":"x`, "Could not parse request body into json: expected the end of a string at byte 7"},
		{`{"a":"` + "\n" + `"}`, "Could not parse request body into json: expected no control character at byte 6"},
		{`{"a":"\q"}`, "Could not parse request body into json: expected a string at byte 5"},
		{`{"logGroupName":1}`, "NUMBER_VALUE can not be converted to a String"},
		{`{"logGroupName":true}`, "TRUE_VALUE can not be converted to a String"},
		{`{"logGroupName":{}}`, "Start of structure or map found where not expected."},
		{`{"logEvents":{}}`, "Start of structure or map found where not expected."},
		{`{"logEvents":[null]}`, "NULL_VALUE can not be converted to a structure"},
		{`{"logEvents":[{"timestamp":"1"}]}`, "STRING_VALUE can not be converted to a Long"},
		{`{"logEvents":[{"timestamp":1.5}]}`, "NUMBER_VALUE can not be converted to a Long"},
		{`{"logEvents":[{"timestamp":9223372036854775808}]}`, "NUMBER_VALUE can not be converted to a Long"},
		{`{"a":` + deep + `}`, "Could not parse request body into json: expected at most 128 levels at byte 133"},
		{many, "Could not parse request body into json: expected at most 250000 elements at byte 750011"},
	} {
		name := c.body[:min(len(c.body), 40)]
		_, err := decode(codec, request("Logs_20140328.PutLogEvents", c.body))
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok {
			t.Errorf("%s: got %v, want an *awserr.Error", name, err)
			continue
		}
		if e.Code != "SerializationException" || e.Status != 400 || e.Message != c.want {
			t.Errorf("%s: got %d %v, want %s", name, e.Status, e, c.want)
		}
	}
}

func TestUnknownOperation(t *testing.T) {
	codec := json.New(logsapi.API(), json.Version11)
	get := request("Logs_20140328.PutLogEvents", "{}")
	get.HTTP.Method = http.MethodGet
	for _, r := range []*protocol.Request{
		request("", "{}"), request("Logs_20140328.Nothing", "{}"), request("Other.PutLogEvents", "{}"), request("PutLogEvents", "{}"), get,
	} {
		_, err := codec.Operation(r)
		if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != "UnknownOperationException" || e.Status != 400 {
			t.Errorf("%s %s: got %v", r.HTTP.Method, r.HTTP.Header.Get("X-Amz-Target"), err)
		}
	}
}

func TestEncode(t *testing.T) {
	codec := json.New(logsapi.API(), json.Version11)
	for _, c := range []struct {
		op   string
		out  any
		want string
	}{
		{"CreateLogGroup", &cloudwatchlogs.CreateLogGroupOutput{}, ``},
		{"DeleteQueryDefinition", &cloudwatchlogs.DeleteQueryDefinitionOutput{}, `{"success":false}`},
		{"DescribeLogGroups", &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}, `{"logGroups":[]}`},
		{"GetQueryResults", &cloudwatchlogs.GetQueryResultsOutput{
			Status: "<&>\u2028\"\x01", Statistics: &types.QueryStatistics{RecordsMatched: math.NaN(), BytesScanned: 1.5},
		}, `{"statistics":{"bytesScanned":1.5,"estimatedBytesSkipped":0,"estimatedRecordsSkipped":0,"logGroupsScanned":0,` +
			`"recordsMatched":"NaN","recordsScanned":0,"resultCount":0},"status":"<&>\u2028\"\u0001"}`},
	} {
		w := httptest.NewRecorder()
		op, err := codec.Operation(request("Logs_20140328."+c.op, ""))
		if err != nil {
			t.Fatal(err)
		}
		if err := codec.Encode(w, op, c.out, protocoltest.RequestID); err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.op, got, c.want)
		}
		if got := w.Header().Get("x-amzn-RequestId"); got != protocoltest.RequestID {
			t.Errorf("%s: got request id %q", c.op, got)
		}
	}
}

// FuzzUnmarshal compares with encoding/json, which must accept all that is accepted, and looks for panics.
func FuzzUnmarshal(f *testing.F) {
	for _, r := range service().Snapshots(f) {
		f.Add(r.Body)
	}
	var shapes []*json.Struct
	var outputs []reflect.Type
	compile := json.NewShapes(logsapi.API().Unions)
	for _, op := range logsapi.API().Operations {
		s, err := compile.Struct(op.Input, json.Schema(op.Input), nil)
		if err != nil {
			f.Fatal(err)
		}
		shapes, outputs = append(shapes, s), append(outputs, op.Input)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for i, s := range shapes {
			v := reflect.New(outputs[i]).Elem()
			if s.Unmarshal(data, v) != nil {
				continue
			}
			if !stdjson.Valid(data) {
				t.Errorf("%v: accepted, but not JSON: %q", outputs[i], data)
			}
			text, err := s.Append(nil, v)
			if err != nil || !stdjson.Valid(text) {
				t.Errorf("%v: written as %s: %v", outputs[i], text, err)
			}
			again := reflect.New(outputs[i]).Elem()
			if err := s.Unmarshal(text, again); err != nil {
				t.Errorf("%v: cannot be read again: %v: %s", outputs[i], err, text)
			}
		}
	})
}
