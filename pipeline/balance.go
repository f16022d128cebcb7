package pipeline

// Tally counts notices that agree in these properties.
type Tally struct {
	Import  int64
	Role    Role
	Channel Channel
	State   State
	Count   int64
}

// Balance is the account of a campaign: the population as the manifests of its
// published imports declare it, against where every notice stands now.
type Balance struct {
	Population  int64 // customers with at least one impact, from the manifests
	States      map[State]int64
	Channels    map[Channel]map[State]int64
	Imports     map[int64]int64 // population less sum, per import; 0 everywhere
	Supplements Account         // counted apart
	Copies      Account         // counted apart
}

// Account is the count of notices that do not belong to the population.
type Account struct {
	Expected int64
	States   map[State]int64
}

// Sum returns the number of notices counted.
func (a Account) Sum() int64 { return sum(a.States) }

// Difference is what is missing (above zero) or too many. It is 0, or there is a
// defect.
func (a Account) Difference() int64 { return a.Expected - a.Sum() }

// NewBalance sets the counts of the ledger against what the published imports
// declared.
func NewBalance(imports []Import, tallies []Tally) Balance {
	b := Balance{
		States:      map[State]int64{},
		Channels:    map[Channel]map[State]int64{},
		Imports:     map[int64]int64{},
		Supplements: Account{States: map[State]int64{}},
		Copies:      Account{States: map[State]int64{}},
	}
	for _, s := range States() {
		b.States[s] = 0
	}
	for _, c := range Channels() {
		b.Channels[c] = map[State]int64{}
	}
	for _, i := range imports {
		b.Population += i.Manifest.Population
		b.Imports[i.ID] += i.Manifest.Population
		b.Supplements.Expected += i.Manifest.Supplements - i.Absorbed
		b.Copies.Expected += i.Manifest.Copies + i.Copied
	}
	for _, t := range tallies {
		switch t.Role {
		case Supplement:
			b.Supplements.States[t.State] += t.Count
		case Copy:
			b.Copies.States[t.State] += t.Count
		default:
			b.States[t.State] += t.Count
			if b.Channels[t.Channel] == nil {
				b.Channels[t.Channel] = map[State]int64{}
			}
			b.Channels[t.Channel][t.State] += t.Count
			b.Imports[t.Import] -= t.Count
		}
	}
	return b
}

// Difference is the population less the sum over all states, plus whatever the
// accounts apart are off by. Anything but 0 is a defect. An import that is off by
// as much as another makes up for is a defect too.
func (b Balance) Difference() int64 {
	d := b.Population - sum(b.States)
	if d == 0 {
		for _, off := range b.Imports {
			d += max(off, -off)
		}
	}
	if d == 0 {
		d = b.Supplements.Difference()
	}
	if d == 0 {
		d = b.Copies.Difference()
	}
	return d
}

// Settled reports whether no more work is planned for anybody.
func (b Balance) Settled() bool {
	for _, m := range []map[State]int64{b.States, b.Supplements.States, b.Copies.States} {
		for s, n := range m {
			if n > 0 && !s.Settled() {
				return false
			}
		}
	}
	return true
}

func sum(m map[State]int64) (n int64) {
	for _, c := range m {
		n += c
	}
	return n
}
