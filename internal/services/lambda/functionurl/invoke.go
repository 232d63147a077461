package functionurl

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/functionurl/payload"
	"github.com/licet/licet/internal/services/lambda/stream"
)

// Requests to URLs are a service of their own behind the door, for nothing of them is as in Lambda's API but what signs them.
const (
	// ServiceName is the name of the service of requests.
	ServiceName = "lambda-url"

	invokeOperation    = "InvokeFunctionUrl" // CloudTrail's name of them (urls-monitoring)
	preflightOperation = "PreflightFunctionUrl"
)

// The permissions that a request takes: both (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html).
const (
	invokeURLAction = "lambda:InvokeFunctionUrl"
	invokeAction    = "lambda:InvokeFunction"
	viaURLKey       = "lambda:InvokedViaFunctionUrl"
)

// maxBody is the longest payload of an invocation, in bytes; an event has more than the body
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxBody = 6_291_456

// Request is an HTTP request to a URL. Only the codec makes one.
type Request struct {
	url  *location
	at   address
	http *http.Request
	body []byte
}

// Response is the answer to a request.
type Response struct {
	payload.Answer
	// headers of the URL, which go over those of a streamed response.
	cors  *types.Cors
	added http.Header
	trace string
	// arrived is when the request came.
	arrived time.Time
	// pipe is that of a streamed response; nil for others.
	pipe *stream.Pipe
}

// Requests joins the operations on URLs with their wire form. errors writes those errors that are as in Lambda's API.
func (s *Service) Requests(errors protocol.Codec) service.Service {
	c := newCodec(s, errors)
	return service.Service{API: c.api, Codec: c, Denial: func(string) error { return forbidden() }, Operations: []service.Operation{
		service.Public(service.OpBy(invokeOperation, s.invokeNeeds, s.invoke), admit),
		service.Public(service.Exempt(preflightOperation, invokeURLAction,
			"AWS answers preflights of browsers, which sign nothing, as the URL's CORS configuration says; no function runs", s.preflight), admitPreflight),
	}}
}

// forbidden is what denied clients are told, whatever the reason (lambda.md 1.8).
func forbidden() *awserr.Error {
	return fault.AccessDenied("Forbidden. For troubleshooting Function URL authorization issues, see: " +
		"https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")
}

// unknown is recorded from AWS (LocalStack, test_lambda_url_non_existing_url). The header is ours, for the body says nothing.
func unknown(id string) error {
	e := fault.AccessDenied("")
	e.Headers = map[string]string{"X-Licet-Detail": "There is no function URL " + clip(id, 64) + " here."}
	return e
}

// clip is the beginning of a text as a header can have it.
func clip(text string, most int) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text[:min(len(text), most)])
}

// admit lets nobody in by a URL that wants signatures who does not sign. An anonymous call is in the log of the function's account.
func admit(_ context.Context, c *service.Call, in *Request) error {
	if in.url.AuthType != types.FunctionUrlAuthTypeNone {
		return withHeaders(forbidden(), shared(in.url.Cors, in.http))
	}
	c.Account = in.url.function.Account
	return nil
}

// admitPreflight lets browsers in: they sign nothing before they know that they may.
func admitPreflight(_ context.Context, c *service.Call, in *Request) error {
	c.Account = in.url.function.Account
	return nil
}

func (s *Service) invokeNeeds(ctx context.Context, c *service.Call, in *Request) ([]service.Need, error) {
	denied := func(authz.Decision) error { return withHeaders(forbidden(), shared(in.url.Cors, in.http)) }
	first, err := s.target(ctx, c, invokeURLAction, in.url.function, in.url.AuthType)
	if err != nil {
		return nil, err
	}
	second, err := s.functions.Target(ctx, c, invokeAction, in.url.function)
	if err != nil {
		return nil, err
	}
	second = second.With(func(keys *authz.Context) { keys.SetBool(viaURLKey, true) })
	return []service.Need{
		{Action: invokeURLAction, Target: first, Denied: denied}, {Action: invokeAction, Target: second, Denied: denied},
	}, nil
}

// invoke runs the function as Invoke does.
func (s *Service) invoke(ctx context.Context, c *service.Call, in *Request) (*Response, error) {
	configured := shared(in.url.Cors, in.http)
	r, err := s.run(ctx, c, in)
	if err != nil {
		return nil, withHeaders(err, configured)
	}
	r.cors, r.added, r.arrived = in.url.Cors, configured, c.Time
	if r.pipe == nil {
		override(r.Header, r.cors, r.added)
	}
	return r, nil
}

