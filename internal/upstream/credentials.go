package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ParseURL reads the URL of an upstream. The error does not repeat it: it may have a password.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("not a URL: want http://HOST:PORT or https://HOST:PORT")
	case u.User != nil:
		return nil, fmt.Errorf("credentials belong into a file, not into the URL for %s", u.Host)
	}
	return u, nil
}

// DefaultProfile has the credentials for upstreams without a profile of their own.
const DefaultProfile = "default"

// ReadCredentials reads credentials by profile, from a file of the form of AWS's shared credentials file
// (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html). The error repeats nothing that may be a secret in the wrong place.
func ReadCredentials(r io.Reader) (map[string]aws.Credentials, error) {
	profiles := make(map[string]aws.Credentials)
	profile := ""
	scanner := bufio.NewScanner(r)
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			if profile, ok = strings.CutSuffix(name, "]"); !ok || profile == "" {
				return nil, fmt.Errorf("line %d: want [PROFILE]", n)
			}
			if _, twice := profiles[profile]; twice {
				return nil, fmt.Errorf("line %d: profile %s is there twice", n, profile)
			}
			profiles[profile] = aws.Credentials{}
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || profile == "" {
			return nil, fmt.Errorf("line %d: want NAME = VALUE below a [PROFILE]", n)
		}
		c := profiles[profile]
		switch name, value = strings.TrimSpace(name), strings.TrimSpace(value); name {
		case "aws_access_key_id":
			c.AccessKeyID = value
		case "aws_secret_access_key":
			c.SecretAccessKey = value
		case "aws_session_token":
			c.SessionToken = value
		default:
			return nil, fmt.Errorf("line %d: want aws_access_key_id, aws_secret_access_key or aws_session_token", n)
		}
		profiles[profile] = c
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	for name, c := range profiles {
		if slices.Contains([]string{c.AccessKeyID, c.SecretAccessKey}, "") {
			return nil, fmt.Errorf("profile %s lacks its access key or its secret", name)
		}
	}
	return profiles, nil
}
