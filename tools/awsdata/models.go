package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/licet/licet/internal/awsdata"
)

// sourceModel is the shape of a model of aws-sdk, as far as we use it.
type sourceModel struct {
	Metadata struct {
		APIVersion       string           `json:"apiVersion"`
		EndpointPrefix   string           `json:"endpointPrefix"`
		SigningName      string           `json:"signingName"`
		SignatureVersion string           `json:"signatureVersion"`
		ServiceID        string           `json:"serviceId"`
		ServiceFullName  string           `json:"serviceFullName"`
		Protocol         awsdata.Protocol `json:"protocol"`
		JSONVersion      string           `json:"jsonVersion"`
		TargetPrefix     string           `json:"targetPrefix"`
		Namespace        string           `json:"xmlNamespace"`
	} `json:"metadata"`
	Operations map[string]sourceOperation `json:"operations"`
}

type sourceOperation struct {
	HTTP struct {
		Method string `json:"method"`
		URI    string `json:"requestUri"`
	} `json:"http"`
	Input struct {
		Payload string `json:"payload"`
	} `json:"input"`
}

// readModels reads the newest model of each API from the files of the package, by the names that their requests are signed for.
func readModels(files map[string][]byte) (map[string][]awsdata.Model, error) {
	newest := make(map[string]sourceModel)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Dir(name) != "apis" || !strings.HasSuffix(name, ".min.json") {
			continue
		}
		var m sourceModel
		if err := json.Unmarshal(files[name], &m); err != nil {
			return nil, fmt.Errorf("%s: %v", name, err)
		}
		if v := m.Metadata.SignatureVersion; v != "v4" && v != "s3v4" && v != "s3" {
			continue // what is not signed so, nobody here can tell who sent
		}
		id := cmp.Or(m.Metadata.ServiceID, m.Metadata.ServiceFullName)
		if id == "" || len(m.Operations) == 0 {
			return nil, fmt.Errorf("%s: no id or no operations", name)
		}
		if old, ok := newest[id]; !ok || old.Metadata.APIVersion < m.Metadata.APIVersion {
			newest[id] = m
		}
	}
	models := make(map[string][]awsdata.Model)
	for _, id := range slices.Sorted(maps.Keys(newest)) {
		m := newest[id]
		signed := cmp.Or(m.Metadata.SigningName, m.Metadata.EndpointPrefix)
		models[signed] = append(models[signed], modelOf(id, m))
	}
	if len(models) == 0 {
		return nil, fmt.Errorf("no models found")
	}
	return models, nil
}

func modelOf(id string, m sourceModel) awsdata.Model {
	out := awsdata.Model{
		ID: id, Protocol: m.Metadata.Protocol, Version: m.Metadata.APIVersion, JSONVersion: m.Metadata.JSONVersion,
		TargetPrefix: m.Metadata.TargetPrefix, Namespace: m.Metadata.Namespace,
		Operations: make(map[string]awsdata.ModelOperation, len(m.Operations)),
	}
	rest := out.Protocol == awsdata.RESTJSON || out.Protocol == awsdata.RESTXML
	if out.Protocol != awsdata.JSON {
		out.JSONVersion = ""
	}
	for name, op := range m.Operations {
		var bound awsdata.ModelOperation
		if rest {
			bound = awsdata.ModelOperation{Method: cmp.Or(op.HTTP.Method, "POST"), URI: cmp.Or(op.HTTP.URI, "/"), Payload: op.Input.Payload != ""}
		}
		out.Operations[name] = bound
	}
	return out
}

// writeModels writes one JSON file for each signing name.
func writeModels(file string, models map[string][]awsdata.Model) error {
	entries := make(map[string][]byte)
	for name, m := range models {
		data, err := json.Marshal(m)
		if err != nil {
			return err
		}
		entries[name] = data
	}
	return writeZip(file, entries)
}
