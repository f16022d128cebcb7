package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// querier is a transaction that reads: of the writer, or of a reader.
type querier interface {
	rows(f func(*sql.Rows) error, query string, args ...any) error
}

// group is a stretch of the index of due notices in which they lie in order of
// DueAt.
type group struct {
	imp      int64
	role     pipeline.Role
	lane     pipeline.Lane
	channel  pipeline.Channel
	provider string
	first    int64 // its earliest DueAt
}

// groups finds the groups of an import that hold anything, by jumping from one
// provider to the next: the cost is that of their number, whatever they hold. (A
// condition on all three columns at once would not jump: SQLite then reads the
// group from its beginning.) Supplements of an import that is not merged are left
// out.
func groups(q querier, imp int64, merged bool, lanes []pipeline.Lane, channels []pipeline.Channel) ([]group, error) {
	var all []group
	for _, role := range []pipeline.Role{pipeline.Primary, pipeline.Copy, pipeline.Supplement} {
		if role == pipeline.Supplement && !merged {
			continue
		}
		for _, lane := range lanes {
			for _, channel := range channels {
				g := group{imp: imp, role: role, lane: lane, channel: channel}
				// "" is a provider too; no provider is less than that.
				for after := " >= ''"; ; after = " > ?5" {
					more := false
					err := q.rows(func(r *sql.Rows) error {
						more = true
						return r.Scan(&g.provider, &g.first)
					}, `SELECT provider, due_at FROM notices INDEXED BY notices_due
						WHERE state = 'due' AND import_id = ?1 AND role = ?2 AND lane = ?3 AND channel = ?4 AND provider`+after+`
						ORDER BY provider, due_at LIMIT 1`, imp, string(role), int64(lane), string(channel), g.provider)
					if err != nil {
						return nil, err
					}
					if !more {
						break
					}
					all = append(all, g)
				}
			}
		}
	}
	return all, nil
}

// place is where a due notice lies in the order of DueAt, then ID.
type place struct{ due, id, gen int64 }

func (p place) before(o place) bool { return p.due < o.due || p.due == o.due && p.id < o.id }

// stream reads a group bit by bit.
type stream struct {
	group
	ahead []place
	last  place
	ended bool
}

func (s *stream) fill(q querier, now int64, n int) error {
	if len(s.ahead) > 0 || s.ended {
		return nil
	}
	s.ahead = s.ahead[:0]
	err := q.rows(func(r *sql.Rows) error {
		var p place
		err := r.Scan(&p.due, &p.id, &p.gen)
		s.ahead = append(s.ahead, p)
		return err
	}, `SELECT due_at, id, gen FROM notices INDEXED BY notices_due
		WHERE state = 'due' AND import_id = ? AND role = ? AND lane = ? AND channel = ? AND provider = ? AND (due_at, id) > (?, ?) AND due_at <= ?
		ORDER BY due_at, id LIMIT ?`,
		s.imp, string(s.role), int64(s.lane), string(s.channel), s.provider, s.last.due, s.last.id, now, n)
	if len(s.ahead) < n {
		s.ended = true
	}
	return err
}

// queueText moves a notice that is known to be due.
const queueText = `UPDATE notices SET gen = gen + 1, state = 'queued', owner = '', moved_at = ? WHERE id = ? AND state = 'due'`

// earliest calls f for up to limit notices of all groups together, oldest DueAt
// first.
func earliest(q querier, all []group, now int64, limit int, f func(group, place) error) error {
	streams := make([]stream, len(all))
	for i, g := range all {
		streams[i] = stream{group: g, last: place{due: math.MinInt64}}
	}
	bit := limit
	if len(all) > 1 {
		bit = min(limit, limit/len(all)+16)
	}
	for range limit {
		best := -1
		for i := range streams {
			s := &streams[i]
			if err := s.fill(q, now, bit); err != nil {
				return err
			}
			if len(s.ahead) > 0 && (best < 0 || s.ahead[0].before(streams[best].ahead[0])) {
				best = i
			}
		}
		if best < 0 {
			return nil
		}
		s := &streams[best]
		s.last, s.ahead = s.ahead[0], s.ahead[1:]
		if err := f(s.group, s.last); err != nil {
			return err
		}
	}
	return nil
}

