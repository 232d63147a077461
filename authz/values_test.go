package authz

import (
	"strings"
	"testing"
	"time"
)

// TestReadUTC compares the fast reading of dates with time.Parse, for all texts that differ from a date in one character.
func TestReadUTC(t *testing.T) {
	for _, from := range []string{
		"2026-01-01T00:00:00Z", "1999-12-28T23:59:59Z", "2024-02-28T09:09:09Z", "2026-11-10T19:50:50Z", "0000-10-20T20:10:10Z", "2023-02-29T01:01:01Z",
	} {
		for i := range len(from) {
			for _, c := range "0123456789:-TZ/;.+ \x00" {
				text := from[:i] + string(c) + from[i+1:]
				want, err := time.Parse("2006-01-02T15:04:05Z", text)
				got, ok := readUTC(text)
				if ok != (err == nil) || ok && got != dateOf(want) {
					t.Errorf("%q: got %v, %v, want %v, %v", text, got, ok, want, err)
				}
			}
		}
		for _, text := range []string{from[:19], from + "Z", ""} {
			if _, ok := readUTC(text); ok {
				t.Errorf("%q is read", text)
			}
		}
	}
}

// TestGlance: usual values are read when they enter the context, and as they would be without.
func TestGlance(t *testing.T) {
	for text, want := range map[string]form{
		"true": asBool, "FALSE": 0, "tea": asBool, "false": asBool, "f": asBool, "": 0, "alice": 0, "-1": 0, ":1": 0,
		"0": asNumber, "9": asNumber, "007": asNumber, "120": asNumber, "123456789012345678": asNumber, "999999999999999999": asNumber,
		"1234567890123456789": 0, "18446744073709551617": 0, "1.5": 0, "1a": 0,
		"0000-01-01T00:00:00Z": asDate, "9999-12-31T23:59:59Z": asDate,
		"2026-01-01T00:00:00Z": asDate, "2026-01-31T00:00:00Z": asDate, "2026-02-29T00:00:00Z": 0, "2026-01-32T00:00:00Z": 0, "2026-01-01": 0,
		"192.0.2.7": asAddress, "9.9.9.9": asAddress, "2001:db8::1": 0, "::ffff:192.0.2.7": 0, "192.0.2": 0,
	} {
		g := glanceAt(text)
		if g.form() != want {
			t.Errorf("%q: got form %d, want %d", text, g.form(), want)
		}
		for _, form := range []form{asNumber, asDate, asAddress, asBool} {
			fast, slow := keyValue{single: text, glance: g}, keyValue{single: text}
			if got, want := *fast.as(form), *slow.as(form); got != want {
				t.Errorf("%q as %d: got %+v, want %+v", text, form, got, want)
			}
			if got, again := *fast.as(form), *fast.as(form); got != again {
				t.Errorf("%q as %d: got %+v, then %+v", text, form, got, again)
			}
		}
	}
}

func TestReadNumber(t *testing.T) {
	for text, want := range map[string]number{
		"120":                  {whole: "120", ok: true, isSmall: true, small: 120},
		"-0120.50":             {whole: "120", fraction: "5", negative: true, ok: true},
		"-7.0":                 {whole: "7", negative: true, ok: true, isSmall: true, small: -7},
		"999999999999999999.0": {whole: "999999999999999999", ok: true, isSmall: true, small: 999999999999999999},
		"1000000000000000000":  {whole: "1000000000000000000", ok: true},
	} {
		if got := readNumber(text); got != want {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

// TestReadDateBounds: what no int64 holds is no date.
func TestReadDateBounds(t *testing.T) {
	for _, text := range []string{"9223372036854775807", "9223372036854775808", strings.Repeat("9", 40)} {
		if got := readDate(text); got.ok {
			t.Errorf("%s: got %v", text, got)
		}
	}
	if got := readDate("253402300799"); got.seconds != 253402300799 || !got.ok {
		t.Errorf("got %v, want the last second of the year 9999", got)
	}
}

// TestHashKey: names that are the same key have the same hash, whatever their length; others differ nearly always.
func TestHashKey(t *testing.T) {
	const name = "aws:PrincipalTag/Department-İd-Kelvin"
	seen := map[uint32]string{}
	for _, name := range []string{name, "aws:SourceIp", "aws:PrincipalOrgPaths", "a:b"} {
		for n := range len(name) + 1 {
			text := name[:n]
			for _, same := range []string{strings.ToUpper(text), strings.ToLower(text), FoldKey(text)} {
				if sameKey(same, text) && hashKey(same) != hashKey(text) {
					t.Errorf("%q and %q differ", text, same)
				}
			}
			folded := FoldKey(text)
			if other, ok := seen[hashKey(text)]; ok && other != folded {
				t.Errorf("%q and %q have one hash", other, text)
			}
			seen[hashKey(text)] = folded
			for i := range n {
				other := FoldKey(text[:i] + "~" + text[i+1:])
				if was, ok := seen[hashKey(other)]; ok && was != other {
					t.Errorf("%q and %q have one hash", was, other)
				}
				seen[hashKey(other)] = other
			}
		}
	}
	if hashKey("\u212aey") != hashKey("key") || hashKey("aws:PrincipalTag/\u212aey") != hashKey("aws:principaltag/KEY") {
		t.Error("the sign of kelvin is no k")
	}
}
