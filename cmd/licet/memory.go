package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/licet/licet/internal/store"
)

const (
	// gcPercent lets the heap grow to four times what is in use before it is collected: what is in use is little, so that Go's own
	// 100 would collect many times a second under load. GOGC in the environment goes before it.
	gcPercent = 300
	// gcLimit is from where on it is collected oftener nevertheless, in bytes: when much is in use, four times as much may be too much for
	// the machine. GOMEMLIMIT in the environment goes before it.
	gcLimit = 256 << 20
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
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(gcLimit)
	}
}

// cached keeps in memory what it can read again.
type cached interface{ ReturnMemory() error }

// returnMemory gives unused memory, and that of the store and the program, which can be read again, back to the machine when there is no
// more work, once after each load, until ctx ends.
func returnMemory(ctx context.Context, db store.DB) error {
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
			if c, ok := db.(cached); ok {
				if err := c.ReturnMemory(); err != nil {
					return fmt.Errorf("return the store's memory: %w", err)
				}
			}
			debug.FreeOSMemory()
			if err := returnProgram(); err != nil {
				return err
			}
		}
		worked = !quiet
	}
}

// unknownMemoryMB is taken where the machine does not say how much it has.
const unknownMemoryMB = 4096

// shortShare of the machine's memory has to be available; with less, idle environments are given up.
const shortShare = 16

// machineMemoryMB is the memory of this machine, by proc_meminfo(5).
func machineMemoryMB() int {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return unknownMemoryMB
	}
	return memoryOf(text)
}

func memoryOf(meminfo []byte) int {
	if total := kilobytes(meminfo, "MemTotal"); total > 0 {
		return total >> 10
	}
	return unknownMemoryMB
}

// memoryIsShort tells whether this machine is about to run out of memory; never where it does not say.
func memoryIsShort() bool {
	text, err := os.ReadFile("/proc/meminfo")
	return err == nil && short(text)
}

func short(meminfo []byte) bool {
	available := kilobytes(meminfo, "MemAvailable")
	return available > 0 && available < kilobytes(meminfo, "MemTotal")/shortShare
}

// kilobytes is a field of proc_meminfo(5); 0 when it is not there.
func kilobytes(meminfo []byte, field string) int {
	for line := range bytes.Lines(meminfo) {
		var n int
		if found, err := fmt.Sscanf(string(line), field+": %d kB", &n); found == 1 && err == nil {
			return n
		}
	}
	return 0
}
