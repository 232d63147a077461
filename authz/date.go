package authz

import (
	"strconv"
	"strings"
	"time"
)

// The date operators. Either side may be an ISO 8601 date of the W3C profile or seconds since 1970 (iam.md C9).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date

// date is a moment, in seconds and nanoseconds since 1970.
type date struct {
	seconds     int64
	nanoseconds int32
	ok          bool // false: the text was no date
}

func dateOf(t time.Time) date { return date{t.Unix(), int32(t.Nanosecond()), true} }

// order tells how d stands to another date: it is before, equal or after.
func (d *date) order(other *date) relation {
	if d.seconds != other.seconds {
		return orderOf(d.seconds, other.seconds)
	}
	return orderOf(int64(d.nanoseconds), int64(other.nanoseconds))
}

// readDate reads the formats of https://www.w3.org/TR/NOTE-datetime, whose times need a zone, and epoch seconds. Four digits are a
// year. Seconds beyond the year 9999 are refused: they are milliseconds by mistake.
func readDate(text string) date {
	const (
		last   = 253402300799 // second of the year 9999
		year   = len("2006")
		day    = len("2006-01-02")
		minute = len("2006-01-02T15:04")
	)
	if d, ok := readUTC(text); ok {
		return d
	}
	if isDigits(text) && len(text) != year {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > last {
			return date{}
		}
		return date{seconds: seconds, ok: true}
	}
	layout := "2006-01-02T15:04:05Z07:00"
	switch {
	case len(text) <= day:
		layout = layout[:min(len(text), day)]
	case strings.Contains(text, ","), len(text) <= minute, text[len("2006-01-02T15")] != ':':
		return date{} // time.Parse takes a comma before fractions of a second, and hours of one digit
	case text[minute] != ':':
		layout = "2006-01-02T15:04Z07:00"
	}
	t, err := time.Parse(layout, text)
	if err != nil || len(text) < day && len(text) != year && len(text) != len("2006-01") {
		return date{}
	}
	return dateOf(t)
}

// readUTC reads the form that the keys of requests have, 2006-01-02T15:04:05Z, at a fraction of the cost of time.Parse. It is false for
// all other texts.
func readUTC(text string) (date, bool) {
	const form = "0000-00-00T00:00:00Z" // 0 stands for a digit
	if len(text) != len(form) {
		return date{}, false
	}
	var fields [6]int // year, month, day, hour, minute, second
	field := 0
	for i := range len(form) {
		switch digit := int(text[i]) - '0'; {
		case form[i] != '0' && text[i] == form[i]:
			field++
		case form[i] != '0' || digit < 0 || digit > 9:
			return date{}, false
		default:
			fields[field] = fields[field]*10 + digit
		}
	}
	year, month, day := fields[0], time.Month(fields[1]), fields[2]
	hour, minute, second := fields[3], fields[4], fields[5]
	if month < time.January || month > time.December || minute > 59 || second > 59 {
		return date{}, false
	}
	d := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	if d.Day() != day { // time.Date takes the 30th of February for a day of March, and the hour 24 for one of the next day
		return date{}, false
	}
	return dateOf(d), true
}

// compare tells whether a relation holds between d and an operand. It is unknown when one of the two is no date.
func (d *date) compare(operand *date, r relation) truth {
	if !d.ok || !operand.ok {
		return unknown
	}
	return truthOf(d.order(operand)&r != 0)
}
