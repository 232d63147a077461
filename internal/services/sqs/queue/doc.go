// Package queue keeps queues and their messages in the store: what is sent, what waits, what is in flight.
//
// It works inside the caller's transactions, so that a message can be committed with whatever it tells of. It reads no clock, checks no
// limits and never authorizes. Functions are safe for concurrent use as far as their transactions are; after an error the transaction must
// be given up. What a transaction committed is durable: a message stays until it is deleted, dead-lettered or past its queue's retention.
//
// A message has a number, by which it is found, and in the index the time when it is due: when its delay or its visibility timeout ends.
// The messages that can be received are thus the first of the index, however long the queue is. A queue with order (FIFO) has its groups in
// the index in the place of messages: a group is due when none of its messages is in flight and its first may be received. Of a group's
// messages only the first ten can be in flight, for a group is closed to further receives until all are deleted or visible again.
//
// Keys in the store, where id is that of the queue, no two of which were ever the same:
//
//	sqs/queue/<account>/<region>/<name>     the queue
//	sqs/deleted/<account>/<region>/<name>   when a queue of that name was deleted
//	sqs/count/<id>                          how many messages it has, and the last number
//	sqs/message/<id>/<number>               a message: its state, and its content if that is short
//	sqs/content/<id>/<number>               the content of a message if it is long, which is written once
//	sqs/due/<id>/<due>-<number>             the index; of groups <due>-<group>
//	sqs/group/<id>/<group>                  when the group is due
//	sqs/line/<id>/<group>/<number>          the messages of a group, in their order
//	sqs/known/<id>/<what>                   what was sent, or received by an attempt, in the last five minutes
//	sqs/forget/<id>/<time>-<what>           when that is forgotten
//
// Behaviour: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/, its pages on visibility timeout, delay queues,
// dead-letter queues and FIFO queues.
//
// To add a fact about a message: a field of Message, which old rows do not have.
package queue
