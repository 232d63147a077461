package poll

import "github.com/prometheus/client_golang/prometheus"

// What becomes of the events of a source, as Lambda's metrics of mappings count them (EventCount in MetricsConfig):
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#event-source-mapping-metrics.
const (
	Polled       = "polled"        // read
	FilteredOut  = "filtered_out"  // matched by no filter
	Invoked      = "invoked"       // given to a function that ran
	FailedInvoke = "failed_invoke" // given to a function that failed, could not run, or reported them
	Deleted      = "deleted"       // deleted, for they are done with
)

// Values of the label result: how a call of a function ended.
const (
	invocationOK        = "ok"
	invocationFailed    = "failed"    // with an error of the function
	invocationThrottled = "throttled" // by a concurrency limit
	invocationRefused   = "refused"   // it did not run for another reason
)

// metrics of a room. Labels are closed sets.
type metrics struct {
	pollers       prometheus.Gauge
	running       prometheus.Gauge
	eventsBy      *prometheus.CounterVec
	events        map[string]prometheus.Counter
	invocationsBy *prometheus.CounterVec
	invocations   map[string]prometheus.Counter
}

func newMetrics() *metrics {
	const prefix = "licet_mapping_"
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + name, Help: help})
	}
	vector := func(name, help, label string, values ...string) (*prometheus.CounterVec, map[string]prometheus.Counter) {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, []string{label})
		all := map[string]prometheus.Counter{}
		for _, value := range values {
			all[value] = v.WithLabelValues(value)
		}
		return v, all
	}
	m := &metrics{
		pollers: gauge("pollers", "Event source mappings that are polled."),
		running: gauge("running_invocations", "Invocations by event source mappings that are under way."),
	}
	m.eventsBy, m.events = vector("events_total", "Events of event source mappings, by what became of them.", "outcome",
		Polled, FilteredOut, Invoked, FailedInvoke, Deleted)
	m.invocationsBy, m.invocations = vector("invocations_total", "Invocations by event source mappings, by result.", "result",
		invocationOK, invocationFailed, invocationThrottled, invocationRefused)
	return m
}

// Collectors are the room's metrics, to be registered once.
func (r *Room) Collectors() []prometheus.Collector {
	m := r.metrics
	return []prometheus.Collector{m.pollers, m.running, m.eventsBy, m.invocationsBy}
}

// Count notes what became of events; outcome is one of Polled, FilteredOut, Invoked, FailedInvoke and Deleted.
func (p *Poller) Count(outcome string, events int) {
	p.room.metrics.events[outcome].Add(float64(events))
}
