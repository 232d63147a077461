package mapping

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// output is a configuration as the output of an operation on one mapping. The SDK has a type for each, which converts to the others.
func output(m types.EventSourceMappingConfiguration) *sdk.GetEventSourceMappingOutput {
	return &sdk.GetEventSourceMappingOutput{
		AmazonManagedKafkaEventSourceConfig: m.AmazonManagedKafkaEventSourceConfig,
		BatchSize:                           m.BatchSize,
		BisectBatchOnFunctionError:          m.BisectBatchOnFunctionError,
		DestinationConfig:                   m.DestinationConfig,
		DocumentDBEventSourceConfig:         m.DocumentDBEventSourceConfig,
		EventSourceArn:                      m.EventSourceArn,
		EventSourceMappingArn:               m.EventSourceMappingArn,
		FilterCriteria:                      m.FilterCriteria,
		FilterCriteriaError:                 m.FilterCriteriaError,
		FunctionArn:                         m.FunctionArn,
		FunctionResponseTypes:               m.FunctionResponseTypes,
		KMSKeyArn:                           m.KMSKeyArn,
		LastModified:                        m.LastModified,
		LastProcessingResult:                m.LastProcessingResult,
		LoggingConfig:                       m.LoggingConfig,
		MaximumBatchingWindowInSeconds:      m.MaximumBatchingWindowInSeconds,
		MaximumRecordAgeInSeconds:           m.MaximumRecordAgeInSeconds,
		MaximumRetryAttempts:                m.MaximumRetryAttempts,
		MetricsConfig:                       m.MetricsConfig,
		ParallelizationFactor:               m.ParallelizationFactor,
		ProvisionedPollerConfig:             m.ProvisionedPollerConfig,
		Queues:                              m.Queues,
		ScalingConfig:                       m.ScalingConfig,
		SelfManagedEventSource:              m.SelfManagedEventSource,
		SelfManagedKafkaEventSourceConfig:   m.SelfManagedKafkaEventSourceConfig,
		SourceAccessConfigurations:          m.SourceAccessConfigurations,
		StartingPosition:                    m.StartingPosition,
		StartingPositionTimestamp:           m.StartingPositionTimestamp,
		State:                               m.State,
		StateTransitionReason:               m.StateTransitionReason,
		Topics:                              m.Topics,
		TumblingWindowInSeconds:             m.TumblingWindowInSeconds,
		UUID:                                m.UUID,
	}
}
