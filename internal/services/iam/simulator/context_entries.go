package simulator

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/simulation"
)

// simulatedContext takes over the condition keys of a simulation. The texts are recorded.
func simulatedContext(entries []types.ContextEntry, q *simulation.Question) error {
	q.Given = make(map[string]bool, len(entries))
	for i, e := range entries {
		if e.ContextKeyName == nil && e.ContextKeyType == "" && e.ContextKeyValues == nil {
			continue
		}
		if err := checkContextEntry(i, e); err != nil {
			return err
		}
		name := *e.ContextKeyName
		folded := authz.FoldKey(name)
		if q.Given[folded] {
			return request.InvalidInput("Duplicate context key: %s.", name)
		}
		q.Given[folded] = true
		if err := setContextKey(&q.Context, name, e); err != nil {
			return err
		}
	}
	return nil
}

func checkContextEntry(i int, e types.ContextEntry) error {
	at := fmt.Sprintf("contextEntries.%d.member.", i+1)
	if e.ContextKeyType != "" && !slices.Contains(e.ContextKeyType.Values(), e.ContextKeyType) {
		return request.Violation(at+"contextKeyType", "Member must satisfy enum value set: [binary, ipList, booleanList, ip, boolean, numericList, "+
			"dateList, numeric, date, stringList, string, binaryList]")
	}
	name := aws.ToString(e.ContextKeyName)
	switch {
	case name == "":
		return request.InvalidInput("ContextKeyName cannot be null or empty.")
	case len(name) > 256:
		return request.CheckLength(at+"contextKeyName", name, 5, 256)
	case e.ContextKeyType == "":
		return request.InvalidInput("Context key %s has invalid type null.", name)
	case len(e.ContextKeyValues) == 0:
		return request.InvalidInput("Context values for context key %s cannot be null or empty.", name)
	}
	return nil
}

// setContextKey sets a key to the values of an entry, which must be of its type.
func setContextKey(k *authz.Context, name string, e types.ContextEntry) error {
	kind, isList := strings.CutSuffix(string(e.ContextKeyType), "List")
	if !isList && len(e.ContextKeyValues) != 1 {
		return request.InvalidInput("Context key %s expected a single value, but received %d.", e.ContextKeyType, len(e.ContextKeyValues))
	}
	values := make([]string, len(e.ContextKeyValues))
	for i, v := range e.ContextKeyValues {
		if kind == "boolean" {
			// Whatever is not "true" is taken for false.
			v = fmt.Sprint(strings.EqualFold(v, "true"))
		}
		if want, ok := expected(kind, v); !ok {
			return request.InvalidInput("Invalid context value for key %s: expected %s.", name, want)
		}
		values[i] = v
	}
	if isList {
		k.SetList(name, values...)
	} else {
		k.Set(name, values[0])
	}
	return nil
}

// expected tells whether a value is of a type, and what AWS calls the type.
func expected(kind, value string) (want string, ok bool) {
	switch kind {
	case "numeric":
		_, err := strconv.ParseFloat(value, 64)
		return "numeric format", (err == nil || errors.Is(err, strconv.ErrRange)) && strings.Trim(value, "0123456789+-.eE") == ""
	case "date":
		return "DateTime format", isDate(value)
	case "ip":
		_, err := netip.ParseAddr(value)
		_, notRange := netip.ParsePrefix(value)
		return "IP address", err == nil || notRange == nil
	case "binary":
		_, err := base64.StdEncoding.DecodeString(value)
		return "base-64 encoded binary format", err == nil
	default:
		return "", true
	}
}

// isDate takes the forms of ISO 8601 that conditions know, and seconds since 1970.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
func isDate(value string) bool {
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return true
	}
	for _, layout := range []string{"2006-01", "2006-01-02", "2006-01-02T15:04Z07:00", time.RFC3339} {
		if _, err := time.Parse(layout, value); err == nil {
			return true
		}
	}
	return false
}
