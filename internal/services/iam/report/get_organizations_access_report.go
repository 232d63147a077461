package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// getOrganizationsAccessReport answers every caller of the account who may ask: no page says that reports belong to those who made
// them, as that of generateServiceLastAccessedDetails does.
func (s *handlers) getOrganizationsAccessReport(
	ctx context.Context, c *service.Call, in *sdk.GetOrganizationsAccessReportInput,
) (*sdk.GetOrganizationsAccessReportOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	order, err := newReportOrder(in.SortKey)
	if err != nil {
		return nil, err
	}
	r, err := s.organizationsReport(ctx, c, in.JobId)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetOrganizationsAccessReportOutput{
		JobStatus: types.JobStatusTypeCompleted, JobCreationDate: &r.Created, JobCompletionDate: &r.Created,
	}
	if f := r.Failure; f != nil {
		out.JobStatus, out.ErrorDetails = types.JobStatusTypeFailed, &types.ErrorDetails{Code: &f.Code, Message: &f.Message}
		return out, nil
	}
	slices.SortStableFunc(r.Services, order)
	place := make(map[string]string, len(r.Services))
	unused := 0
	for i, u := range r.Services {
		place[u.Service] = fmt.Sprintf("%08d", i)
		if u.Accounts == 0 {
			unused++
		}
	}
	l := request.Cut(p, r.Services, func(u entityUse) string { return place[u.Service] })
	out.NumberOfServicesAccessible, out.NumberOfServicesNotAccessed = aws.Int32(int32(len(r.Services))), aws.Int32(int32(unused))
	out.IsTruncated, out.Marker, out.AccessDetails = l.Truncated, l.Marker, []types.AccessDetail{}
	for _, u := range l.Items {
		out.AccessDetails = append(out.AccessDetails, u.wire())
	}
	return out, nil
}

// newReportOrder reads the order that a call asks for; services that were never used stand as if that were before all others.
func newReportOrder(key types.SortKeyType) (func(a, b entityUse) int, error) {
	byName := func(a, b entityUse) int { return strings.Compare(a.Service, b.Service) }
	byTime := func(a, b entityUse) int { return a.Time.Compare(b.Time) }
	switch key {
	case "", types.SortKeyTypeServiceNamespaceAscending:
		return byName, nil
	case types.SortKeyTypeServiceNamespaceDescending:
		return func(a, b entityUse) int { return byName(b, a) }, nil
	case types.SortKeyTypeLastAuthenticatedTimeAscending:
		return func(a, b entityUse) int { return cmp.Or(byTime(a, b), byName(a, b)) }, nil
	case types.SortKeyTypeLastAuthenticatedTimeDescending:
		return func(a, b entityUse) int { return cmp.Or(byTime(b, a), byName(a, b)) }, nil
	}
	return nil, request.Violation("sortKey", "Member must satisfy enum value set: [SERVICE_NAMESPACE_ASCENDING, "+
		"LAST_AUTHENTICATED_TIME_DESCENDING, LAST_AUTHENTICATED_TIME_ASCENDING, SERVICE_NAMESPACE_DESCENDING]")
}

func (s *handlers) organizationsReport(ctx context.Context, c *service.Call, jobID *string) (r organizationsReport, err error) {
	if err := checkJobID(jobID); err != nil {
		return r, err
	}
	err = s.DB.View(ctx, func(tx store.Reader) (err error) {
		r, err = store.GetJSON[organizationsReport](tx, organizationsReportPrefix(c.Account)+*jobID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return r, noSuchJob(*jobID)
	}
	return r, err
}

func (u entityUse) wire() types.AccessDetail {
	out := types.AccessDetail{
		ServiceName: aws.String(serviceName(u.Service)), ServiceNamespace: &u.Service, TotalAuthenticatedEntities: aws.Int32(int32(u.Accounts)),
	}
	if u.Accounts > 0 {
		out.EntityPath, out.LastAuthenticatedTime, out.Region = &u.EntityPath, aws.Time(u.Time), &u.Region
	}
	return out
}
