package sample

import "testing"

func TestSample(t *testing.T) {
	if Adult(3) || !Adult(33) {
		t.Error("Adult")
	}
	if Count(2) != 2 {
		t.Error("Count")
	}
}
