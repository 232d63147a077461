package main

import (
	"bytes"
	"fmt"
	"os"
)

// unknownMemoryMB is taken where the machine does not say how much it has.
const unknownMemoryMB = 4096

// machineMemoryMB is the memory of this machine, by proc_meminfo(5).
func machineMemoryMB() int {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return unknownMemoryMB
	}
	return memoryOf(text)
}

func memoryOf(meminfo []byte) int {
	for line := range bytes.Lines(meminfo) {
		var kilobytes int
		if n, err := fmt.Sscanf(string(line), "MemTotal: %d kB", &kilobytes); n == 1 && err == nil && kilobytes > 0 {
			return kilobytes >> 10
		}
	}
	return unknownMemoryMB
}
