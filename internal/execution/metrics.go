package execution

import "github.com/prometheus/client_golang/prometheus"

// metrics of a manager. Labels are closed sets: never a function, account or ARN.
type metrics struct {
	invocations  *prometheus.CounterVec        // by result
	results      map[string]prometheus.Counter // of invocations
	throttles    prometheus.Counter
	coldStarts   prometheus.Counter
	duration     prometheus.Histogram
	initDuration prometheus.Histogram
	running      prometheus.Gauge
	environments prometheus.Gauge
	logDropped   prometheus.Counter
	logFailed    prometheus.Counter
}

// Values of the label result: the function answered, it failed, it timed out, the server could not run it.
const (
	resultOK       = "ok"
	resultFunction = "function_error"
	resultTimeout  = "timeout"
	resultServer   = "server_error"
)

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "licet_execution_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "licet_execution_" + name, Help: help})
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "licet_execution_" + name, Help: help,
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 22)})
	}
	m := &metrics{
		invocations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "licet_execution_invocations_total",
			Help: "Invocations that ended, by result."}, []string{"result"}),
		throttles:    counter("throttles_total", "Invocations refused because of a concurrency limit."),
		coldStarts:   counter("cold_starts_total", "Environments made."),
		duration:     histogram("duration_seconds", "Duration of invocations without their Init phase."),
		initDuration: histogram("init_duration_seconds", "Duration of Init phases that succeeded."),
		running:      gauge("running_invocations", "Invocations that are running."),
		environments: gauge("environments", "Environments, running and idle."),
		logDropped:   counter("log_lines_dropped_total", "Lines dropped because the log could not be written fast enough."),
		results:      map[string]prometheus.Counter{},
		logFailed:    counter("log_writes_failed_total", "Batches of log lines that could not be written."),
	}
	for _, result := range []string{resultOK, resultFunction, resultTimeout, resultServer} {
		m.results[result] = m.invocations.WithLabelValues(result)
	}
	return m
}

// Collectors are the manager's metrics, to be registered once.
func (m *Manager) Collectors() []prometheus.Collector {
	s := m.metrics
	return []prometheus.Collector{s.invocations, s.throttles, s.coldStarts, s.duration, s.initDuration, s.running, s.environments,
		s.logDropped, s.logFailed}
}