func (s *Service) run(ctx context.Context, c *service.Call, in *Request) (*Response, error) {
	if len(in.body) > maxBody { // its event could be six times as long, and be refused then
		return nil, fault.EntityTooLarge("Request must be smaller than %d bytes for the InvokeFunction operation", maxBody)
	}
	traced := *c
	traced.TraceID = s.runner.Trace(c)
	event, err := s.event(ctx, &traced, in)
	if err != nil {
		return nil, err
	}
	r := &Response{trace: traced.TraceID}
	if in.url.InvokeMode == types.InvokeModeResponseStream {
		r.pipe, err = s.runner.Stream(ctx, &traced, in.url.function, event)
		return r, notRun(err)
	}
	result, err := s.runner.Run(ctx, &traced, in.url.function, event)
	if err != nil {
		return nil, notRun(err)
	}
	if result.FunctionError != "" {
		return nil, failed(result)
	}
	if r.Answer, err = payload.Parse(result.Payload); err != nil {
		return nil, badGateway(err.Error())
	}
	return r, nil
}

// event makes the event of a request.
func (s *Service) event(ctx context.Context, c *service.Call, in *Request) ([]byte, error) {
	domain := in.at.domain
	if domain == "" {
		domain = in.url.ID + ".lambda-url." + in.url.function.Region + ".localhost"
	}
	r := payload.Request{
		HTTP: in.http, Path: in.at.path, Body: in.body, ID: in.url.ID, Domain: domain, RequestID: c.RequestID, Time: c.Time,
		TraceID: c.TraceID, Account: in.url.function.Account,
	}
	if c.SourceIP.IsValid() {
		r.SourceIP = c.SourceIP.String()
	}
	if in.url.AuthType == types.FunctionUrlAuthTypeAwsIam {
		id := c.Caller.UserID()
		r.Caller = &payload.Caller{
			AccessKey: c.Caller.AccessKeyID, AccountID: c.Caller.Account, CallerID: id, UserID: id, UserARN: c.Caller.ARN,
		}
		org, err := s.organization(ctx, c.Caller.Account)
		if err != nil {
			return nil, err
		}
		if org != "" {
			r.Caller.PrincipalOrgID = &org
		}
	}
	return r.Event()
}

// preflight answers a browser that asks whether it may make a request.
func (s *Service) preflight(_ context.Context, c *service.Call, in *Request) (*Response, error) {
	h := preflight(in.url.Cors, in.http)
	h.Set("Content-Type", "application/json") // recorded, although there is nothing
	return &Response{Answer: payload.Answer{Status: http.StatusOK, Header: h}, arrived: c.Time}, nil
}

// badAnswer is the code of the error of functions that fail, or answer what is no HTTP response. AWS tells clients nothing of it (recorded:
// LocalStack, test_lambda_url_invocation_exception); the detail is in the decision log.
const badAnswer = "InternalServerError"

// failed is the answer for a function that failed.
func failed(r execution.Result) *awserr.Error {
	return badGateway("the function failed: " + strings.ToValidUTF8(string(r.Payload[:min(len(r.Payload), 1024)]), "\uFFFD"))
}

func badGateway(detail string) *awserr.Error {
	e := fault.New(badAnswer, http.StatusBadGateway, "Internal Server Error")
	e.Detail = detail
	return e
}

// notRun gives errors by which a function did not run their status. What is wrong with the function itself is not for the clients of a URL.
func notRun(err error) error {
	e, ok := errors.AsType[*awserr.Error](err)
	switch {
	case !ok, e.Status == http.StatusTooManyRequests, e.Status == http.StatusRequestEntityTooLarge, e.Code == "RecursiveInvocationException":
		return err
	case e.Status >= http.StatusInternalServerError && e.Status != http.StatusBadGateway: // the server's own
		return err
	}
	bad := badGateway(e.Code + ": " + e.Message)
	bad.Cause = e
	return bad
}

// withHeaders adds headers to an error that is for the client.
func withHeaders(err error, h http.Header) error {
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok || len(h) == 0 {
		return err
	}
	with := *e
	with.Headers = maps.Clone(e.Headers)
	if with.Headers == nil {
		with.Headers = map[string]string{}
	}
	for name := range h {
		with.Headers[name] = h.Get(name)
	}
	return &with
}
