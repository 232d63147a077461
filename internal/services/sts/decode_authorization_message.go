package sts

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

// Denial is a decision of the log that refused a call.
type Denial struct {
	// Account whose call it was.
	Account string
	Request authz.Request
	// Decision has its trace.
	Decision authz.Decision
}

// ErrNoDenial means that the decision log has no such denial, or has it no more.
var ErrNoDenial = errors.New("sts: no such denial")

// Denials reads the decision log.
type Denials interface {
	// Denial finds why a request was denied. The error wraps ErrNoDenial when it was not, or is not known any more.
	Denial(ctx context.Context, requestID string) (Denial, error)
}

const messagePurpose = "authorization-message"

// EncodeAuthorizationMessage makes the message about a denied request that DecodeAuthorizationMessage takes. It holds the request id only: what
// it stands for is in the decision log.
func EncodeAuthorizationMessage(k principal.Keyring, requestID string) (string, error) {
	sealed, err := k.Seal(messagePurpose, []byte(requestID))
	if err != nil {
		return "", fmt.Errorf("seal authorization message: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

func (s *Service) decodeAuthorizationMessage(
	ctx context.Context, c *service.Call, in *sdk.DecodeAuthorizationMessageInput,
) (*sdk.DecodeAuthorizationMessageOutput, error) {
	if in.EncodedMessage == nil {
		return nil, missingMember("encodedMessage")
	}
	if n := len(*in.EncodedMessage); n < 1 || n > 10240 {
		return nil, validationError("1 validation error detected: Value at 'encodedMessage' failed to satisfy constraint: " +
			"Member must have length between 1 and 10240, inclusive") // AWS's text is not known
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(*in.EncodedMessage)
	if err != nil || strings.ContainsAny(*in.EncodedMessage, "\r\n") {
		return nil, invalidAuthorizationMessage()
	}
	id, err := s.keyring.Open(messagePurpose, sealed)
	if err != nil {
		return nil, invalidAuthorizationMessage()
	}
	d, err := s.denials.Denial(ctx, string(id))
	if errors.Is(err, ErrNoDenial) || err == nil && d.Account != c.Account {
		return nil, invalidAuthorizationMessage()
	}
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(d.message())
	if err != nil {
		return nil, fmt.Errorf("encode decoded message: %w", err)
	}
	return &sdk.DecodeAuthorizationMessageOutput{DecodedMessage: aws.String(string(text))}, nil
}

// The decoded message, as examples of AWS have it.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
type (
	itemList[T any] struct {
		Items []T `json:"items"`
	}
	decodedValue struct {
		Value string `json:"value"`
	}
	decodedCondition struct {
		Key    string                 `json:"key"`
		Values itemList[decodedValue] `json:"values"`
	}
	decodedStatement struct {
		StatementID     string                     `json:"statementId"`
		Effect          string                     `json:"effect"`
		Principals      itemList[decodedValue]     `json:"principals"`
		PrincipalGroups itemList[decodedValue]     `json:"principalGroups"`
		Actions         itemList[decodedValue]     `json:"actions"`
		Resources       itemList[decodedValue]     `json:"resources"`
		Conditions      itemList[decodedCondition] `json:"conditions"`
	}
	decodedMessage struct {
		Allowed           bool                       `json:"allowed"`
		ExplicitDeny      bool                       `json:"explicitDeny"`
		MatchedStatements itemList[decodedStatement] `json:"matchedStatements"`
		Failures          itemList[decodedValue]     `json:"failures"`
		Context           struct {
			Principal struct {
				ID   string `json:"id"`
				Name string `json:"name,omitempty"`
				ARN  string `json:"arn"`
			} `json:"principal"`
			Action     string                     `json:"action"`
			Resource   string                     `json:"resource"`
			Conditions itemList[decodedCondition] `json:"conditions"`
		} `json:"context"`
	}
)

// message words a denial. Of a resource of another account it shows neither its policies nor what its account
// alone knows.
func (d *Denial) message() *decodedMessage {
	m := &decodedMessage{
		Allowed: d.Decision.Allowed, ExplicitDeny: d.Decision.Explicit,
		MatchedStatements: itemList[decodedStatement]{[]decodedStatement{}}, Failures: values(nil),
	}
	for _, t := range d.Decision.Types {
		if d.Decision.CrossAccount && (t.Type == authz.ResourceBasedPolicy || t.Type == authz.RoleTrustPolicy || t.Type == authz.ResourceControlPolicy) {
			continue
		}
		for _, p := range t.Policies {
			for _, st := range p.Statements {
				if st.Matched && p.Policy.Document != nil && st.Index < len(p.Policy.Document.Statements) {
					m.MatchedStatements.Items = append(m.MatchedStatements.Items, decodeStatement(&p.Policy.Document.Statements[st.Index]))
				}
			}
		}
	}
	caller := &d.Request.Principal
	m.Context.Principal.ID, m.Context.Principal.ARN = caller.ID, caller.ARN
	switch caller.Kind {
	case authz.AssumedRole:
		m.Context.Principal.ID += ":" + caller.SessionName
	case authz.User:
		m.Context.Principal.Name = caller.ARN[strings.LastIndex(caller.ARN, "/")+1:]
	}
	m.Context.Action, m.Context.Resource = d.Request.Action, d.Request.Resource
	m.Context.Conditions.Items = []decodedCondition{}
	for key, value := range d.Request.Context.All {
		if d.Decision.CrossAccount && service.OwnerKnows(key) {
			continue
		}
		m.Context.Conditions.Items = append(m.Context.Conditions.Items, decodedCondition{key, values(value.Values)})
	}
	slices.SortFunc(m.Context.Conditions.Items, func(a, b decodedCondition) int { return strings.Compare(a.Key, b.Key) })
	return m
}

func values(list []string) itemList[decodedValue] {
	items := make([]decodedValue, len(list))
	for i, v := range list {
		items[i].Value = v
	}
	return itemList[decodedValue]{items}
}

func decodeStatement(st *policy.Statement) decodedStatement {
	texts := func(list []policy.Text) (out []string) {
		for _, t := range list {
			out = append(out, t.Value)
		}
		return out
	}
	out := decodedStatement{
		StatementID: st.Sid, Effect: strings.ToUpper(string(st.Effect)), PrincipalGroups: values(nil),
		Actions: values(texts(st.Action)), Resources: values(texts(st.Resource)), Conditions: itemList[decodedCondition]{[]decodedCondition{}},
	}
	var principals []string
	if st.Principal != nil {
		if st.Principal.Any {
			principals = append(principals, "*")
		}
		for _, e := range st.Principal.Entries {
			principals = append(principals, e.Value.Value)
		}
	}
	out.Principals = values(principals)
	for _, c := range st.Condition {
		out.Conditions.Items = append(out.Conditions.Items, decodedCondition{c.Key.Value, values(texts(c.Values))})
	}
	return out
}
