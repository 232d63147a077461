package query_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/protocol/query"
	"github.com/licet/licet/internal/services/iam/iamapi"
	"github.com/licet/licet/internal/services/sqs/sqsapi"
	"github.com/licet/licet/internal/services/sts/stsapi"
)

const (
	iamVersion = "&Version=2010-05-08"
	stsVersion = "&Version=2011-06-15"
)

func post(body string) *protocol.Request {
	return &protocol.Request{HTTP: httptest.NewRequest(http.MethodPost, "/", nil), Body: []byte(body)}
}

func get(query string) *protocol.Request {
	return &protocol.Request{HTTP: httptest.NewRequest(http.MethodGet, "/?"+query, nil)}
}

func decode(codec *query.Codec, r *protocol.Request) (any, error) {
	op, err := codec.Operation(r)
	if err != nil {
		return nil, err
	}
	return codec.Decode(r, op)
}

func TestDecode(t *testing.T) {
	iamCodec, stsCodec := query.New(iamapi.API()), query.New(stsapi.API())
	ignore := cmpopts.IgnoreUnexported(
		iam.CreateRoleInput{}, iam.ListPoliciesInput{}, types.Tag{}, iam.CreateLoginProfileInput{}, iam.AcquireRoleInput{},
		types.ReplacementValueEntry{}, sts.AssumeRoleInput{}, ststypes.PolicyDescriptorType{}, sts.GetCallerIdentityInput{},
		iam.SimulatePrincipalPolicyInput{}, types.PolicyIdentifierMemberPolicyArn{},
	)
	for _, c := range []struct {
		codec *query.Codec
		r     *protocol.Request
		want  any
	}{
		{stsCodec, get("Action=GetCallerIdentity" + stsVersion), &sts.GetCallerIdentityInput{}},
		{stsCodec, post("Action=AssumeRole&RoleArn=a+b%2Bc&PolicyArns.member.1.arn=p&DurationSeconds=900&Unknown.member.x=1" + stsVersion), &sts.AssumeRoleInput{
			RoleArn: aws.String("a b+c"), DurationSeconds: aws.Int32(900), PolicyArns: []ststypes.PolicyDescriptorType{{Arn: aws.String("p")}},
		}},
		{iamCodec, post("Action=CreateRole&RoleName=&Tags.member.10.Key=b&Tags.member.2.Key=a&Tags.member.2.Value=" + iamVersion), &iam.CreateRoleInput{
			RoleName: aws.String(""), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("")}, {Key: aws.String("b")}},
		}},
		{iamCodec, post("Action=CreateRole&Tags=&RoleName=a&RoleName=b" + iamVersion), &iam.CreateRoleInput{RoleName: aws.String("a"), Tags: []types.Tag{}}},
		{iamCodec, post("Action=ListPolicies&OnlyAttached=1&Scope=Local&MaxItems=5" + iamVersion), &iam.ListPoliciesInput{
			OnlyAttached: true, Scope: types.PolicyScopeTypeLocal, MaxItems: aws.Int32(5),
		}},
		{iamCodec, post("Action=AcquireRole&ReplacementValues.entry.1.key=k&ReplacementValues.entry.1.value.Values.member.1=v" + iamVersion), &iam.AcquireRoleInput{
			ReplacementValues: map[string]types.ReplacementValueEntry{"k": {Values: []string{"v"}}},
		}},
		{iamCodec, post("Action=SimulatePrincipalPolicy&PolicyExclusionList.member.1.PolicyArn=a" + iamVersion), &iam.SimulatePrincipalPolicyInput{
			PolicyExclusionList: []types.PolicyIdentifier{&types.PolicyIdentifierMemberPolicyArn{Value: "a"}},
		}},
	} {
		got, err := decode(c.codec, c.r)
		if err != nil {
			t.Errorf("%s%s: %v", c.r.HTTP.URL.RawQuery, c.r.Body, err)
			continue
		}
		if diff := cmp.Diff(got, c.want, ignore); diff != "" {
			t.Errorf("%s%s (-got +want):\n%s", c.r.HTTP.URL.RawQuery, c.r.Body, diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	codec := query.New(iamapi.API())
	for _, c := range []struct{ body, code, message string }{
		{"", "MissingAction", "The request is missing an action or a required parameter."},
		{"Action=", "MissingAction", "The request is missing an action or a required parameter."},
		{"Action=Nothing" + iamVersion, "InvalidAction", "Could not find operation Nothing for version 2010-05-08"},
		{"Action=ListUsers", "InvalidAction", "Could not find operation ListUsers for version "},
		{"Action=ListUsers&Version=2011-06-15", "InvalidAction", "Could not find operation ListUsers for version 2011-06-15"},
		{"Action=%zz", "MalformedInput", `invalid URL escape "%zz"`},
		{"Action=ListUsers;a" + iamVersion, "MalformedInput", "invalid semicolon separator in query"},
		{"Action=ListUsers&MaxItems=x" + iamVersion, "MalformedInput", "integer must follow xsd1.1 definition"},
		{"Action=ListUsers&MaxItems=" + iamVersion, "MalformedInput", "integer must follow xsd1.1 definition"},
		{"Action=ListPolicies&OnlyAttached=yes" + iamVersion, "MalformedInput", "boolean must follow xsd1.1 definition"},
		{"Action=CreateRole&Tags.member.x.Key=a" + iamVersion, "MalformedInput", "x is not a valid index."},
		{"Action=CreateRole&Tags.member.0.Key=a" + iamVersion, "MalformedInput", "0 is not a valid index."},
		{"Action=CreateRole&Tags.member.01.Key=a" + iamVersion, "MalformedInput", "01 is not a valid index."},
		{"Action=CreateRole&Tags.member.99999999999999999999.Key=a" + iamVersion, "MalformedInput", "99999999999999999999 is not a valid index."},
		{"Action=AcquireRole&ReplacementValues.entry.1.key=k" + iamVersion, "MalformedInput", "Map entries must have a key and a value."},
		{"Action=SimulatePrincipalPolicy&PolicyExclusionList.member.1.X=a" + iamVersion, "MalformedInput", "A union has no member X."},
		{"Action=SimulatePrincipalPolicy&PolicyExclusionList.member.1=a" + iamVersion, "MalformedInput", "A union takes one member."},
		{"Action=ListUsers" + iamVersion + strings.Repeat("&a=b", 10_000), "MalformedInput", "too many parameters"},
		{"Action=ListUsers" + iamVersion + "&a=" + strings.Repeat("a", 1<<20), "MalformedInput", "too long a body"},
		{"a=" + strings.Repeat("a", 1<<20), "MalformedInput", "too long a body"},
		{"Action=ListUsers&Action=CreateSAMLProvider" + iamVersion + "&a=" + strings.Repeat("a", 1<<20), "MalformedInput", "too long a body"},
		{"Action=CreateSAMLProvider" + iamVersion + "&a=" + strings.Repeat("a", 32<<20), "MalformedInput", "too long a body"},
		{"Action=ListUsers" + iamVersion + "&a" + strings.Repeat(".a", 100), "MalformedInput", "too many parts in the name of a parameter"},
	} {
		name := c.body[:min(len(c.body), 80)]
		_, err := decode(codec, post(c.body))
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok || e.Code != c.code || e.Message != c.message || e.Status != http.StatusBadRequest {
			t.Errorf("%s: got %v, want %s: %s", name, err, c.code, c.message)
		}
	}
}

func encode(t *testing.T, name string, out any) string {
	t.Helper()
	codec := query.New(iamapi.API())
	op, err := codec.Operation(post("Action=" + name + iamVersion))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := codec.Encode(w, op, out, protocoltest.RequestID); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/xml" || w.Header().Get("x-amzn-RequestId") != protocoltest.RequestID {
		t.Errorf("%s: got %d %v", name, w.Code, w.Header())
	}
	return w.Body.String()
}

func TestEncode(t *testing.T) {
	const (
		head = `Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">`
		meta = "<ResponseMetadata><RequestId>" + protocoltest.RequestID + "</RequestId></ResponseMetadata>"
	)
	for _, c := range []struct {
		op   string
		out  any
		want string
	}{
		{"DeleteRole", &iam.DeleteRoleOutput{}, ""},
		{"UpdateRole", &iam.UpdateRoleOutput{}, "<UpdateRoleResult></UpdateRoleResult>"},
		{"ListUsers", &iam.ListUsersOutput{Users: []types.User{}}, "<ListUsersResult><Users></Users><IsTruncated>false</IsTruncated></ListUsersResult>"},
		{"GetRolePolicy", &iam.GetRolePolicyOutput{PolicyDocument: aws.String(`<a>&"`), PolicyName: aws.String(""), RoleName: aws.String("r\x00")},
			"<GetRolePolicyResult><PolicyDocument>&lt;a&gt;&amp;&#34;</PolicyDocument><PolicyName></PolicyName><RoleName>r\uFFFD</RoleName></GetRolePolicyResult>"},
		{"GetAccountSummary", &iam.GetAccountSummaryOutput{SummaryMap: map[string]int32{"b": 2, "a": 1}},
			"<GetAccountSummaryResult><SummaryMap><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></SummaryMap></GetAccountSummaryResult>"},
	} {
		want := "<" + c.op + head + c.want + meta + "</" + c.op + "Response>\n"
		if got := encode(t, c.op, c.out); got != want {
			t.Errorf("%s: got %s, want %s", c.op, got, want)
		}
	}
}

func TestEncodeError(t *testing.T) {
	w := httptest.NewRecorder()
	query.New(iamapi.API()).EncodeError(w, &awserr.Error{
		Code: "NoSuchEntity", Status: http.StatusNotFound, Message: "<no>", Members: map[string]string{"Reason": "r"},
	}, protocoltest.RequestID)
	want := `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>` +
		"<Message>&lt;no&gt;</Message><Reason>r</Reason></Error><RequestId>" + protocoltest.RequestID + "</RequestId></ErrorResponse>\n"
	if got := w.Body.String(); got != want || w.Code != http.StatusNotFound {
		t.Errorf("got %d %s, want %s", w.Code, got, want)
	}
}

// TestErrors checks that the SDK makes its own error types of the codes of AWS's wire.
func TestErrors(t *testing.T) {
	s := services()["iam"]
	for code, want := range map[string]smithy.APIError{
		"NoSuchEntity":            &types.NoSuchEntityException{Message: aws.String("m")},
		"EntityAlreadyExists":     &types.EntityAlreadyExistsException{Message: aws.String("m")},
		"DeleteConflict":          &types.DeleteConflictException{Message: aws.String("m")},
		"MalformedPolicyDocument": &types.MalformedPolicyDocumentException{Message: aws.String("m")},
		"AccessDenied":            &smithy.GenericAPIError{Code: "AccessDenied", Message: "m"},
	} {
		op := "CreatePolicyVersion"
		if code == "EntityAlreadyExists" {
			op = "CreateRole"
		}
		if code == "DeleteConflict" {
			op = "DeleteRole"
		}
		in, err := decode(query.New(iamapi.API()), s.Snapshots(t)[op])
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.Codec.EncodeError(w, awserr.New(code, http.StatusBadRequest, "m"), protocoltest.RequestID)
		_, err = s.Call(op, in, func(*http.Request) (*http.Response, error) { return w.Result(), nil })
		got, ok := errors.AsType[smithy.APIError](err)
		if !ok || reflect.TypeOf(got) != reflect.TypeOf(want) || got.ErrorMessage() != "m" {
			t.Errorf("%s: got %T %v, want %T", code, got, err, want)
		}
	}
}

// Metadata of SAML providers may be longer than all that other operations take.
func TestLongMetadata(t *testing.T) {
	metadata := strings.Repeat("<", 10_000_000)
	values := url.Values{"Action": {"CreateSAMLProvider"}, "Version": {"2010-05-08"}, "Name": {"x"}, "SAMLMetadataDocument": {metadata}}
	in, err := decode(query.New(iamapi.API()), post(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if got := in.(*iam.CreateSAMLProviderInput).SAMLMetadataDocument; got == nil || *got != metadata {
		t.Error("got other metadata")
	}
}

// FuzzDecode looks for requests that panic, for errors that are not the client's, and for answers that are not XML.
func FuzzDecode(f *testing.F) {
	for _, s := range services() {
		for _, r := range s.Snapshots(f) {
			f.Add(string(r.Body))
		}
	}
	f.Add("Action=SendMessageBatch&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=s" +
		"&Attribute.1.Name=a&Attribute.1.Value=b&TagKey.1=c&TagKey.x=d" + sqsVersion)
	codecs := []*query.Codec{query.New(iamapi.API()), query.New(stsapi.API()), query.New(sqsapi.API())}
	f.Fuzz(func(t *testing.T, body string) {
		for _, codec := range codecs {
			r := &protocol.Request{HTTP: &http.Request{Method: http.MethodPost, URL: &url.URL{}}, Body: []byte(body)}
			_, err := decode(codec, r)
			e, ok := errors.AsType[*awserr.Error](err)
			if err == nil {
				continue
			}
			if !ok || !e.Sender() {
				t.Errorf("got %v", err)
			}
			w := httptest.NewRecorder()
			codec.EncodeError(w, e, protocoltest.RequestID)
			for d := xml.NewDecoder(w.Body); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("no XML: %v", err)
				}
			}
		}
	})
}
