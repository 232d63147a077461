package sqs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// FuzzFailures: a function's report makes a message of the batch stay or go, and no other.
func FuzzFailures(f *testing.F) {
	for _, report := range []string{
		"", "null", "{}", `{"batchItemFailures":[{"itemIdentifier":"a"}]}`, `{"batchItemFailures":[{"itemIdentifier":"x"}]}`,
		`{"batchItemFailures":[{"itemIdentifier":null},null]}`, `[]`,
	} {
		f.Add([]byte(report))
	}
	items := []item{{message: types.Message{MessageId: aws.String("a")}}, {message: types.Message{MessageId: aws.String("b")}}}
	f.Fuzz(func(t *testing.T, report []byte) {
		failed, ok := failures(report, items)
		for id := range failed {
			if id != "a" && id != "b" || !ok {
				t.Errorf("%s: got %v, %v", report, failed, ok)
			}
		}
	})
}
