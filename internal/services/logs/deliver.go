package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/internal/services/logs/pattern"
	"github.com/licet/licet/internal/services/logs/subscription"
	"github.com/licet/licet/internal/store"
)

// Functions calls functions as CloudWatch Logs.
type Functions interface {
	// Check tells whether a call would be let through. The error is ErrRefused if not.
	Check(ctx context.Context, to Destination) error
	// Call takes a payload for a function, durably, to be run with it later. ErrRefused means that the same call would fail again.
	Call(ctx context.Context, to Destination, payload []byte) error
}

// ErrRefused says that a function is not there, or may not be called.
var ErrRefused = errors.New("logs: the function cannot be called")

// Deliveries. A line is what waits for one subscription filter: a note for each batch of events with a match, made in the
// transaction that took the batch, under logs/delivery/<group id>/<filter id>/<transaction>. A function has the events when the
// note is removed, so after a crash it may get them again.
const (
	deliveryPrefix = "logs/delivery/"
	// deliveryPage is how many notes of a line are read at once: lines take turns.
	deliveryPage = 16
	// A function that refuses is left alone, and what comes meanwhile is not delivered: AWS does so for up to 10 minutes. What
	// fails otherwise is tried again for a day (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions.html).
	refusedPause = time.Minute
	failedPause  = 5 * time.Second
	deliveryLife = 24 * time.Hour
)

// note says where the events of a batch are.
type note struct {
	Group    string `json:"group"` // the group's key
	Stream   string `json:"stream"`
	First    int64  `json:"first"` // times
	Last     int64  `json:"last"`
	Batch    int64  `json:"batch"`
	Ingested int64  `json:"ingested"`
}

// lines is the prefix of the notes of a group; line, of those for one of its subscription filters.
func (g group) lines() string                    { return deliveryPrefix + g.ID + "/" }
func (g group) line(f subscriptionFilter) string { return g.lines() + f.ID + "/" }

// notify makes notes for the subscription filters that mean an event of a batch.
func (s *Service) notify(tx store.Tx, ref groupRef, g group, st stream, events []event) error {
	filters, err := subscriptions(tx, g, "")
	if err != nil {
		return err
	}
	first, last := events[0], events[len(events)-1]
	for _, f := range filters {
		parsed, err := s.patterns.get(f.Pattern)
		if err != nil {
			return fmt.Errorf("parse pattern of subscription filter %s: %w", f.Name, err)
		}
		if !anyMatches(parsed, events) {
			continue
		}
		n := note{
			Group: groupKey(ref), Stream: st.Name, First: first.time, Last: last.time, Batch: first.batch, Ingested: first.ingested,
		}
		if err := store.PutJSON(tx, g.line(f)+fmt.Sprintf("%016x", first.batch), n); err != nil {
			return err
		}
	}
	return nil
}

func anyMatches(p *pattern.Pattern, events []event) bool {
	for _, e := range events {
		if p.Match(e.message) {
			return true
		}
	}
	return false
}

// Deliver calls functions for subscription filters until ctx ends. One call of it runs at a time.
func (s *Service) Deliver(ctx context.Context) error {
	d := delivery{Service: s, pauses: make(map[string]pause)}
	defer store.WatchPrefix(s.db, deliveryPrefix, s.wake)()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.noted:
		case <-timer.C:
		}
		next, err := d.round(ctx)
		if err != nil && ctx.Err() == nil {
			s.logger.ErrorContext(ctx, "Log events could not be delivered to functions.", slog.Any("err", err))
			next = failedPause
		}
		timer.Reset(next)
	}
}

// delivery is the state of Deliver.
type delivery struct {
	*Service
	pauses map[string]pause // by line
}

// pause says until when a line is left alone, and whether what comes meanwhile is dropped.
type pause struct {
	until   time.Time
	dropped bool
}

// idle is how long a round waits that has nothing to do.
const idle = time.Hour

