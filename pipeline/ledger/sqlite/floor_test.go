package sqlite

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestHistoryIsNotRewritten: not even who has the file open changes what was said.
func TestHistoryIsNotRewritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openAt(t, path)
	ctx := t.Context()
	c, err := l.CreateCampaign(ctx, pipeline.Campaign{Name: "muguet", CodeName: "M", Kind: "breach", State: pipeline.Draft, CreatedAt: start})
	if err != nil {
		t.Fatal(err)
	}
	q, err := l.WriteQA(ctx, pipeline.QA{Campaign: c.ID, Topic: "when", Locale: "fr"}, pipeline.QAVersion{Question: "Quand ?", Answer: "Hier.", Author: "user:ana", At: start}, 0, pipeline.Audit{Campaign: c.ID, At: start})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.StepQA(ctx, c.ID, pipeline.QAStep{QA: q.ID, N: 1, Kind: pipeline.QAPublished, At: start}, pipeline.Audit{Campaign: c.ID, At: start}); err != nil {
		t.Fatal(err)
	}
	if err := l.GiveQA(ctx, pipeline.QAGiven{Campaign: c.ID, QA: q.ID, N: 1, At: start}); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"UPDATE qa_versions SET answer = 'Jamais.'", "DELETE FROM qa_versions", "UPDATE qa_steps SET actor = 'user:eve'", "DELETE FROM qa_steps",
		"UPDATE qa_given SET n = 2", "DELETE FROM qa_given", "INSERT OR REPLACE INTO qa_versions SELECT qa_id, n, audiences, question, 'Jamais.', author, at, reason FROM qa_versions",
	} {
		if _, err := db.ExecContext(ctx, "PRAGMA recursive_triggers = ON"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(ctx, statement); err == nil || !strings.Contains(err.Error(), "history is not rewritten") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if got, _, err := l.QAHistory(ctx, c.ID, q.ID); err != nil || len(got) != 1 || got[0].Answer != "Hier." {
		t.Errorf("%+v, %v", got, err)
	}
}
