//go:build linux

package compat

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/history"
)

// permission is a way to let a user invoke a function, and to stop it.
type permission struct {
	name  string
	grant func(ctx context.Context, d door, s *subject) error
	take  func(ctx context.Context, d door, s *subject) error
	// granted tells that a new subject has it from the start, by what is made with it.
	granted bool
}

// subject is a user whose permission comes and goes. It is replaced by another when nobody knows whether it has the permission.
type subject struct {
	permission

	mu      sync.Mutex
	name    string // "" while there is none
	id, key string // of its access key
	arn     string
	doors   map[*clusterNode]door
}

func (w *work) newSubject(p permission) *subject { return &subject{permission: p} }

func (w *work) policyPermission() permission {
	name := aws.String("own")
	return permission{
		name: "by a policy",
		grant: func(ctx context.Context, d door, s *subject) error {
			_, err := d.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
				UserName: &s.name, PolicyName: name, PolicyDocument: document(allow("lambda:InvokeFunction", w.echo.arn)),
			})
			return err
		},
		take: func(ctx context.Context, d door, s *subject) error {
			_, err := d.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &s.name, PolicyName: name})
			return gone(err)
		},
	}
}

func (w *work) keyPermission() permission {
	set := func(status iamtypes.StatusType) func(ctx context.Context, d door, s *subject) error {
		return func(ctx context.Context, d door, s *subject) error {
			_, err := d.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &s.name, AccessKeyId: &s.id, Status: status})
			return err
		}
	}
	return permission{name: "by an access key", grant: set(iamtypes.StatusTypeActive), take: set(iamtypes.StatusTypeInactive), granted: true}
}

func (w *work) functionPermission() permission {
	return permission{
		name: "by the function's policy",
		grant: func(ctx context.Context, d door, s *subject) error {
			_, err := d.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
				FunctionName: &w.echo.name, StatementId: &s.name, Action: aws.String("lambda:InvokeFunction"), Principal: &s.arn,
			})
			return err
		},
		take: func(ctx context.Context, d door, s *subject) error {
			_, err := d.lambda.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &w.echo.name, StatementId: &s.name})
			return gone(err)
		},
	}
}

// gone takes it for done that there is nothing to remove.
func gone(err error) error {
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// try has the subject call the function on a node.
func (w *work) try(s *subject, n *clusterNode) {
	s.mu.Lock()
	name, d := s.name, s.doors[n]
	s.mu.Unlock()
	if name == "" {
		return
	}
	from, to, _, err := w.call(func(ctx context.Context) error {
		_, err := d.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &w.echo.arn, Payload: []byte(`"x"`)})
		return err
	})
	if err != nil && (status(err) != http.StatusForbidden || n.skewed(from, err)) {
		return
	}
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.decisions = append(w.seen.decisions, history.Decision{Subject: name, Node: n.name, Allowed: err == nil, Call: from, Return: to})
}

// grantAndTake lets the subject have the permission for a while, and then not have it for longer than the bound.
func (w *work) grantAndTake(s *subject, random *rand.Rand) {
	if s.name == "" && !w.replace(s, random) {
		time.Sleep(100 * time.Millisecond)
		return
	}
	if w.change(s, true, w.doors[random.IntN(len(w.doors))]) == history.Unknown {
		// It may come into force at any time from now on: nothing can be said of this subject any more.
		s.mu.Lock()
		s.name = ""
		s.mu.Unlock()
		return
	}
	time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
	for w.working() && w.change(s, false, w.doors[random.IntN(len(w.doors))]) != history.Done {
		time.Sleep(50 * time.Millisecond) // until it is certain
	}
	time.Sleep(time.Duration(500+random.IntN(1500)) * time.Millisecond)
}

// change grants or takes the permission.
func (w *work) change(s *subject, allow bool, d door) history.Outcome {
	do := s.take
	if allow {
		do = s.grant
	}
	c := history.Change{Subject: s.name, Node: d.node.name, Allow: allow}
	var err error
	c.Call, c.Return, c.Outcome, err = w.call(func(ctx context.Context) error { return do(ctx, d, s) })
	w.root(s.permission.name, d.node, c.Call, err)
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.changes = append(w.seen.changes, c)
	return c.Outcome
}

// replace makes a new user the subject.
func (w *work) replace(s *subject, random *rand.Rand) bool {
	d, name := w.doors[random.IntN(len(w.doors))], unique("subject")
	from, _, _, err := w.call(func(ctx context.Context) error {
		user, err := d.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
		if err != nil {
			return err
		}
		key, err := d.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
		if err != nil {
			return err
		}
		if s.granted {
			_, err = d.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
				UserName: &name, PolicyName: aws.String("own"), PolicyDocument: document(allow("lambda:InvokeFunction", w.echo.arn)),
			})
		}
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.arn, s.id, s.key = *user.User.Arn, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey
		s.doors = map[*clusterNode]door{}
		for _, d := range w.doors {
			s.doors[d.node] = d.node.door(aws.Credentials{AccessKeyID: s.id, SecretAccessKey: s.key})
		}
		return nil
	})
	if err != nil {
		return false
	}
	if s.granted {
		w.seen.mu.Lock()
		w.seen.changes = append(w.seen.changes, history.Change{
			Subject: name, Node: d.node.name, Allow: true, Call: from, Return: w.now(), Outcome: history.Done,
		})
		w.seen.mu.Unlock()
	}
	s.mu.Lock()
	s.name = name
	s.mu.Unlock()
	return true
}
