package sqs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// grantable are the actions that AddPermission takes
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html and the page on access management).
var grantable = []string{
	"*", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",
	"ReceiveMessage", "SendMessage",
}

// maxActions is how many actions AddPermission takes (API_AddPermission, OverLimit).
const maxActions = 7

// statement is one of a queue's policy, as AddPermission writes it.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]any
	Action    any
	Resource  string
}

// policyText is a policy whose statements are kept as they are.
type policyText struct {
	Version   string     `json:",omitempty"`
	ID        string     `json:"Id,omitempty"`
	Statement statements `json:"Statement"`
}

// statements may stand in a policy without a list when there is but one.
type statements []json.RawMessage

// UnmarshalJSON reads either form.
func (s *statements) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		*s = statements{slices.Clone(b)}
		return nil
	}
	return json.Unmarshal(b, (*[]json.RawMessage)(s))
}

func sidOf(raw json.RawMessage) (string, error) {
	var s struct{ Sid string }
	err := json.Unmarshal(raw, &s)
	return s.Sid, err
}

// find gives the place of a statement by its label; -1 for none.
func (p *policyText) find(label string) (int, error) {
	for i, raw := range p.Statement {
		sid, err := sidOf(raw)
		if err != nil {
			return -1, fmt.Errorf("read statement %d: %w", i, err)
		}
		if sid == label {
			return i, nil
		}
	}
	return -1, nil
}

// changePolicy changes the statements of a queue's policy.
func (s *Service) changePolicy(ctx context.Context, c *service.Call, url *string, change func(*queue.Queue, *policyText) error) error {
	return s.change(ctx, c, url, func(_ store.Tx, q *queue.Queue) error {
		p := policyText{Version: "2008-10-17", ID: q.ARN + "/SQSDefaultPolicy"}
		if text := q.Attributes["Policy"]; text != "" {
			p = policyText{}
			if err := json.Unmarshal([]byte(text), &p); err != nil {
				return fmt.Errorf("read policy of %s: %w", q.ARN, err)
			}
		}
		if err := change(q, &p); err != nil {
			return err
		}
		q.Modified = s.now().Unix()
		if len(p.Statement) == 0 {
			delete(q.Attributes, "Policy")
			return nil
		}
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		kept, err := document(attributeOf("Policy"), string(text))
		q.Attributes["Policy"] = kept
		return err
	})
}

func (s *Service) addPermission(ctx context.Context, c *service.Call, in *sdk.AddPermissionInput) (*sdk.AddPermissionOutput, error) {
	label := aws.ToString(in.Label)
	switch {
	case label == "":
		return nil, missing("Label")
	case !plainName.MatchString(label):
		return nil, badValue(label, "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	case len(in.AWSAccountIds) == 0:
		return nil, missing("PrincipalId")
	case len(in.Actions) == 0:
		return nil, missing("Actions")
	case len(in.Actions) > maxActions:
		return nil, tooManyActions(len(in.Actions))
	}
	st := statement{Sid: label, Effect: "Allow"}
	var principals, actions []string
	for _, id := range in.AWSAccountIds {
		if !accountID.MatchString(id) {
			return nil, badValue(id, "PrincipalId", "Unable to verify.")
		}
		principals = append(principals, "arn:"+s.partition+":iam::"+id+":root")
	}
	for _, a := range in.Actions {
		if !slices.Contains(grantable, a) {
			return nil, badValue("SQS:"+a, "ActionName", "Only the queue owner is allowed to invoke this action.")
		}
		actions = append(actions, "SQS:"+a)
	}
	st.Principal, st.Action = map[string]any{"AWS": oneOrAll(principals)}, oneOrAll(actions)
	return &sdk.AddPermissionOutput{}, s.changePolicy(ctx, c, in.QueueUrl, func(q *queue.Queue, p *policyText) error {
		i, err := p.find(label)
		if err != nil {
			return err
		}
		if i >= 0 {
			return badValue(label, "Label", "Already exists.")
		}
		st.Resource = q.ARN
		raw, err := json.Marshal(st)
		p.Statement = append(p.Statement, raw)
		return err
	})
}

// oneOrAll is a list, or its only element.
func oneOrAll(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func (s *Service) removePermission(
	ctx context.Context, c *service.Call, in *sdk.RemovePermissionInput,
) (*sdk.RemovePermissionOutput, error) {
	label := aws.ToString(in.Label)
	if strings.TrimSpace(label) == "" {
		return nil, missing("Label")
	}
	return &sdk.RemovePermissionOutput{}, s.changePolicy(ctx, c, in.QueueUrl, func(_ *queue.Queue, p *policyText) error {
		i, err := p.find(label)
		if err != nil {
			return err
		}
		if i < 0 {
			return badValue(label, "Label", "can't find label.")
		}
		p.Statement = slices.Delete(p.Statement, i, i+1)
		return nil
	})
}
