// Package totp makes and checks the time-based one-time passwords of virtual MFA devices: RFC 6238 with HMAC-SHA-1, six digits and
// steps of 30 seconds, which is what authenticator apps and AWS use.
//
// It reads no clock and keeps nothing: who checks a code keeps the step of the last one, so that none is good twice. Functions are
// safe for concurrent use. The vectors of the tests are those of RFC 6238, appendix B, and RFC 4226, appendix D.
package totp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"
)

const (
	// Digits of a code.
	Digits = 6
	// stepLength is how long one code is shown.
	stepLength = 30 * time.Second
	// modulus leaves Digits digits.
	modulus = 1_000_000
)

// Step is the number of the step that a time is in.
func Step(t time.Time) int64 { return t.Unix() / int64(stepLength/time.Second) }

// Code is the one-time password of a step.
func Code(seed []byte, step int64) string {
	mac := hmac.New(sha1.New, seed)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", Digits, n%modulus)
}

// Find finds the first step from first to last in which the device shows the codes one after the other.
func Find(seed []byte, first, last int64, codes ...string) (step int64, ok bool) {
	for step := first; step <= last; step++ {
		if shows(seed, step, codes) {
			return step, true
		}
	}
	return 0, false
}

// shows tells whether the codes are those of step and the steps after it.
func shows(seed []byte, step int64, codes []string) bool {
	same := 1
	for i, code := range codes {
		same &= subtle.ConstantTimeCompare([]byte(code), []byte(Code(seed, step+int64(i))))
	}
	return same == 1
}
