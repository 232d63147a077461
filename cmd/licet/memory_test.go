package main

import "testing"

func TestMemoryOf(t *testing.T) {
	for text, want := range map[string]int{
		"MemTotal:        8039072 kB\nMemFree:          198040 kB\n": 7850,
		"MemFree: 198040 kB\nMemTotal: 2048 kB\n":                    2,
		"MemTotal: much\n": unknownMemoryMB,
		"":                 unknownMemoryMB,
	} {
		if got := memoryOf([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
	if got := machineMemoryMB(); got <= 0 {
		t.Errorf("got %d MB of this machine", got)
	}
}
