package s3

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

const scheme = "s3://"

// IsURL tells whether a text names a place in a bucket, right or wrong.
func IsURL(text string) bool { return strings.HasPrefix(text, scheme) }

// Place is a bucket and what the keys in it begin with.
type Place struct {
	Bucket string
	// Prefix of all keys, without slashes at its ends; "": none.
	Prefix string
	// Endpoint is the URL of the server; "": what AWS_ENDPOINT_URL_S3 or the SDK's configuration say, else AWS.
	Endpoint string
	// Region that requests are signed for; "": what AWS_REGION or the SDK's configuration say.
	Region string
	// PathStyle puts the bucket into the path instead of the host's name; nil: where there is an endpoint.
	PathStyle *bool
}

// bucketName is what a bucket may be called (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// prefixName is what a prefix may be: it stands in keys and in paths of directories, where neither is to be escaped.
var prefixName = regexp.MustCompile(`^([A-Za-z0-9_=-][A-Za-z0-9._=-]*(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*)?$`)

// Parse reads s3://BUCKET/PREFIX?endpoint=URL&region=REGION&path-style=BOOL, of which only the bucket is needed.
func Parse(text string) (Place, error) {
	u, err := url.Parse(text)
	if err != nil || !IsURL(text) {
		return Place{}, errors.New("want s3://BUCKET/PREFIX") // what is wrong in it may be a secret
	}
	if u.User != nil {
		return Place{}, errors.New("a URL of S3 has no credentials: they are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
	}
	p := Place{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if !bucketName.MatchString(p.Bucket) {
		return Place{}, fmt.Errorf("%q is not the name of a bucket", p.Bucket)
	}
	if !prefixName.MatchString(p.Prefix) || u.Fragment != "" {
		return Place{}, fmt.Errorf("%q: want a prefix of letters, digits, dots, dashes, underscores and single slashes", p.Prefix)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Place{}, fmt.Errorf("read its parameters: %w", err)
	}
	for name, values := range query {
		if len(values) != 1 {
			return Place{}, fmt.Errorf("%s is there more than once", name)
		}
		if err := p.set(name, values[0]); err != nil {
			return Place{}, err
		}
	}
	return p, nil
}

// set takes a parameter.
func (p *Place) set(name, value string) error {
	switch name {
	case "endpoint":
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return errors.New("endpoint: want http://HOST:PORT or https://HOST")
		}
		p.Endpoint = value
	case "region":
		p.Region = value
	case "path-style":
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("path-style %q: want true or false", value)
		}
		p.PathStyle = &b
	default:
		return fmt.Errorf("there is no parameter %s: want endpoint, region or path-style", name)
	}
	return nil
}

// folder is what the keys of a folder begin with.
func (p Place) folder(name string) string {
	return strings.TrimPrefix(p.Prefix+"/"+name+"/", "/")
}

// String is the place without its parameters, as the AWS CLI takes it.
func (p Place) String() string {
	return strings.TrimSuffix(scheme+p.Bucket+"/"+p.Prefix, "/")
}
