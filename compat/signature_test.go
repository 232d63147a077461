package compat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// protocol is a protocol with a call that everyone who authenticates may make, or is told why not.
type protocol struct {
	name, service, method, path, body string
	header                            map[string]string
	// read takes an error's code and text out of its response, in the protocol's own shape.
	read func(t *testing.T, r *http.Response, body []byte) (code, message string)
}

// protocols are one of each: query, restJson1 and awsJson1.1.
func protocols() []protocol {
	return []protocol{
		{
			"query", "sts", http.MethodPost, "/", "Action=GetCallerIdentity&Version=2011-06-15",
			map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, readQueryError,
		},
		{"restJson1", "lambda", http.MethodGet, "/2015-03-31/functions", "", nil, readRESTError},
		{
			"awsJson1.1", "logs", http.MethodPost, "/", `{"limit":1}`,
			map[string]string{"Content-Type": "application/x-amz-json-1.1",
				"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, readJSONError,
		},
	}
}

func readQueryError(t *testing.T, r *http.Response, body []byte) (code, message string) {
	t.Helper()
	var e struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   struct {
			Type, Code, Message string
		}
		RequestID string `xml:"RequestId"`
	}
	if err := xml.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if e.Error.Type != "Sender" || e.RequestID == "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/xml") {
		t.Errorf("got type %q, request id %q and content type %q", e.Error.Type, e.RequestID, r.Header.Get("Content-Type"))
	}
	return e.Error.Code, e.Error.Message
}

func readRESTError(t *testing.T, r *http.Response, body []byte) (code, message string) {
	t.Helper()
	var e struct{ Message string } // in either case
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if got, want := r.Header.Get("Content-Type"), "application/json"; got != want {
		t.Errorf("got content type %q, want %q", got, want)
	}
	return r.Header.Get("X-Amzn-Errortype"), e.Message
}

func readJSONError(t *testing.T, r *http.Response, body []byte) (code, message string) {
	t.Helper()
	var e struct {
		Type    string `json:"__type"`
		Message string
	}
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if got, want := r.Header.Get("Content-Type"), "application/x-amz-json-1.1"; got != want {
		t.Errorf("got content type %q, want %q", got, want)
	}
	return e.Type, e.Message
}

// attempt is a signed request in the making; a fault changes what is signed, or the request after it.
type attempt struct {
	caller          aws.Credentials
	service, region string
	time            time.Time
	// signed is the body that the signature is for.
	signed []byte
	// unsign, if set, changes the signed request.
	unsign func(*http.Request)
}

// send makes the call of a protocol with a fault and gives the response with its body.
func (p protocol) send(t *testing.T, a attempt) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), p.method, server.url+p.path, strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range p.header {
		req.Header.Set(k, v)
	}
	sum := sha256.Sum256(a.signed)
	err = v4.NewSigner().SignHTTP(t.Context(), a.caller, req, hex.EncodeToString(sum[:]), a.service, a.region, a.time)
	if err != nil {
		t.Fatal(err)
	}
	if a.unsign != nil {
		a.unsign(req)
	}
	return do(t, req)
}

