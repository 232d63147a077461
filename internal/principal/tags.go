package principal

import (
	"encoding/json"
	"maps"

	"github.com/licet/licet/authz"
)

// Tags are the tags of a caller, with the condition keys that they make: every call is asked for those. The zero value is none.
// Immutable, and safe for concurrent use.
type Tags struct {
	values map[string]string
	keys   authz.Context
}

// NewTags makes tags of values by key. It keeps the map.
func NewTags(values map[string]string) Tags {
	t := Tags{values: values}
	for key, value := range values {
		t.keys.Set("aws:PrincipalTag/"+key, value)
	}
	return t
}

// Get is the value of a tag; "" when there is none.
func (t Tags) Get(key string) string { return t.values[key] }

// Keys are the condition keys aws:PrincipalTag/…, one for each tag. They must not be changed.
func (t Tags) Keys() authz.Context { return t.keys }

// Equal tells whether two have the same tags.
func (t Tags) Equal(other Tags) bool { return maps.Equal(t.values, other.values) }

// IsZero is for encoding/json: no tags are left out.
func (t Tags) IsZero() bool { return len(t.values) == 0 }

// MarshalJSON writes an object of keys and values.
func (t Tags) MarshalJSON() ([]byte, error) { return json.Marshal(t.values) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Tags) UnmarshalJSON(data []byte) error {
	var values map[string]string
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	*t = NewTags(values)
	return nil
}
