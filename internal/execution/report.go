package execution

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
)

// The lines that Lambda itself writes to a log (lambda.md 7.7; the form of Status, of billing and the order of lines in failures
// are those recorded from AWS in 2025 and 2026).

// initStartLine names no build of AWS; the ARN is as stable as the version it names.
func initStartLine(region, version string) string {
	digest := sha256.Sum256([]byte(version))
	return fmt.Sprintf("INIT_START Runtime Version: %s\tRuntime Version ARN: arn:aws:lambda:%s::runtime:%s\n",
		version, region, hex.EncodeToString(digest[:]))
}

// initReportLine is written for an initialization that failed; phase is "init" or "invoke".
func initReportLine(took time.Duration, phase string, out *outcome) string {
	line := fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s", milliseconds(took), phase, out.status)
	if out.status == statusError {
		line += "\tError Type: " + out.errorType
	}
	return line + "\n"
}

func startLine(requestID, version string) string {
	return "START RequestId: " + requestID + " Version: " + version + "\n"
}

func endLine(requestID string) string { return "END RequestId: " + requestID + "\n" }

// usage is what REPORT tells of an invocation.
type usage struct {
	took       time.Duration
	init       time.Duration // 0 when there was no Init phase, or a failed one
	memoryMB   int
	peakMemory int64 // bytes
}

// reportLine tells the time billed as AWS does since August 2025: duration and Init phase together, rounded up to a millisecond.
func reportLine(requestID string, u usage, status, errorType string) string {
	b := make([]byte, 0, 256)
	b = append(b, "REPORT RequestId: "...)
	b = append(b, requestID...)
	b = append(b, "\tDuration: "...)
	b = strconv.AppendFloat(b, milliseconds(u.took), 'f', 2, 64)
	b = append(b, " ms\tBilled Duration: "...)
	b = strconv.AppendInt(b, int64(math.Ceil(milliseconds(u.took+u.init))), 10)
	b = append(b, " ms\tMemory Size: "...)
	b = strconv.AppendInt(b, int64(u.memoryMB), 10)
	b = append(b, " MB\tMax Memory Used: "...)
	b = strconv.AppendInt(b, (u.peakMemory+1<<20-1)>>20, 10)
	b = append(b, " MB\t"...)
	if u.init > 0 {
		b = append(b, "Init Duration: "...)
		b = strconv.AppendFloat(b, milliseconds(u.init), 'f', 2, 64)
		b = append(b, " ms\t"...)
	}
	if status != "" {
		b = append(b, "Status: "...)
		b = append(b, status...)
	}
	if status == statusError {
		b = append(b, "\tError Type: "...)
		b = append(b, errorType...)
	}
	return string(append(b, '\n'))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
