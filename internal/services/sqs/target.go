package sqs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// ref names a queue, which may not be there.
type ref struct{ account, region, name string }

func (r ref) key() string { return queue.Key(r.account, r.region, r.name) }

func (r ref) arn(partition string) string {
	return arn.ARN{Partition: partition, Service: "sqs", Region: r.region, AccountID: r.account, Resource: r.name}.String()
}

var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	// named is what a path may have where the name of a queue stands; what else a name may be is said when a queue is made.
	named = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,80}$`)
)

// byURL reads a queue's URL: the account and the name are the last parts of its path, whatever the host is.
func byURL(c *service.Call, text *string) (ref, error) {
	if aws.ToString(text) == "" {
		return ref{}, missing("QueueUrl")
	}
	u, err := url.Parse(*text)
	if err == nil {
		parts := strings.Split(strings.TrimSuffix(u.Path, "/"), "/")
		if n := len(parts); n >= 2 && accountID.MatchString(parts[n-2]) && named.MatchString(parts[n-1]) {
			return ref{parts[n-2], c.Region, parts[n-1]}, nil
		}
	}
	// Code and status are the model's; the text is AWS's as its users report it.
	return ref{}, awserr.New("InvalidAddress", http.StatusNotFound, "The address %s is not valid for this endpoint.", *text)
}

// byARN reads a queue's ARN, which member gives.
func byARN(c *service.Call, text *string, member string) (ref, error) {
	if aws.ToString(text) == "" {
		return ref{}, missing(member)
	}
	a, err := arn.Parse(*text)
	if err != nil || a.Service != "sqs" || a.Region != c.Region || !accountID.MatchString(a.AccountID) || !named.MatchString(a.Resource) {
		return ref{}, invalidValue("You must use this format to specify the %s: arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
			member)
	}
	return ref{a.AccountID, a.Region, a.Resource}, nil
}

// urlOf is a queue's URL as the caller reaches the server.
func (s *Service) urlOf(c *service.Call, q *queue.Queue) *string {
	base := s.url()
	if c.Host != "" {
		scheme := "http://"
		if c.SecureTransport {
			scheme = "https://"
		}
		base = scheme + c.Host
	}
	return aws.String(base + "/" + q.Account + "/" + q.Name)
}

// known is a queue as it is kept in memory. It is shared and must not be changed.
type known struct {
	*queue.Queue
	policy *authz.Policy
	// tags are the condition keys of the queue's tags.
	tags authz.Context
}

func decode(item store.Item) (*known, error) {
	q, err := queue.Decode(item)
	if err != nil {
		return nil, err
	}
	k := &known{Queue: q}
	if text := q.Attributes["Policy"]; text != "" {
		document, err := policy.Parse([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("parse policy of %s: %w", q.ARN, err)
		}
		k.policy = &authz.Policy{Name: "policy of queue " + q.Name, Document: document}
	}
	for name, value := range q.Tags {
		k.tags.Set("aws:ResourceTag/"+name, value)
	}
	return k, nil
}

// find gives a queue, or answers that it does not exist.
func (s *Service) find(ctx context.Context, r ref) (*known, error) {
	k, err := s.queues.Get(ctx, r.key())
	if errors.Is(err, store.ErrNotFound) {
		return nil, noQueue()
	}
	return k, err
}

// of gives the queue of a URL.
func (s *Service) of(ctx context.Context, c *service.Call, url *string) (*known, error) {
	r, err := byURL(c, url)
	if err != nil {
		return nil, err
	}
	return s.find(ctx, r)
}

// target is a queue with what is judged of it. Some actions cannot be allowed by a queue's policy to other accounts: for them it is not
// there. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-overview-of-managing-access.html
func (s *Service) target(ctx context.Context, c *service.Call, r ref, owned bool) (service.Target, error) {
	t, _, err := s.look(ctx, c, r, owned)
	return t, err
}

// look is target, and tells whether the queue is there.
func (s *Service) look(ctx context.Context, c *service.Call, r ref, owned bool) (t service.Target, there bool, err error) {
	t = service.Target{ARN: r.arn(s.partition), Account: r.account}
	k, err := s.queues.Get(ctx, r.key())
	if errors.Is(err, store.ErrNotFound) {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	t.Keys = k.tags
	if !owned || c.Account == r.account {
		t.Policy = k.policy
	}
	return t, true, nil
}

// shared is the queue that QueueUrl names, of actions that other accounts can be allowed.
func shared[In any](s *Service) service.Resource[In] { return onURL[In](s, false) }

// owned is the same of actions that they cannot.
func owned[In any](s *Service) service.Resource[In] { return onURL[In](s, true) }

func onURL[In any](s *Service, owned bool) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		r, err := byURL(c, service.Member[*string](in, "QueueUrl"))
		if err != nil {
			return service.Target{}, err
		}
		return s.target(ctx, c, r, owned)
	}
}

// newQueue is the queue that CreateQueue makes.
func (s *Service) newQueue(ctx context.Context, c *service.Call, in *sdk.CreateQueueInput) (service.Target, error) {
	if err := checkName(in); err != nil {
		return service.Target{}, err
	}
	t, there, err := s.look(ctx, c, ref{c.Account, c.Region, *in.QueueName}, true)
	if err != nil {
		return t, err
	}
	t = withTags(t, in.Tags)
	if !there { // else it keeps the tags that it has
		for name, value := range in.Tags {
			service.TagOfNew(&t.Keys, name, value)
		}
	}
	return t, nil
}

// taggingNewQueue is the permission that tags of a new queue need (API_CreateQueue: "you must have the sqs:CreateQueue and sqs:TagQueue
// permissions").
func (s *Service) taggingNewQueue(ctx context.Context, c *service.Call, in *sdk.CreateQueueInput) ([]service.Need, error) {
	if len(in.Tags) == 0 {
		return nil, nil
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	t, err := s.newQueue(ctx, c, in)
	return []service.Need{{Action: "sqs:TagQueue", Target: t}}, err
}

// namedQueue is the queue of GetQueueUrl.
func (s *Service) namedQueue(ctx context.Context, c *service.Call, in *sdk.GetQueueUrlInput) (service.Target, error) {
	r, err := byName(c, in)
	if err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, r, false)
}

func byName(c *service.Call, in *sdk.GetQueueUrlInput) (ref, error) {
	r := ref{c.Account, c.Region, aws.ToString(in.QueueName)}
	if r.name == "" {
		return r, missing("QueueName")
	}
	if owner := aws.ToString(in.QueueOwnerAWSAccountId); owner != "" {
		r.account = owner
	}
	if !accountID.MatchString(r.account) || !named.MatchString(r.name) {
		return r, noQueue()
	}
	return r, nil
}

func (s *Service) taggedQueue(ctx context.Context, c *service.Call, in *sdk.TagQueueInput) (service.Target, error) {
	if len(in.Tags) == 0 {
		return service.Target{}, missing("Tags")
	}
	if err := checkTags(in.Tags); err != nil {
		return service.Target{}, err
	}
	t, err := owned[sdk.TagQueueInput](s)(ctx, c, in)
	return withTags(t, in.Tags), err
}

func (s *Service) untaggedQueue(ctx context.Context, c *service.Call, in *sdk.UntagQueueInput) (service.Target, error) {
	if len(in.TagKeys) == 0 {
		return service.Target{}, missing("TagKeys")
	}
	t, err := owned[sdk.UntagQueueInput](s)(ctx, c, in)
	return t.With(func(k *authz.Context) { k.SetList("aws:TagKeys", in.TagKeys...) }), err
}

// withTags adds the condition keys of tags in the request.
func withTags(t service.Target, tags map[string]string) service.Target {
	if len(tags) == 0 {
		return t
	}
	return t.With(func(k *authz.Context) {
		for name, value := range tags {
			k.Set("aws:RequestTag/"+name, value)
		}
		k.SetList("aws:TagKeys", slices.Sorted(maps.Keys(tags))...)
	})
}
