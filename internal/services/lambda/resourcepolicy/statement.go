package resourcepolicy

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/services/lambda/request"
)

// newStatement writes the statement that a request asks for: rules of generation in lambda.md 1.2. principal is "*" or a
// statementPrincipal.
func newStatement(r request.Function, in *sdk.AddPermissionInput, principal any) (string, error) {
	text, err := request.EncodeJSON(statement{
		Sid: *in.StatementId, Effect: "Allow", Principal: principal, Action: *in.Action, Resource: r.ARN(),
		Condition: statementConditions(in),
	})
	if err != nil {
		return "", fmt.Errorf("encode statement: %w", err)
	}
	return text, nil
}

func statementConditions(in *sdk.AddPermissionInput) *conditions {
	var all conditions
	equals := stringEquals{
		SourceAccount:       aws.ToString(in.SourceAccount),
		PrincipalOrgID:      aws.ToString(in.PrincipalOrgID),
		FunctionURLAuthType: string(in.FunctionUrlAuthType),
		EventSourceToken:    aws.ToString(in.EventSourceToken),
	}
	if equals != (stringEquals{}) {
		all.StringEquals = &equals
	}
	if in.InvokedViaFunctionUrl != nil {
		all.Bool = &boolKeys{InvokedViaFunctionURL: fmt.Sprint(*in.InvokedViaFunctionUrl)}
	}
	if in.SourceArn != nil {
		all.ArnLike = &arnLike{SourceARN: *in.SourceArn}
	}
	if all == (conditions{}) {
		return nil
	}
	return &all
}

// statement has the order of members, and the casing of condition keys, in which AWS writes them (lambda.md 1.2).
type statement struct {
	Sid       string
	Effect    string
	Principal any // "*" or statementPrincipal
	Action    string
	Resource  string
	Condition *conditions `json:",omitempty"`
}

type statementPrincipal struct {
	Service string `json:",omitempty"`
	AWS     string `json:",omitempty"`
}

type conditions struct {
	StringEquals *stringEquals `json:",omitempty"`
	Bool         *boolKeys     `json:",omitempty"`
	ArnLike      *arnLike      `json:",omitempty"`
}

type stringEquals struct {
	SourceAccount       string `json:"AWS:SourceAccount,omitempty"`
	PrincipalOrgID      string `json:"aws:PrincipalOrgID,omitempty"`
	FunctionURLAuthType string `json:"lambda:FunctionUrlAuthType,omitempty"`
	EventSourceToken    string `json:"lambda:EventSourceToken,omitempty"`
}

type boolKeys struct {
	InvokedViaFunctionURL string `json:"lambda:InvokedViaFunctionUrl"`
}

type arnLike struct {
	SourceARN string `json:"AWS:SourceArn"`
}
