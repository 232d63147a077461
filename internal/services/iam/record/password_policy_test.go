package record

import "testing"

func TestPasswordPolicyAccept(t *testing.T) {
	custom := &PasswordPolicy{MinimumLength: 6, RequireUppercase: true, RequireLowercase: true, RequireNumbers: true, RequireSymbols: true}
	const (
		upper  = "Password should have at least one uppercase letter"
		lower  = "Password should have at least one lowercase letter"
		number = "Password should have at least one number"
		symbol = "Password should have at least one symbol"
	)
	for _, tt := range []struct {
		policy         *PasswordPolicy
		password, want string
	}{
		{nil, "Correct-Horse-1", ""},
		{nil, "abcdefG1", ""},
		{nil, "Abcd-1", "Password should have a minimum length of 8"},
		{nil, "abcdefg1", "Password should meet 1 more of the following requirements: " + upper + ", " + symbol}, // from a client's log
		{nil, "12345678", "Password should meet 2 more of the following requirements: " + upper + ", " + lower + ", " + symbol},
		{nil, "~~~~~~~~", "Password should meet 3 more of the following requirements: " + upper + ", " + lower + ", " + number + ", " + symbol},
		{custom, "aB1_56", ""},
		{custom, "aB1~56", symbol}, // not one of AWS's symbols
		{custom, "b1_456", upper},
		{custom, "B1_456", lower},
		{custom, "aB_def", number},
		{custom, "a", "Password should have a minimum length of 6, " + upper + ", " + number + ", " + symbol},
		{&PasswordPolicy{MinimumLength: 6}, "aaaaaa", ""},
		{&PasswordPolicy{MinimumLength: 6}, "äöüÄÖÜ", ""}, // characters, not bytes
		{&PasswordPolicy{MinimumLength: 7}, "äöüÄÖÜ", "Password should have a minimum length of 7"},
	} {
		err := tt.policy.Accept(tt.password)
		if tt.want == "" && err != nil {
			t.Errorf("%q: %v", tt.password, err)
		}
		if tt.want != "" {
			wantError(t, err, "PasswordPolicyViolation", tt.want)
		}
	}
}
