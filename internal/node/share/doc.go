// Package share divides limits of concurrency among the servers of a store, so that each knows without asking how many it may run.
//
// It never runs anything and counts nothing: a User does. A server holds a part of a limit, as the store says, and keeps it for as long as
// nobody else wants it, so that the usual invocation reads and writes no store. One that needs more than it holds takes what is free, and
// asks the others for what is not: they give up what they do not use, at once or when an invocation ends. What a server takes is in the store
// before it is used, and what it gives up is unused before the store says so: never do more run than the limit allows.
//
// What a server held that is gone is free when node.Hold has passed. One that was cut off has ended what it ran by then (User.Fence). What
// one held that was killed and starts again is free at once: its functions died with it.
//
// Keys in the store, of which the values are JSON:
//
//	node/share/<limit>   who holds how much of a limit, and who wants more
//
// A *Keeper is safe for concurrent use. After an error of the store a server has less than the store says, never more.
package share
