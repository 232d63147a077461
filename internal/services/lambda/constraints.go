package lambda

import "github.com/licet/licet/internal/services/lambda/request"

// maxStrings is the length of the lists of ImageConfig.
const maxStrings = 1500

// The constraints of the model on members of functions (botocore, API version 2015-03-31; newer limits from the SDK's documentation).
var (
	variablePattern = request.NewPattern(`[a-zA-Z]([a-zA-Z0-9_])+`)

	taggableText = request.NewText(1, 256, `arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:`+
		`(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}`+
		`|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`+
		`|capacity-provider:[a-zA-Z0-9-_]+)`)

	roleText     = request.NewText(0, 0, `arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)
	handlerText  = request.NewText(0, 128, `[^\s]+`)
	resourceText = request.NewText(0, 0, `(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()`)
	logGroupText = request.NewText(1, 512, `[\.\-_/#A-Za-z0-9]+`)

	additionalVersionText = request.NewText(1, 1024, `[0-9]+`)

	subnetText           = request.NewText(0, 1024, `subnet-[0-9a-z]*`)
	securityGroupText    = request.NewText(0, 1024, `sg-[0-9a-zA-Z]*`)
	mountPathText        = request.NewText(0, 160, `/mnt/[a-zA-Z0-9-_.]+`)
	workingDirectoryText = request.Text{Max: 1000}
	fileSystemText       = request.NewText(0, 200, `arn:aws[a-zA-Z-]*:(elasticfilesystem:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:`+
		`access-point/fsap-[a-f0-9]{17}|s3files:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:file-system/fs-[a-f0-9]{17,40}/`+
		`access-point/fsap-[a-f0-9]{17,40})`)
	// The model forbids a dot at the end by a look-behind, which Go's expressions do not have.
	masterRegionText = request.NewText(0, 0, `ALL|[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}`)

	durableExecutionNameText = request.NewText(1, 64, `[a-zA-Z0-9-_]+`)
	tenantIDText             = request.NewText(1, 256, `[a-zA-Z0-9\._:\/=+\-@ ]+`)
)