func do(t *testing.T, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// refusal is how services answer a request that does not authenticate: code and status of the query protocol, code of the JSON
// protocols, which answer 403 (restJson1) or 400, and a pattern of the text.
type refusal struct {
	query  string
	status int
	json   string
	text   string
}

func mismatch(text string) refusal {
	return refusal{"SignatureDoesNotMatch", 403, "InvalidSignatureException", text}
}

// Texts of https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html and as clients report them.
const (
	textMismatch   = `^The request signature we calculated does not match the signature you provided\.`
	textUnknown    = `^The security token included in the request is invalid\.$`
	textNotSigned  = `^There were headers present in the request which were not signed: `
	textOld        = `^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - (5|15) min\.\)$`
	textYoung      = `^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ (5|15) min\.\)$`
	textRegion     = `^Credential should be scoped to a valid region\.`
	textIncomplete = `^Authorization header requires 'Credential' parameter\. `
)

func TestSignatureFaults(t *testing.T) {
	t.Parallel()
	unknown := refusal{"InvalidClientTokenId", 403, "UnrecognizedClientException", textUnknown}
	session := server.getSessionToken(t, server.newUser(t))
	deleted := server.sessionOfDeletedRole(t)
	inactive := server.inactiveKey(t)
	tests := []struct {
		name  string
		fault func(*attempt)
		want  refusal
	}{
		{"wrong secret", func(a *attempt) { a.caller.SecretAccessKey = "wrong" }, mismatch(textMismatch)},
		{"unknown key", func(a *attempt) { a.caller.AccessKeyID = "AKIAAAAAAAAAAAAAAAAA" }, unknown},
		{"inactive key", func(a *attempt) { a.caller = inactive }, unknown},
		{"session without its token", func(a *attempt) { a.caller = session; a.caller.SessionToken = "" }, unknown},
		{"token of another key", func(a *attempt) { a.caller.SessionToken = session.SessionToken }, unknown},
		{"changed token", func(a *attempt) { a.caller = session; a.caller.SessionToken = flip(session.SessionToken) }, unknown},
		{"token of a deleted role", func(a *attempt) { a.caller = deleted }, unknown},
		{"another body", func(a *attempt) { a.signed = []byte("something else") }, mismatch(textMismatch)},
		{"another query", func(a *attempt) {
			a.unsign = func(r *http.Request) { r.URL.RawQuery = "Marker=x" }
		}, mismatch(textMismatch)},
		{"another path", func(a *attempt) {
			a.unsign = func(r *http.Request) { r.URL.Path += "x" }
		}, mismatch(textMismatch)},
		{"another host", func(a *attempt) { a.unsign = func(r *http.Request) { r.Host = "lambda.us-east-1.amazonaws.com" } },
			mismatch(textMismatch)},
		{"20 minutes old", func(a *attempt) { a.time = a.time.Add(-20 * time.Minute) }, mismatch(textOld)},
		{"20 minutes ahead", func(a *attempt) { a.time = a.time.Add(20 * time.Minute) }, mismatch(textYoung)},
		{"wrong region", func(a *attempt) { a.region = "eu-west-1" }, mismatch(textRegion)},
		{"unsigned header", func(a *attempt) {
			a.unsign = func(r *http.Request) { r.Header.Set("X-Amz-Client-Context", "e30=") }
		}, mismatch(textNotSigned + `x-amz-client-context$`)},
		{"host is not signed", func(a *attempt) {
			a.unsign = func(r *http.Request) { edit(r, "SignedHeaders=", "host;", "") }
		}, mismatch(`^'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization\.$`)},
		{"signature of another length", func(a *attempt) {
			a.unsign = func(r *http.Request) { edit(r, "Signature=", "Signature=", "Signature=00") }
		}, mismatch(textMismatch)},
		{"signature in no hexadecimal", func(a *attempt) {
			a.unsign = func(r *http.Request) { edit(r, "Signature=", "Signature=", "Signature=zz") }
		}, mismatch(textMismatch)},
	}
	for _, tt := range tests {
		for _, p := range protocols() {
			t.Run(tt.name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				a := attempt{server.root, p.service, "us-east-1", time.Now(), []byte(p.body), nil}
				tt.fault(&a)
				resp, body := p.send(t, a)
				p.checkRefusal(t, resp, body, tt.want)
			})
		}
	}
}

// checkRefusal compares a response with the protocol's form of a refusal.
func (p protocol) checkRefusal(t *testing.T, resp *http.Response, body []byte, want refusal) {
	t.Helper()
	code, message := p.read(t, resp, body)
	status, wantCode := want.status, want.query
	switch p.name {
	case "restJson1":
		status, wantCode = 403, want.json
	case "awsJson1.1":
		status, wantCode = 400, want.json
	}
	if resp.StatusCode != status || code != wantCode {
		t.Errorf("got %d %s, want %d %s", resp.StatusCode, code, status, wantCode)
	}
	if !regexp.MustCompile(want.text).MatchString(message) {
		t.Errorf("got message %q, want one that matches %s", message, want.text)
	}
	if resp.Header.Get("X-Amzn-Requestid") == "" {
		t.Error("the response has no x-amzn-RequestId")
	}
}

// A request that says nothing of who signs it, or nothing readable, cannot be told by its credential scope; its target header,
// its form or its path says whose protocol answers.
func TestSignatureMissing(t *testing.T) {
	t.Parallel()
	missing := refusal{"MissingAuthenticationToken", 403, "MissingAuthenticationTokenException",
		`^(Request is m|M)issing Authentication Token$`}
	incomplete := refusal{"IncompleteSignature", 400, "IncompleteSignatureException", textIncomplete}
	tests := []struct {
		name          string
		authorization string
		want          refusal
	}{
		{"none", "", missing},
		{"another scheme", "Bearer abc", missing},
		{"empty", "AWS4-HMAC-SHA256 ", incomplete},
		{"no credential", "AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date, Signature=00", incomplete},
	}
	for _, tt := range tests {
		for _, p := range protocols() {
			t.Run(tt.name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				a := attempt{server.root, p.service, "us-east-1", time.Now(), []byte(p.body), func(r *http.Request) {
					r.Header.Del("Authorization")
					if tt.authorization != "" {
						r.Header.Set("Authorization", tt.authorization)
					}
				}}
				resp, body := p.send(t, a)
				p.checkRefusal(t, resp, body, tt.want)
			})
		}
	}
}

