// Package sqlite keeps a store.DB in one SQLite file: the default engine, for a server on one machine.
//
// It implements the contract of package store on modernc.org/sqlite (no cgo), and never interprets what it keeps. The journal is
// a write-ahead log with synchronous=FULL, so that a commit is on the disk when Update returns
// (https://www.sqlite.org/pragma.html#pragma_synchronous). Readers never wait for writers, nor writers for readers.
//
// Concurrency. A DB has one connection that writes and a few that read, all of them private to it; a DB is safe for concurrent use.
// Callers of Update run one after the other. Those that arrive while another runs join its SQLite transaction, each in a savepoint
// of its own, and share one commit: many small writers cost one fsync. View and Update must not be nested in one another.
//
// Other processes may open the same file: SQLite's locks serialize the writers, and every commit raises the number in table meta,
// by which a DB notices what others did. Their keys are not known, so watchers are told "*".
//
// After an error from Update nothing of that call is kept; when the COMMIT itself failed the error wraps store.ErrUncertain. After
// a crash the next Open recovers every acknowledged commit from the log. The file is readable by its owner alone.
//
// The file format is version 1 (PRAGMA user_version). To change it: raise schemaVersion and add the step to migrate.
package sqlite
