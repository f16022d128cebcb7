package ledger

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
)

// Users keeps the people who work with the console, and their logins.
type Users interface {
	// CreateUser stores a user; ID and Gen are given by the ledger. A login, or a
	// subject of the same source, that is taken is pipeline.ErrExists. first refuses
	// with pipeline.ErrConflict once there is any user: the setup of an installation
	// happens once, whoever else tries at the same moment.
	CreateUser(ctx context.Context, u pipeline.User, first bool, a pipeline.Audit) (pipeline.User, error)
	// UpdateUser writes u if nobody has since it was read, else pipeline.ErrStale, and
	// appends the audit entries in the same transaction. ID, Source, Subject and
	// CreatedAt stay as they are; u.Gen is as read, and one more afterwards.
	UpdateUser(ctx context.Context, u pipeline.User, a ...pipeline.Audit) (pipeline.User, error)
	// User returns the user of a login, or pipeline.ErrNotFound.
	User(ctx context.Context, login string) (pipeline.User, error)
	// UserOf returns the user whom an identity provider knows by a subject, or
	// pipeline.ErrNotFound.
	UserOf(ctx context.Context, source, subject string) (pipeline.User, error)
	// AllUsers returns everybody, in order of login.
	AllUsers(ctx context.Context) ([]pipeline.User, error)

	// AddSession stores a login.
	AddSession(ctx context.Context, s pipeline.Session) error
	// Session returns a login and whose it is, or pipeline.ErrNotFound: also when its
	// user is disabled, or has since begun another epoch. How old it may be is for the
	// caller to say.
	Session(ctx context.Context, hash [32]byte) (pipeline.Session, pipeline.User, error)
	// TouchSession writes SeenAt and SureAt. A session that is gone is no error.
	TouchSession(ctx context.Context, s pipeline.Session) error
	// EndSession removes a login. One that is gone is no error.
	EndSession(ctx context.Context, hash [32]byte) error
	// SweepSessions removes the logins that were last seen, or begun, before a time.
	SweepSessions(ctx context.Context, seenBefore, begunBefore time.Time) error
}
