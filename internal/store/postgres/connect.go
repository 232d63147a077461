package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout is how long a connection may take to be made; connect_timeout in the URL goes before it.
	connectTimeout = 5 * time.Second
	// maxIdle is how long a transaction may wait for its client before the server ends it: a node that has vanished must not hold the lock
	// of all writers.
	maxIdle = 10 * time.Second
	// maxWork bounds the statements of a transaction, waiting for locks included. It is longer than maxIdle, so that one outlives a node
	// that has vanished.
	maxWork = 20 * time.Second
	// pingAfter is from when on a connection that was not used is tried first, and maxPing how long that may take: it may lead nowhere,
	// without anybody saying so.
	pingAfter = time.Second
	maxPing   = 2 * time.Second
)

// IsURL tells whether text names a database of this package, and not a file.
func IsURL(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// parse reads a URL (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING), the variables PG* and the password
// file. search_path may name one schema. No error holds the password.
func parse(url string) (c *pgxpool.Config, schema string, err error) {
	if !IsURL(url) {
		return nil, "", errors.New("want a URL that begins with postgres://")
	}
	if c, err = pgxpool.ParseConfig(url); err != nil {
		return nil, "", err
	}
	schema = c.ConnConfig.RuntimeParams["search_path"]
	if schema != "" && !regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`).MatchString(schema) {
		return nil, "", fmt.Errorf("search_path %q: want the name of one schema, of lower-case letters, digits and underscores", schema)
	}
	if c.ConnConfig.RuntimeParams["application_name"] == "" {
		c.ConnConfig.RuntimeParams["application_name"] = "licet"
	}
	if c.ConnConfig.ConnectTimeout == 0 || c.ConnConfig.ConnectTimeout == 2*time.Minute { // pgconn's own default
		c.ConnConfig.ConnectTimeout = connectTimeout
	}
	if c.PingTimeout == 0 {
		c.PingTimeout = maxPing
	}
	// A standby has not all that was acknowledged, and views must not read it: of several hosts the one that takes writes is meant.
	c.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	c.ConnConfig.OnNotice = keepWarning
	c.AfterConnect = setUp
	return c, schema, nil
}

// settings of sessions that the package relies on, whatever those of the role and the database are. Not every release has all of them.
var settings = fmt.Sprintf(`SELECT set_config(name, CASE name
	WHEN 'idle_in_transaction_session_timeout' THEN '%d' WHEN 'statement_timeout' THEN '%d' WHEN 'synchronous_commit' THEN 'on' ELSE '0' END, false)
FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'statement_timeout', 'lock_timeout', 'idle_session_timeout',
	'transaction_timeout') OR name = 'synchronous_commit' AND setting = 'off'`, maxIdle.Milliseconds(), maxWork.Milliseconds())

// setUp makes the settings.
func setUp(ctx context.Context, c *pgx.Conn) error {
	if _, err := c.PgConn().Exec(ctx, settings).ReadAll(); err != nil {
		return fmt.Errorf("set up session: %w", err)
	}
	return nil
}

// warned is the key of the last warning among what a connection carries with it.
const warned = "warned"

// keepWarning keeps a warning of the server for session.commit.
func keepWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" || n.Severity == "WARNING" {
		c.CustomData()[warned] = n.Message
	}
}

// connect opens a connection outside of the pool.
func (db *DB) connect(ctx context.Context) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, db.config.ConnConfig.Copy())
	if err != nil {
		return nil, err
	}
	if err := setUp(ctx, c); err != nil {
		return nil, errors.Join(err, closeConn(c))
	}
	return c, nil
}

// closeConn closes a connection, and with it an open transaction.
func closeConn(c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.Close(ctx)
}

// session is a connection in a transaction. Statements are queued and sent together when an answer is needed: a round trip costs more
// than they do.
type session struct {
	raw    *pgx.Conn
	queued *pgx.Batch
	// queuedBytes are those of values among queued.
	queuedBytes int
}

func newSession(c *pgx.Conn) *session { return &session{raw: c, queued: &pgx.Batch{}} }

// queue adds a statement to those sent next.
func (s *session) queue(sql string, args ...any) *pgx.QueuedQuery {
	return s.queued.Queue(sql, args...)
}

// flush sends what is queued and waits for the answers. The statements after one that failed are not run.
func (s *session) flush(ctx context.Context) error {
	if s.queued.Len() == 0 {
		return nil
	}
	b := s.queued
	s.drop()
	return s.raw.SendBatch(ctx, b).Close()
}

// drop forgets what is queued.
func (s *session) drop() { s.queued, s.queuedBytes = &pgx.Batch{}, 0 }

// run runs one statement without answer at once; what is queued is dropped.
func (s *session) run(ctx context.Context, sql string) error {
	s.drop()
	_, err := s.raw.PgConn().Exec(ctx, sql).ReadAll()
	return err
}
