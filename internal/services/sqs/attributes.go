package sqs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/policy"
)

// maxMessage is how large a message, and a batch, may be, in bytes (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html, API_CreateQueue).
const maxMessage = 1 << 20

// attribute is one that can be set.
type attribute struct {
	name string
	// preset is the value of a queue for which none was given; "" for none.
	preset string
	// fifo tells that only FIFO queues have it.
	fifo bool
	// read checks a value and gives it as it is kept.
	read func(a *attribute, value string) (string, error)
}

// attributes is the table of what CreateQueue and SetQueueAttributes take, in the order of names.
var attributes = []attribute{
	{"ContentBasedDeduplication", "false", true, oneOf("true", "false")},
	{"DeduplicationScope", "queue", true, oneOf("queue", "messageGroup")},
	{"DelaySeconds", "0", false, within(0, 900)},
	{"FifoQueue", "", true, oneOf("true", "false")},
	{"FifoThroughputLimit", "perQueue", true, oneOf("perQueue", "perMessageGroupId")},
	{"KmsDataKeyReusePeriodSeconds", "", false, keyReuse},
	{"KmsMasterKeyId", "", false, masterKey},
	{"MaximumMessageSize", strconv.Itoa(maxMessage), false, within(1024, maxMessage)},
	{"MessageRetentionPeriod", "345600", false, within(60, 1209600)},
	{"Policy", "", false, document},
	{"ReceiveMessageWaitTimeSeconds", "0", false, within(0, 20)},
	{"RedriveAllowPolicy", "", false, redriveAllow},
	{"RedrivePolicy", "", false, redrive},
	{"SqsManagedSseEnabled", "true", false, oneOf("true", "false")},
	{"VisibilityTimeout", "30", false, within(0, 43200)},
}

// attributeOf finds an attribute that can be set; nil for none.
func attributeOf(name string) *attribute {
	i := slices.IndexFunc(attributes, func(a attribute) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return &attributes[i]
}

// presets are the attributes of a new queue.
func presets(fifo bool) map[string]string {
	all := map[string]string{}
	for _, a := range attributes {
		if a.preset != "" && (fifo || !a.fifo) {
			all[a.name] = a.preset
		}
	}
	return all
}

// readAttributes checks given attributes and gives them as they are kept, "" for those that are taken away.
func readAttributes(given map[string]string, fifo bool) (map[string]string, error) {
	read := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		a := attributeOf(name)
		if a == nil || a.fifo && !fifo {
			return nil, unknownAttribute(name)
		}
		value, err := a.read(a, given[name])
		if err != nil {
			return nil, err
		}
		read[name] = value
	}
	return read, nil
}

// merge sets attributes of a queue, and checks them together.
func merge(q *queue.Queue, read map[string]string) error {
	for name, value := range read {
		if value == "" {
			delete(q.Attributes, name)
		} else {
			q.Attributes[name] = value
		}
	}
	if q.Attributes["FifoThroughputLimit"] == "perMessageGroupId" && q.Attributes["DeduplicationScope"] != "messageGroup" {
		return badAttributeBecause("FifoThroughputLimit", // ours: API_CreateQueue says only that it is allowed with that scope alone
			"The value perMessageGroupId is allowed only when DeduplicationScope is messageGroup.")
	}
	return q.Parse()
}

func oneOf(values ...string) func(*attribute, string) (string, error) {
	return func(a *attribute, value string) (string, error) {
		if !slices.Contains(values, value) {
			return "", badAttribute(a.name)
		}
		return value, nil
	}
}

func within(least, most int) func(*attribute, string) (string, error) {
	return func(a *attribute, value string) (string, error) {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return "", badAttribute(a.name)
		}
		return strconv.Itoa(n), nil
	}
}

// masterKey refuses keys of KMS, which is not there: a queue must not look encrypted that is not.
func masterKey(_ *attribute, value string) (string, error) {
	if value != "" {
		return "", notImplemented("the attribute KmsMasterKeyId of queues")
	}
	return "", nil
}

// keyReuse is about keys that masterKey refuses. Clients set it for queues without any.
func keyReuse(a *attribute, value string) (string, error) {
	_, err := within(60, 86400)(a, value)
	return "", err
}

func document(a *attribute, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	d, err := policy.Parse([]byte(value))
	if err != nil || slices.ContainsFunc(policy.Validate(d, policy.Resource), func(f policy.Finding) bool { return f.Refused }) {
		return "", badAttribute(a.name)
	}
	return value, nil
}

// redrive reads a redrive policy. Texts show it as it was given.
func redrive(a *attribute, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	bad := func(reason string) error { return badValue(value, a.name, reason) }
	var r queue.Redrive
	if err := json.Unmarshal([]byte(value), &r); err != nil {
		return "", bad("Redrive policy is not a valid JSON map.")
	}
	if r.DeadLetterTargetARN == "" {
		return "", bad("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	}
	if r.MaxReceiveCount < 1 || r.MaxReceiveCount > 1000 {
		return "", bad("Invalid value for maxReceiveCount: it must be from 1 to 1000.")
	}
	if to, err := arn.Parse(r.DeadLetterTargetARN); err != nil || to.Service != "sqs" {
		return "", bad("Invalid value for deadLetterTargetArn.")
	}
	kept, err := json.Marshal(r)
	return string(kept), err
}

// allowPolicy is the attribute RedriveAllowPolicy.
type allowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns,omitempty"`
}

func redriveAllow(a *attribute, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	var p allowPolicy
	if err := json.Unmarshal([]byte(value), &p); err != nil {
		return "", badAttribute(a.name)
	}
	byQueue := p.Permission == "byQueue"
	if p.Permission != "allowAll" && p.Permission != "denyAll" && !byQueue || byQueue != (len(p.Sources) > 0) || len(p.Sources) > 10 {
		return "", badAttribute(a.name)
	}
	kept, err := json.Marshal(p)
	return string(kept), err
}

// allows tells whether a queue takes the dead letters of another.
func allows(dead *queue.Queue, source string) (bool, error) {
	text := dead.Attributes["RedriveAllowPolicy"]
	if text == "" {
		return true, nil
	}
	var p allowPolicy
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return false, err
	}
	return p.Permission == "allowAll" || p.Permission == "byQueue" && slices.Contains(p.Sources, source), nil
}
