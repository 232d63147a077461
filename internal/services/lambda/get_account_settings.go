package lambda

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// Quotas of code in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (300 GB of storage since 2026).
const (
	codeStorageLimit  = 300 << 30
	codeUnzippedLimit = 250 << 20
	codeZippedLimit   = 50 << 20
)

// codeUsage gives the bytes of code that one kind of resource keeps in an account and Region.
type codeUsage func(r store.Reader, account, region string) (int64, error)

func (s *Service) getAccountSettings(
	ctx context.Context, c *service.Call, _ *sdk.GetAccountSettingsInput,
) (*sdk.GetAccountSettingsOutput, error) {
	own, err := s.concurrencyOf(ctx, c.Account, c.Region)
	if err != nil {
		return nil, err
	}
	usage, err := s.accountUsage(ctx, c.Account, c.Region)
	if err != nil {
		return nil, fmt.Errorf("measure usage of %s: %w", c.Account, err)
	}
	return &sdk.GetAccountSettingsOutput{
		AccountLimit: &types.AccountLimit{
			TotalCodeSize: codeStorageLimit, CodeSizeUnzipped: codeUnzippedLimit, CodeSizeZipped: codeZippedLimit,
			ConcurrentExecutions:           concurrencyLimit,
			UnreservedConcurrentExecutions: aws.Int32(int32(concurrencyLimit - own.total)),
		},
		AccountUsage: usage,
	}, nil
}

// accountUsage counts functions, and the code of their versions and of what else is in codeUsages.
func (s *Service) accountUsage(ctx context.Context, account, region string) (*types.AccountUsage, error) {
	var usage types.AccountUsage
	err := s.DB.View(ctx, func(r store.Reader) error {
		usage = types.AccountUsage{}
		items, err := r.Scan(functionPrefix(account, region), "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			size, err := codeSize(r, item)
			if err != nil {
				return err
			}
			usage.FunctionCount++
			usage.TotalCodeSize += size
		}
		for _, other := range s.codeUsages {
			size, err := other(r, account, region)
			if err != nil {
				return err
			}
			usage.TotalCodeSize += size
		}
		return nil
	})
	return &usage, err
}

// codeSize is the size of all versions of a function. Only that is decoded: accounts have many.
func codeSize(r store.Reader, item store.Item) (int64, error) {
	type sized struct {
		CodeSize int64 `json:"code_size"`
	}
	f, err := store.DecodeJSON[struct {
		Account string `json:"account"`
		Region  string `json:"region"`
		Name    string `json:"name"`
		Latest  sized  `json:"latest"`
	}](item)
	if err != nil {
		return 0, err
	}
	versions, err := r.Scan(versionPrefix(request.Function{Account: f.Account, Region: f.Region, Name: f.Name}), "", 0)
	if err != nil {
		return 0, err
	}
	sum := f.Latest.CodeSize
	for _, item := range versions {
		v, err := store.DecodeJSON[sized](item)
		if err != nil {
			return 0, err
		}
		sum += v.CodeSize
	}
	return sum, nil
}
