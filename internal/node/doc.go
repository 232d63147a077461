// Package node lets servers that share a store know of each other, and share the work that only one of them may do at a time.
//
// It never authorizes and knows nothing of the work. A node that is alone, over a store in a file, writes nothing and may do everything.
//
// A node gives a sign of life every Beat, a change of its record in the store. The others watch it by their own monotonic clocks: a record
// that has not changed for Patience is of a node that is gone. Nobody compares clocks, so that a wrong one does no harm. A node counts for
// itself from before the sign that it gave last: it takes itself for gone after Trust, which is sooner than others do. When it cannot see the
// store it does not judge others either: it watches for a whole Patience again.
//
// Lead runs work on one node at a time. Who leads what is in the store, and changes with the signs of life, in one transaction each: every
// node leads its fair share, and gives up what is more when others have less; what nobody takes for Patience it leads beside its share, for
// others may not know it. Work that ends late, because its node lost the store, may overlap with that of the next node: it must stand being
// done twice.
//
// What a node holds of limits (package share) others may use after Hold only, for functions run on for a while on a node that is cut off;
// such a node ends them itself before (Fence). A node whose process was stopped for longer cannot.
//
// Keys in the store, of which the values are JSON:
//
//	node/member/<id>   a node that lives
//	node/gone/<id>     one that is gone, for as long as what it holds is kept for it
//	node/lease/<name>  who leads a work
//
// A *Node is safe for concurrent use. After a crash others take over as said; a server that starts again has the same id, and what belonged
// to it before is its own.
package node
