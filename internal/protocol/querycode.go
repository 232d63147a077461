package protocol

import (
	"strings"

	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// QueryCompatible tells whether the service speaks a JSON protocol in the place of an older query protocol
// (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait).
func (a *API) QueryCompatible() bool { return a.TargetPrefix != "" && a.Namespace != "" }

// QueryCode gives an error code of the JSON protocols as the query protocol has it: the trait aws.protocols#awsQueryError.
func (a *API) QueryCode(code string) string {
	if other, ok := a.QueryCodes[code]; ok {
		return other
	}
	if a.Types == nil {
		return code
	}
	for id, entry := range a.Types.Entries {
		if id[strings.Index(id, "#")+1:] != code {
			continue
		}
		if trait, ok := smithy.SchemaTrait[*traits.AWSQueryError](entry.Schema); ok {
			return trait.ErrorCode
		}
	}
	return code
}
