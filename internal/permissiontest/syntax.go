package permissiontest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/internal/landscape"
)

// unreadable says where and why a source is neither JSON nor YAML; nil when it is one of the two.
func unreadable(name string, text []byte) error {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		var v json.RawMessage
		err := json.Unmarshal(text, &v)
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			return &Error{At: landscape.Place{File: name, Line: 1 + bytes.Count(text[:e.Offset], []byte("\n"))}, Message: e.Error()}
		}
		return err
	}
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		return syntaxError(name, err)
	}
	return nil
}

// countedFromZero are the errors of the YAML library whose lines it counts from zero: those of its parser (parserc.go), not its scanner.
var countedFromZero = []string{
	"did not find expected node content", "did not find expected '-' indicator", "did not find expected key",
	"did not find expected ',' or ']'", "did not find expected ',' or '}'",
}

// syntaxError has the line that the YAML library tells in its text alone.
func syntaxError(name string, err error) *Error {
	if errors.Is(err, io.EOF) {
		return &Error{At: landscape.Place{File: name, Line: 1}, Message: "there is nothing in it: " + aFileHas}
	}
	e := &Error{At: landscape.Place{File: name}, Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if rest, ok := strings.CutPrefix(e.Message, "line "); ok {
		number, what, _ := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil {
			e.At.Line, e.Message = line, what
			if slices.Contains(countedFromZero, what) {
				e.At.Line++
			}
		}
	}
	return e
}
