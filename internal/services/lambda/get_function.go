package lambda

import (
	"context"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getFunctionReference(c *service.Call, in *sdk.GetFunctionInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}

func (s *Service) getFunction(
	ctx context.Context, c *service.Call, in *sdk.GetFunctionInput,
) (*sdk.GetFunctionOutput, error) {
	r, err := getFunctionReference(c, in)
	if err != nil {
		return nil, err
	}
	f, err := s.existing(ctx, r)
	if err != nil {
		return nil, err
	}
	location, err := s.codeLocation(ctx, c, f)
	if err != nil {
		return nil, err
	}
	configuration, err := s.show(ctx, c, f, r.Qualifier, settled)
	if err != nil {
		return nil, err
	}
	own, err := s.ownConcurrency(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetFunctionOutput{Configuration: &configuration, Code: location}
	if own.Reserved != nil {
		out.Concurrency = &types.Concurrency{ReservedConcurrentExecutions: own.Reserved}
	}
	if len(f.function.Tags) == 0 {
		return out, nil
	}
	return out, s.addTags(ctx, c, f.function, out)
}

// codeLocation tells where the code is: behind a link, or in a registry.
func (s *Service) codeLocation(ctx context.Context, c *service.Call, f found) (*types.FunctionCodeLocation, error) {
	if i := f.version.Image; i != nil {
		return &types.FunctionCodeLocation{
			ImageUri: aws.String(i.URI), ResolvedImageUri: aws.String(i.Resolved), RepositoryType: aws.String("ECR"),
		}, nil
	}
	url, err := s.CodeURLs.CodeURL(ctx, c, f.version.Code)
	if err != nil {
		return nil, fmt.Errorf("make link to code of %s: %w", f.function.reference.ARN(), err)
	}
	location := &types.FunctionCodeLocation{Location: aws.String(url), RepositoryType: aws.String("S3")}
	if f.version.SourceKey != "" {
		location.SourceKMSKeyArn = aws.String(f.version.SourceKey)
	}
	return location, nil
}

// addTags shows a function's tags to a caller who may list them
// (https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html, Tags and TagsError).
func (s *Service) addTags(ctx context.Context, c *service.Call, f *function, out *sdk.GetFunctionOutput) error {
	arn := f.reference.FunctionARN()
	listTags := *c
	listTags.Operation = "ListTags"
	ok, err := s.Permissions.Permitted(ctx, &listTags, &sdk.ListTagsInput{Resource: aws.String(arn)})
	if err != nil {
		return fmt.Errorf("check permission to list tags of %s: %w", arn, err)
	}
	if ok {
		out.Tags = maps.Clone(f.Tags)
		return nil
	}
	out.TagsError = &types.TagsError{
		ErrorCode: aws.String("AccessDeniedException"),
		Message:   aws.String("User: " + c.Caller.ARN + " is not authorized to perform: lambda:ListTags on resource: " + arn),
	}
	return nil
}
