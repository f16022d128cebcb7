package pipeline_test

import (
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// TestActors: a person is the same by whichever way they come, and a program that
// names nobody is itself.
func TestActors(t *testing.T) {
	t.Parallel()
	for actor, want := range map[string][2]string{
		"user:ana": {"", "ana"}, "token:crm/ana": {"token:crm", "ana"}, "token:crm": {"token:crm", "token:crm"},
		"guest": {"", "guest"}, "token:crm/": {"token:crm", ""}, "user:a/b": {"", "a/b"}, "token:crm/token:crm": {"token:crm", "token:crm"},
	} {
		if p, l := pipeline.ProgramOf(actor), pipeline.LoginOf(actor); p != want[0] || l != want[1] {
			t.Errorf("%s: %q, %q", actor, p, l)
		}
	}
	for _, bad := range []string{"", "a", "Ana", "token:crm", "a/b", "a b", "a\nb", "é", "../x"} {
		if pipeline.ValidLogin(bad) {
			t.Errorf("%q is a login", bad)
		}
	}
}

// TestEmbargoHides: for a program that acts for somebody both have to be members.
func TestEmbargoHides(t *testing.T) {
	t.Parallel()
	now := time.Unix(1, 0)
	e := pipeline.Embargo{Until: now.Add(time.Hour), Members: []string{"ana", "token:crm"}}
	for actor, hidden := range map[string]bool{
		"user:ana": false, "user:bob": true, "token:crm": false, "token:web": true,
		"token:crm/ana": false, "token:crm/bob": true, "token:web/ana": true, "token:crm/": true,
	} {
		if got := e.Hides(actor, now); got != hidden {
			t.Errorf("%s: %v", actor, got)
		}
		if e.Hides(actor, e.Until) {
			t.Errorf("%s: after its end", actor)
		}
	}
}
