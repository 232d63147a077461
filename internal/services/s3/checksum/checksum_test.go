package checksum

import (
	"encoding/base64"
	"encoding/hex"
	"testing"
)

func value(a Algorithm, text string) string {
	h := a.New()
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// The check values of the catalogue of CRCs (https://reveng.sourceforge.io/crc-catalogue/all.htm) and of FIPS 180 are those of "123456789".
func TestKnownValues(t *testing.T) {
	for a, want := range map[Algorithm]string{
		CRC32: "cbf43926", CRC32C: "e3069283", CRC64NVME: "ae8b14860a799888", SHA1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		SHA256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	} {
		h := a.New()
		h.Write([]byte("123456789"))
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: got %s, want %s", a, got, want)
		}
	}
}

func FuzzCombined(f *testing.F) {
	f.Add("123", "456789", "")
	f.Add("", "", "x")
	f.Fuzz(func(t *testing.T, x, y, z string) {
		for _, a := range All() {
			if !a.Combines() {
				continue
			}
			parts := []string{value(a, x), value(a, y), value(a, z)}
			got := a.Combined(parts, []int64{int64(len(x)), int64(len(y)), int64(len(z))})
			if want := value(a, x+y+z); got != want {
				t.Errorf("%s of %q, %q, %q: got %s, want %s", a, x, y, z, got, want)
			}
		}
	})
}

func TestComposite(t *testing.T) {
	parts := []string{value(CRC32, "a"), value(CRC32, "b")}
	if got, want := CRC32.Composite(parts), value(CRC32, "\xe8\xb7\xbe\x43\x71\xbe\xef\xf9")+"-2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for text, want := range map[string]bool{"": false, "y/Q5Jg==": true, "y/Q5": false, "rosUhgpICIg=": false, "!": false} {
		if CRC32.Valid(text) != want {
			t.Errorf("Valid(%q) is not %v", text, want)
		}
	}
}
