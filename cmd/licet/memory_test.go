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

func TestMemoryIsShort(t *testing.T) {
	for text, want := range map[string]bool{
		"MemTotal: 16000 kB\nMemAvailable: 999 kB\n":  true,
		"MemTotal: 16000 kB\nMemAvailable: 1000 kB\n": false,
		"MemTotal: 16000 kB\n":                        false,
		"":                                            false,
	} {
		if got := short([]byte(text)); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	}
}
