package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/upstream"
)

// openUpstreams makes the services that this server does not have: their calls are judged, and go on to the servers that the configuration
// names. A name that is no service's is an error.
func (s *server) openUpstreams(c config, data *awsdata.Data) (*upstream.Services, error) {
	credentials, err := readUpstreamCredentials(c.UpstreamCredentials)
	if err != nil {
		return nil, err
	}
	known := upstream.New(upstream.Config{Data: data, Logger: s.logger}).Names()
	upstreams := make(map[string]upstream.Upstream, len(c.Upstreams))
	for name, text := range c.Upstreams {
		switch {
		case s.offers(name):
			return nil, fmt.Errorf("--upstream %s: licet has this service itself", name)
		case name != upstream.All && !slices.Contains(known, name):
			return nil, fmt.Errorf("--upstream %s: AWS has no service of this name%s", name, similar(name, known))
		}
		url, err := upstream.ParseURL(text)
		if err != nil {
			return nil, fmt.Errorf("--upstream %s: %w", name, err)
		}
		keys, ok := credentials[name]
		if !ok {
			keys = credentials[upstream.DefaultProfile]
		}
		upstreams[name] = upstream.Upstream{URL: url, Credentials: keys}
	}
	for profile := range credentials {
		if _, ok := upstreams[profile]; !ok && profile != upstream.DefaultProfile {
			return nil, fmt.Errorf("--upstream-credentials: there is no --upstream for the profile %s", profile)
		}
	}
	others := upstream.New(upstream.Config{Data: data, Upstreams: upstreams, Logger: s.logger})
	s.closers = append(s.closers, func() error { others.Close(); return nil })
	return others, nil
}

// offers tells whether this server has a service itself.
func (s *server) offers(signingName string) bool {
	return slices.ContainsFunc(s.offered, func(o service.Service) bool { return o.API.SigningName == signingName })
}

// remark says what was not known of the resources of other services.
func (s *server) remark(others *upstream.Services) func(service, action, resource string) string {
	return func(service, action, resource string) string {
		if s.offers(service) {
			return ""
		}
		return others.Remark(service, action, resource)
	}
}

func readUpstreamCredentials(file string) (map[string]aws.Credentials, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read --upstream-credentials: %w", err)
	}
	defer f.Close() // only reads
	credentials, err := upstream.ReadCredentials(f)
	if err != nil {
		return nil, fmt.Errorf("read --upstream-credentials: %w", err)
	}
	return credentials, nil
}

// similar names those that may be meant: requests are not always signed for what a service is called.
func similar(name string, known []string) string {
	if i := slices.Index([]string{"cloudwatch", "stepfunctions", "eventbridge", "iot-data", "apigatewaymanagementapi", "dynamodbstreams"}, name); i >= 0 {
		return "; its requests are signed for " + []string{"monitoring", "states", "events", "iotdata", "execute-api", "dynamodb"}[i]
	}
	var near []string
	for _, k := range known {
		if strings.Contains(k, name) || strings.Contains(name, k) && len(k) > 2 {
			near = append(near, k)
		}
	}
	if near == nil {
		return ""
	}
	return "; similar ones are " + strings.Join(near, ", ")
}
