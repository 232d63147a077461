package lambda

import "github.com/licet/licet/internal/services/lambda/request"

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

	namespacedStatementText = request.NewText(1, 100, `([a-zA-Z0-9-_.]+)`)
	actionText              = request.NewText(0, 10000, `(lambda:[*]|lambda:[a-zA-Z]+|[*])`)
	principalText           = request.NewText(0, 2048, `[^\s]+`)
	sourceARNText           = request.NewText(0, 0, `arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?`+
		`:(\d{12})?:(.*)`)
	sourceAccountText        = request.NewText(0, 12, `\d{12}`)
	eventSourceTokenText     = request.NewText(0, 256, `[a-zA-Z0-9._\-]+`)
	durableExecutionNameText = request.NewText(1, 64, `[a-zA-Z0-9-_]+`)
	tenantIDText             = request.NewText(1, 256, `[a-zA-Z0-9\._:\/=+\-@ ]+`)
)
