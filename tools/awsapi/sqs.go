package main

// sqsElements are the names of SQS's query protocol where they are not those of the JSON protocol, for which alone the SDK is made now: the
// traits smithy.api#xmlName and xmlFlattened that the model had, as in the examples of
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html (tab "Query protocol").
var sqsElements = map[string]string{
	"AddPermissionInput.AWSAccountIds":                     "AWSAccountId,flat",
	"AddPermissionInput.Actions":                           "ActionName,flat",
	"ChangeMessageVisibilityBatchInput.Entries":            "ChangeMessageVisibilityBatchRequestEntry,flat",
	"ChangeMessageVisibilityBatchOutput.Failed":            "BatchResultErrorEntry,flat",
	"ChangeMessageVisibilityBatchOutput.Successful":        "ChangeMessageVisibilityBatchResultEntry,flat",
	"CreateQueueInput.Attributes":                          "Attribute,flat,Name,Value",
	"CreateQueueInput.Tags":                                "Tag,flat,Key,Value",
	"DeleteMessageBatchInput.Entries":                      "DeleteMessageBatchRequestEntry,flat",
	"DeleteMessageBatchOutput.Failed":                      "BatchResultErrorEntry,flat",
	"DeleteMessageBatchOutput.Successful":                  "DeleteMessageBatchResultEntry,flat",
	"GetQueueAttributesInput.AttributeNames":               "AttributeName,flat",
	"GetQueueAttributesOutput.Attributes":                  "Attribute,flat,Name,Value",
	"ListDeadLetterSourceQueuesOutput.QueueUrls":           "QueueUrl,flat",
	"ListMessageMoveTasksOutput.Results":                   "ListMessageMoveTasksResultEntry,flat",
	"ListQueueTagsOutput.Tags":                             "Tag,flat,Key,Value",
	"ListQueuesOutput.QueueUrls":                           "QueueUrl,flat",
	"Message.Attributes":                                   "Attribute,flat,Name,Value",
	"Message.MessageAttributes":                            "MessageAttribute,flat,Name,Value",
	"MessageAttributeValue.BinaryListValues":               "BinaryListValue,flat",
	"MessageAttributeValue.StringListValues":               "StringListValue,flat",
	"MessageSystemAttributeValue.BinaryListValues":         "BinaryListValue,flat",
	"MessageSystemAttributeValue.StringListValues":         "StringListValue,flat",
	"ReceiveMessageInput.AttributeNames":                   "AttributeName,flat",
	"ReceiveMessageInput.MessageAttributeNames":            "MessageAttributeName,flat",
	"ReceiveMessageInput.MessageSystemAttributeNames":      "MessageSystemAttributeName,flat",
	"ReceiveMessageOutput.Messages":                        "Message,flat",
	"SendMessageBatchInput.Entries":                        "SendMessageBatchRequestEntry,flat",
	"SendMessageBatchOutput.Failed":                        "BatchResultErrorEntry,flat",
	"SendMessageBatchOutput.Successful":                    "SendMessageBatchResultEntry,flat",
	"SendMessageBatchRequestEntry.MessageAttributes":       "MessageAttribute,flat,Name,Value",
	"SendMessageBatchRequestEntry.MessageSystemAttributes": "MessageSystemAttribute,flat,Name,Value",
	"SendMessageInput.MessageAttributes":                   "MessageAttribute,flat,Name,Value",
	"SendMessageInput.MessageSystemAttributes":             "MessageSystemAttribute,flat,Name,Value",
	"SetQueueAttributesInput.Attributes":                   "Attribute,flat,Name,Value",
	"TagQueueInput.Tags":                                   "Tag,flat,Key,Value",
	"UntagQueueInput.TagKeys":                              "TagKey,flat",
}

// sqsCodes are the two forms of errors that no shape of the model has, as AWS was seen to answer both (localstack/localstack,
// tests/aws/services/sqs/test_sqs.snapshot.json).
var sqsCodes = map[string]string{
	"AccessDeniedException":             "AccessDenied",
	"InvalidParameterValueException":    "InvalidParameterValue",
	"MissingRequiredParameterException": "MissingParameter",
}
