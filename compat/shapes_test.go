package compat

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShapes lets boto3 hold answers against the model that it has, with waiters and paginators. What the model requires and AWS does not
// answer is listed: the root user has no name and no path.
func TestShapes(t *testing.T) {
	t.Parallel()
	out, err := server.command(t, server.root, "/usr/bin/python3", "shapes.py", unique("shapes"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := []string{"GetUser.User lacks Path", "GetUser.User lacks UserName"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
