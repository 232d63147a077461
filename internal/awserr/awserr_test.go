package awserr

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestInternalHidesItsCause(t *testing.T) {
	cause := errors.New("disk on fire")
	e := Internal(cause)
	if e.Status != http.StatusInternalServerError || e.Sender() || strings.Contains(e.Message, "fire") {
		t.Errorf("got %+v: the client must learn nothing of the cause", e)
	}
	if !errors.Is(e, cause) || !strings.Contains(e.Error(), "disk on fire") {
		t.Errorf("%v: the log must have the cause", e)
	}
}

func TestFoundInAChain(t *testing.T) {
	err := fmt.Errorf("get user: %w", New("NoSuchEntity", http.StatusNotFound, "no %s", "user"))
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != "NoSuchEntity" || e.Message != "no user" || !e.Sender() {
		t.Errorf("got %+v", e)
	}
}

func TestNotImplementedNamesTheOperation(t *testing.T) {
	if e := NotImplemented("lambda", "ListLayers"); e.Status != 501 || !strings.Contains(e.Message, "ListLayers of lambda") {
		t.Errorf("got %+v", e)
	}
}
