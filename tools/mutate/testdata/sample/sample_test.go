package sample

import "testing"

func TestSample(t *testing.T) {
	if Adult(3) || !Adult(33) {
		t.Error("Adult")
	}
	if Price("adult") != 9 {
		t.Error("Price")
	}
	if Count(2) != 2 {
		t.Error("Count")
	}
}
