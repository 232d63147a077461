package lambda

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/fault"
)

const (
	// maxRuns is how often a function runs in one chain of calls until Lambda takes the chain for a loop (lambda.md 7.3).
	maxRuns = 16
	// maxLineage bounds the functions that a chain remembers, and maxTrace the header of a client that is carried on.
	maxLineage = 32
	maxTrace   = 2048
)

// trace is an X-Amzn-Trace-Id: fields such as Root, and the lineage of the call, which SDKs inside of functions pass on
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html). How often each function has run in the chain is written as
// "Lineage=<hash>:<runs>|…", the form that is known of AWS's header.
type trace struct {
	fields  []string
	lineage []ancestor
}

type ancestor struct {
	hash string
	runs int
}

// lineageHash stands for a function in a lineage.
func lineageHash(functionARN string) string {
	sum := sha256.Sum256([]byte(functionARN))
	return hex.EncodeToString(sum[:4])
}

// parseTrace reads what a client says. What is no lineage is carried on as it is; SDKs escape some of its characters.
func parseTrace(header string) (t trace) {
	if plain, err := url.PathUnescape(header); err == nil {
		header = plain
	}
	if header == "" || len(header) > maxTrace || strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
		return trace{}
	}
	for field := range strings.SplitSeq(header, ";") {
		list, ok := strings.CutPrefix(field, "Lineage=")
		if !ok {
			t.fields = append(t.fields, field)
			continue
		}
		for entry := range strings.SplitSeq(list, "|") {
			// A newer form begins with a number of another meaning.
			parts := strings.Split(entry, ":")
			if len(parts) < 2 {
				continue
			}
			runs, err := strconv.Atoi(parts[len(parts)-1])
			if err == nil && runs >= 0 && len(t.lineage) < maxLineage {
				t.lineage = append(t.lineage, ancestor{parts[len(parts)-2], min(runs, maxRuns)})
			}
		}
	}
	return t
}

// runs is how often a function has run in the chain.
func (t trace) runs(hash string) int {
	for _, a := range t.lineage {
		if a.hash == hash {
			return a.runs
		}
	}
	return 0
}

// with is the trace of a run of the function.
func (t trace) with(hash string) trace {
	next := trace{fields: t.fields, lineage: slices.Clone(t.lineage)}
	i := slices.IndexFunc(next.lineage, func(a ancestor) bool { return a.hash == hash })
	if i < 0 {
		if len(next.lineage) == maxLineage {
			next.lineage = next.lineage[1:]
		}
		i = len(next.lineage)
		next.lineage = append(next.lineage, ancestor{hash: hash})
	}
	next.lineage[i].runs = min(next.lineage[i].runs+1, maxRuns)
	return next
}

func (t trace) String() string {
	var b strings.Builder
	for _, field := range t.fields {
		b.WriteString(field + ";")
	}
	for i, a := range t.lineage {
		b.WriteString([]string{"Lineage=", "|"}[min(i, 1)] + a.hash + ":" + strconv.Itoa(a.runs))
	}
	return b.String()
}

// step gives the header of a run of the function, which is made up where the client sent none, as AWS does; looping tells that the run must
// not be. The same call always gives the same header.
func (f *function) step(header, requestID string, at time.Time) (next string, looping bool) {
	if header == "" { // the common case
		return newRoot(requestID, at) + ";Lineage=" + f.lineage + ":1", false
	}
	t := rooted(header, requestID, at)
	looping = f.RecursiveLoop != types.RecursiveLoopAllow && t.runs(f.lineage) >= maxRuns
	return t.with(f.lineage).String(), looping
}

// rooted reads a header, with a root that is made up where it has none.
func rooted(header, requestID string, at time.Time) trace {
	t := parseTrace(header)
	if !slices.ContainsFunc(t.fields, func(field string) bool { return strings.HasPrefix(field, "Root=") }) {
		t.fields = append([]string{newRoot(requestID, at)}, t.fields...)
	}
	return t
}

// newRoot makes up the fields of a trace that begins with a request, whose id is a UUID
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader).
func newRoot(requestID string, at time.Time) string {
	id := strings.ReplaceAll(requestID, "-", "")
	if len(id) < 24 {
		id = strings.Repeat("0", 24-len(id)) + id
	}
	seconds := binary.BigEndian.AppendUint32(make([]byte, 0, 4), uint32(at.Unix()))
	return "Root=1-" + hex.EncodeToString(seconds) + "-" + id[len(id)-24:] + ";Parent=" + id[len(id)-16:] + ";Sampled=0"
}

// mergeTraces is the trace of a batch: the first, with the lineage of all, in which each function has run as often as in any of them. A lineage
// tells loops, so none may be lost in a batch.
func mergeTraces(headers []string) string {
	if len(headers) == 0 {
		return ""
	}
	merged := parseTrace(headers[0])
	for _, header := range headers[1:] {
		if header == headers[0] {
			continue
		}
		for _, a := range parseTrace(header).lineage {
			i := slices.IndexFunc(merged.lineage, func(b ancestor) bool { return b.hash == a.hash })
			switch {
			case i >= 0:
				merged.lineage[i].runs = max(merged.lineage[i].runs, a.runs)
			case len(merged.lineage) < maxLineage:
				merged.lineage = append(merged.lineage, a)
			}
		}
	}
	return merged.String()
}

// recursiveInvocation has the text of the model.
func recursiveInvocation() error {
	return fault.New("RecursiveInvocationException", http.StatusBadRequest, "Lambda has detected your function being invoked in a recursive loop "+
		"with other Amazon Web Services resources and stopped your function's invocation.")
}
