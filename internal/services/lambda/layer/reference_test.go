package layer

import (
	"strings"
	"testing"

	"github.com/licet/licet/internal/services/lambda/request"
)

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]bool{
		arnOfL + ":1":                   true,
		arnOfL + ":9223372036854775807": true,
		arnOfL:                          false,
		arnOfL + ":":                    false,
		arnOfL + ":0":                   false,
		arnOfL + ":-1":                  false,
		arnOfL + ":+1":                  false,
		arnOfL + ":01":                  false,
		arnOfL + ":1:2":                 false,
		arnOfL + ":$LATEST":             false,
		arnOfL + ":9223372036854775808": false,
		"arn:aws:lambda:eu-central-1:111122223333:function:f:1": false,
		"arn:aws:lambda:eu-central-1:1:layer:l:1":               false,
		"arn:aws:lambda::111122223333:layer:l:1":                false,
		"arn:aws:s3:eu-central-1:111122223333:layer:l:1":        false,
		"arn:aws:lambda:eu-central-1:111122223333:layer::1":     false,
		"arn:aws:lambda:eu-central-1:111122223333:layer:a/b:1":  false,
		"l:1": false,
		"":    false,
	} {
		r, ok := ParseVersion(text)
		if ok != want || ok && r.ARN() != text {
			t.Errorf("%q: got %+v, %v, want %v", text, r, ok, want)
		}
	}
}

// FuzzParse: an ARN is read as it is written, its key is that of no other, and what the model lets through is read.
func FuzzParse(f *testing.F) {
	f.Add(arnOfL + ":1")
	f.Add(arnOfL)
	f.Add(arnOfL + ":007")
	f.Add("arn:aws-cn:lambda:x:000000000000:layer:-:99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := parse(text)
		if !ok {
			if len(request.LayerVersionARN.Violated(text)) == 0 || strings.HasPrefix(text, "arn:") && len(layerNameText.Violated(text)) == 0 {
				t.Errorf("%q satisfies the model, but is not read", text)
			}
			return
		}
		if r.ARN() != text {
			t.Errorf("%q is read as %s", text, r.ARN())
		}
		if n := r.number(); n > 0 {
			other := r
			if other.Number = strings.TrimLeft(r.Number, "0"); other != r {
				t.Errorf("%q has version %d, as has %s", text, n, other.ARN())
			}
			if !strings.HasPrefix(r.versionKey(), r.versionsPrefix()) || strings.Count(r.versionKey(), "/") != 5 {
				t.Errorf("%q has the key %s", text, r.versionKey())
			}
		}
	})
}
