package bucket

import (
	"strings"
	"testing"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
	"github.com/licet/licet/policy"
)

// TestNames has the rules and examples of https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html.
func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"amzn-s3-demo-bucket1-a1b2c3d4-5678-90ab-cdef-example11111": true, "example.com": true, "www.example.com": true, "my.example.s3.bucket": true,
		"abc": true, "ab": false, "": false, strings.Repeat("a", 63): true, strings.Repeat("a", 64): false, "Upper": false, "under_score": false,
		"-a1": false, "a1-": false, "a..b": false, "192.168.5.4": false, "xn--abc": false, "abc-s3alias": false, "a/b": false, "a b": false, "abc\n": false,
	} {
		if ValidName(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}

// TestPublic has the examples of
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status.
func TestPublic(t *testing.T) {
	for _, c := range []struct {
		element string
		want    bool
	}{
		{`"Principal":"*"`, true},
		{`"Principal":{"AWS":"*"}`, true},
		{`"Principal":{"AWS":["arn:aws:iam::111122223333:root"]}`, false},
		{`"Principal":{"Service":"cloudtrail.amazonaws.com"}`, false},
		{`"Principal":"*","Condition":{"StringLike":{"aws:SourceVpc":"vpc-*"}}`, true},
		{`"Principal":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}`, false},
		{`"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, true},
		{`"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, false},
		{`"Principal":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, true},
		{`"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`, false},
		{`"Principal":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`, true},
		{`"Principal":"*","Condition":{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/r-ab12"}}`, true},
		{`"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}`, true},
		{`"Principal":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}`, true},
		{`"Principal":"*","Condition":{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}`, false},
		{`"Principal":"*","Condition":{"StringLike":{"aws:userid":"*"}}`, true},
		{`"Principal":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}}`, true},
		{`"Principal":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:*"}}`, false},
		{`"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalArn":"${aws:PrincipalArn}"}}`, true},
	} {
		d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*",` + c.element + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if IsPublic(d) != c.want {
			t.Errorf("%s: want public %v", c.element, c.want)
		}
	}
	deny, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`))
	if err != nil || IsPublic(deny) {
		t.Errorf("a Deny is public, %v", err)
	}
}

// TestRestricted: under RestrictPublicBuckets a public policy lets in nobody but the account, and services.
func TestRestricted(t *testing.T) {
	db := storetest.New(t)
	var b *Bucket
	err := db.Update(t.Context(), func(tx store.Tx) error {
		if err := Create(tx, &Bucket{Name: "b", Account: "111122223333", Block: &Block{RestrictPublicBuckets: true},
			Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}`}); err != nil {
			return err
		}
		var err error
		b, err = Read(tx, "b")
		return err
	})
	if err != nil || !b.Public() {
		t.Fatalf("got %+v, %v", b, err)
	}
	for _, c := range []struct {
		caller authz.Principal
		whole  bool
	}{
		{authz.Principal{Kind: authz.User, Account: "111122223333"}, true}, {authz.Principal{Kind: authz.User, Account: "444455556666"}, false},
		{authz.Principal{Kind: authz.Anonymous}, false}, {authz.Principal{Kind: authz.Service, ARN: "logging.s3.amazonaws.com"}, true},
	} {
		for _, block := range []*Block{b.Block, nil} {
			b.Block = block
			p, err := b.Consulted(&c.caller, nil)
			if err != nil {
				t.Fatal(err)
			}
			if allows := p.Document.Statements[0].Effect == policy.Allow; allows != (c.whole || block == nil) {
				t.Errorf("%+v under %+v: allows %v", c.caller, block, allows)
			}
			b.Block = &Block{RestrictPublicBuckets: true}
		}
		b.Block = nil
		if p, err := b.Consulted(&c.caller, All()); err != nil || (p.Document.Statements[0].Effect == policy.Allow) != c.whole {
			t.Errorf("%+v under the account's block: got %v, %v", c.caller, p, err)
		}
		b.Block = &Block{RestrictPublicBuckets: true}
	}
}
