package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awsdata"
)

func TestNoticeNamesTheVersions(t *testing.T) {
	notice, err := os.ReadFile("../../internal/awsdata/NOTICE.md")
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := packages()
	for _, p := range []npmPackage{a, b, c} {
		if want := "`" + p.name + "` | " + p.version + " |"; !strings.Contains(string(notice), want) {
			t.Errorf("NOTICE.md lacks %q", want)
		}
	}
}

func TestUnpack(t *testing.T) {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	if err := tw.WriteHeader(&tar.Header{Name: "package/a/b.json", Size: 2, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.Write([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := unpack(b.Bytes())
	if diff := cmp.Diff(map[string][]byte{"a/b.json": []byte("{}")}, got); err != nil || diff != "" {
		t.Errorf("unpack: %v, -want +got\n%s", err, diff)
	}
	if _, err := unpack(b.Bytes()[:b.Len()/2]); err == nil {
		t.Error("half an archive was unpacked")
	}
}

func sourceFiles() map[string][]byte {
	return map[string][]byte{
		"data/services.json": []byte(`["lambda"]`),
		"data/actions/lambda.json": []byte(`{"invokefunction":{"name":"InvokeFunction","accessLevel":"Write","description":"x",
			"resourceTypes":[{"name":"function","required":true,"conditionKeys":[],"dependentActions":[]}],"conditionKeys":["lambda:k"]}}`),
		"data/resourceTypes/lambda.json":  []byte(`{"function":{"key":"Function","arn":"arn:${Partition}:lambda:x"}}`),
		"data/conditionKeys/lambda.json":  []byte(`{"lambda:k":{"key":"lambda:K","type":"String","description":"x"}}`),
		"dist/esm/globalConditionKeys.js": []byte("[{\n key: 'aws:PrincipalTag/tag-key',\n category: 'principal',\n type: 'String',\n}]"),
	}
}

func TestReadServices(t *testing.T) {
	got, err := readServices(sourceFiles())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*awsdata.Service{
		"lambda": {
			Actions: map[string]awsdata.Action{"invokefunction": {
				Service: "lambda", Name: "InvokeFunction", AccessLevel: "Write",
				ResourceTypes: []awsdata.ResourceTypeRef{{Name: "function", Required: true, ConditionKeys: []string{}}},
				ConditionKeys: []string{"lambda:k"},
			}},
			ResourceTypes: map[string]awsdata.ResourceType{"function": {Name: "Function", ARNPattern: "arn:${Partition}:lambda:x"}},
			ConditionKeys: map[string]awsdata.ConditionKey{"lambda:k": {Name: "lambda:K", Type: "String"}},
		},
		"aws": {ConditionKeys: map[string]awsdata.ConditionKey{
			"aws:principaltag/${tagkey}": {Name: "aws:PrincipalTag/${TagKey}", Type: "String"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("readServices: -want +got\n%s", diff)
	}
	for file := range sourceFiles() {
		files := sourceFiles()
		delete(files, file)
		if _, err := readServices(files); err == nil {
			t.Errorf("services were read without %s", file)
		}
	}
}

func TestOverlayActions(t *testing.T) {
	services, err := readServices(sourceFiles())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "actions.json")
	overlay := `{"actions":{
		"InvokeFunction":{"access":"Read"},
		"NewAction":{"access":"List","resources":[{"name":"function"}],"conditionKeys":["a:b"]}}}`
	if err := os.WriteFile(file, []byte(overlay), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := overlayActions(services, file); err != nil {
		t.Fatal(err)
	}
	actions := services["lambda"].Actions
	if got := actions["invokefunction"].AccessLevel; got != "Write" {
		t.Errorf("the overlay replaced an action: %s", got)
	}
	want := awsdata.Action{
		Service: "lambda", Name: "NewAction", AccessLevel: "List",
		ResourceTypes: []awsdata.ResourceTypeRef{{Name: "function"}}, ConditionKeys: []string{"a:b"},
	}
	if diff := cmp.Diff(want, actions["newaction"]); diff != "" {
		t.Errorf("added action: -want +got\n%s", diff)
	}
}

func TestReadAndOverlayPolicies(t *testing.T) {
	policies, err := readPolicies(map[string][]byte{"dist/managedPolicies.json": []byte(`{"P": {
		"arn": "arn:aws:iam::aws:policy/x/P", "latestVersionId": "v9",
		"createdDate": "2015-01-01T00:00:00.000Z", "lastUpdatedDate": "2016-01-01T00:00:00.000Z",
		"versions": {"v8": {"document": {}}, "v9": {"document": {"Version": "2012-10-17", "Action": "a:b"}}}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	day := func(year int) time.Time { return time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC) }
	ours := managedPolicy{"v9", day(2015), day(2016), []byte(`{"Version":"2012-10-17","Action":"a:b"}`)}
	overlay := func(path, version, document, more string) string {
		return `{"arn":"arn:aws:iam::aws:policy` + path + `","version":"` + version + `","createdate":"2020-01-01T00:00:00+00:00",` +
			`"updatedate":"2020-01-01T00:00:00+00:00","document":` + document + more + `}`
	}
	theirs := func(version, document string) managedPolicy {
		return managedPolicy{version, day(2015), day(2020), []byte(document)}
	}
	for _, test := range []struct {
		name    string
		overlay string
		path    string
		want    managedPolicy
	}{
		{"newer wins", overlay("/x/P", "v10", `{"Action": "c:d"}`, ""), "/x/P", theirs("v10", `{"Action":"c:d"}`)},
		{"older loses", overlay("/x/P", "v8", `{"Action":"c:d"}`, ""), "/x/P", ours},
		{"other text wins", overlay("/x/P", "v9", `{"Action":"c:d"}`, ""), "/x/P", theirs("v9", `{"Action":"c:d"}`)},
		{"other form loses", overlay("/x/P", "v9", `{"Action":["a:b"],"Version":"2012-10-17"}`, ""), "/x/P", ours},
		{"deprecated is ignored", overlay("/Q", "v1", `{}`, `,"deprecated":true`), "/Q", managedPolicy{}},
		{"missing is added", overlay("/Q", "v1", `{}`, ""), "/Q", managedPolicy{"v1", day(2020), day(2020), []byte(`{}`)}},
	} {
		all := map[string]managedPolicy{"/x/P": policies["/x/P"]}
		dir := t.TempDir()
		for name, text := range map[string]string{"P.json": test.overlay, "_index.json": "not read"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := overlayPolicies(all, dir); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, all[test.path], cmp.AllowUnexported(managedPolicy{})); diff != "" {
			t.Errorf("%s: -want +got\n%s", test.name, diff)
		}
	}
}

// The written tables must be readable, and the same each time.
func TestWritePoliciesIsDeterministic(t *testing.T) {
	policies := map[string]managedPolicy{}
	for _, name := range []string{"/b", "/a", "/c/d"} {
		policies[name] = managedPolicy{version: "v1", document: []byte(`{"Id":"` + name + `"}`)}
	}
	var first map[string][]byte
	for range 3 {
		dir := t.TempDir()
		if err := writePolicies(dir, policies); err != nil {
			t.Fatal(err)
		}
		got := make(map[string][]byte)
		for _, name := range []string{"policies.zip", "policies.tsv"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			got[name] = data
		}
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Fatal("the tables differ from one run to the next")
		}
	}
	want := "/a\tv1\t0001-01-01T00:00:00Z\t0001-01-01T00:00:00Z\n"
	if got := string(first["policies.tsv"]); !strings.HasPrefix(got, want) {
		t.Errorf("policies.tsv is %q, want it to start with %q", got, want)
	}
}
