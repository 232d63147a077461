package async

import "github.com/prometheus/client_golang/prometheus"

// abandoned is the end of an event whose function is gone.
const abandoned = "Abandoned"

// Values of the label kind: the function answered with an error, it could not run, its destination or its dead-letter queue could not be
// written to.
const (
	failureFunction    = "function"
	failureSystem      = "system"
	failureDestination = "destination"
	failureDeadLetter  = "dead_letter"
)

// metrics of a queue. Labels are closed sets.
type metrics struct {
	depth     prometheus.Gauge
	running   prometheus.Gauge
	age       prometheus.Histogram
	throttles prometheus.Counter
	troubles  prometheus.Counter

	endedBy    *prometheus.CounterVec
	ended      map[string]prometheus.Counter
	failuresBy *prometheus.CounterVec
	failures   map[string]prometheus.Counter
}

func newMetrics() *metrics {
	const prefix = "licet_async_"
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
	}
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
		depth:   gauge("events", "Events of asynchronous invocations that have not ended."),
		running: gauge("running_events", "Events that are being delivered."),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + "event_age_seconds",
			Help: "Age of events when they are delivered.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 13)}),
		throttles: counter("throttles_total", "Deliveries put off because of a concurrency limit."),
		troubles:  counter("troubles_total", "Deliveries broken off by a failure of the server, to be made again."),
	}
	m.endedBy, m.ended = vector("ended_events_total", "Events that ended, by condition.", "condition",
		succeeded, retriesExhausted, eventAgeExceeded, zeroConcurrency, recursive, abandoned)
	m.failuresBy, m.failures = vector("failures_total", "What failed in deliveries, by kind.", "kind",
		failureFunction, failureSystem, failureDestination, failureDeadLetter)
	return m
}

// Collectors are the queue's metrics, to be registered once.
func (q *Queue) Collectors() []prometheus.Collector {
	m := q.metrics
	return []prometheus.Collector{m.depth, m.running, m.age, m.throttles, m.troubles, m.endedBy, m.failuresBy}
}
