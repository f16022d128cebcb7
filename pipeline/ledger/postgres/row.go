package postgres

import (
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// micros is how a time is kept: UTC microseconds since 1970, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the time of micros.
func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// clean makes a text one that PostgreSQL takes: valid UTF-8 without NUL. Replies
// of relays and bounces of strangers end up in details.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// joined is how a list of codes is kept.
func joined(list []string) string { return clean(strings.Join(list, "|")) }

// split undoes joined; nil for none.
func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

// bytes makes nil an empty value: no column takes NULL.
func bytes(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// The columns of a pipeline.Notice, and of a Job with the sealed person; n is
// notices and p is people.
const (
	noticeColumns = `n.id, n.campaign_id, n.import_id, p.parent_id, n.role, p.person,
	n.state, n.channel, n.lane, n.attempt, n.kind, n.due_at, n.reason, n.reach, n.doubts, n.resends, n.first_at, n.gen, n.owner, n.moved_at,
	n.born, n.provider, n.locale, n.format, n.country, n.area, n.sender, n.kinds, n.products, n.flags, n.defects`
	jobColumns = noticeColumns + `, p.sealed`
	// inForce restricts notices to those that exist for readers.
	inForce = `EXISTS (SELECT FROM imports i WHERE i.id = n.import_id AND i.published_at <> 0 AND i.replaced_at = 0)`
)

// scanJob reads jobColumns, or noticeColumns with sealed nil.
func scanJob(row pgx.CollectableRow, sealed *[]byte) (n pipeline.Notice, err error) {
	var due, first, moved int64
	var kinds, products, flags, defects string
	dest := []any{
		&n.ID, &n.Campaign, &n.Import, &n.Parent, &n.Role, &n.Person,
		&n.State, &n.Channel, &n.Lane, &n.Attempt, &n.Kind, &due, &n.Reason, &n.Reach, &n.Doubts, &n.Resends, &first, &n.Gen, &n.Owner, &moved,
		&n.Born, &n.Provider, &n.Locale, &n.Format, &n.Country, &n.Area, &n.Sender, &kinds, &products, &flags, &defects,
	}
	if sealed != nil {
		dest = append(dest, sealed)
	}
	if err := row.Scan(dest...); err != nil {
		return n, err
	}
	n.DueAt, n.FirstAt, n.MovedAt = moment(due), moment(first), moment(moved)
	n.Kinds, n.Products, n.Flags, n.Defects = split(kinds), split(products), split(flags), split(defects)
	return n, nil
}

func rowToNotice(row pgx.CollectableRow) (pipeline.Notice, error) { return scanJob(row, nil) }

func rowToJob(row pgx.CollectableRow) (pipeline.Job, error) {
	var j pipeline.Job
	n, err := scanJob(row, &j.Sealed)
	j.Notice = n
	return j, err
}

func rowToTicket(row pgx.CollectableRow) (t pipeline.Ticket, err error) {
	err = row.Scan(&t.Notice, &t.Gen)
	return t, err
}