// The target header names the operation: it must be signed.
func TestSignatureCoversTarget(t *testing.T) {
	t.Parallel()
	p := protocols()[2]
	target := p.header["X-Amz-Target"]
	p.header = map[string]string{"Content-Type": p.header["Content-Type"]}
	resp, body := p.send(t, attempt{server.root, p.service, "us-east-1", time.Now(), []byte(p.body), func(r *http.Request) {
		r.Header.Set("X-Amz-Target", target)
	}})
	p.checkRefusal(t, resp, body, mismatch(textNotSigned+`x-amz-target$`))
}

// A signature for one service is not good for another's operation, nor one for a service that is not there.
func TestSignatureForAnotherService(t *testing.T) {
	t.Parallel()
	for _, p := range protocols() {
		for _, service := range []string{"sts", "lambda", "logs", "iam", "sqs"} {
			if service == p.service {
				continue
			}
			t.Run(p.name+" signed for "+service, func(t *testing.T) {
				t.Parallel()
				resp, body := p.send(t, attempt{server.root, service, "us-east-1", time.Now(), []byte(p.body), nil})
				if resp.StatusCode < 400 || resp.StatusCode >= 500 {
					t.Errorf("got %s %s, want a refusal", resp.Status, body)
				}
			})
		}
	}
}

// Clocks may differ by 15 minutes for STS and IAM, by 5 for other services.
func TestSignatureSkew(t *testing.T) {
	t.Parallel()
	for i, want := range []int{http.StatusOK, http.StatusForbidden, http.StatusBadRequest} {
		p := protocols()[i]
		resp, body := p.send(t, attempt{server.root, p.service, "us-east-1", time.Now().Add(-10 * time.Minute), []byte(p.body), nil})
		if resp.StatusCode != want {
			t.Errorf("%s, 10 minutes old: got %s %s, want %d", p.name, resp.Status, body, want)
		}
	}
}

// A key stops and starts working with the next request.
func TestAccessKeyStatus(t *testing.T) {
	t.Parallel()
	user, root := server.newUser(t), server.as(server.root)
	set := func(s iamtypes.StatusType) {
		t.Helper()
		_, err := root.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
			UserName: &user.name, AccessKeyId: &user.credentials.AccessKeyID, Status: s,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, s := range []iamtypes.StatusType{"Active", "Inactive", "Active"} {
		set(s)
		_, err := user.sts.GetCallerIdentity(t.Context(), nil)
		got = append(got, code(err))
	}
	if diff := cmp.Diff(got, []string{"no error", "InvalidClientTokenId", "no error"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// getSessionToken gives session credentials of a user.
func (l *licet) getSessionToken(t *testing.T, p person) aws.Credentials {
	t.Helper()
	out, err := p.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})
	if err != nil {
		t.Fatal(err)
	}
	return sessionCredentials(out.Credentials)
}

func (l *licet) sessionOfDeletedRole(t *testing.T) aws.Credentials {
	t.Helper()
	user := l.newUser(t)
	r := l.newRole(t, `{"AWS":"`+user.arn+`"}`)
	session := l.assume(t, user.clients, &sts.AssumeRoleInput{RoleArn: &r.arn})
	if _, err := session.sts.GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := l.as(l.root).iam.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &r.name}); err != nil {
		t.Fatal(err)
	}
	return session.credentials
}

func (l *licet) inactiveKey(t *testing.T) aws.Credentials {
	t.Helper()
	user := l.newUser(t)
	_, err := l.as(l.root).iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
		UserName: &user.name, AccessKeyId: &user.credentials.AccessKeyID, Status: iamtypes.StatusTypeInactive,
	})
	if err != nil {
		t.Fatal(err)
	}
	return user.credentials
}

// flip changes a character in the middle.
func flip(s string) string {
	b := []byte(s)
	if i := len(b) / 2; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

// edit changes the part of the Authorization header that begins with prefix.
func edit(r *http.Request, prefix, old, replacement string) {
	before, after, _ := strings.Cut(r.Header.Get("Authorization"), prefix)
	r.Header.Set("Authorization", before+strings.Replace(prefix+after, old, replacement, 1))
}
