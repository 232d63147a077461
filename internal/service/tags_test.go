package service

import "testing"

func TestTagClash(t *testing.T) {
	for _, tt := range []struct {
		tags map[string]string
		a, b string
		want bool
	}{
		{tags: nil},
		{tags: map[string]string{"team": "a", "stage": "b"}},
		{tags: map[string]string{"team": "a", "Team": "b", "x": "c"}, a: "Team", b: "team", want: true},
		{tags: map[string]string{"É": "a", "é": "a"}, a: "É", b: "é", want: true},
	} {
		a, b, got := TagClash(tt.tags)
		if a != tt.a || b != tt.b || got != tt.want {
			t.Errorf("TagClash(%v) = %q, %q, %v, want %q, %q, %v", tt.tags, a, b, got, tt.a, tt.b, tt.want)
		}
	}
}
