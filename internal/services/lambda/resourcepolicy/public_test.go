package resourcepolicy

import (
	"testing"

	"github.com/licet/licet/policy"
)

func TestCheckPublic(t *testing.T) {
	const everybody = `"Effect":"Allow","Principal":"*"`
	for statement, public := range map[string]bool{
		everybody: true,
		`"Effect":"Allow","Principal":{"AWS":"*"}`:                             true,
		`"Effect":"Allow","Principal":{"AWS":["111122223333","*"]}`:            true,
		`"Effect":"Deny","Principal":"*"`:                                      false,
		`"Effect":"Deny","NotPrincipal":{"AWS":"*"}`:                           false,
		`"Effect":"Allow","Principal":{"AWS":"111122223333"}`:                  false,
		`"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"}`:          false,
		everybody + `,"Condition":{}`:                                          true,
		everybody + `,"Condition":{"StringEquals":{"aws:PrincipalTag/a":"b"}}`: true,
		// Examples of access-control-resource-based, urls-auth and the console's for Alexa.
		everybody + `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5f"}}`:                                                          false,
		everybody + `,"Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"]}}`:                  false,
		everybody + `,"Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}`:                                                           false,
		everybody + `,"Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}`:                                                                 false,
		everybody + `,"Condition":{"StringEquals":{"lambda:EventSourceToken":"skill"}}`:                                                             false,
		everybody + `,"Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":["true","false"]}}`:                                                       true,
		everybody + `,"Condition":{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":["o-a1b2c3d4e5/*"]}}`:                                         true,
		everybody + `,"Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-*/r-ab12/*"]}}`:                                            true,
		everybody + `,"Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5f"}}`:                                                  true,
		everybody + `,"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5f"}}`:                                                       true,
		everybody + `,"Condition":{"Null":{"aws:PrincipalOrgID":"false"}}`:                                                                          true,
		everybody + `,"Condition":{"StringLike":{"aws:PrincipalOrgID":"*"}}`:                                                                        true,
		everybody + `,"Condition":{"StringEquals":{"aws:PrincipalAccount":["111122223333","${aws:ResourceAccount}"]}}`:                              true,
		everybody + `,"Condition":{"StringEquals":{"AWS:sourceaccount":["111122223333","444455556666"]}}`:                                           false,
		everybody + `,"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}`:                                                                   true,
		everybody + `,"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::bucket*"}}`:                                                             false,
		everybody + `,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`:                                              false,
		everybody + `,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/app"}}`:                                                       true,
		everybody + `,"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`:                                                                    false,
		everybody + `,"Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","::/0"]}}`:                                                           true,
		everybody + `,"Condition":{"StringEquals":{"aws:PrincipalTag/a":"b","aws:SourceVpc":"vpc-111bbb22"},"Bool":{"aws:SecureTransport":"true"}}`: false,
	} {
		d, problem := policy.Problem([]byte(`{"Version":"2012-10-17","Statement":[{"Action":"*","Resource":"*",`+statement+`}]}`), policy.Resource)
		if problem != "" {
			t.Errorf("%s: %s", statement, problem)
			continue
		}
		if got := checkPublic(d) != nil; got != public {
			t.Errorf("%s: public is %v", statement, got)
		}
	}
}
