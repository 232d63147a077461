package policy

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func allKinds() []Kind {
	return []Kind{Identity, Inline, Resource, Trust, Session, ServiceControl, ResourceControl, VPCEndpoint}
}

// FuzzParse gives any bytes to the package. They end in an error with a place in the text, or in a document that is printed and
// read back as it was, and whose findings stand in the text.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"Statement":{"Effect":"Allow","Principal":{"AWS":[],"Federated":"a<b>&"},"Condition":{"Null":{},"Bool":{"a":[]}}}}`))
	f.Add([]byte("{\"Version\":\"2012-10-17\",\n\"Id\":\"\xff\"}"))
	f.Add([]byte(`{"Statement":{"Effect":"Deny","Condition":{"NumericEquals":{"a:b":[-1e999999999,0.1E-7,` + strings.Repeat("9", 400) + `]}}}}`))
	f.Add([]byte(strings.Repeat(`{"Statement":[`, 20)))
	for _, c := range readCorpus(f) {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			checkSyntaxError(t, text, err)
			return
		}
		if !bytes.Equal(d.Source, text) {
			t.Fatal("Source is not the text")
		}
		for _, k := range allKinds() {
			checkFindings(t, d, k)
		}
		again, err := Parse(Print(d))
		if err != nil {
			t.Fatalf("parse what was printed: %v\n%s", err, Print(d))
		}
		if diff := cmp.Diff(d, again, ignorePlaces); diff != "" {
			t.Fatalf("printed and parsed: -first +second\n%s", diff)
		}
	})
}

func checkSyntaxError(t *testing.T, text []byte, err error) {
	t.Helper()
	e, ok := errors.AsType[*SyntaxError](err)
	if !ok || e.Offset < 0 || e.End < e.Offset || e.End > len(text) || e.Message == "" || e.Code == "" {
		t.Fatalf("error %#v", err)
	}
	if e.Position != linesOf(text).Position(e.Offset) {
		t.Fatalf("error at %d has position %v", e.Offset, e.Position)
	}
	for _, k := range allKinds() {
		if _, message := Problem(text, k); message == "" || Locate(text, k) == "" || len(Findings(text, k)) != 1 {
			t.Fatalf("%s: no problem with a text that gives %v", k, err)
		}
	}
}

// checkFindings wants refusals first, the others by place, and every one on a part of the text.
func checkFindings(t *testing.T, d *Document, k Kind) {
	t.Helper()
	refused, last := false, -1
	for i, f := range Validate(d, k) {
		if f.Span.Start < 0 || f.Span.End <= f.Span.Start || f.Span.End > len(d.Source) || f.Position != d.Position(f.Span.Start) {
			t.Fatalf("%s: finding %+v is not in the text", k, f)
		}
		if f.Message == "" || f.Code == "" || f.Severity == "" || f.Refused && f.Severity != Error {
			t.Fatalf("%s: finding %+v", k, f)
		}
		if f.Refused {
			refused = true
			if last >= 0 {
				t.Fatalf("%s: refusal %d comes late", k, i)
			}
			continue
		}
		if f.Span.Start < last {
			t.Fatalf("%s: finding %d stands before the one before it", k, i)
		}
		last = f.Span.Start
	}
	if _, message := Problem(d.Source, k); refused != (message != "") || refused != (Locate(d.Source, k) != "") {
		t.Fatalf("%s: refused is %t, but Problem says %q and Locate %q", k, refused, message, Locate(d.Source, k))
	}
}

// hostile are shapes of text in which something repeats n times.
func hostile() map[string]func(n int) string {
	statement := func(elements string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + elements + `}]}`
	}
	list := func(n int, item string) string { return strings.Repeat(item+",", n) + item }
	numbered := func(n int, format func(i string) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(format(strings.Repeat("x", i%97) + string(rune('a'+i%26)) + strings.Repeat("y", i/97%89)))
			b.WriteByte(',')
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	return map[string]func(n int) string{
		"brackets":        func(n int) string { return strings.Repeat("[", n) },
		"spaces":          func(n int) string { return strings.Repeat(" \n", n) },
		"one long string": func(n int) string { return `{"Id":"` + strings.Repeat(`\u0041`, n) },
		"one long number": func(n int) string { return `{"Id":` + strings.Repeat("9", n) + "}" },
		"unknown elements": func(n int) string {
			return "{" + numbered(n, func(i string) string { return `"` + i + `":1` }) + "}"
		},
		"statements": func(n int) string {
			return `{"Version":"2012-10-17","Statement":[` + list(n, `{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}`) + "]}"
		},
		"equal actions": func(n int) string { return statement(`"Action":[` + list(n, `"s3:*"`) + `],"Resource":"*"`) },
		"patterns of actions": func(n int) string {
			return statement(`"Resource":"*","Action":[` + numbered(n, func(i string) string { return `"s3:*` + i + `*"` }) + "]")
		},
		"patterns of resources": func(n int) string {
			return statement(`"Action":"*","Resource":[` + numbered(n, func(i string) string { return `"` + i + `*"` }) + "]")
		},
		"stars": func(n int) string {
			return statement(`"Resource":"*","Action":["s3:` + strings.Repeat("*a", n) + `","s3:` + strings.Repeat("*", n) + `b"]`)
		},
		"principals": func(n int) string {
			return statement(`"Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":[` + list(n, `"a.example.com"`) + "]}")
		},
		"variables": func(n int) string {
			return statement(`"Action":"*","Resource":"arn:aws:s3:::` + strings.Repeat("${aws:userid}${ ", n) + `"`)
		},
		"values": func(n int) string {
			return statement(`"Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":[` + list(n, `"10.0.0.1/8"`) + "]}}")
		},
		"keys of a long operator": func(n int) string {
			return statement(`"Action":"*","Resource":"*","Condition":{"` + strings.Repeat("o", 8*n) + `":{` +
				numbered(n, func(i string) string { return `"` + i + `":"*"` }) + "}}")
		},
		"operators with one key": func(n int) string {
			return statement(`"Action":"*","Resource":"*","Condition":{` +
				numbered(n, func(i string) string { return `"` + i + `":{"aws:VpcSourceIp":"a"}` }) + "}")
		},
		"values of a long key": func(n int) string {
			return statement(`"Action":"*","Resource":"*","Condition":{"StringLike":{"` + strings.Repeat("k", 8*n) + `":[` + list(n, `"*"`) + "]}}")
		},
	}
}

// Memory grows with the text, not with its square: a text four times as long takes at most some six times as much. Time is not
// measured; steps that are not linear are counted in TestRedundantSteps.
func TestLinearMemory(t *testing.T) {
	for name, text := range hostile() {
		small, large := text(2_000), text(8_000)
		a, b := allocated(small), allocated(large)
		if ratio, grown := float64(b)/float64(a), float64(len(large))/float64(len(small)); ratio > 1.6*grown {
			t.Errorf("%s: %d bytes of text take %d, %d take %d", name, len(small), a, len(large), b)
		}
	}
}

// allocated is how many bytes parsing and validating a text takes.
func allocated(text string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, k := range []Kind{Identity, Trust} {
		Findings([]byte(text), k)
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// The search for what is redundant ends after maxSteps, whatever the document.
func TestRedundantSteps(t *testing.T) {
	for name, text := range hostile() {
		d, err := Parse([]byte(text(20_000)))
		if err != nil {
			continue
		}
		c := newChecker(d, Identity)
		c.remarks()
		if used := maxSteps - c.steps; used > maxSteps+20_000 {
			t.Errorf("%s takes %d steps, and the limit is %d", name, used, maxSteps)
		}
	}
}
