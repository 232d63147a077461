package logs

import (
	"context"
	"slices"
	"strings"
	"unicode"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
)

// later makes the row of an operation that is judged, but not implemented. Its action has its name.
func later[In any](name string, resource service.Resource[In], more ...service.Needs[In]) service.Operation {
	return service.Later(name, "logs:"+name, resource, more...)
}

// laterOperations are queries, deliveries, transformers and all else that is not about reading, writing and forwarding events.
func (s *Service) laterOperations() []service.Operation {
	return slices.Concat(s.laterOnGroups(), laterOnOthers(), laterOnAny())
}

// laterOnGroups are those on log groups.
func (s *Service) laterOnGroups() []service.Operation {
	return []service.Operation{
		later("AssociateKmsKey", keyedGroup[sdk.AssociateKmsKeyInput](s)),
		later("CreateExportTask", groupOf[sdk.CreateExportTaskInput](s, "LogGroupName")),
		later("CreateLogAnomalyDetector", firstGroup(s, detectedGroups), restGroups(s, detectedGroups)),
		later("DeleteDataProtectionPolicy", groupOf[sdk.DeleteDataProtectionPolicyInput](s, "LogGroupIdentifier")),
		later("DeleteSyslogConfiguration", groupOf[sdk.DeleteSyslogConfigurationInput](s, "LogGroupIdentifier")),
		later("DeleteTransformer", groupOf[sdk.DeleteTransformerInput](s, "LogGroupIdentifier")),
		later("DisassociateKmsKey", keyedGroup[sdk.DisassociateKmsKeyInput](s)),
		later("GetDataProtectionPolicy", groupOf[sdk.GetDataProtectionPolicyInput](s, "LogGroupIdentifier")),
		later("GetLogGroupFields", s.fieldsGroup),
		later("GetLogRecord", unknownGroup[sdk.GetLogRecordInput]),
		later("GetQueryResults", unknownGroup[sdk.GetQueryResultsInput]),
		later("GetTransformer", groupOf[sdk.GetTransformerInput](s, "LogGroupIdentifier")),
		later("PutBearerTokenAuthentication", groupOf[sdk.PutBearerTokenAuthenticationInput](s, "LogGroupIdentifier")),
		later("PutDataProtectionPolicy", groupOf[sdk.PutDataProtectionPolicyInput](s, "LogGroupIdentifier")),
		later("PutSyslogConfiguration", groupOf[sdk.PutSyslogConfigurationInput](s, "LogGroupIdentifier")),
		later("PutTransformer", groupOf[sdk.PutTransformerInput](s, "LogGroupIdentifier")),
		later("StartQuery", firstGroup(s, queriedGroups), restGroups(s, queriedGroups)),
	}
}

// laterOnOthers are those on other resources, which are named by a member.
func laterOnOthers() []service.Operation {
	return []service.Operation{
		later("CreateDelivery", other[sdk.CreateDeliveryInput]("delivery-source", "DeliverySourceName"), createDeliveryNeeds),
		later("CreateLookupTable", other[sdk.CreateLookupTableInput]("lookup-table", "LookupTableName")),
		later("CreateScheduledQuery", other[sdk.CreateScheduledQueryInput]("scheduled-query", "Name")),
		later("DeleteDelivery", other[sdk.DeleteDeliveryInput]("delivery", "Id")),
		later("DeleteDeliveryDestination", other[sdk.DeleteDeliveryDestinationInput]("delivery-destination", "Name")),
		later("DeleteDeliveryDestinationPolicy",
			other[sdk.DeleteDeliveryDestinationPolicyInput]("delivery-destination", "DeliveryDestinationName")),
		later("DeleteDeliverySource", other[sdk.DeleteDeliverySourceInput]("delivery-source", "Name")),
		later("DeleteDestination", other[sdk.DeleteDestinationInput]("destination", "DestinationName")),
		later("DeleteLogAnomalyDetector", other[sdk.DeleteLogAnomalyDetectorInput]("anomaly-detector", "AnomalyDetectorArn")),
		later("DeleteLookupTable", other[sdk.DeleteLookupTableInput]("lookup-table", "LookupTableArn")),
		later("DeleteScheduledQuery", other[sdk.DeleteScheduledQueryInput]("scheduled-query", "Identifier")),
		later("GetDelivery", other[sdk.GetDeliveryInput]("delivery", "Id")),
		later("GetDeliveryDestination", other[sdk.GetDeliveryDestinationInput]("delivery-destination", "Name")),
		later("GetDeliveryDestinationPolicy",
			other[sdk.GetDeliveryDestinationPolicyInput]("delivery-destination", "DeliveryDestinationName")),
		later("GetDeliverySource", other[sdk.GetDeliverySourceInput]("delivery-source", "Name")),
		later("GetLogAnomalyDetector", other[sdk.GetLogAnomalyDetectorInput]("anomaly-detector", "AnomalyDetectorArn")),
		later("GetLookupTable", other[sdk.GetLookupTableInput]("lookup-table", "LookupTableArn")),
		later("GetScheduledQuery", other[sdk.GetScheduledQueryInput]("scheduled-query", "Identifier")),
		later("GetScheduledQueryHistory", other[sdk.GetScheduledQueryHistoryInput]("scheduled-query", "Identifier")),
		later("PutDeliveryDestination", other[sdk.PutDeliveryDestinationInput]("delivery-destination", "Name")),
		later("PutDeliveryDestinationPolicy",
			other[sdk.PutDeliveryDestinationPolicyInput]("delivery-destination", "DeliveryDestinationName")),
		later("PutDeliverySource", other[sdk.PutDeliverySourceInput]("delivery-source", "Name")),
		later("PutDestination", other[sdk.PutDestinationInput]("destination", "DestinationName")),
		later("PutDestinationPolicy", other[sdk.PutDestinationPolicyInput]("destination", "DestinationName")),
		later("UpdateAnomaly", other[sdk.UpdateAnomalyInput]("anomaly-detector", "AnomalyDetectorArn")),
		later("UpdateDeliveryConfiguration", other[sdk.UpdateDeliveryConfigurationInput]("delivery", "Id")),
		later("UpdateLogAnomalyDetector", other[sdk.UpdateLogAnomalyDetectorInput]("anomaly-detector", "AnomalyDetectorArn")),
		later("UpdateLookupTable", other[sdk.UpdateLookupTableInput]("lookup-table", "LookupTableArn")),
		later("UpdateScheduledQuery", other[sdk.UpdateScheduledQueryInput]("scheduled-query", "Identifier")),
	}
}

