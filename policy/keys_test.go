package policy

import (
	"strings"
	"testing"
)

func TestLookupKey(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"aws:PrincipalArn", "aws:PrincipalArn"},
		{"AWS:principalARN", "aws:PrincipalArn"},
		{"aws:PrincipalTag/team", "aws:PrincipalTag"},
		{"aws:principaltag/a/b", "aws:PrincipalTag"},
		{"ec2:roledelivery", "ec2:RoleDelivery"},
		{"aws:PrincipalTag", ""},
		{"aws:PrincipalTag/", ""},
		{"aws:PrincipalArn/x", ""},
		{"aws:TagKeys/x", ""},
		{"aws:Nothing", ""},
		{"s3:prefix", ""},
		{"", ""},
	} {
		k, ok := LookupKey(test.name)
		if ok != (test.want != "") || ok && k.Name != test.want {
			t.Errorf("LookupKey(%q) = %q, %t; want %q", test.name, k.Name, ok, test.want)
		}
	}
}

func TestGlobalKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range GlobalKeys() {
		name := strings.ToLower(k.Name)
		if seen[name] {
			t.Errorf("%s is listed twice", k.Name)
		}
		seen[name] = true
		if k.Type == "" || k.Group == "" || k.Present == "" {
			t.Errorf("%s lacks type, group or presence", k.Name)
		}
		if k.Always != (k.Present == "always") {
			t.Errorf("%s: Always is %t, but it is present %q", k.Name, k.Always, k.Present)
		}
		if _, ok := LookupKey(k.ReplacedBy); k.ReplacedBy != "" && !ok {
			t.Errorf("%s is replaced by %s, which is not a key", k.Name, k.ReplacedBy)
		}
	}
	GlobalKeys()[0].Name = "changed"
	if GlobalKeys()[0].Name == "changed" {
		t.Error("GlobalKeys shares its slice")
	}
}
