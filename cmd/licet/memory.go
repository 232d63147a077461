package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// gcPercent lets the heap grow to four times what is in use before it is collected: what is in use is little, so that Go's own
	// 100 would collect many times a second under load. GOGC in the environment goes before it.
	gcPercent = 300
	// quietTime is how long the server has to be without work until the memory that this took is given back.
	quietTime = 5 * time.Second
	// quietBytes allocated in that time are no work: the heartbeat of an idle server.
	quietBytes = 4 << 20
)

// collectLate sets how often memory is collected.
func collectLate() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// returnMemory gives unused memory back to the machine when there is no more work, once after each load, until ctx ends.
func returnMemory(ctx context.Context) error {
	tick := time.NewTicker(quietTime)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var before uint64
	worked := true // at the start
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		metrics.Read(sample)
		allocated := sample[0].Value.Uint64()
		quiet := allocated-before < quietBytes
		before = allocated
		if quiet && worked {
			debug.FreeOSMemory()
		}
		worked = !quiet
	}
}

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