// laterOnAny are those without resource-level permissions.
func laterOnAny() []service.Operation {
	return []service.Operation{
		later("AssociateSourceToS3TableIntegration", service.Any[sdk.AssociateSourceToS3TableIntegrationInput]),
		later("CancelExportTask", service.Any[sdk.CancelExportTaskInput]),
		later("CancelImportTask", service.Any[sdk.CancelImportTaskInput]),
		later("CreateImportTask", service.Any[sdk.CreateImportTaskInput]),
		later("DeleteAccountPolicy", service.Any[sdk.DeleteAccountPolicyInput]),
		later("DeleteIndexPolicy", service.Any[sdk.DeleteIndexPolicyInput]),
		later("DeleteIntegration", service.Any[sdk.DeleteIntegrationInput]),
		later("DeleteQueryDefinition", service.Any[sdk.DeleteQueryDefinitionInput]),
		later("DeleteResourcePolicy", service.Any[sdk.DeleteResourcePolicyInput]),
		later("DescribeAccountPolicies", service.Any[sdk.DescribeAccountPoliciesInput]),
		later("DescribeConfigurationTemplates", service.Any[sdk.DescribeConfigurationTemplatesInput]),
		later("DescribeDeliveries", service.Any[sdk.DescribeDeliveriesInput]),
		later("DescribeDeliveryDestinations", service.Any[sdk.DescribeDeliveryDestinationsInput]),
		later("DescribeDeliverySources", service.Any[sdk.DescribeDeliverySourcesInput]),
		later("DescribeDestinations", service.Any[sdk.DescribeDestinationsInput]),
		later("DescribeExportTasks", service.Any[sdk.DescribeExportTasksInput]),
		later("DescribeFieldIndexes", service.Any[sdk.DescribeFieldIndexesInput]),
		later("DescribeImportTaskBatches", service.Any[sdk.DescribeImportTaskBatchesInput]),
		later("DescribeImportTasks", service.Any[sdk.DescribeImportTasksInput]),
		later("DescribeIndexPolicies", service.Any[sdk.DescribeIndexPoliciesInput]),
		later("DescribeLookupTables", service.Any[sdk.DescribeLookupTablesInput]),
		later("DescribeQueries", service.Any[sdk.DescribeQueriesInput]),
		later("DescribeQueryDefinitions", service.Any[sdk.DescribeQueryDefinitionsInput]),
		later("DescribeResourcePolicies", service.Any[sdk.DescribeResourcePoliciesInput]),
		later("DisassociateSourceFromS3TableIntegration", service.Any[sdk.DisassociateSourceFromS3TableIntegrationInput]),
		later("GetIntegration", service.Any[sdk.GetIntegrationInput]),
		later("GetLogFields", service.Any[sdk.GetLogFieldsInput]),
		later("GetStorageTierPolicy", service.Any[sdk.GetStorageTierPolicyInput]),
		later("ListAggregateLogGroupSummaries", service.Any[sdk.ListAggregateLogGroupSummariesInput]),
		later("ListAnomalies", service.Any[sdk.ListAnomaliesInput]),
		later("ListIntegrations", service.Any[sdk.ListIntegrationsInput]),
		later("ListLogAnomalyDetectors", service.Any[sdk.ListLogAnomalyDetectorsInput]),
		later("ListLogGroupsForQuery", service.Any[sdk.ListLogGroupsForQueryInput]),
		later("ListScheduledQueries", service.Any[sdk.ListScheduledQueriesInput]),
		later("ListSourcesForS3TableIntegration", service.Any[sdk.ListSourcesForS3TableIntegrationInput]),
		later("ListSyslogConfigurations", service.Any[sdk.ListSyslogConfigurationsInput]),
		later("PutAccountPolicy", service.Any[sdk.PutAccountPolicyInput]),
		later("PutIndexPolicy", service.Any[sdk.PutIndexPolicyInput]),
		later("PutIntegration", service.Any[sdk.PutIntegrationInput]),
		later("PutQueryDefinition", service.Any[sdk.PutQueryDefinitionInput]),
		later("PutResourcePolicy", service.Any[sdk.PutResourcePolicyInput]),
		later("PutStorageTierPolicy", service.Any[sdk.PutStorageTierPolicyInput]),
		later("StopQuery", service.Any[sdk.StopQueryInput]),
		later("TestTransformer", service.Any[sdk.TestTransformerInput]),
	}
}

