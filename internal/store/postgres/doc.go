// Package postgres keeps a store.DB in a PostgreSQL database: the engine for state that outlives, or outgrows, one machine.
//
// It implements the contract of package store over github.com/jackc/pgx and never interprets what it keeps. Several DBs, in one process
// or many, may use one database; docs/decisions/0005-postgres.md says why it is built as it is, and what other servers that speak the
// protocol lack.
//
// Writers are ordered by one row, licet_meta, which each transaction locks first. So they are serializable without ever being run again
// for a conflict, revisions rise in the order of commits, and no reader of the change feed can miss one that commits late. Callers of
// Update that arrive while another runs join its transaction, each in a savepoint of its own, and share one commit. Views read in
// snapshots (REPEATABLE READ, READ ONLY), which wait for nobody.
//
// Each commit leaves a row in licet_changes with the revision before it, its own, and the keys it changed. These rows are a chain: a DB
// that finds a link missing tells its watchers "*". NOTIFY only wakes the DBs up; without it they look every pollInterval. DB.Told says
// when the last look began that succeeded; what watchers remember counts for nothing when that is long ago.
//
// A DB is safe for concurrent use. After an error from Update nothing of that call is kept. When the connection is lost while COMMIT is
// on its way, the DB looks for its link in the chain and, when that is missing, takes its place, so that the lost transaction can never
// commit; only when that cannot be done in time the error wraps store.ErrUncertain. What was acknowledged is as durable as the database
// makes a commit; its fsync must be on, and sessions with synchronous_commit=off are switched to on.
//
// To change the tables: append a migration in schema.go, and never change one that was released.
package postgres
