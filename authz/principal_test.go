package authz

import "testing"

func TestAccountOf(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:lambda:us-east-1:111122223333:function:f": "111122223333",
		"arn:aws:lambda::111122223333":                     "111122223333",
		"arn::::111122223333:":                             "111122223333",
		"urn:aws:lambda:us-east-1:111122223333:function:f": "",
		"aws:lambda:us-east-1:x:111122223333:f":            "",
		"arn:aws:lambda:us-east-1:11112222333:function:f":  "",
		"arn:aws:lambda:us-east-1:1111222233334:f":         "",
		"arn:aws:lambda:us-east-1:11112222333x:f":          "",
		"arn:aws:lambda:us-east-1:aws:layer:l":             "",
		"arn:aws:s3:::b":                                   "",
		"arn:aws:s3:111122223333":                          "",
		"arn:":                                             "",
		"*":                                                "",
		"":                                                 "",
	} {
		if got := accountOf(arn); got != want {
			t.Errorf("%q: got %q, want %q", arn, got, want)
		}
	}
}
