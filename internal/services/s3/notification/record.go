package notification

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Event is what has happened.
type Event struct {
	// Name without "s3:", such as "ObjectCreated:Put".
	Name   string
	Bucket string
	// Account and Region are the bucket's.
	Account, Region string
	Time            time.Time
	// Made is when, by the clock that deliveries go by, which other servers share.
	Made time.Time
	// Principal is the caller's id, SourceIP its address.
	Principal, SourceIP string
	RequestID           string
	Key                 string
	// Size and ETag are set of objects that were created.
	Size    *int64
	ETag    string
	Version string // "" for an object without versions
	// Sequencer orders the events of a key; "" for events that have none.
	Sequencer string
}

// The shapes of a record, in the order in which AWS writes their members.
type record struct {
	EventVersion string            `json:"eventVersion"`
	EventSource  string            `json:"eventSource"`
	AWSRegion    string            `json:"awsRegion"`
	EventTime    string            `json:"eventTime"`
	EventName    string            `json:"eventName"`
	UserIdentity identity          `json:"userIdentity"`
	Request      requestParameters `json:"requestParameters"`
	Response     responseElements  `json:"responseElements"`
	S3           entity            `json:"s3"`
}

type identity struct {
	PrincipalID string `json:"principalId"`
}

type requestParameters struct {
	SourceIP string `json:"sourceIPAddress"`
}

type responseElements struct {
	RequestID string `json:"x-amz-request-id"`
	ID2       string `json:"x-amz-id-2"`
}

type entity struct {
	Schema          string       `json:"s3SchemaVersion"`
	ConfigurationID string       `json:"configurationId"`
	Bucket          bucketEntity `json:"bucket"`
	Object          objectEntity `json:"object"`
}

type bucketEntity struct {
	Name  string   `json:"name"`
	Owner identity `json:"ownerIdentity"`
	ARN   string   `json:"arn"`
}

type objectEntity struct {
	Key       string `json:"key"`
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	VersionID string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer,omitempty"`
}

const timeFormat = "2006-01-02T15:04:05.000Z"

// payload is what a target gets.
func (e *Event) payload(configuration, owner, partition string) ([]byte, error) {
	version := "2.1"
	if strings.HasPrefix(e.Name, "ObjectTagging:") || strings.HasPrefix(e.Name, "ObjectAcl:") { // recorded
		version = "2.3"
	}
	r := record{
		EventVersion: version, EventSource: "aws:s3", AWSRegion: e.Region, EventTime: e.Time.UTC().Format(timeFormat), EventName: e.Name,
		UserIdentity: identity{"AWS:" + e.Principal}, Request: requestParameters{e.SourceIP},
		Response: responseElements{e.RequestID, e.RequestID},
		S3: entity{
			Schema: "1.0", ConfigurationID: configuration,
			Bucket: bucketEntity{Name: e.Bucket, Owner: identity{owner}, ARN: "arn:" + partition + ":s3:::" + e.Bucket},
			Object: objectEntity{Key: url.QueryEscape(e.Key), Size: e.Size, ETag: e.ETag, VersionID: e.Version, Sequencer: e.Sequencer},
		},
	}
	r.S3.Object.Key = strings.ReplaceAll(r.S3.Object.Key, "%2F", "/") // "The object key name value is URL encoded", but for slashes
	return json.Marshal(map[string][]record{"Records": {r}})
}

// testEvent is what a queue gets when it is made a target
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
type testEvent struct {
	Service   string
	Event     string
	Time      string
	Bucket    string
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
}

// TestPayload is the test event of a bucket.
func TestPayload(bucket, requestID string, now time.Time) ([]byte, error) {
	body, err := json.Marshal(testEvent{
		Service: "Amazon S3", Event: "s3:TestEvent", Time: now.UTC().Format(timeFormat), Bucket: bucket, RequestID: requestID, HostID: requestID,
	})
	if err != nil {
		return nil, fmt.Errorf("encode test event: %w", err)
	}
	return body, nil
}
