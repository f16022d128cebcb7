package intake

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
)

// memory is a ledger as far as intake needs one. It demands what the contract of
// the ledger demands: notices in order of id, tokens in order of hash.
type memory struct {
	mu      sync.Mutex
	next    int64
	imports []pipeline.Import
	jobs    map[int64]*pipeline.Job
	tokens  map[int64][]pipeline.Token // by import
	lastID  map[int64]int64

	fail   func(op string) error // called before each operation
	race   func(m *memory)       // called once before Absorb
	merged map[int64]bool
}

func newMemory() *memory {
	return &memory{jobs: map[int64]*pipeline.Job{}, tokens: map[int64][]pipeline.Token{}, lastID: map[int64]int64{}, merged: map[int64]bool{}}
}

func (m *memory) op(name string) error {
	if m.fail != nil {
		return m.fail(name)
	}
	return nil
}

func (m *memory) imp(id int64) *pipeline.Import {
	for i := range m.imports {
		if m.imports[i].ID == id {
			return &m.imports[i]
		}
	}
	return nil
}

func (m *memory) inForce(id int64) bool {
	i := m.imp(id)
	return i != nil && !i.PublishedAt.IsZero() && i.ReplacedAt.IsZero()
}

func (m *memory) Imports(_ context.Context, campaign int64) ([]pipeline.Import, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.imports), m.op("Imports")
}

func (m *memory) BeginImport(_ context.Context, i pipeline.Import) (pipeline.Import, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("BeginImport"); err != nil {
		return i, err
	}
	for _, x := range m.imports {
		if x.Content == i.Content && m.inForce(x.ID) {
			return x, pipeline.ErrExists
		}
	}
	i.ID = int64(len(m.imports) + 1)
	m.imports = append(m.imports, i)
	return i, nil
}

func (m *memory) ReserveIDs(_ context.Context, n int) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := m.next + 1
	m.next += int64(n)
	return first, m.op("ReserveIDs")
}

func (m *memory) Stage(_ context.Context, id int64, batch []pipeline.Staged) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("Stage"); err != nil {
		return err
	}
	for _, s := range batch {
		if s.Notice.ID <= m.lastID[id] || s.Notice.ID > m.next {
			return fmt.Errorf("notice %d after %d, reserved up to %d", s.Notice.ID, m.lastID[id], m.next)
		}
		if s.Notice.Import != id {
			return fmt.Errorf("notice %d is of import %d", s.Notice.ID, s.Notice.Import)
		}
		m.lastID[id] = s.Notice.ID
		m.jobs[s.Notice.ID] = &pipeline.Job{Notice: s.Notice, Sealed: s.Sealed}
	}
	return nil
}

func (m *memory) StageTokens(_ context.Context, id int64, batch []pipeline.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("StageTokens"); err != nil {
		return err
	}
	m.tokens[id] = append(m.tokens[id], batch...)
	if !slices.IsSortedFunc(m.tokens[id], func(a, b pipeline.Token) int {
		return cmp.Or(bytes.Compare(a.Hash[:], b.Hash[:]), cmp.Compare(a.Notice, b.Notice))
	}) {
		return fmt.Errorf("tokens are not sorted")
	}
	return nil
}

func (m *memory) Publish(_ context.Context, id int64, man pipeline.Manifest, replace bool, a pipeline.Audit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("Publish"); err != nil {
		return err
	}
	if replace {
		for i := range m.imports {
			if m.imports[i].ID != id && m.inForce(m.imports[i].ID) {
				m.imports[i].ReplacedAt = a.At
			}
		}
	}
	i := m.imp(id)
	i.Manifest, i.PublishedAt = man, a.At
	return nil
}

func (m *memory) Discard(ctx context.Context, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for k, j := range m.jobs {
		if j.Import == id {
			delete(m.jobs, k)
		}
	}
	delete(m.tokens, id)
	m.imports = slices.DeleteFunc(m.imports, func(i pipeline.Import) bool { return i.ID == id })
	return nil
}

func (m *memory) People(_ context.Context, campaign int64, persons [][]byte) (map[string]pipeline.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]pipeline.Job{}
	for _, j := range m.jobs {
		if j.Role == pipeline.Primary && m.inForce(j.Import) && slices.ContainsFunc(persons, func(p []byte) bool { return bytes.Equal(p, j.Person) }) {
			out[string(j.Person)] = *j
		}
	}
	return out, m.op("People")
}

