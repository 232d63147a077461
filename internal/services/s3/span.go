package s3

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/services/s3/fault"
)

// span is a part of an object.
type span struct {
	offset, length int64
	partial        bool
}

// header is Content-Range; nil for a whole object.
func (p span) header(size int64) *string {
	if !p.partial {
		return nil
	}
	text := fmt.Sprintf("bytes %d-%d/%d", p.offset, p.offset+p.length-1, size)
	return &text
}

// spanOf finds what is wanted of an object: a range of bytes, or one of its parts.
func (r *reading) spanOf(header *string, part *int32) (span, error) {
	size := r.version.Size
	switch {
	case header != nil && part != nil:
		return span{}, fault.InvalidRequest("Cannot specify both Range header and partNumber query parameter")
	case part != nil:
		return r.part(*part)
	case header != nil:
		return parseRange(*header, size)
	}
	return span{length: size}, nil
}

// part is a part by its position among the parts; an object that was put at once is its own first.
func (r *reading) part(number int32) (span, error) {
	size := r.version.Size
	if number < 1 || number > 10_000 {
		return span{}, fault.InvalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", fmt.Sprint(number))
	}
	if r.manifest == nil {
		if number > 1 {
			return span{}, invalidPart(number, 1)
		}
		return span{length: size, partial: size > 0}, nil
	}
	pieces := r.manifest.Pieces
	if int(number) > len(pieces) {
		return span{}, invalidPart(number, len(pieces))
	}
	at := span{length: pieces[number-1].Size, partial: true}
	for _, p := range pieces[:number-1] {
		at.offset += p.Size
	}
	return at, nil
}

func invalidPart(number int32, count int) error {
	return fault.New("InvalidPartNumber", http.StatusRequestedRangeNotSatisfiable, "The requested partnumber is not satisfiable",
		"PartNumberRequested", fmt.Sprint(number), "ActualPartCount", fmt.Sprint(count))
}

// parseRange reads a header Range of one range. One that is malformed, and one of several ranges, is as if it were not there (RFC 9110, 14.2;
// "Amazon S3 doesn't support retrieving multiple ranges of data per GET request").
func parseRange(header string, size int64) (span, error) {
	whole := span{length: size}
	text, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !ok || !dash || strings.Contains(text, ",") {
		return whole, nil
	}
	first, last = strings.TrimSpace(first), strings.TrimSpace(last)
	from, fromErr := parseOffset(first)
	to, toErr := parseOffset(last)
	switch {
	case first == "" && toErr == nil: // the last bytes
		if to == 0 || size == 0 {
			return span{}, unsatisfiable(header, size)
		}
		to = min(to, size)
		return span{offset: size - to, length: to, partial: true}, nil
	case fromErr != nil || last != "" && (toErr != nil || to < from):
		return whole, nil
	case from >= size:
		return span{}, unsatisfiable(header, size)
	case last == "" || to >= size:
		to = size - 1
	}
	return span{offset: from, length: to - from + 1, partial: true}, nil
}

// parseOffset takes digits only.
func parseOffset(text string) (int64, error) {
	if strings.Trim(text, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(text, 10, 64)
}

func unsatisfiable(header string, size int64) error {
	e := fault.New("InvalidRange", http.StatusRequestedRangeNotSatisfiable, "The requested range is not satisfiable",
		"RangeRequested", header, "ActualObjectSize", fmt.Sprint(size))
	e.Headers = map[string]string{"Content-Range": fmt.Sprintf("bytes */%d", size)}
	return e
}

func itoa(n int) string { return strconv.Itoa(n) }

// atoi gives 0 for what is no number.
func atoi(text string) int32 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}
