package reference

import (
	"strconv"
	"strings"
	"time"
)

// date makes a date operator. Either side may be an ISO 8601 date of the W3C profile or seconds since 1970 (iam.md C9).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
func date(holds relation) func(string, operand) truth {
	return func(got string, want operand) truth {
		g, ok := readDate(got)
		if !ok {
			return unknown
		}
		w, ok := readDate(plain(want.pieces))
		if !ok {
			return unknown
		}
		return truthOf(holds(g.Compare(w)))
	}
}

// readDate reads the formats of https://www.w3.org/TR/NOTE-datetime, whose times need a zone, and epoch seconds. Four digits are a
// year. Seconds beyond the year 9999 are refused: they are milliseconds by mistake.
func readDate(text string) (time.Time, bool) {
	if isDigits(text) && len(text) != len("2006") {
		seconds, err := strconv.ParseInt(text, 10, 64)
		t := time.Unix(seconds, 0)
		return t, err == nil && t.UTC().Year() <= 9999
	}
	for _, layout := range []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil && isStrict(text) {
			return t, true
		}
	}
	return time.Time{}, false
}

// isStrict refuses what time.Parse takes beyond the profile: hours of one digit, and a comma before fractions of a second.
func isStrict(text string) bool {
	const minutes = len("2006-01-02T15")
	return (len(text) <= minutes || text[minutes] == ':') && !strings.Contains(text, ",")
}
