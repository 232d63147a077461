package lambda

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/fault"
)

// applyLogging changes what is given. Levels are for JSON only, and INFO unless they are given
// (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
func (v *version) applyLogging(given *types.LoggingConfig) {
	v.LogFormat = cmp.Or(given.LogFormat, v.LogFormat)
	set(&v.LogGroup, given.LogGroup)
	if v.LogFormat != types.LogFormatJson {
		v.ApplicationLogLevel, v.SystemLogLevel = "", ""
		return
	}
	v.ApplicationLogLevel = cmp.Or(given.ApplicationLogLevel, v.ApplicationLogLevel, types.ApplicationLogLevelInfo)
	v.SystemLogLevel = cmp.Or(given.SystemLogLevel, v.SystemLogLevel, types.SystemLogLevelInfo)
}

// checkLogging: levels without JSON are refused (lambda.md 7.7); the text is ours.
func (v *version) checkLogging(given settings) error {
	g := given.LoggingConfig
	if g != nil && v.LogFormat != types.LogFormatJson && (g.ApplicationLogLevel != "" || g.SystemLogLevel != "") {
		return fault.InvalidParameter("ApplicationLogLevel and SystemLogLevel are for functions whose LogFormat is JSON.")
	}
	return nil
}

func (v *version) loggingConfig() *types.LoggingConfig {
	return &types.LoggingConfig{
		LogFormat: cmp.Or(v.LogFormat, types.LogFormatText), LogGroup: aws.String(v.LogGroup),
		ApplicationLogLevel: v.ApplicationLogLevel, SystemLogLevel: v.SystemLogLevel,
	}
}
