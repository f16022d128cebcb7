package sqlite

import (
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// micros is how a time is kept: UTC microseconds, 0 for never.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the reverse of micros.
func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// when scans a column of microseconds.
type when struct{ t *time.Time }

// Scan implements sql.Scanner.
func (w when) Scan(v any) error {
	us, _ := v.(int64)
	*w.t = moment(us)
	return nil
}

// clean makes text of what strangers wrote, a relay's reply for example. SQLite
// would keep anything, PostgreSQL would not, and who reads it back wants text.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// joined is how a list of codes is kept.
func joined(list []string) string { return strings.Join(list, "|") }

// codes scans a column of codes.
type codes struct{ list *[]string }

// Scan implements sql.Scanner.
func (c codes) Scan(v any) error {
	*c.list = nil
	if s, _ := v.(string); s != "" {
		*c.list = strings.Split(s, "|")
	}
	return nil
}

// idList is a list of ids as a JSON array, for json_each.
func idList(n int, id func(i int) int64) string {
	b := make([]byte, 0, 2+n*9)
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id(i), 10)
	}
	return string(append(b, ']'))
}

// noticeColumns are the columns that noticeFields scans, of a table called n.
const noticeColumns = `n.id, n.campaign_id, n.import_id, n.parent_id, n.role, n.person,
	n.state, n.channel, n.lane, n.attempt, n.kind, n.due_at, n.reason, n.reach, n.doubts, n.resends, n.first_at, n.gen, n.owner, n.moved_at,
	n.born, n.provider, n.locale, n.format, n.country, n.area, n.sender, n.kinds, n.products, n.flags, n.defects`

// visible joins only notices of imports in force.
const visible = ` JOIN imports AS i ON i.id = n.import_id AND i.published_at > 0 AND i.replaced_at = 0`

func noticeFields(n *pipeline.Notice, more ...any) []any {
	return append([]any{
		&n.ID, &n.Campaign, &n.Import, &n.Parent, &n.Role, &n.Person,
		&n.State, &n.Channel, &n.Lane, &n.Attempt, &n.Kind, when{&n.DueAt}, &n.Reason, &n.Reach, &n.Doubts, &n.Resends, when{&n.FirstAt}, &n.Gen, &n.Owner, when{&n.MovedAt},
		&n.Born, &n.Provider, &n.Locale, &n.Format, &n.Country, &n.Area, &n.Sender, codes{&n.Kinds}, codes{&n.Products}, codes{&n.Flags}, codes{&n.Defects},
	}, more...)
}

func scanNotice(r *sql.Rows) (n pipeline.Notice, err error) {
	err = r.Scan(noticeFields(&n)...)
	return n, err
}

// scanJob scans noticeColumns and the sealed person.
func scanJob(r *sql.Rows) (j pipeline.Job, err error) {
	err = r.Scan(noticeFields(&j.Notice, &j.Sealed)...)
	return j, err
}

// noticeValues are the values of all columns of notices in order.
func noticeValues(n *pipeline.Notice) []any {
	return []any{
		n.ID, n.Campaign, n.Import, n.Parent, string(n.Role), blob(n.Person),
		string(n.State), string(n.Channel), int64(n.Lane), int64(n.Attempt), string(n.Kind), micros(n.DueAt), n.Reason, int64(n.Reach), int64(n.Doubts), int64(n.Resends), micros(n.FirstAt), n.Gen, n.Owner, micros(n.MovedAt),
		string(n.Born), n.Provider, n.Locale, n.Format, n.Country, n.Area, n.Sender, joined(n.Kinds), joined(n.Products), joined(n.Flags), joined(n.Defects),
	}
}

// blob keeps an empty value from becoming NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

const attemptColumns = `a.notice_id, a.n, a.kind, a.channel, a.version, a.told, a.at, a.tries, a.letter, a.bytes, a.renderer, a.run_id, a.seq, a.queue_id`

func scanAttempt(r *sql.Rows) (a pipeline.Attempt, err error) {
	err = r.Scan(&a.Notice, &a.N, &a.Kind, &a.Channel, &a.Version, &a.Told, when{&a.At}, &a.Tries, &a.Letter, &a.Bytes, &a.Renderer, &a.Run, &a.Seq, &a.QueueID)
	return a, err
}

const eventColumns = `e.id, e.notice_id, e.attempt, e.kind, e.outcome, e.at, e.actor, e.code, e.detail, e.into_state, e.channel`

func scanEvent(r *sql.Rows) (e pipeline.Event, err error) {
	err = r.Scan(&e.ID, &e.Notice, &e.Attempt, &e.Kind, &e.Outcome, when{&e.At}, &e.Actor, &e.Code, &e.Detail, &e.Into, &e.Channel)
	return e, err
}

// marks is "(?, ?, …)" with n question marks.
func marks(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }
