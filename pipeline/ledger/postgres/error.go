package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// errAgain marks a transaction that lost against another one and may be run
// again. Callers outside never see it without pipeline.ErrAway.
var errAgain = errors.New("lost against another transaction")

// SQLSTATE codes (PostgreSQL documentation, appendix A) that mean something here.
const (
	uniqueViolation = "23505"
	readOnly        = "25006" // connected to a standby
	badPassword     = "28P01"
	badRole         = "28000"
	noDatabase      = "3D000"
	serialization   = "40001"
	deadlock        = "40P01"
	mayNot          = "42501"
	diskFull        = "53100"
	lockTimeout     = "55P03"
	cancelled       = "57014" // statement_timeout, or an administrator
	idleTimeout     = "25P03"
)

// translate turns an error of the driver or the server into one of the contract,
// by type and SQLSTATE. Their texts are dropped: they can repeat values. Errors
// that are not theirs pass. ctx is the caller's, without our own time limit.
func translate(ctx context.Context, err error) error {
	var server *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case ours(err):
		return err
	case errors.As(err, &server):
		return serverError(server)
	case lost(err):
		return away(lostAs(err))
	}
	return fmt.Errorf("postgres: unexpected %T", err)
}

// ours reports whether an error was made by this program and is fit to be shown.
func ours(err error) bool {
	for _, known := range []error{pipeline.ErrNotFound, pipeline.ErrStale, pipeline.ErrExists, pipeline.ErrConflict, pipeline.ErrQuota, pipeline.ErrAway, ledger.ErrNewer, errClosed} {
		if errors.Is(err, known) {
			return true
		}
	}
	if _, ok := errors.AsType[*pipeline.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[*pipeline.TransitionError](err)
	return ok
}

// lost reports whether the connection could not be made, or broke.
func lost(err error) bool {
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) ||
		pgconn.SafeToRetry(err)
}

func lostAs(err error) string {
	var op *net.OpError
	switch {
	case errors.As(err, &op):
		return op.Op + " failed"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return "connection lost"
}

func serverError(e *pgconn.PgError) error {
	switch e.Code {
	case serialization, deadlock:
		return fmt.Errorf("%w: %w", errAgain, away("SQLSTATE "+e.Code))
	case badPassword, badRole:
		return &pipeline.Error{
			Code: "ledger-refused", Sentence: "PostgreSQL refuses us (SQLSTATE " + e.Code + ")",
			Hint: "check user and password in ART34_LEDGER and the server's pg_hba.conf", Permanent: true, Exit: 2,
		}
	case noDatabase:
		return &pipeline.Error{
			Code: "ledger-missing", Sentence: "PostgreSQL has no database of this name",
			Hint: "create it with: CREATE DATABASE … ENCODING 'UTF8'", Permanent: true, Exit: 2,
		}
	case mayNot:
		return &pipeline.Error{
			Code: "ledger-forbidden", Sentence: "PostgreSQL does not let our role do this",
			Hint: "make the role the owner of the database, or: GRANT CREATE, USAGE ON SCHEMA public TO …", Permanent: true, Exit: 2,
		}
	case diskFull:
		return &pipeline.Error{
			Code: "ledger-full", Sentence: "the disk of the ledger's PostgreSQL is full",
			Hint: "make room; the work goes on by itself", Exit: 3, Cause: pipeline.ErrAway,
		}
	case readOnly, lockTimeout, cancelled, idleTimeout:
		return away("SQLSTATE " + e.Code)
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "08", "53", "57", "58": // connection, resources, operator, system
		return away("SQLSTATE " + e.Code)
	}
	if e.ConstraintName != "" {
		return fmt.Errorf("postgres: SQLSTATE %s, constraint %s", e.Code, e.ConstraintName)
	}
	return fmt.Errorf("postgres: SQLSTATE %s", e.Code)
}

func away(why string) error {
	return &pipeline.Error{
		Code: "ledger-away", Sentence: "the ledger's PostgreSQL cannot be used now",
		Hint: "check that the server runs and that ART34_LEDGER leads to it; the work goes on by itself when it is back",
		Exit: 3, Cause: fmt.Errorf("%w (%s)", pipeline.ErrAway, why),
	}
}

// isUnique reports whether err is a violation of a unique constraint.
func isUnique(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == uniqueViolation
}
