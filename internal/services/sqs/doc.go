// Package sqs is Amazon SQS: standard and FIFO queues, their policies and tags, dead-letter queues, and the tasks that move messages back.
//
// It never decides. Queues and their messages are those of package queue, message move tasks those of package movetask, both below; here is
// what requests may say, and how they are answered. Inputs and outputs are those of the SDK, by either of two protocols (Protocols). What is
// not there, which is keys of KMS, is answered NotImplemented by name.
//
// A Service is safe for concurrent use. An operation is one transaction: a message is durable when its sender has its id, a batch is kept
// whole, and an operation that answers an error has changed nothing. A receive that finds nothing writes nothing, and one that waits does so
// without looking until the queue changes, the first message that waits is due, its time is over, or EndPolls.
//
// Run is the server's own work: it moves messages for tasks and deletes those past their retention. Send is for other services, whose own
// changes and the message are one transaction then.
//
// Behaviour: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html, each operation's page. Resources:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html.
//
// Keys in the store are those of the rooms below, queue and movetask.
//
// To add an attribute of queues: a line in attributes. An operation: its file, and its row in operations.
package sqs