func (m *memory) Siblings(_ context.Context, parent int64) ([]pipeline.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []pipeline.Job
	for _, j := range m.jobs {
		if j.Role == pipeline.Supplement && j.Parent == parent && m.inForce(j.Import) {
			out = append(out, *j)
		}
	}
	slices.SortFunc(out, func(a, b pipeline.Job) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

func (m *memory) Search(_ context.Context, campaign int64, token [16]byte, limit int) (ids []int64, bystander int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for imp, list := range m.tokens {
		for _, t := range list {
			if t.Hash == token && m.inForce(imp) {
				if t.Notice == 0 {
					bystander = max(bystander, imp)
				} else {
					ids = append(ids, t.Notice)
				}
			}
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids[:min(limit, len(ids))], bystander, nil
}

func (m *memory) Notice(_ context.Context, id int64) (pipeline.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if j, ok := m.jobs[id]; ok && m.inForce(j.Import) {
		return *j, nil
	}
	return pipeline.Job{}, pipeline.ErrNotFound
}

func (m *memory) Unmerged(_ context.Context, id, after int64, limit int) ([]pipeline.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []pipeline.Job
	for _, j := range m.jobs {
		if j.Role == pipeline.Supplement && j.Import == id && j.ID > after {
			out = append(out, *j)
		}
	}
	slices.SortFunc(out, func(a, b pipeline.Job) int { return cmp.Compare(a.ID, b.ID) })
	return out[:min(limit, len(out))], m.op("Unmerged")
}

func (m *memory) Merged(_ context.Context, id int64, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.merged[id] = true
	m.imp(id).MergedAt = at
	return nil
}

func (m *memory) Absorb(_ context.Context, c pipeline.Change, s pipeline.Notice) (bool, error) {
	if r := m.race; r != nil {
		m.race = nil
		r(m)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	into, child := m.jobs[c.From.ID], m.jobs[s.ID]
	if child == nil || child.Gen != s.Gen || into.Gen != c.From.Gen {
		return false, nil
	}
	if !pipeline.Allowed(c.Event.Kind, "", c.From.State, c.To.State) {
		return false, &pipeline.TransitionError{Notice: c.From.ID, Event: c.Event.Kind, From: c.From.State, To: c.To.State}
	}
	into.Notice, into.Sealed = c.To, c.Sealed
	m.imp(s.Import).Absorbed++
	for _, list := range m.tokens {
		for i := range list {
			if list[i].Notice == s.ID {
				list[i].Notice = c.From.ID
			}
		}
	}
	delete(m.jobs, s.ID)
	return true, nil
}

func (m *memory) Commit(_ context.Context, changes []pipeline.Change) ([]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	done := make([]bool, len(changes))
	for i, c := range changes {
		if j := m.jobs[c.From.ID]; j != nil && j.Gen == c.From.Gen {
			j.Notice, j.Sealed, done[i] = c.To, c.Sealed, true
		}
	}
	return done, m.op("Commit")
}

// balance is the account of what the memory holds.
func (m *memory) balance() pipeline.Balance {
	var imports []pipeline.Import
	for _, i := range m.imports {
		if m.inForce(i.ID) {
			imports = append(imports, i)
		}
	}
	var tallies []pipeline.Tally
	for _, j := range m.jobs {
		if m.inForce(j.Import) {
			tallies = append(tallies, pipeline.Tally{Import: j.Import, Role: j.Role, Channel: j.Channel, State: j.State, Count: 1})
		}
	}
	return pipeline.NewBalance(imports, tallies)
}

// person opens the notice of a customer number.
func (m *memory) person(t testing.TB, keys Keys, customer string, role pipeline.Role) (pipeline.Job, pipeline.Person) {
	t.Helper()
	for _, j := range m.jobs {
		if j.Role != role || !m.inForce(j.Import) {
			continue
		}
		p, err := openPerson(keys, *j)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(p.CustomerIDs, customer) {
			return *j, p
		}
	}
	t.Fatalf("no %s notice of customer %s", role, customer)
	return pipeline.Job{}, pipeline.Person{}
}

var testNow = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)

func testKeys(t testing.TB) *seal.Keys {
	t.Helper()
	ring, err := seal.Create(filepath.Join(t.TempDir(), "keys"), bytes.Repeat([]byte{7}, seal.KeySize), testNow)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ring.Campaign(1)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func testSpec() *pipeline.Spec {
	return &pipeline.Spec{
		Kind:     "breach",
		Senders:  map[string]pipeline.Sender{"main": {From: "notice@telecom.example.fr"}, "second": {From: "notice@nuage.example.fr"}},
		SenderOf: map[string]string{"second-brand": "second", "*": "main"},
		Letters:  pipeline.Letters{Locales: []string{"fr", "en"}, FallbackLocale: "fr"},
		Channels: pipeline.ChannelPolicy{SharedEmailLimit: 3},
	}
}
