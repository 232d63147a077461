package request

import (
	"bytes"
	"encoding/json"
	"strings"
)

// EncodeJSON is compact JSON without HTML escapes, as AWS writes it.
func EncodeJSON(v any) (string, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(buf.String(), "\n"), nil
}
