package authz

import (
	"encoding/json"
	"fmt"
)

// MarshalJSON writes an object of key names and values, sorted by name: {"aws:SourceIp":{"values":["192.0.2.1"]}}.
func (c Context) MarshalJSON() ([]byte, error) {
	out := make(map[string]Value, len(c.keys))
	for _, e := range c.keys {
		if e.value.Values == nil {
			e.value.Values = []string{}
		}
		out[e.name] = e.value
	}
	return json.Marshal(out)
}

// UnmarshalJSON replaces the context by what MarshalJSON wrote. It refuses names that differ only in case, and single-valued keys
// without exactly one value.
func (c *Context) UnmarshalJSON(data []byte) error {
	var in map[string]Value
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("read condition keys: %w", err)
	}
	*c = Context{}
	for name, v := range in {
		if _, ok := c.Get(name); ok {
			return fmt.Errorf("condition key %q is given twice", name)
		}
		if !v.Multi && len(v.Values) != 1 {
			return fmt.Errorf("condition key %q holds %d values but is no list", name, len(v.Values))
		}
		c.put(name, v)
	}
	return nil
}