// round delivers what waits, and says when to come back.
func (d *delivery) round(ctx context.Context) (next time.Duration, err error) {
	next = idle
	for busy := true; busy && ctx.Err() == nil; {
		busy = false
		lines, err := d.lines(ctx)
		if err != nil {
			return 0, err
		}
		now := d.now()
		maps.DeleteFunc(d.pauses, func(line string, p pause) bool { return now.After(p.until) && !slices.Contains(lines, line) })
		for _, line := range lines {
			if p, paused := d.pauses[line]; paused && now.Before(p.until) {
				next = min(next, p.until.Sub(now))
				continue
			}
			more, err := d.deliverLine(ctx, line, now)
			if err != nil && ctx.Err() == nil { // the other lines go on
				d.logger.ErrorContext(ctx, "Log events for a function could not be read.", slog.String("line", line), slog.Any("err", err))
				d.pauses[line] = pause{now.Add(failedPause), false}
			}
			busy = busy || more || err != nil
		}
	}
	return next, ctx.Err()
}

// lines are the prefixes of the lines that have notes.
func (d *delivery) lines(ctx context.Context) (lines []string, err error) {
	err = d.db.View(ctx, func(r store.Reader) error {
		for after := ""; ; {
			items, err := r.Scan(deliveryPrefix, after, 1)
			if err != nil || len(items) == 0 {
				return err
			}
			line := items[0].Key[:strings.LastIndexByte(items[0].Key, '/')+1]
			lines = append(lines, line)
			after = line + "~" // behind all notes of the line, which are hexadecimal
		}
	})
	return lines, err
}

// deliverLine takes the first notes of a line, and tells whether to look at it again in this round.
func (d *delivery) deliverLine(ctx context.Context, line string, now time.Time) (more bool, err error) {
	p := d.pauses[line]
	delete(d.pauses, line)
	if p.dropped {
		return false, d.remove(ctx, line, nil)
	}
	batch, err := d.read(ctx, line, now)
	if err != nil {
		return false, err
	}
	if batch.filter == nil { // it is gone, or its group
		return false, d.remove(ctx, line, nil)
	}
	for _, m := range batch.messages() {
		err := d.send(ctx, batch, m)
		if errors.Is(err, ErrRefused) {
			d.outcomes.refused.Inc()
			d.logger.WarnContext(ctx, "A function refuses log events; those that wait for it are dropped.",
				slog.String("function", batch.to.Function), slog.String("log_group", batch.group.Name), slog.Any("err", err))
			d.pauses[line] = pause{now.Add(refusedPause), true}
			return false, d.remove(ctx, line, nil)
		}
		if err != nil {
			d.outcomes.failed.Inc()
			d.logger.WarnContext(ctx, "Log events could not be given to a function, and will be again.",
				slog.String("function", batch.to.Function), slog.Any("err", err))
			d.pauses[line] = pause{now.Add(failedPause), false}
			return true, nil
		}
		d.outcomes.delivered.Inc()
	}
	return true, d.remove(ctx, line, batch.keys)
}

