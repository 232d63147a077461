package layer

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func addLayerVersionPermissionReference(c *service.Call, in *sdk.AddLayerVersionPermissionInput) (Reference, error) {
	var v request.Validator
	r := versionOf(&v, c, in.LayerName, in.VersionNumber)
	v.RequiredText("statementId", in.StatementId, request.StatementID)
	v.RequiredText("action", in.Action, actionText)
	v.RequiredText("principal", in.Principal, principalText)
	v.Text("organizationId", in.OrganizationId, request.OrganizationID)
	return resolve(&v, c, r)
}

func (s *Service) addLayerVersionPermission(
	ctx context.Context, c *service.Call, in *sdk.AddLayerVersionPermissionInput,
) (*sdk.AddLayerVersionPermissionOutput, error) {
	r, err := addLayerVersionPermissionReference(c, in)
	if err != nil {
		return nil, err
	}
	if in.OrganizationId != nil && *in.Principal != "*" {
		// https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html: "With the principal set to *". The text is ours.
		return nil, fault.InvalidParameter("OrganizationId can only be used with the principal *.")
	}
	text, err := newStatement(r, *in.StatementId, *in.Principal, in.OrganizationId)
	if err != nil {
		return nil, err
	}
	revision := uuid.NewString()
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if err := existing(tx, r); err != nil {
			return err
		}
		p, err := store.GetJSON[versionPolicy](tx, r.policyKey())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if p.find(*in.StatementId) >= 0 {
			return fault.Conflict("The statement id (%s) provided already exists. "+
				"Please provide a new statement id, or remove the existing statement.", *in.StatementId)
		}
		if in.RevisionId != nil && *in.RevisionId != p.RevisionID {
			return fault.PreconditionFailed("GetLayerPolicy")
		}
		p.RevisionID = revision
		p.Statements = append(p.Statements, permission{Sid: *in.StatementId, Text: text})
		if size := len(p.text()); size > maxPolicyLength {
			return fault.New("PolicyLengthExceededException", http.StatusBadRequest,
				"The final policy size (%d) is bigger than the limit (%d).", size, maxPolicyLength)
		}
		return putPolicy(tx, r, &p)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.AddLayerVersionPermissionOutput{Statement: aws.String(text), RevisionId: aws.String(revision)}, nil
}
