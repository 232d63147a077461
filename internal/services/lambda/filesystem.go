package lambda

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

func (s settings) validateFileSystems(v *request.Validator) {
	if len(s.FileSystemConfigs) > 1 {
		v.Fail("'["+strconv.Itoa(len(s.FileSystemConfigs))+" file systems]'", "fileSystemConfigs", "Member must have length less than or equal to 1")
	}
	for i, f := range s.FileSystemConfigs {
		member := "fileSystemConfigs." + strconv.Itoa(i+1) + ".member."
		v.RequiredText(member+"arn", f.Arn, fileSystemText)
		v.RequiredText(member+"localMountPath", f.LocalMountPath, mountPathText)
		if c := f.S3FilesConfig; c != nil {
			request.Enum(v, member+"s3FilesConfig.directS3Read", c.DirectS3Read, c.DirectS3Read.Values())
		}
	}
}

func isEFS(f types.FileSystemConfig) bool {
	return strings.Contains(aws.ToString(f.Arn), ":elasticfilesystem:")
}

// checkFileSystems: a function reaches file systems through its VPC. Texts: https://github.com/aws-cloudformation/cfn-lint/pull/4408 and
// https://github.com/aws/chalice/issues/1453.
func (v *version) checkFileSystems(given settings) error {
	for _, f := range v.FileSystems {
		if isEFS(f) && f.S3FilesConfig != nil { // the SDK says that it is refused; the text is ours
			return fault.InvalidParameter("S3FilesConfig is for access points of Amazon S3 Files: %s", *f.Arn)
		}
		switch {
		case v.attached():
		case given.FileSystemConfigs == nil && given.VpcConfig != nil:
			return fault.InvalidParameter("Function VPC configuration cannot be removed with access point %s referenced.", *f.Arn)
		default:
			return fault.InvalidParameter("Function must be configured to execute in a VPC to reference access point %s.", *f.Arn)
		}
	}
	return nil
}

// fileSystemNeeds: https://docs.aws.amazon.com/lambda/latest/dg/configuration-filesystem.html, "user permissions". The file system of an
// access point is not known, so that it is the access point which is judged.
func (s settings) fileSystemNeeds() ([]service.Need, error) {
	var needs []service.Need
	for _, f := range s.FileSystemConfigs {
		if !isEFS(f) {
			continue
		}
		a, err := arn.Parse(*f.Arn)
		if err != nil { // its pattern is that of an ARN
			return nil, err
		}
		needs = append(needs, service.Need{
			Action: "elasticfilesystem:DescribeMountTargets", Target: service.Target{ARN: *f.Arn, Account: a.AccountID},
		})
	}
	return needs, nil
}

// cannotMount is the answer to an invocation of a function with file systems, which there are not here.
func cannotMount(f types.FileSystemConfig) error {
	code := "S3FilesMountFailureException"
	if isEFS(f) {
		code = "EFSMountFailureException"
	}
	return fault.New(code, http.StatusForbidden, "The function couldn't mount the file system with access point %s: licet has no file systems.", *f.Arn)
}
