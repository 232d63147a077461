package awsdata

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Protocol is one of AWS's protocols, by the names that AWS's older service models have for them.
type Protocol string

// The protocols (https://smithy.io/2.0/aws/protocols/index.html): JSON is awsJson1_0 or awsJson1_1.
const (
	JSON     Protocol = "json"
	Query    Protocol = "query"
	EC2      Protocol = "ec2"
	RESTJSON Protocol = "rest-json"
	RESTXML  Protocol = "rest-xml"
)

// Model is what the requests of an API look like on the wire, as far as that tells operations apart. Like Service it is exported for
// tools/awsdata, which writes it.
type Model struct {
	// ID is the API's service id, such as "DynamoDB Streams".
	ID       string   `json:"id"`
	Protocol Protocol `json:"protocol"`
	// Version is the API's, such as "2010-03-31".
	Version string `json:"version"`
	// JSONVersion is "1.0" or "1.1", and TargetPrefix what X-Amz-Target has before the dot, for JSON.
	JSONVersion  string `json:"jsonVersion,omitempty"`
	TargetPrefix string `json:"targetPrefix,omitempty"`
	// Namespace is that of answers in XML.
	Namespace string `json:"namespace,omitempty"`
	// Operations by name.
	Operations map[string]ModelOperation `json:"operations"`
}

// ModelOperation is an operation of a Model. All members are for the REST protocols, and zero for others.
type ModelOperation struct {
	Method string `json:"method,omitempty"`
	// URI is the path with labels in braces, and the query that tells the operation from others: /tags/{resourceArn+}?operation=tag
	URI string `json:"uri,omitempty"`
	// Payload tells that the body is one member, and not a document of all.
	Payload bool `json:"payload,omitempty"`
}

// loadModels reads the contents of the table of models.
func (d *Data) loadModels() error {
	models, err := zip.NewReader(strings.NewReader(modelsZip), int64(len(modelsZip)))
	if err != nil {
		return fmt.Errorf("open the table of models: %v", err)
	}
	d.models = make(map[string]func() []Model, len(models.File))
	for _, f := range models.File {
		d.models[f.Name] = sync.OnceValue(func() []Model { return readModels(f) })
	}
	return nil
}

func readModels(f *zip.File) []Model {
	var models []Model
	if err := json.Unmarshal(read(f), &models); err != nil {
		panic(fmt.Sprintf("awsdata: decode models of %s: %v", f.Name, err))
	}
	return models
}

// Models gives the APIs whose requests are signed for a service, such as "dynamodb", sorted by ID; nil when none is known.
func (d *Data) Models(signingName string) []Model {
	load, ok := d.models[signingName]
	if !ok {
		return nil
	}
	return load()
}

// SigningNames lists the services for which Models knows some, sorted.
func (d *Data) SigningNames() []string { return slices.Sorted(maps.Keys(d.models)) }