// TakeDue moves due notices to Queued.
func (l *Ledger) TakeDue(ctx context.Context, take pipeline.Take) ([]pipeline.Ticket, error) {
	var tickets []pipeline.Ticket
	if take.Limit <= 0 {
		return nil, nil
	}
	now, moved := micros(take.Now), micros(take.Moved)
	err := l.write(ctx, "take due notices", take.Limit, func(t *tx) error {
		tickets = nil
		all, err := t.takeable(take, now)
		if err != nil {
			return err
		}
		return earliest(t, all, now, take.Limit, func(g group, p place) error {
			n, err := t.exec(queueText, moved, p.id)
			if err != nil || n != 1 {
				return err
			}
			tickets = append(tickets, pipeline.Ticket{Notice: p.id, Gen: p.gen + 1})
			k := pipeline.Tally{Import: g.imp, Role: g.role, Channel: g.channel, State: pipeline.Due}
			t.tally(k, -1)
			k.State = pipeline.Queued
			t.tally(k, 1)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return tickets, nil
}

// takeable returns the groups that a Take asks for.
func (t *tx) takeable(take pipeline.Take, now int64) ([]group, error) {
	imports, err := t.importsOf(take.Campaign)
	if err != nil {
		return nil, err
	}
	var all []group
	for _, id := range imports {
		if take.Provider == "" {
			g, err := groups(t, id, t.force[id].merged, []pipeline.Lane{take.Lane}, []pipeline.Channel{take.Channel})
			if err != nil {
				return nil, err
			}
			all = append(all, slices.DeleteFunc(g, func(g group) bool { return g.first > now })...)
			continue
		}
		for _, role := range []pipeline.Role{pipeline.Primary, pipeline.Copy, pipeline.Supplement} {
			if role != pipeline.Supplement || t.force[id].merged {
				all = append(all, group{imp: id, role: role, lane: take.Lane, channel: take.Channel, provider: take.Provider})
			}
		}
	}
	return all, nil
}

// Load returns the jobs of tickets that are still good.
func (l *Ledger) Load(ctx context.Context, tickets []pipeline.Ticket) ([]pipeline.Job, error) {
	gens := make(map[int64]int64, len(tickets))
	for _, k := range tickets {
		gens[k.Notice] = k.Gen
	}
	jobs, err := list(ctx, l, "load", scanJob, `SELECT `+noticeColumns+`, p.sealed
		FROM json_each(?) AS t CROSS JOIN notices AS n ON n.id = t.value JOIN people AS p ON p.notice_id = n.id`+visible+`
		WHERE n.state = 'queued'`, idList(len(tickets), func(i int) int64 { return tickets[i].Notice }))
	return slices.DeleteFunc(jobs, func(j pipeline.Job) bool { return gens[j.ID] != j.Gen }), err
}

// Requeue moves queued notices back to Due.
func (l *Ledger) Requeue(ctx context.Context, tickets []pipeline.Ticket, now time.Time) (int, error) {
	moved := 0
	err := l.write(ctx, "requeue", len(tickets), func(t *tx) error {
		moved = 0
		if _, err := t.imports(); err != nil {
			return err
		}
		for _, k := range tickets {
			ok, err := t.requeue(k, micros(now))
			if err != nil {
				return err
			}
			if ok {
				moved++
			}
		}
		return nil
	})
	return moved, err
}

// requeue moves one queued notice back to Due.
func (t *tx) requeue(k pipeline.Ticket, now int64) (bool, error) {
	at := pipeline.Tally{State: pipeline.Queued}
	err := t.scan(`SELECT import_id, role, channel FROM notices WHERE id = ? AND gen = ? AND state = 'queued'`, []any{k.Notice, k.Gen}, &at.Import, &at.Role, &at.Channel)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if _, ok := t.force[at.Import]; err != nil || !ok {
		return false, err
	}
	if _, err := t.exec(`UPDATE notices SET gen = gen + 1, state = 'due', owner = '', moved_at = ? WHERE id = ?`, now, k.Notice); err != nil {
		return false, err
	}
	t.tally(at, -1)
	at.State = pipeline.Due
	t.tally(at, 1)
	return true, nil
}
