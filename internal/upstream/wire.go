package upstream

import (
	"cmp"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
)

// form is how a request is written, and so its answer.
type form string

const (
	json10    form = "application/x-amz-json-1.0"
	json11    form = "application/x-amz-json-1.1"
	cborForm  form = "application/cbor"
	queryForm form = "query"
	ec2       form = "ec2"
	restJSON  form = "rest-json"
	restXML   form = "rest-xml"
)

// chooser is the codec of a service. It stands for that of the first of the service's APIs.
type chooser struct{ remote *remote }

var _ protocol.Chooser = (*chooser)(nil)

// Choose finds the form that a request is written in by what its head says, as AWS's clients write it.
func (c *chooser) Choose(r *http.Request) protocol.Codec {
	return &wire{remote: c.remote, form: c.form(r)}
}

func (c *chooser) form(r *http.Request) form {
	contentType := mediaType(r)
	switch {
	case c.remote.isREST():
		return c.rest()
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		return cborForm
	case r.Header.Get("X-Amz-Target") != "":
		if contentType == string(json10) {
			return json10
		}
		return json11
	case contentType == formType, r.URL.Query().Get("Action") != "":
		if c.remote.has(awsdata.EC2) {
			return ec2
		}
		return queryForm
	}
	return c.rest()
}

// formType is the media type of a body with parameters.
const formType = "application/x-www-form-urlencoded"

// mediaType is that of a request's body; "" for none, or one that cannot be read.
func mediaType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// rest is the form of a request that nothing but its method and path tells.
func (c *chooser) rest() form {
	for _, p := range []awsdata.Protocol{awsdata.RESTJSON, awsdata.RESTXML} {
		if c.remote.has(p) {
			return form(p)
		}
	}
	return c.first()
}

// first is the form of an answer to a request that says nothing of its own.
func (c *chooser) first() form {
	if len(c.remote.models) == 0 {
		return restJSON
	}
	m := c.remote.models[0]
	if m.Protocol == awsdata.JSON {
		return form("application/x-amz-json-" + cmp.Or(m.JSONVersion, "1.1"))
	}
	return form(m.Protocol)
}

func (r *remote) has(p awsdata.Protocol) bool {
	for _, m := range r.models {
		if m.Protocol == p {
			return true
		}
	}
	return false
}

// isREST tells that all APIs of the service are told by method and path.
func (r *remote) isREST() bool {
	return len(r.models) > 0 && !r.has(awsdata.Query) && !r.has(awsdata.EC2) && !r.has(awsdata.JSON)
}

// takes tells whether a name of an API, as it stands before the dot of X-Amz-Target and in the paths of Smithy RPC, is the service's. By that
// of another a server with many services could be made to do what was not judged.
func (r *remote) takes(target string) bool {
	for _, m := range r.models {
		if m.TargetPrefix != "" && m.TargetPrefix == target {
			return true
		}
	}
	switch {
	case r.signingName == "monitoring": // whose model was of the query protocol alone
		return target == "GraniteServiceVersion20100801"
	case len(r.models) == 0: // newer than the models
		return !r.knownTargets()[target]
	}
	return false
}

func (c *chooser) Operation(r *protocol.Request) (*protocol.Operation, error) {
	return c.Choose(r.HTTP).Operation(r)
}

func (c *chooser) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	return c.Choose(r.HTTP).Decode(r, op)
}

func (c *chooser) Encode(w http.ResponseWriter, op *protocol.Operation, out any, requestID string) error {
	return (&wire{remote: c.remote, form: c.first()}).Encode(w, op, out, requestID)
}

func (c *chooser) EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string) {
	(&wire{remote: c.remote, form: c.first()}).EncodeError(w, err, requestID)
}

// wire is the codec of a service's requests in one form.
type wire struct {
	remote *remote
	form   form
}