// remove takes notes away: the given, or all of the line.
func (d *delivery) remove(ctx context.Context, line string, keys []string) error {
	return d.db.Update(ctx, func(tx store.Tx) error {
		if keys == nil {
			return tx.DeletePrefix(line)
		}
		for _, key := range keys {
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

// send gives one message to the function. What no function takes is dropped.
func (d *delivery) send(ctx context.Context, b *waiting, m subscription.Message) error {
	payload, err := m.Payload()
	if err != nil {
		return err
	}
	if len(payload) > subscription.MaxPayload {
		d.outcomes.dropped.Inc()
		d.logger.WarnContext(ctx, "A log event is too large for a function.",
			slog.String("function", b.to.Function), slog.String("log_group", b.group.Name), slog.Int("bytes", len(payload)))
		return nil
	}
	return d.functions.Call(ctx, b.to, payload)
}

// waiting is what the first notes of a line stand for.
type waiting struct {
	keys   []string
	group  group
	filter *subscriptionFilter
	to     Destination
	parts  []part
	means  *pattern.Pattern
}

// part is the events of a stream that follow each other in a line.
type part struct {
	stream string
	events []event
}

// read finds the events of the first notes of a line, up to what a message takes.
func (d *delivery) read(ctx context.Context, line string, now time.Time) (*waiting, error) {
	b := &waiting{}
	return b, d.db.View(ctx, func(r store.Reader) error {
		items, err := r.Scan(line, "", deliveryPage)
		if err != nil {
			return err
		}
		size := 0
		for _, item := range items {
			n, err := store.DecodeJSON[note](item)
			if err != nil {
				return err
			}
			if b.filter == nil {
				if err := d.find(r, b, line, n); err != nil || b.filter == nil {
					return err
				}
			}
			if size > subscription.MessageSize {
				break
			}
			b.keys = append(b.keys, item.Key)
			if now.Sub(time.UnixMilli(n.Ingested)) > deliveryLife {
				d.outcomes.dropped.Inc()
				continue
			}
			events, err := b.events(r, n)
			if err != nil {
				return err
			}
			size += b.add(n.Stream, events)
		}
		return nil
	})
}

// find looks up the group and the filter that a line is for.
func (d *delivery) find(r store.Reader, b *waiting, line string, n note) (err error) {
	if b.group, err = store.GetJSON[group](r, n.Group); errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	filters, err := subscriptions(r, b.group, "")
	if err != nil {
		return err
	}
	for _, f := range filters {
		if b.group.line(f) != line {
			continue
		}
		if b.means, err = d.patterns.get(f.Pattern); err != nil {
			return err
		}
		scope := strings.SplitN(strings.TrimPrefix(n.Group, groupPrefix), "/", 3)
		b.to = Destination{
			Function: f.Destination, Account: scope[0], Region: scope[1],
			Source: "arn:" + d.partition + ":logs:" + scope[1] + ":" + scope[0] + ":log-group:" + b.group.Name + ":*",
		}
		b.filter = &f
	}
	return nil
}

// events are those of a note that the filter means; none if the stream is gone.
func (b *waiting) events(r store.Reader, n note) (events []event, err error) {
	st, err := store.GetJSON[stream](r, b.group.streamPrefix()+n.Stream)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sel := selection{start: n.First, end: n.Last + 1}
	return events, sel.each(r, b.group, st, func(e event) bool {
		if e.batch == n.Batch && b.means.Match(e.message) {
			events = append(events, e)
		}
		return true
	})
}

// add puts events behind the others, and gives their size.
func (b *waiting) add(stream string, events []event) (size int) {
	if len(events) == 0 {
		return 0
	}
	if n := len(b.parts); n == 0 || b.parts[n-1].stream != stream {
		b.parts = append(b.parts, part{stream: stream})
	}
	last := &b.parts[len(b.parts)-1]
	last.events = append(last.events, events...)
	for _, e := range events {
		size += e.size()
	}
	return size
}

// messages are the events as the function gets them: those of one stream in each, as many as a message takes.
func (b *waiting) messages() []subscription.Message {
	var list []subscription.Message
	for _, p := range b.parts {
		size := 0
		for i, e := range p.events {
			bytes := e.size()
			if b.means.HasFields() {
				bytes *= 2 // the message is there twice
			}
			if i == 0 || size+bytes > subscription.MessageSize {
				list = append(list, subscription.Message{
					Type: subscription.DataMessage, Owner: b.to.Account, Group: b.group.Name, Stream: p.stream,
					Filters: []string{b.filter.Name},
				})
				size = 0
			}
			size += bytes
			last := &list[len(list)-1]
			last.Events = append(last.Events, subscription.Event{
				ID: e.id(), Timestamp: e.time, Message: e.message, Fields: b.means.Fields(e.message),
			})
		}
	}
	return list
}
