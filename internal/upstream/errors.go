package upstream

import (
	"net/http"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/protocol/query"
	"github.com/licet/licet/internal/protocol/xmlwire"
)

// accessDenied is the code of a denial in the JSON protocols. Others have their own.
const accessDenied = "AccessDeniedException"

// EncodeError answers with an error in the form of the request.
func (w *wire) EncodeError(to http.ResponseWriter, err *awserr.Error, requestID string) {
	e := *err
	switch w.form {
	case json10, json11:
		w.encodeJSON(to, &e, requestID)
	case cborForm:
		w.encodeCBOR(to, &e, requestID)
	case ec2:
		w.encodeEC2(to, &e, requestID)
	case restJSON:
		setHeaders(to, &e)
		to.Header().Set("X-Amzn-Errortype", e.Code)
		protocol.Answer(to, e.Status, "application/json", json.NewErrors(nil).Body(&e, nil), requestID)
	default: // REST services that speak XML have the same form (https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html)
		if e.Code == accessDenied {
			e.Code, e.Message = w.queryDenial(e.Message)
		}
		query.New(&protocol.API{Namespace: w.namespace()}).EncodeError(to, &e, requestID)
	}
}

func setHeaders(to http.ResponseWriter, e *awserr.Error) {
	for k, v := range e.Headers {
		to.Header().Set(k, v)
	}
}

// encodeJSON answers with status 400 where the client is at fault, as all services with these protocols do, and in version 1.0 with the
// name space of what no service models, as DynamoDB and Step Functions are seen to.
func (w *wire) encodeJSON(to http.ResponseWriter, e *awserr.Error, requestID string) {
	if e.Code == accessDenied {
		e.Status = http.StatusBadRequest
	}
	name := e.Code
	if w.form == json10 {
		name = "com.amazon.coral.service#" + name
	}
	setHeaders(to, e)
	to.Header().Set("X-Amzn-Errortype", e.Code)
	protocol.Answer(to, e.Status, string(w.form), json.NewErrors(nil).Body(e, map[string]string{"__type": name}), requestID)
}

// encodeCBOR: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html#operation-error-serialization
func (w *wire) encodeCBOR(to http.ResponseWriter, e *awserr.Error, requestID string) {
	if e.Code == accessDenied {
		e.Status = http.StatusBadRequest
	}
	setHeaders(to, e)
	to.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	body := cbor.Encode(cbor.Map{"__type": cbor.String("com.amazon.coral.service#" + e.Code), "message": cbor.String(e.Message)})
	protocol.Answer(to, e.Status, string(cborForm), body, requestID)
}

// encodeEC2: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-error-codes.html, and for a denial
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security_iam_troubleshoot.html
func (w *wire) encodeEC2(to http.ResponseWriter, e *awserr.Error, requestID string) {
	if e.Code == accessDenied {
		e.Code, e.Message = "UnauthorizedOperation", "You are not authorized to perform this operation. "+e.Message
	}
	setHeaders(to, e)
	b := []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<Response><Errors><Error>")
	b = xmlwire.AppendElement(b, "Code", e.Code)
	b = xmlwire.AppendElement(b, "Message", e.Message)
	b = append(b, "</Error></Errors>"...)
	b = xmlwire.AppendElement(b, "RequestID", requestID)
	b = append(b, "</Response>"...)
	protocol.Answer(to, e.Status, "text/xml", b, requestID)
}

// queryDenial is the code of a denial, and its text. SNS has a code of its own, and names its actions in upper case
// (https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html; the text is as clients report it).
func (w *wire) queryDenial(message string) (code, text string) {
	if w.remote.signingName != "sns" {
		return "AccessDenied", message
	}
	return "AuthorizationError", strings.NewReplacer("perform: sns:", "perform: SNS:", "allows the sns:", "allows the SNS:").Replace(message)
}

// namespace is that of the service's answers in XML.
func (w *wire) namespace() string {
	for _, m := range w.remote.models {
		if m.Protocol == awsdata.Protocol(w.form) && m.Namespace != "" {
			return m.Namespace
		}
	}
	return ""
}

// notConfigured answers a call that is permitted and has nowhere to go.
func notConfigured(call string, name string) *awserr.Error {
	return awserr.New("NotImplemented", http.StatusNotImplemented,
		"licet does not have the service %s. The call was permitted: %s. To pass permitted calls on to a server that has it, start licet with "+
			"--upstream %s=http://HOST:PORT", name, call, name)
}