// wireName is a member as clients write it.
func wireName(member string) string {
	runes := []rune(member)
	runes[0] = unicode.ToLower(runes[0])
	return string(runes)
}

// required gives a member that must be there.
func required(in any, member string) (string, error) {
	value := service.Member[*string](in, member)
	if value == nil {
		var p problems
		p.addNull(wireName(member))
		return "", p.err()
	}
	return *value, nil
}

// groupOf is the group that a member names, by name or ARN.
func groupOf[In any](s *Service, member string) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		value, err := required(in, member)
		if err != nil {
			return service.Target{}, err
		}
		return s.identified(ctx, c, value)
	}
}

// identified is the target of a group that is named by name or ARN.
func (s *Service) identified(ctx context.Context, c *service.Call, identifier string) (service.Target, error) {
	g, err := byEither(c, new(problems), nil, &identifier)
	if err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, g, streamARN(c, g, ""))
}

// keyedGroup is the group whose key is changed; where the key is that of query results, it is that of all groups.
func keyedGroup[In any](s *Service) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		if name := service.Member[*string](in, "LogGroupName"); name != nil {
			return s.onGroup(ctx, c, name)
		}
		return unknownGroup(ctx, c, in)
	}
}

// unknownGroup is the target of operations that do not say which group they are about.
func unknownGroup[In any](_ context.Context, c *service.Call, _ *In) (service.Target, error) {
	return service.Target{ARN: streamARN(c, byName(c, nil), "")}, nil
}

func (s *Service) fieldsGroup(ctx context.Context, c *service.Call, in *sdk.GetLogGroupFieldsInput) (service.Target, error) {
	g, err := byEither(c, new(problems), in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, g, streamARN(c, g, ""))
}

func detectedGroups(in *sdk.CreateLogAnomalyDetectorInput) []string { return in.LogGroupArnList }

func queriedGroups(in *sdk.StartQueryInput) []string {
	if in.LogGroupName != nil {
		return []string{*in.LogGroupName}
	}
	return slices.Concat(in.LogGroupNames, in.LogGroupIdentifiers)
}

// firstGroup and restGroups are the groups of a list, by name or ARN.
func firstGroup[In any](s *Service, list func(*In) []string) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		if groups := list(in); len(groups) > 0 {
			return s.identified(ctx, c, groups[0])
		}
		return unknownGroup(ctx, c, in)
	}
}

func restGroups[In any](s *Service, list func(*In) []string) service.Needs[In] {
	return func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		var needs []service.Need
		for i, identifier := range list(in) {
			if i == 0 {
				continue
			}
			t, err := s.identified(ctx, c, identifier)
			if err != nil {
				return nil, err
			}
			needs = append(needs, service.Need{Action: "logs:" + c.Operation, Target: t})
		}
		return needs, nil
	}
}

// other is a resource of a kind that a member names, by name or ARN.
func other[In any](kind, member string) service.Resource[In] {
	return func(_ context.Context, c *service.Call, in *In) (service.Target, error) {
		value, err := required(in, member)
		if err != nil {
			return service.Target{}, err
		}
		return onOther(c, kind, value)
	}
}

func onOther(c *service.Call, kind, name string) (service.Target, error) {
	if !strings.HasPrefix(name, "arn:") {
		return service.Target{ARN: logARN(c, byName(c, nil), kind+":"+name)}, nil
	}
	a, err := arn.Parse(name)
	if err != nil || a.Service != "logs" || !strings.HasPrefix(a.Resource, kind+":") {
		return service.Target{}, invalidParameter("Invalid ARN: %s is not the ARN of a %s.", name, kind) // our text
	}
	return service.Target{ARN: name, Account: a.AccountID}, nil
}

// createDeliveryNeeds are the other resources of CreateDelivery: its destination, and the delivery, which has no id yet.
func createDeliveryNeeds(_ context.Context, c *service.Call, in *sdk.CreateDeliveryInput) ([]service.Need, error) {
	name, err := required(in, "DeliveryDestinationArn")
	if err != nil {
		return nil, err
	}
	destination, err := onOther(c, "delivery-destination", name)
	delivery := service.Target{ARN: logARN(c, byName(c, nil), "delivery:*")}
	return []service.Need{{Action: "logs:CreateDelivery", Target: destination}, {Action: "logs:CreateDelivery", Target: delivery}}, err
}
