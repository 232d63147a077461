package functionurl

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are CloudWatch's of function URLs (https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html), of all together:
// UrlRequestCount, Url4xxCount and Url5xxCount are one counter with the class of the status, UrlRequestLatency is a histogram.
type metrics struct {
	requests *prometheus.CounterVec
	latency  prometheus.Histogram
}

func newMetrics() *metrics {
	return &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "licet_function_url_requests_total", Help: "Requests to function URLs by class of HTTP status.",
		}, []string{"class"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "licet_function_url_request_duration_seconds", Help: "Time that requests to function URLs took which reached their function.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}),
	}
}

// count counts a request that is answered.
func (m *metrics) count(status int) {
	m.requests.WithLabelValues(fmt.Sprintf("%dxx", status/100)).Inc()
}

// Collectors are the room's metrics, to be registered once.
func (s *Service) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.metrics.requests, s.metrics.latency}
}
