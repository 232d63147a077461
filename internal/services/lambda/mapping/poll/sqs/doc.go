// Package sqs polls queues for event source mappings.
//
// One long poll waits while the queue is empty. When it gets messages, they are a batch, another poll waits in its place, and whoever has done a
// full batch takes the next at once: so there are as many batches under way as there is work for, up to a limit. The limit is 5 at first, grows by
// 300 a minute while all of them are full, halves with each failure of the function, and is MaximumConcurrency, or 1,250, at the most. In
// provisioned mode each of MinimumPollers to MaximumPollers stands for ten batches, the limit is never below that of the least, and grows
// by 1,000 a minute.
//
// Messages are deleted when the function has run with them, or when no filter matches them. All others stay where they are: they come again after
// their visibility timeout, and the queue's redrive policy ends that. A FIFO queue gives no message of a group that has some in flight: so one
// batch of a group runs at a time, in order.
//
// Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and its pages on scaling, error handling and filtering, lambda.md 5.6.
package sqs
