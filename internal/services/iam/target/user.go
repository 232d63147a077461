package target

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

// PageOfUser is the page of a list that belongs to a user, whose name may be left out.
func (s *Store) PageOfUser(c *service.Call, userName, marker *string, size *int32) (p request.Page, k record.Kind, name string, err error) {
	if p, err = request.NewPage(marker, size); err != nil {
		return request.Page{}, "", "", err
	}
	k, name, err = s.UserOrCaller(c, userName)
	return p, k, name, err
}

// ListedUser is a user as lists show it: without tags and boundary.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
func (s *Store) ListedUser(account string, e *record.Identity) types.User {
	u := types.User{Arn: aws.String(s.IdentityARN(account, e)), CreateDate: aws.Time(e.Created), UserId: aws.String(e.ID)}
	if e.Kind == record.UserKind {
		u.Path, u.UserName = aws.String(e.Path), aws.String(e.Name)
	}
	return u
}