// operationName is what the names of AWS's operations are like. They become part of actions and of the decision log.
var operationName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,99}$`)

// Operation finds the operation. One that AWS's models do not have is taken by its name, where the request gives one: it is judged by an
// action of that name or, if there is none, denied.
func (w *wire) Operation(r *protocol.Request) (*protocol.Operation, error) {
	name, err := w.name(r)
	if err != nil {
		return nil, err
	}
	if !operationName.MatchString(name) {
		return nil, awserr.New("UnknownOperationException", http.StatusBadRequest, "The request names no operation.")
	}
	return &protocol.Operation{Name: name, Input: reflect.TypeFor[Input](), Output: reflect.TypeFor[answer]()}, nil
}

func (w *wire) name(r *protocol.Request) (string, error) {
	switch w.form {
	case json10, json11:
		targets := r.HTTP.Header.Values("X-Amz-Target")
		if len(targets) != 1 || r.HTTP.Method != http.MethodPost {
			return "", nil
		}
		target, name, _ := strings.Cut(targets[0], ".")
		if !w.remote.takes(target) {
			return "", nil
		}
		return name, nil
	case cborForm: // /service/GraniteServiceVersion20100801/operation/PutMetricData
		parts := split(r.HTTP.URL.EscapedPath())
		if n := len(parts); n == 4 && parts[0] == "service" && parts[2] == "operation" && r.HTTP.Method == http.MethodPost && w.remote.takes(parts[1]) {
			return parts[3], nil
		}
		return "", nil
	case queryForm, ec2:
		values, err := w.parameters(r)
		return values.Get("Action"), err
	}
	parameters, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return "", unreadable("%v", err)
	}
	route, _, ok := w.remote.find(r.HTTP.Method, r.HTTP.URL.EscapedPath(), parameters)
	if !ok {
		return "", awserr.New("NotImplemented", http.StatusNotImplemented,
			"licet knows no operation %s %s of %s, so that it cannot tell which permission it needs. It is not passed on.",
			r.HTTP.Method, r.HTTP.URL.Path, w.remote.signingName)
	}
	return route.operation, nil
}

// parameters reads those of a request of the query protocols, once.
func (w *wire) parameters(r *protocol.Request) (url.Values, error) {
	if r.Form != nil {
		return r.Form, nil
	}
	if len(r.Body) > 0 && (r.HTTP.Method != http.MethodPost || mediaType(r.HTTP) != formType) { // whether it counts, servers do not agree upon
		return nil, unreadable("the request has a body that is no form, or is not posted")
	}
	body, err := plainBody(r)
	if err != nil {
		return nil, err
	}
	if r.Form, err = readForm(r, body); err != nil {
		r.Form = nil
	}
	return r.Form, err
}

// Decode reads what tells whom and what the call is about.
func (w *wire) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	in := &Input{form: w.form, operation: op.Name, request: r, body: r.Body, whole: true}
	var err error
	switch w.form {
	case json10, json11:
		var body []byte
		if body, err = plainBody(r); err == nil {
			in.members, err = readJSON(body)
		}
	case cborForm:
		if in.body, err = plainBody(r); err == nil {
			in.members, in.body, err = readCBOR(in.body)
		}
	case queryForm, ec2:
		var values url.Values
		if values, err = w.parameters(r); err == nil {
			in.members, err = treeOf(values)
		}
	default:
		err = w.decodeREST(r, in)
	}
	if err != nil {
		return nil, err
	}
	return in, nil
}

// decodeREST reads labels, query and, where it is a document in JSON, the body. Labels count: no other part may name them.
func (w *wire) decodeREST(r *protocol.Request, in *Input) error {
	parameters, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return unreadable("%v", err)
	}
	route, labels, ok := w.remote.find(r.HTTP.Method, r.HTTP.URL.EscapedPath(), parameters)
	if !ok {
		return unreadable("the request names no operation")
	}
	in.members = map[string]any{}
	if isDocument := w.form == restJSON && !route.bound.Payload; len(r.Body) > 0 && isDocument {
		body, err := plainBody(r)
		if err == nil {
			in.members, err = readJSON(body)
		}
		if err != nil {
			return err
		}
	} else if len(r.Body) > 0 {
		in.whole = false
	}
	for name, values := range parameters {
		if strings.HasPrefix(name, "X-Amz-") {
			continue // of the signature
		}
		for of := range in.members {
			if strings.EqualFold(of, name) {
				return unreadable("%q is there twice", name)
			}
		}
		if len(values) == 1 {
			in.members[name] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		in.members[name] = list
	}
	for name, v := range labels {
		in.members[name] = v
	}
	return nil
}
