package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestPagesSayTheirZone: a page about a campaign shows times in the zone of its
// letters, all others in that of the house, and each says which.
func TestPagesSayTheirZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zone, err := time.LoadLocation("Pacific/Noumea") // UTC+11, no summer time
	w.must(err)
	w.board.zone = zone
	at := time.Date(2026, 1, 20, 14, 30, 0, 0, time.UTC) // 01:30 of the next day there
	w.board.figures.Latest = []pipeline.Audit{{Action: "launch", Actor: "user:anna", At: at}}
	w.campaign("a", pipeline.Running)
	w.user("olga", console.Operator)
	b := w.as("olga")
	page := b.get("/campaigns/a").body
	for _, want := range []string{"21 January 2026 at 01:30", "Times: Pacific/Noumea, the zone of this campaign.", `datetime="2026-01-20T14:30:00Z"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the campaign does not say %q", want)
		}
	}
	b.post("/campaigns/a/embargo", "until", "2026-02-01T08:00", "members", "olga", "reason", "test")
	list, err := w.ledger.Embargoes(t.Context())
	w.must(err)
	if len(list) != 1 || !list[0].Until.Equal(time.Date(2026, 1, 31, 21, 0, 0, 0, time.UTC)) {
		t.Errorf("08:00 there is taken as %v", list)
	}
	if page := b.get("/campaigns").body; strings.Contains(page, "Noumea") || !strings.Contains(page, "Times: ") {
		t.Error("the list of campaigns does not say the zone of the house")
	}
}

// TestQueueSaysTheZone: the lead reads the queue and a corrected address in the zone of
// the campaign, as agents read their calls.
func TestQueueSaysTheZone(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	zone, err := time.LoadLocation("Pacific/Noumea")
	w.must(err)
	w.board.zone = zone
	call := w.found(agent(c), "C0001234")
	_, err = w.cell().Verify(t.Context(), agent(c), call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	w.must(w.cell().Propose(t.Context(), agent(c), call.ID, console.Address{Email: "new@mail.example"}, "moved"))
	b := w.as("lea")
	for path, want := range map[string]string{"/queue": "Times: Pacific/Noumea.", "/queue/corrections/1": "Times: Pacific/Noumea, the zone of this campaign."} {
		if a := b.get(path); !strings.Contains(a.body, want) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	if a := b.post("/queue/corrections/1", "reason", "nothing chosen"); !strings.Contains(a.body, "Pacific/Noumea, the zone of this campaign") {
		t.Errorf("with a fault: %s", a.body)
	}
}
