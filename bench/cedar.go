package main

import (
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strings"

	"github.com/cedar-policy/cedar-go"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// The rules that cedar-go is measured with are translated by hand, one policy of Cedar's for each statement, in the order of the
// statement's elements. Where there is more than one way, it is the one that is quicker for Cedar:
//
//   - Patterns of actions are groups of actions (Action::"s3:Get*"), whose members are known beforehand, as is usual in Cedar.
//   - Patterns of resources are "like" on an attribute with the ARN.
//   - Condition keys are attributes of the context, those of the caller attributes of the principal, both of the type that is
//     compared: addresses and times are parsed beforehand. IAM's arrive as text.
//   - Keys that every request of the question has are used without asking whether they are there.
//
// Cedar's "like" has no "?" and no variables, and there is no "any of" over a list: questions with these are not asked. What Cedar
// answers without being asked differs, too: it names every policy that allows, IAM's evaluators one.

// cedarQuestion is a question in Cedar's language.
type cedarQuestion struct {
	policies *cedar.PolicySet
	entities cedar.EntityMap
	request  cedar.Request
}

// allowed asks Cedar. A policy that cannot be evaluated would be passed over: the translation has none.
func (q *cedarQuestion) allowed() bool {
	d, diagnostic := cedar.Authorize(q.policies, q.entities, q.request)
	return d == cedar.Allow && len(diagnostic.Errors) == 0
}

// cedarGroups are the groups that the actions of the questions are in: the patterns of the policies that match them.
var cedarGroups = map[string][]string{
	"s3:GetObject":          {"s3:Get*", "s3:GetObject*", "s3:*Object", "s3:*t", "s3:*"},
	"lambda:InvokeFunction": {"lambda:*"},
}

// cedarFiles reads the translation of a question's policies, and its request.
func cedarFiles(c *service.Call, req authz.Request, glob string) (*cedarQuestion, error) {
	files, err := fs.Glob(testdata, glob)
	if err != nil {
		return nil, err
	}
	q := &cedarQuestion{policies: cedar.NewPolicySet()}
	for _, file := range files {
		text, err := testdata.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := q.add(strings.TrimSuffix(path.Base(file), ".cedar"), text); err != nil {
			return nil, err
		}
	}
	q.entities, q.request = cedarRequest(c, req.Action, req.Resource)
	return q, nil
}

// add parses policies into the set.
func (q *cedarQuestion) add(name string, text []byte) error {
	list, err := cedar.NewPolicyListFromBytes(name, text)
	if err != nil {
		return fmt.Errorf("parse the Cedar policies of %s: %w", name, err)
	}
	for i, p := range list {
		q.policies.Add(cedar.PolicyID(fmt.Sprintf("%s-%02d", name, i)), p)
	}
	return nil
}

// cedarRequest is to Cedar what buildContext is to IAM: everything that a decision about this call needs to know.
func cedarRequest(c *service.Call, action, resource string) (cedar.EntityMap, cedar.Request) {
	p := &c.Caller
	principal := cedar.NewEntityUID("Session", cedar.String(p.ARN))
	object := cedar.NewEntityUID("Resource", cedar.String(resource))
	verb := cedar.NewEntityUID("Action", cedar.String(action))
	groups := make([]cedar.EntityUID, len(cedarGroups[action]))
	for i, g := range cedarGroups[action] {
		groups[i] = cedar.NewEntityUID("Action", cedar.String(g))
	}
	entities := cedar.EntityMap{
		principal: {
			UID: principal,
			Parents: cedar.NewEntityUIDSet(
				cedar.NewEntityUID("Role", cedar.String(p.IssuerARN)), cedar.NewEntityUID("Account", cedar.String(p.Account))),
			Attributes: cedar.NewRecord(cedar.RecordMap{
				"arn":          cedar.String(p.IssuerARN),
				"account":      cedar.String(p.Account),
				"type":         cedar.String(p.Kind),
				"userid":       cedar.String(p.ID + ":" + p.SessionName),
				"isAWSService": cedar.Boolean(p.Kind == authz.Service),
				"team":         cedar.String(p.Tags.Get("team")),
				"stage":        cedar.String(p.Tags.Get("stage")),
				"costCenter":   cedar.String(p.Tags.Get("cost-center")),
			}),
		},
		verb:   {UID: verb, Parents: cedar.NewEntityUIDSet(groups...)},
		object: {UID: object, Attributes: cedar.NewRecord(cedar.RecordMap{"arn": cedar.String(resource)})},
	}
	return entities, cedar.Request{
		Principal: principal, Action: verb, Resource: object,
		Context: cedar.NewRecord(cedar.RecordMap{
			"currentTime":     cedar.NewDatetime(c.Time),
			"epochTime":       cedar.Long(c.Time.Unix()),
			"secureTransport": cedar.Boolean(c.SecureTransport),
			"requestedRegion": cedar.String(c.Region),
			"sourceIp":        cedar.IPAddr(netip.PrefixFrom(c.SourceIP, c.SourceIP.BitLen())),
			"userAgent":       cedar.String(c.UserAgent),
			"viaAWSService":   cedar.False,
			"mfaPresent":      cedar.Boolean(p.Session.MFA),
			"tokenIssueTime":  cedar.NewDatetime(p.Session.IssuedAt),
			"sourceIdentity":  cedar.String(p.Session.SourceIdentity),
		}),
	}
}
