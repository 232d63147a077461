package awsdata

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestModels(t *testing.T) {
	d := load(t)
	for signingName, want := range map[string][]Model{
		"dynamodb": {
			{ID: "DynamoDB", Protocol: JSON, Version: "2012-08-10", JSONVersion: "1.0", TargetPrefix: "DynamoDB_20120810"},
			{ID: "DynamoDB Streams", Protocol: JSON, Version: "2012-08-10", JSONVersion: "1.0", TargetPrefix: "DynamoDBStreams_20120810"},
		},
		"sns":         {{ID: "SNS", Protocol: Query, Version: "2010-03-31", Namespace: "http://sns.amazonaws.com/doc/2010-03-31/"}},
		"ec2":         {{ID: "EC2", Protocol: EC2, Version: "2016-11-15", Namespace: "http://ec2.amazonaws.com/doc/2016-11-15"}},
		"execute-api": {{ID: "ApiGatewayManagementApi", Protocol: RESTJSON, Version: "2018-11-29"}, {ID: "ConnectParticipant", Protocol: RESTJSON, Version: "2018-09-07"}},
		"nothing":     nil,
	} {
		got := slices.Clone(d.Models(signingName))
		for i := range got {
			if len(got[i].Operations) == 0 {
				t.Errorf("%s has no operations", got[i].ID)
			}
			got[i].Operations = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Models(%q): -want +got\n%s", signingName, diff)
		}
	}
	publish := ModelOperation{Method: "POST", URI: "/topics/{topic}", Payload: true}
	if got := d.Models("iotdata")[0].Operations["Publish"]; got != publish {
		t.Errorf("iot-data's Publish is %+v, want %+v", got, publish)
	}
}

// All models can be read, and every operation of a REST protocol has what tells it from others.
func TestAllModels(t *testing.T) {
	d := load(t)
	names := d.SigningNames()
	if len(names) < 300 {
		t.Errorf("%d services are known", len(names))
	}
	for _, name := range names {
		for _, m := range d.Models(name) {
			rest := m.Protocol == RESTJSON || m.Protocol == RESTXML
			if m.Protocol == JSON && (m.TargetPrefix == "" || m.JSONVersion == "") {
				t.Errorf("%s has no target", m.ID)
			}
			for op, o := range m.Operations {
				if rest != (o.Method != "" && o.URI != "") {
					t.Errorf("%s %s: got %+v", m.ID, op, o)
				}
			}
		}
	}
}
