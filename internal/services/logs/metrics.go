package logs

import "github.com/prometheus/client_golang/prometheus"

// outcomes count what became of messages for functions.
type outcomes struct {
	all                                 *prometheus.CounterVec
	delivered, refused, failed, dropped prometheus.Counter
}

func newOutcomes() *outcomes {
	all := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "licet_logs_subscription_messages_total",
		Help: "Messages of subscription filters to functions: delivered, refused by the function, failed and to be tried again, " +
			"dropped for their size or age.",
	}, []string{"outcome"})
	return &outcomes{
		all: all, delivered: all.WithLabelValues("delivered"), refused: all.WithLabelValues("refused"),
		failed: all.WithLabelValues("failed"), dropped: all.WithLabelValues("dropped"),
	}
}

// Collectors are the service's metrics, to be registered once. What users' metric filters count is not among them: its names and
// labels would be an open set.
func (s *Service) Collectors() []prometheus.Collector { return []prometheus.Collector{s.outcomes.all} }
