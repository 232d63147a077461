package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/logs/pattern"
	"github.com/licet/licet/internal/services/logs/tail"
	"github.com/licet/licet/internal/store"
)

// maxTailed is the largest number of groups, of streams and of prefixes (API_StartLiveTail).
const maxTailed = 10

func tailedGroups(in *sdk.StartLiveTailInput) []string { return in.LogGroupIdentifiers }

func (s *Service) startLiveTail(ctx context.Context, c *service.Call, in *sdk.StartLiveTailInput) (*protocol.Stream, error) {
	if err := checkLiveTail(in); err != nil {
		return nil, err
	}
	parsed, err := pattern.Parse(aws.ToString(in.LogEventFilterPattern))
	if err != nil {
		return nil, invalidParameter("Invalid filter pattern: %s", err.Error()) // so DefangLabs/defang#1008
	}
	selection := tail.Selection{
		Account: c.Account, Groups: make(map[string]string), Streams: in.LogStreamNames, Prefixes: in.LogStreamNamePrefixes,
		Means: parsed.Match,
	}
	if err := s.db.View(ctx, func(r store.Reader) error {
		for _, id := range in.LogGroupIdentifiers {
			ref, err := byARN(id)
			if err != nil {
				return err
			}
			g, err := loadGroup(r, c, ref)
			if err != nil {
				return err
			}
			selection.Groups[g.ID] = id
		}
		return nil
	}); err != nil {
		return nil, err
	}
	session, err := s.tails.Open(ctx, selection)
	if errors.Is(err, tail.ErrTooMany) {
		return nil, limitExceeded()
	}
	if err != nil {
		return nil, unavailable()
	}
	start := wireSessionStart(c, in)
	return &protocol.Stream{Output: &sdk.StartLiveTailOutput{}, Send: func(ctx context.Context, events *protocol.Events) error {
		return sendTail(ctx, events, session, start)
	}}, nil
}

// checkLiveTail checks the input; texts are ours.
func checkLiveTail(in *sdk.StartLiveTailInput) error {
	var p problems
	p.pattern("logEventFilterPattern", in.LogEventFilterPattern)
	if in.LogGroupIdentifiers == nil {
		p.addNull("logGroupIdentifiers")
	} else if len(in.LogGroupIdentifiers) == 0 {
		p.add("logGroupIdentifiers", "[]", "have length greater than or equal to 1")
	}
	for member, list := range map[string][]string{
		"logGroupIdentifiers": in.LogGroupIdentifiers, "logStreamNames": in.LogStreamNames,
		"logStreamNamePrefixes": in.LogStreamNamePrefixes,
	} {
		if len(list) > maxTailed {
			p.add(member, fmt.Sprint(list), fmt.Sprintf("have length less than or equal to %d", maxTailed))
		}
	}
	for _, name := range slices.Concat(in.LogStreamNames, in.LogStreamNamePrefixes) {
		p.optional("logStreamNames", &name, streamNameShape())
	}
	if err := p.err(); err != nil {
		return err
	}
	narrowed := len(in.LogStreamNames)+len(in.LogStreamNamePrefixes) > 0
	switch {
	case len(in.LogStreamNames) > 0 && len(in.LogStreamNamePrefixes) > 0:
		return invalidParameter("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.")
	case narrowed && len(in.LogGroupIdentifiers) > 1:
		return invalidParameter("logStreamNames and logStreamNamePrefixes can be specified with one log group only.")
	case slices.ContainsFunc(in.LogGroupIdentifiers, func(id string) bool { return !strings.HasPrefix(id, "arn:") }):
		return invalidParameter("logGroupIdentifiers must be ARNs of log groups.")
	}
	return nil
}

// sessionStart is the first event (LiveTailSessionStart).
type sessionStart struct {
	RequestID   string   `json:"requestId"`
	SessionID   string   `json:"sessionId"`
	Groups      []string `json:"logGroupIdentifiers"`
	Streams     []string `json:"logStreamNames"`
	Prefixes    []string `json:"logStreamNamePrefixes"`
	FilterQuery string   `json:"logEventFilterPattern"`
}

func wireSessionStart(c *service.Call, in *sdk.StartLiveTailInput) sessionStart {
	return sessionStart{
		RequestID: c.RequestID, SessionID: uuid.NewString(), Groups: in.LogGroupIdentifiers, Streams: orNone(in.LogStreamNames),
		Prefixes: orNone(in.LogStreamNamePrefixes), FilterQuery: aws.ToString(in.LogEventFilterPattern),
	}
}

// orNone is a list that is no null in JSON.
func orNone(list []string) []string { return append([]string{}, list...) }

// sessionUpdate is any other (LiveTailSessionUpdate).
type sessionUpdate struct {
	Metadata struct {
		Sampled bool `json:"sampled"`
	} `json:"sessionMetadata"`
	Results []tailedEvent `json:"sessionResults"`
}

// tailedEvent is a tail.Event (LiveTailSessionLogEvent).
type tailedEvent struct {
	Group     string `json:"logGroupIdentifier"`
	Stream    string `json:"logStreamName"`
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"`
	Ingested  int64  `json:"ingestionTime"`
}

// sendTail sends a session to its client.
func sendTail(ctx context.Context, events *protocol.Events, session *tail.Session, start sessionStart) error {
	send := func(name string, event any) error {
		payload, err := json.Marshal(event)
		if err != nil {
			return fmt.Errorf("encode %s: %w", name, err)
		}
		return events.Send(name, "application/json", payload)
	}
	first := send("sessionStart", start)
	err := session.Run(ctx, func(u tail.Update) error {
		if first != nil {
			return first
		}
		update := sessionUpdate{Results: make([]tailedEvent, len(u.Events))}
		update.Metadata.Sampled = u.Sampled
		for i, e := range u.Events {
			update.Results[i] = tailedEvent(e)
		}
		return send("sessionUpdate", update)
	})
	switch { // the exceptions of the stream; texts are ours
	case errors.Is(err, tail.ErrTimeout):
		return awserr.New("SessionTimeoutException", http.StatusBadRequest, "Live Tail sessions end after three hours.")
	case errors.Is(err, tail.ErrClosed):
		return awserr.New("SessionStreamingException", http.StatusServiceUnavailable, "The server stops.")
	}
	return err
}

// EndTails ends all Live Tail sessions, and lets none begin. The server stops.
func (s *Service) EndTails() { s.tails.Close() }
