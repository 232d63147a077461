package sqs

import (
	"errors"
	"strings"
	"testing"

	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/services/sqs/sqsapi"
)

// Statuses are those of the model, for the errors that it has.
func TestStatuses(t *testing.T) {
	modelled := map[string]int{}
	for id, entry := range sqsapi.API().Types.Entries {
		if trait, ok := smithy.SchemaTrait[*traits.AWSQueryError](entry.Schema); ok {
			modelled[id[strings.Index(id, "#")+1:]] = trait.StatusCode
		}
	}
	_, address := byURL(nil, new(string))
	bad := "x"
	_, address2 := byURL(nil, &bad)
	seen := 0
	for _, err := range []error{
		noQueue(), queueExists("x"), deletedRecently(), purgeInProgress("q"), overLimit(), tooManyActions(8), badHandle("x"), noResource("x"), address, address2,
		checkEntries(nil, "x", func(*string) *string { return nil }), checkEntries([]string{""}, "x", func(s string) *string { return &s }),
		checkEntries(make([]string, 11), "x", func(s string) *string { return &s }), checkEntries([]string{"a", "a"}, "x", func(s string) *string { return &s }),
	} {
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok {
			t.Fatalf("got %v", err)
		}
		if want, ok := modelled[e.Code]; ok {
			if seen++; e.Status != want {
				t.Errorf("%s: status %d, want %d", e.Code, e.Status, want)
			}
		}
	}
	if seen < 12 {
		t.Errorf("the model has %d of these errors", seen)
	}
}

func TestAnswers(t *testing.T) {
	for err, want := range map[error]string{
		queue.ErrGone: "QueueDoesNotExist", queue.ErrOverLimit: "OverLimit", queue.ErrHandle: "ReceiptHandleIsInvalid",
		queue.ErrExpired: "InvalidParameterValueException", queue.ErrTooLong: "InvalidParameterValueException",
	} {
		if e, ok := errors.AsType[*awserr.Error](answer(errors.Join(errors.New("while"), err), "h")); !ok || e.Code != want {
			t.Errorf("%v: got %v", err, e)
		}
	}
	other := errors.New("the disk is broken")
	if err := answer(other, ""); err != other {
		t.Errorf("got %v", err)
	}
	if e := forClient(other, ""); e.Status != 500 || strings.Contains(e.Message, "disk") {
		t.Errorf("got %+v", e)
	}
}
