package principal_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/principal"
)

// What is in the decision log has the form of a plain map, as before there were Tags.
func TestTags(t *testing.T) {
	tags := principal.NewTags(map[string]string{"team": "red", "Stage": "prod"})
	text, err := json.Marshal(principal.Caller{Tags: tags})
	if want := `{"kind":"","arn":"","tags":{"Stage":"prod","team":"red"}}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
	var read principal.Caller
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read.Tags, tags); diff != "" {
		t.Errorf("read again (-got +want):\n%s", diff)
	}
	for _, of := range []principal.Tags{tags, read.Tags} {
		keys := of.Keys()
		team, _ := keys.Get("aws:PrincipalTag/team")
		stage, _ := keys.Get("aws:principaltag/stage")
		if keys.Len() != 2 || len(team.Values) != 1 || team.Values[0] != "red" || len(stage.Values) != 1 || stage.Values[0] != "prod" {
			t.Errorf("got %d keys, with %v and %v", keys.Len(), team, stage)
		}
		if of.Get("team") != "red" || of.Get("TEAM") != "" {
			t.Errorf("got %q and %q", of.Get("team"), of.Get("TEAM"))
		}
	}
	text, err = json.Marshal(principal.Caller{})
	if want := `{"kind":"","arn":""}`; err != nil || string(text) != want {
		t.Errorf("without tags: got %s, %v, want %s", text, err, want)
	}
	if err := json.Unmarshal([]byte(`{"tags":["a"]}`), &read); err == nil {
		t.Error("a list was read as tags")
	}
}
