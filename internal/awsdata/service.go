package awsdata

import (
	"archive/zip"
	"strings"
	"time"
)

// Service is what the Service Authorization Reference says about one service. The keys of its maps are lower-cased names. It is
// exported for tools/awsdata, which writes it.
type Service struct {
	Actions       map[string]Action       `json:"actions,omitempty"`
	ResourceTypes map[string]ResourceType `json:"resourceTypes,omitempty"`
	ConditionKeys map[string]ConditionKey `json:"conditionKeys,omitempty"`
}

// Action is something that a policy can allow.
type Action struct {
	// Service is the prefix of the action, Name the rest: "lambda" and "InvokeFunction".
	Service string `json:"service"`
	Name    string `json:"name"`
	// AccessLevel is "List", "Read", "Write", "Permissions management, Write" or "Tagging, Write".
	AccessLevel string `json:"accessLevel"`
	// ResourceTypes that the action can be limited to. An action without any is only matched by the resource "*".
	ResourceTypes []ResourceTypeRef `json:"resourceTypes,omitempty"`
	// ConditionKeys of the service, and tag keys, that requests for the action can carry; other global keys are not listed.
	ConditionKeys []string `json:"conditionKeys,omitempty"`
	// DependentActions are those that the caller needs in addition, with their prefix.
	DependentActions []string `json:"dependentActions,omitempty"`
}

// ResourceTypeRef is a resource type as an action uses it.
type ResourceTypeRef struct {
	Name string `json:"name"`
	// Required is true when a statement for the action must name a resource of the type.
	Required      bool     `json:"required,omitempty"`
	ConditionKeys []string `json:"conditionKeys,omitempty"`
}

// ResourceType is a kind of resource of a service.
type ResourceType struct {
	Name string `json:"name"`
	// ARNPattern has placeholders, such as "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}".
	ARNPattern    string   `json:"arnPattern"`
	ConditionKeys []string `json:"conditionKeys,omitempty"`
}

// ConditionKey is a key that conditions can ask for.
type ConditionKey struct {
	// Name may have placeholders, such as "aws:RequestTag/${TagKey}" and "s3:ExistingObjectTag/<key>".
	Name string `json:"name"`
	// Type is String, ARN, Bool, Date, IPAddress or Numeric, or "ArrayOf" and one of these for keys that hold a list.
	Type string `json:"type"`
}

// Multi tells whether the key holds a list, which conditions compare with a set operator.
func (k ConditionKey) Multi() bool { return strings.HasPrefix(k.Type, "ArrayOf") }

// conditionKey finds a key by its lower-cased name.
func (s *Service) conditionKey(key string) (ConditionKey, bool) {
	if k, ok := s.ConditionKeys[key]; ok {
		return k, true
	}
	found := "" // the longest template says most
	for template := range s.ConditionKeys {
		if fits(key, template) && (len(template) > len(found) || len(template) == len(found) && template < found) {
			found = template
		}
	}
	k, ok := s.ConditionKeys[found]
	return k, ok
}

// fits tells whether a key or an ARN is a template with its placeholders, ${…} or <…>, replaced by some text.
func fits(key, template string) bool {
	for {
		open := strings.IndexAny(template, "$<")
		if open < 0 {
			return key == template
		}
		end := strings.IndexAny(template[open:], "}>")
		if end < 0 || !strings.HasPrefix(key, template[:open]) {
			return false
		}
		key, template = key[open:], template[open+end+1:]
		// The placeholder takes at least one character, and ends where the literal text after it starts.
		literal := template
		if next := strings.IndexAny(template, "$<"); next >= 0 {
			literal = template[:next]
		}
		if key == "" {
			return false
		}
		if literal == template {
			return strings.HasSuffix(key[1:], literal)
		}
		i := strings.Index(key[1:], literal)
		if i < 0 {
			return false
		}
		key = key[1+i:]
	}
}

// ManagedPolicy is a policy that AWS maintains, in its default version.
type ManagedPolicy struct {
	ARN  string
	Name string
	// Path starts and ends with a slash.
	Path             string
	DefaultVersionID string
	CreateDate       time.Time
	// UpdateDate is when the default version was made.
	UpdateDate time.Time

	file *zip.File
}

// Document unpacks the text of the policy, JSON without white space.
func (p ManagedPolicy) Document() string { return string(read(p.file)) }
