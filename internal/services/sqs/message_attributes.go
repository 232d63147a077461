package sqs

import (
	"crypto/md5" //nolint:gosec // the protocol has it: clients compare what they sent
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/sqs/queue"
)

// Limits of message attributes
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html).
const (
	maxAttributes = 10
	maxName       = 256
	// maxTrace bounds a trace header, which does not count towards the size of its message. X-Ray's have some hundred bytes.
	maxTrace = 1024
)

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)

// readMessageAttributes checks attributes, and adds their size.
func readMessageAttributes(in map[string]types.MessageAttributeValue, size *int) (map[string]queue.Attribute, *awserr.Error) {
	if len(in) > maxAttributes {
		return nil, invalidValue("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(in), maxAttributes)
	}
	if len(in) == 0 {
		return nil, nil
	}
	read := make(map[string]queue.Attribute, len(in))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		value := in[name]
		if refused := checkAttributeName(name); refused != nil {
			return nil, refused
		}
		a, refused := readAttribute(name, &value)
		if refused != nil {
			return nil, refused
		}
		read[name] = a
		*size += len(name) + len(a.Type) + len(aws.ToString(a.Text)) + len(a.Bytes)
	}
	return read, nil
}

// checkAttributeName has the rules of the page above; the text is ours.
func checkAttributeName(name string) *awserr.Error {
	lower := strings.ToLower(name)
	if !attributeName.MatchString(name) || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") ||
		strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return invalidValue("Message (user) attribute name '%s' is invalid: it may have up to %d letters, digits, underscores, hyphens and single "+
			"periods inside, and not begin with AWS. or Amazon.", name, maxName)
	}
	return nil
}

func readAttribute(name string, in *types.MessageAttributeValue) (queue.Attribute, *awserr.Error) {
	a := queue.Attribute{Type: aws.ToString(in.DataType)}
	if len(in.StringListValues) > 0 || len(in.BinaryListValues) > 0 {
		// The model says that these are not implemented; AWS's own code for that is UnsupportedOperation.
		return a, awserr.New("UnsupportedOperation", 400, "Message attribute list values in SendMessage operation are not supported.")
	}
	kind, _, _ := strings.Cut(a.Type, ".")
	empty := invalidValue("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
	switch kind {
	case "String", "Number":
		if aws.ToString(in.StringValue) == "" {
			return a, empty
		}
		if kind == "Number" {
			if n, _, err := big.ParseFloat(*in.StringValue, 10, 256, big.ToNearestEven); err != nil || n.IsInf() {
				return a, invalidValue("Can't cast the value of message (user) attribute '%s' to a number.", name)
			}
		} else if !validContents(*in.StringValue) {
			return a, invalidContents()
		}
		a.Text = in.StringValue
	case "Binary":
		if len(in.BinaryValue) == 0 {
			return a, empty
		}
		a.Bytes = in.BinaryValue
	case "":
		return a, invalidValue("Message (user) attribute '%s' must contain a non-empty message attribute type.", name) // ours
	default:
		return a, invalidValue("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is "+
			"Binary, Number, and String.", name)
	}
	if len(a.Type) > maxName {
		return a, invalidValue("The type of message (user) attribute '%s' is longer than %d characters.", name, maxName)
	}
	return a, nil
}

// traceOf reads the one system attribute that can be sent.
func traceOf(in map[string]types.MessageSystemAttributeValue) (string, *awserr.Error) {
	for name, value := range in {
		if name != string(types.MessageSystemAttributeNameForSendsAWSTraceHeader) {
			return "", invalidValue("Message system attribute name '%s' is invalid.", name)
		}
		if aws.ToString(value.DataType) != "String" || aws.ToString(value.StringValue) == "" {
			return "", invalidValue("Message (system) attribute '%s' must contain a non-empty value of type 'String'.", name)
		}
		if len(*value.StringValue) > maxTrace {
			return "", invalidValue("Message (system) attribute '%s' must not be longer than %d bytes.", name, maxTrace) // ours
		}
		return *value.StringValue, nil
	}
	return "", nil
}

// wire gives an attribute as clients get it.
func wire(a queue.Attribute) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String(a.Type), StringValue: a.Text, BinaryValue: a.Bytes}
}

// selects tells whether names ask for an attribute: by its name, by the beginning of it with .* at the end, or all.
func selects(names []string, attribute string) bool {
	for _, name := range names {
		prefix, isPrefix := strings.CutSuffix(name, ".*")
		if name == attribute || name == "All" || isPrefix && strings.HasPrefix(attribute, prefix) {
			return true
		}
	}
	return false
}

// digest is the MD5 of a body.
func digest(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// attributesDigest is the MD5 of attributes; nil for none. Its form is described in
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation.
func attributesDigest(attributes map[string]queue.Attribute) *string {
	if len(attributes) == 0 {
		return nil
	}
	var b []byte
	part := func(text string) {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...) //nolint:gosec // not longer than a message
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		part(name)
		part(a.Type)
		if a.Text != nil {
			b = append(b, 1)
			part(*a.Text)
		} else {
			b = append(b, 2)
			part(string(a.Bytes))
		}
	}
	return aws.String(digest(string(b)))
}

// traceDigest is the MD5 of the system attributes that were sent, which were checked; nil for none.
func traceDigest(in map[string]types.MessageSystemAttributeValue) *string {
	attributes := map[string]queue.Attribute{}
	for name, value := range in {
		attributes[name] = queue.Attribute{Type: aws.ToString(value.DataType), Text: value.StringValue}
	}
	return attributesDigest(attributes)
}
