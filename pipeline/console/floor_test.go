package console_test

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	qa "github.com/art34/art34/pipeline/console/answer"
	"github.com/art34/art34/pipeline/console/vouch"
	"github.com/art34/art34/pipeline/kit/seal"
)

// floor has real keys, and letters that a test puts in.
type floor struct {
	ring   *seal.Keyring
	links  []string
	by     map[pipeline.Reference]console.Letters
	spoken map[pipeline.Reference]console.Spoken
}

func (f *floor) Spoken(_ context.Context, _ string, r pipeline.Reference) (console.Spoken, error) {
	s, ok := f.spoken[r]
	if !ok {
		return s, pipeline.ErrNotFound
	}
	return s, nil
}

func (f *floor) Letters(_ context.Context, _ string, r pipeline.Reference) (console.Letters, error) {
	l, ok := f.by[r]
	if !ok {
		return l, pipeline.ErrNotFound
	}
	return l, nil
}

func (f *floor) Keys(campaign int64) (console.CampaignKeys, error) { return f.ring.Campaign(campaign) }

func (f *floor) Links(context.Context, pipeline.Campaign) ([]string, error) { return f.links, nil }

func (f *floor) Starters(context.Context, pipeline.Campaign) ([]qa.Entry, error) {
	return []qa.Entry{
		{Topic: "why-late", Locale: "fr", Audiences: []pipeline.Audience{pipeline.ForCell}, Question: "Pourquoi si tard ?", Answer: "[[la raison]]"},
		{Topic: "why-late", Locale: "en", Audiences: []pipeline.Audience{pipeline.ForCell}, Question: "Why so late?", Answer: "Because."},
		{Topic: "bank", Locale: "fr", Audiences: []pipeline.Audience{pipeline.ForCell}, Question: "Déjà là ?", Answer: "Non."},
	}, nil
}

var (
	refSent  = pipeline.NewReference(1)
	refNone  = pipeline.NewReference(2)
	refVIP   = pipeline.NewReference(3)
	refOther = pipeline.NewReference(4)
)

// write stores a version and, if wanted, publishes it.
func (w *world) write(c pipeline.Campaign, topic, locale, question, text string, published bool, audiences ...pipeline.Audience) pipeline.QA {
	w.t.Helper()
	ctx := context.Background()
	all, err := w.ledger.QAs(ctx, c.ID)
	w.must(err)
	after := 0
	for _, q := range all {
		if q.Topic == topic && q.Locale == locale {
			after = q.Newest.N
		}
	}
	a := pipeline.Audit{Campaign: c.ID, At: t0, Actor: "user:lea", Action: "qa-write"}
	q, err := w.ledger.WriteQA(ctx, pipeline.QA{Campaign: c.ID, Topic: topic, Locale: locale}, pipeline.QAVersion{Audiences: audiences, Question: question, Answer: text, Author: "user:lea", At: t0.Add(time.Duration(after) * time.Minute), Reason: "first wording"}, after, a)
	w.must(err)
	if published {
		_, err = w.ledger.StepQA(ctx, c.ID, pipeline.QAStep{QA: q.ID, N: q.Newest.N, Kind: pipeline.QAPublished, Actor: "user:lea", At: t0.Add(time.Duration(after)*time.Minute + time.Second), Reason: "read by the officer"}, a)
		w.must(err)
	}
	return q
}

// furnishFloor puts questions, a query, forgeries and calls into a campaign. The
// first question is in force and has a newer draft.
func (w *world) furnishFloor(c pipeline.Campaign) {
	w.t.Helper()
	ctx := context.Background()
	both := []pipeline.Audience{pipeline.ForCell, pipeline.ForShop}
	w.write(c, "bank", "fr", "Mes coordonnées bancaires sont-elles concernées ?", "Non : **aucune** coordonnée bancaire n'a été exposée.", true, both...)
	w.write(c, "bank", "fr", "Mes coordonnées bancaires sont-elles concernées ?", "Non : aucune coordonnée bancaire *complète* n'a été exposée.\n\n- Surveillez vos comptes.\n- Votre lettre le dit.", true, both...)
	w.write(c, "bank", "fr", "Mes coordonnées bancaires sont-elles concernées ?", "BROUILLON <script>alert(1)</script> <i>no</i>", false, both...)
	w.write(c, "bank", "en", "Were my bank details taken?", "No.", true, both...)
	w.write(c, "press", "fr", "Combien de personnes sont concernées ?", "Le service de presse répond.", true, pipeline.ForPress)
	w.write(c, "who", "fr", "Qui l'a fait ?", "[[ce que l'enquête permet de dire]]", false, pipeline.ForCell)
	keys, err := w.floor.Keys(c.ID)
	w.must(err)
	for _, text := range []string{"<script>alert(1)</script> =cmd|' /C calc'!A0", "Mon fils mineur a reçu la lettre."} {
		q := pipeline.Query{Campaign: c.ID, Locale: "fr", AskedBy: "user:agent-1", AskedAt: t0}
		q.Sealed = keys.Seal([]byte(text), q.SealContext())
		_, err = w.ledger.AddQuery(ctx, q)
		w.must(err)
	}
	for i := range 3 {
		f := pipeline.Forgery{Campaign: c.ID, Way: "sms", Verdict: "foreign", Print: []byte{byte(i / 2)}, Actor: "user:agent-1", At: t0}
		f.Sealed = keys.Seal([]byte(`{"Sentence":"Vos données <img src=x> ont fuité","Links":"https-evil.test","Sender":"<b>Muguet</b>"}`), f.SealContext())
		_, err = w.ledger.AddForgery(ctx, f, pipeline.Audit{Campaign: c.ID, At: t0, Actor: "user:agent-1", Action: "forgery"})
		w.must(err)
	}
	for i, cause := range []string{"concerned", "concerned", "genuine", "complaint", "advice", "concerned", "data", ""} {
		_, err := w.ledger.OpenCall(ctx, pipeline.Call{Campaign: c.ID, Agent: "user:agent-1", Source: "console", OpenedAt: t0.Add(-time.Duration(i*i) * time.Hour), Cause: cause, Outcome: "answered", Found: pipeline.FoundNotice}, pipeline.Quota{})
		w.must(err)
	}
	w.floor.by[refSent] = console.Letters{Campaign: c, Notice: 7, Sent: []vouch.Sent{{
		Channel: pipeline.Email, At: t0, Subject: "Muguet : vos données", Addresses: []string{"info@muguet.example"}, Names: []string{"Muguet"}, Text: "Des données qui vous concernent ont été exposées. Appelez le 09 70 12 34 56.", Phones: []string{"+33970123456"},
	}}}
	w.floor.by[refOther] = console.Letters{Campaign: c, Notice: 8}
	w.floor.spoken[refSent] = console.Spoken{Campaign: c, Notice: 7, Phone: "09 70 12 34 56", Sentence: map[string]string{"fr": "Nous vous avons écrit par e-mail le 20 janvier 2026.", "en": "We wrote to you by e-mail on 20 January 2026."}}
	w.floor.spoken[refVIP] = console.Spoken{Campaign: c, Notice: 9, Phone: "09 70 12 34 56", Reserved: true}
}

// TestDraftsShowToNobodyWhoAnswers: an agent has what a lead has published, a shop
// what is written for shops, and neither learns that there is more.
func TestDraftsShowToNobodyWhoAnswers(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Agent)
	w.user("sam", console.Shop)
	for _, login := range []string{"ana", "sam"} {
		b := w.as(login)
		a := b.get("/campaigns/muguet/answers?lang=fr")
		if a.status != http.StatusOK || !strings.Contains(a.body, "<em>complète</em>") || strings.Contains(a.body, "BROUILLON") || strings.Contains(a.body, "Qui l") || strings.Contains(a.body, "Combien de personnes") {
			t.Errorf("%s: %d\n%s", login, a.status, a.body)
		}
		for path, want := range map[string]int{"/campaigns/muguet/answers/1": 200, "/campaigns/muguet/answers/3": 404, "/campaigns/muguet/answers/4": 404, "/campaigns/muguet/answers/99": 404, "/campaigns/muguet/qa": 403, "/campaigns/muguet/qa/1/versions/3": 403, "/campaigns/muguet/queries": 403} {
			if a := b.get(path); a.status != want || strings.Contains(a.body, "BROUILLON") {
				t.Errorf("%s as %s: %d", path, login, a.status)
			}
		}
		// The draft cannot be given, nor one for the press.
		for _, x := range [][2]string{{"1", "3"}, {"3", "1"}, {"4", "1"}, {"1", "0"}, {"1", "4"}} {
			if a := b.post("/campaigns/muguet/answers/"+x[0]+"/given", "n", x[1]); a.status != http.StatusNotFound {
				t.Errorf("%v given as %s: %d", x, login, a.status)
			}
		}
		if a := b.post("/campaigns/muguet/answers/1/given", "n", "1"); a.status != http.StatusSeeOther {
			t.Errorf("an older version that was in force: %d", a.status)
		}
		if a := b.post("/campaigns/muguet/answers", "q", "brouillon", "lang", "fr"); a.status != http.StatusOK || strings.Contains(a.body, `class="answer"`) {
			t.Errorf("a draft is found by %s", login)
		}
	}
	w.user("lea", console.Lead)
	if a := w.as("lea").get("/campaigns/muguet/answers?lang=fr"); !strings.Contains(a.body, "Combien de personnes") || strings.Contains(a.body, "BROUILLON") {
		t.Error("a lead reads every audience, and no draft among the answers")
	}
}

func TestSearchOfAnswers(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Agent)
	b := w.as("ana")
	for query, want := range map[string]bool{"coordonnees BANCAIRE": true, "surveillez": true, "zzz": false, "'; DROP TABLE qa; --": false, "<script>alert(1)</script>": false} {
		a := b.post("/campaigns/muguet/answers", "q", query, "lang", "fr")
		if a.status != http.StatusOK || strings.Contains(a.body, `class="answer"`) != want || strings.Contains(a.body, "<script>alert") {
			t.Errorf("%q: %d", query, a.status)
		}
	}
}

// TestWhatChangedSinceTheLastLook: per user, publications and withdrawals alike.
func TestWhatChangedSinceTheLastLook(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	w.user("ana", console.Agent)
	w.user("bob", console.Agent)
	b := w.as("ana")
	a := b.get("/campaigns/muguet/answers?lang=fr")
	if !strings.Contains(a.body, "not looked at these answers before") || strings.Contains(a.body, `id="changed"`) {
		t.Error("the first look")
	}
	step := between(a.body, `name="step" value="`, `"`)
	if a := b.post("/campaigns/muguet/answers/seen", "step", step, "lang", "fr"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	if a := b.get("/campaigns/muguet/answers?lang=fr"); strings.Contains(a.body, `id="changed"`) || strings.Contains(a.body, "not looked") {
		t.Error("something is new right after the look")
	}
	w.write(c, "why-late", "fr", "Pourquoi si tard ?", "Il fallait savoir qui prévenir.", true, pipeline.ForCell)
	_, err = w.ledger.StepQA(t.Context(), c.ID, pipeline.QAStep{QA: 1, N: 2, Kind: pipeline.QAWithdrawn, Actor: "user:lea", At: t0, Reason: "no longer true"}, pipeline.Audit{Campaign: c.ID, At: t0})
	w.must(err)
	a = b.get("/campaigns/muguet/answers?lang=fr")
	if !strings.Contains(a.body, `id="changed"`) || !strings.Contains(a.body, "Pourquoi si tard") || !strings.Contains(a.body, "no longer true") {
		t.Errorf("what is new is not shown:\n%s", a.body)
	}
	// Nobody sees ahead of what there is, and each user for themselves.
	b.post("/campaigns/muguet/answers/seen", "step", "999999", "lang", "fr")
	w.write(c, "more", "fr", "Encore ?", "Oui.", true, pipeline.ForCell)
	if a := b.get("/campaigns/muguet/answers?lang=fr"); !strings.Contains(a.body, "Encore ?") || !strings.Contains(a.body, `id="changed"`) {
		t.Error("a step that is not there yet was seen")
	}
	if a := w.as("bob").get("/campaigns/muguet/answers?lang=fr"); !strings.Contains(a.body, "not looked") {
		t.Error("bob has looked through ana's eyes")
	}
}

func between(s, from, to string) string {
	_, rest, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	part, _, _ := strings.Cut(rest, to)
	return part
}

// TestWritingAndPublishing: a writer drafts, only a lead publishes; history keeps who,
// when and why.
func TestWritingAndPublishing(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("olga", console.Operator)
	w.user("lea", console.Lead)
	b := w.as("olga")
	fields := []string{"topic", "erasure", "locale", "fr", "for", "cell", "question", "Puis-je faire effacer mes données ?", "answer", "Écrivez au délégué.", "reason", "asked every day"}
	if a := b.post("/campaigns/muguet/qa/new", fields...); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := b.post("/campaigns/muguet/qa/new", fields...); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "There is a question of this topic") {
		t.Errorf("twice: %d", a.status)
	}
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	all, err := w.ledger.QAs(t.Context(), c.ID)
	w.must(err)
	q := all[slices.IndexFunc(all, func(q pipeline.QA) bool { return q.Topic == "erasure" })]
	path := "/campaigns/muguet/qa/" + strconv.FormatInt(q.ID, 10)
	if a := b.post(path+"/publish/1", "reason", "because"); a.status != http.StatusForbidden {
		t.Errorf("an operator publishes: %d", a.status)
	}
	for name, bad := range map[string][]string{
		"script link": {"answer", "[aide.muguet.example](javascript:alert(1))"}, "other host": {"answer", "[evil.test](https://evil.test)"}, "image": {"answer", "![x](https://aide.muguet.example/x.png)"},
		"heading": {"answer", "x\n\n# y"}, "nobody": {"for", ""}, "no reason": {"reason", ""}, "turned": {"question", "a\u202eb"},
	} {
		form := slices.Clone(fields)
		form[1] = "other"
		for i := 0; i < len(form); i += 2 {
			if form[i] == bad[0] {
				form[i+1] = bad[1]
			}
		}
		if a := b.post("/campaigns/muguet/qa/new", form...); a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, `href="javascript`) || strings.Contains(a.body, `href="https`) || strings.Contains(a.body, "<img") {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	if a := b.post(path+"/edit", "after", "1", "for", "cell", "for", "shop", "question", "Puis-je ?", "answer", "Oui <b>vite</b>.", "reason", "shorter", "preview", "yes"); a.status != http.StatusOK || !strings.Contains(a.body, "Oui &lt;b&gt;vite") {
		t.Errorf("a look at it: %d", a.status)
	}
	if a := b.post(path+"/edit", "after", "1", "for", "cell", "question", "Puis-je ?", "answer", "Oui.", "reason", "shorter"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	if a := b.post(path+"/edit", "after", "1", "for", "cell", "question", "Puis-je ?", "answer", "Non.", "reason", "shorter"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "meanwhile") || !strings.Contains(a.body, "Non.") {
		t.Errorf("over somebody else's version: %d", a.status)
	}
	lea := w.as("lea")
	if a := lea.post(path+"/publish/2", "reason", ""); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", a.status)
	}
	for n, want := range map[string]int{"2": http.StatusSeeOther, "3": http.StatusNotFound, "x": http.StatusNotFound} {
		if a := lea.post(path+"/publish/"+n, "reason", "read"); a.status != want {
			t.Errorf("publish %s: %d", n, a.status)
		}
	}
	a := lea.get(path)
	for _, want := range []string{"asked every day", "shorter", "Version 2 published", "olga", "lea"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the history does not say %q", want)
		}
	}
	if a := lea.get(path + "/versions/2"); !strings.Contains(a.body, "<del>") || !strings.Contains(a.body, "<ins>") {
		t.Error("no difference between versions")
	}
	// A link leads where it says, and only while the campaign allows it.
	if a := b.post(path+"/edit", "after", "2", "for", "cell", "question", "Puis-je ?", "answer", "Voir [aide.muguet.example](https://aide.muguet.example/x?a=1&b=2).", "reason", "where to look"); a.status != http.StatusSeeOther {
		t.Errorf("an allowed link: %d", a.status)
	}
	if a := b.get(path); !strings.Contains(a.body, `<a href="https://aide.muguet.example/x?a=1&amp;b=2" rel="noopener noreferrer">aide.muguet.example</a>`) {
		t.Error("the link is not shown")
	}
	w.floor.links = nil
	if a := b.get(path); strings.Contains(a.body, `href="https:`) {
		t.Error("a link that is not allowed any more leads on")
	}
	if a := lea.post(path+"/publish/3", "reason", "read"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("published with a link that is not allowed any more: %d", a.status)
	}
	// A gap is never published, alone or among others.
	who := all[slices.IndexFunc(all, func(q pipeline.QA) bool { return q.Topic == "who" })]
	if a := lea.post("/campaigns/muguet/qa/"+strconv.FormatInt(who.ID, 10)+"/publish/1", "reason", "read"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("with a gap: %d", a.status)
	}
	if a := lea.post("/campaigns/muguet/qa/review", "qa", strconv.FormatInt(who.ID, 10)+".1", "reason", "read"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("with a gap, among others: %d", a.status)
	}
	if a := lea.post(path+"/withdraw", "reason", "not true any more"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	var actions []string
	for x, err := range w.ledger.AuditTrail(t.Context(), c.ID) {
		w.must(err)
		if strings.Contains(x.Detail, "erasure") {
			actions = append(actions, x.Actor+" "+x.Action+" "+x.Reason)
		}
	}
	if want := []string{"user:olga qa-write asked every day", "user:olga qa-write shorter", "user:lea qa-publish read", "user:olga qa-write where to look", "user:lea qa-withdraw not true any more"}; !slices.Equal(actions, want) {
		t.Errorf("%q", actions)
	}
}

func TestStartersLeaveWhatIsThere(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("lea", console.Lead)
	b := w.as("lea")
	for range 2 {
		if a := b.post("/campaigns/muguet/qa/starters", "reason", "a begin"); a.status != http.StatusSeeOther {
			t.Fatalf("%d", a.status)
		}
	}
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	all, err := w.ledger.QAs(t.Context(), c.ID)
	w.must(err)
	late := 0
	for _, q := range all {
		if q.Topic == "why-late" {
			if late++; q.State() != pipeline.QADraft || q.Newest.N != 1 {
				t.Errorf("%+v", q)
			}
		}
		if q.Topic == "bank" && q.Locale == "fr" && q.Newest.N != 3 {
			t.Errorf("a question that was there has %d versions", q.Newest.N)
		}
	}
	if late != 2 {
		t.Errorf("%d of two", late)
	}
}

// TestQuestionsWithoutAnAnswer: the agent asks, the lead answers or dismisses, the
// agent sees what came of it.
func TestQuestionsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Agent)
	w.user("bob", console.Agent)
	w.user("lea", console.Lead)
	ana, lea := w.as("ana"), w.as("lea")
	for _, bad := range []string{"", "call me at 06 39 98 12 34", "he is jean@example.org", strings.Repeat("x", 601)} {
		if a := ana.post("/campaigns/muguet/ask", "question", bad); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%.20q: %d", bad, a.status)
		}
	}
	for _, text := range []string{"Is my landlord told?", "Who won?"} {
		if a := ana.post("/campaigns/muguet/ask", "question", text); a.status != http.StatusSeeOther {
			t.Fatalf("%d", a.status)
		}
	}
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	list, err := w.ledger.Queries(t.Context(), c.ID, pipeline.QueryFilter{AskedBy: "user:ana"}, 10)
	w.must(err)
	if len(list) != 2 || strings.Contains(string(list[1].Sealed), "landlord") {
		t.Fatalf("%d, or in clear", len(list))
	}
	if a := lea.get("/queue"); !strings.Contains(a.body, `href="/campaigns/muguet/queries"`) {
		t.Error("the questions are not among what waits for the lead")
	}
	if a := lea.get("/campaigns/muguet"); !strings.Contains(a.body, `href="/campaigns/muguet/floor"`) {
		t.Error("no way leads the lead to what the floor reports")
	}
	first, second := strconv.FormatInt(list[1].ID, 10), strconv.FormatInt(list[0].ID, 10)
	if a := lea.get("/campaigns/muguet/qa/new?query=" + first); !strings.Contains(a.body, "Is my landlord told?") {
		t.Error("the lead does not see the question beside the form")
	}
	if a := lea.post("/campaigns/muguet/qa/new", "query", first, "topic", "landlord", "locale", "en", "for", "cell", "question", "Is my landlord told?", "answer", "No.", "reason", "asked"); a.status != http.StatusSeeOther {
		t.Fatalf("%d", a.status)
	}
	if a := ana.get("/campaigns/muguet/ask"); !strings.Contains(a.body, "An answer is being written") || strings.Contains(a.body, ">No.<") {
		t.Error("the agent does not see that it is being written, or sees the draft")
	}
	if a := lea.post("/campaigns/muguet/queries/"+second, "what", "dismiss", "reason", "off topic"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	if a := lea.post("/campaigns/muguet/queries/"+second, "what", "dismiss", "reason", "again"); a.status != http.StatusConflict {
		t.Errorf("twice: %d", a.status)
	}
	if a := ana.get("/campaigns/muguet/ask"); !strings.Contains(a.body, "off topic") {
		t.Error("the agent does not see why not")
	}
	if a := w.as("bob").get("/campaigns/muguet/ask"); strings.Contains(a.body, "landlord") {
		t.Error("bob sees ana's questions")
	}
}

// TestTheShopHasASentenceAndNothingElse.
func TestTheShopHasASentenceAndNothingElse(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("sam", console.Shop)
	b := w.as("sam")
	if a := b.get("/"); a.to != "/answer" {
		t.Errorf("the shop begins at %s", a.to)
	}
	a := b.post("/answer", "reference", strings.ToLower(refSent.String()))
	if a.status != http.StatusOK || !strings.Contains(a.body, "We wrote to you by e-mail on 20 January 2026.") || !strings.Contains(a.body, "Nous vous avons écrit") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := b.post("/answer", "reference", refVIP.String()); strings.Contains(a.body, "We wrote") || !strings.Contains(a.body, "in person") {
		t.Error("a reserved customer")
	}
	if a := b.post("/answer", "reference", "7KQ2-M9XD-4T0V<script>"); a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, "<script>") {
		t.Errorf("no reference: %d", a.status)
	}
	if a := b.get("/answer?reference=" + refSent.String()); strings.Contains(a.body, "We wrote") {
		t.Error("a reference in an address is answered")
	}
	for _, path := range []string{"/genuine", "/campaigns", "/campaigns/muguet", "/campaigns/muguet/floor", "/campaigns/muguet/forgeries", "/users", "/audit"} {
		if a := b.get(path); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	// Trying references out ends soon, also for those that exist.
	denied := false
	for i := range 8 {
		denied = b.post("/answer", "reference", pipeline.NewReference(uint64(1000+i)).String()).status == http.StatusTooManyRequests
	}
	if !denied || b.post("/answer", "reference", refSent.String()).status != http.StatusTooManyRequests {
		t.Error("a shop tries references out")
	}
	w.clock.Advance(3 * time.Minute)
	if a := w.as("sam").post("/answer", "reference", refSent.String()); a.status != http.StatusOK {
		t.Errorf("after a while: %d", a.status)
	}
	tried := 0
	for x, err := range w.ledger.AuditTrail(t.Context(), 0) {
		w.must(err)
		if x.Actor == "user:sam" && (x.Action == "reference-unknown" || x.Action == "references-limit") {
			tried++
		}
	}
	if tried != 9 {
		t.Errorf("%d tries on record", tried)
	}
}

func TestGenuineOrNot(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Agent)
	w.user("lea", console.Lead)
	b := w.as("ana")
	const sentence = "des données qui vous concernent ont été exposées"
	form := func(reference string, more ...string) []string {
		return append([]string{"reference", reference, "way", "sms", "sentence", sentence}, more...)
	}
	for name, c := range map[string]struct {
		form []string
		want string
	}{
		"ours": {form(refSent.String()), "Genuine, as we sent it"}, "with our number": {form(refSent.String(), "phones", "+33 9 70 12 34 56"), "Genuine, as we sent it"},
		"another number": {form(refSent.String(), "phones", "08 99 00 00 00"), "The reference is real, but this text is not"}, "asks": {form(refSent.String(), "asks", "yes"), "The reference is real, but this text is not"},
		"not written to": {form(refOther.String()), "have not written to this customer yet"}, "nobody's": {form(refNone.String()), "given nobody this reference"},
		"misheard": {form("7KQ2-M9XD-4T0W"), "misheard or mistyped"}, "none": {form(""), "All our messages carry a reference"},
	} {
		if a := b.post("/genuine", c.form...); a.status != http.StatusOK || !strings.Contains(a.body, c.want) {
			t.Errorf("%s: %d, %s", name, a.status, between(a.body, "<h1>", "</h1>"))
		}
	}
	if a := b.post("/genuine", "reference", refSent.String(), "way", "sms", "sentence", "données"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("one word: %d", a.status)
	}
	// What is genuine is no forgery, whatever a form says; what is not is kept sealed.
	if a := b.post("/genuine/report", form(refSent.String())...); a.status != http.StatusConflict {
		t.Errorf("ours as a forgery: %d", a.status)
	}
	for range 2 {
		if a := b.post("/genuine/report", form(refSent.String(), "links", "evil.test/<script>alert(1)</script>", "sender", "=cmd()")...); a.status != http.StatusSeeOther {
			t.Fatalf("%d", a.status)
		}
	}
	if a := b.post("/genuine/report", form("", "campaign", "muguet")...); a.status != http.StatusSeeOther {
		t.Errorf("without a reference: %d", a.status)
	}
	if a := b.post("/genuine/report", form("", "campaign", "lilas")...); a.status != http.StatusNotFound {
		t.Errorf("for another campaign: %d", a.status)
	}
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	all, err := w.ledger.Forgeries(t.Context(), c.ID, 100)
	w.must(err)
	if len(all) != 6 || all[1].Notice != 7 || all[1].Verdict != "foreign" || all[0].Verdict != "none" || strings.Contains(string(all[1].Sealed), "evil") {
		t.Errorf("%+v", all)
	}
	a := w.as("lea").get("/campaigns/muguet/forgeries")
	if !strings.Contains(a.body, "evil.test/&lt;script&gt;") || !strings.Contains(a.body, "Reported 2 times") || strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<img src=x") {
		t.Errorf("%s", a.body)
	}
	if a := b.get("/campaigns/muguet/forgeries"); a.status != http.StatusForbidden {
		t.Errorf("an agent reads the forgeries: %d", a.status)
	}
}

// TestFloorFigures: the page and the CSV say the same, and no cell is a formula.
func TestFloorFigures(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("lea", console.Lead)
	w.user("vic", console.Viewer)
	lea := w.as("lea")
	a := lea.get("/campaigns/muguet/floor")
	for _, want := range []string{"Am I concerned?", "Complaint", `class="columns"`, "Mon fils mineur"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	table := func(b *browser) [][]string {
		a := b.get("/campaigns/muguet/floor/csv")
		if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(a.header.Get("Content-Disposition"), `attachment; filename="floor-MUGUET-`) {
			t.Fatalf("%d %v", a.status, a.header)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
		w.must(err)
		return rows
	}
	sums := map[string]int{}
	formula := false
	for _, row := range table(lea) {
		if n, err := strconv.Atoi(row[4]); err == nil {
			sums[row[0]] += n
			if row[0] == "calls-by-cause" {
				sums["cause "+row[3]] += n
			}
		}
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("a formula: %q", cell)
			}
		}
		formula = formula || strings.Contains(row[5], "=cmd|")
	}
	for what, want := range map[string]int{"calls": 8, "calls-by-cause": 8, "complaints": 1, "new-questions": 2, "forgeries": 3, "question": 2, "cause concerned": 3, "cause ": 1} {
		if sums[what] != want {
			t.Errorf("%s: %d, want %d", what, sums[what], want)
		}
	}
	if !formula {
		t.Error("the question that looks like a formula is not in the list")
	}
	for _, row := range table(w.as("vic")) {
		if row[0] == "question" {
			t.Errorf("who sees figures only reads %q", row[5])
		}
	}
	if a := w.as("vic").get("/campaigns/muguet/floor"); strings.Contains(a.body, "Mon fils mineur") || a.status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
}

// TestFloorKeepsEmbargoes: a campaign that nobody may know of has no answers, no
// references and no forgeries.
func TestFloorKeepsEmbargoes(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	w.user("ana", console.Roles()...)
	b := w.as("ana")
	sentence := "des données qui vous concernent ont été exposées"
	if a := b.post("/genuine", "reference", refSent.String(), "way", "sms", "sentence", sentence); !strings.Contains(a.body, "Genuine, as we sent it") {
		t.Fatal("not known before the embargo")
	}
	w.embargo(c, w.clock.Now().Add(24*time.Hour), "zoe")
	for _, path := range []string{"/answers", "/answers/1", "/qa", "/qa/1", "/qa/new", "/qa/review", "/ask", "/queries", "/queries/1", "/floor", "/floor/csv", "/forgeries"} {
		if a := b.get("/campaigns/muguet" + path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := b.get("/answers"); strings.Contains(a.body+a.to, "muguet") {
		t.Error("the list of answers names it")
	}
	if a := b.post("/genuine", "reference", refSent.String(), "way", "sms", "sentence", sentence); !strings.Contains(a.body, "given nobody this reference") || strings.Contains(a.body, "muguet") {
		t.Error("its references are known")
	}
	if a := b.post("/answer", "reference", refSent.String()); strings.Contains(a.body, "We wrote") || !strings.Contains(a.body, "Nobody has this reference") {
		t.Error("its sentence is said")
	}
	if a := b.post("/genuine/report", "reference", "", "campaign", "muguet", "way", "sms", "sentence", sentence); a.status != http.StatusNotFound {
		t.Errorf("a forgery is recorded: %d", a.status)
	}
}

// TestAnswersBelongToOnesOwnCall: the answer given, the comparison and the question
// stand in the call they belong to, and in nobody else's.
func TestAnswersBelongToOnesOwnCall(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	w.user("ana", console.Agent)
	w.user("bob", console.Agent)
	open := func(agent string, campaign int64) string {
		call, err := w.ledger.OpenCall(t.Context(), pipeline.Call{Campaign: campaign, Agent: agent, Source: "console", OpenedAt: t0, Found: pipeline.FoundNotice}, pipeline.Quota{})
		w.must(err)
		return strconv.FormatInt(call.ID, 10)
	}
	hers, his, elsewhere := open("user:ana", c.ID), open("user:bob", c.ID), open("user:ana", c.ID+1)
	b := w.as("ana")
	for name, call := range map[string]string{"his": his, "of another campaign": elsewhere, "nobody's": "4711"} {
		if a := b.post("/campaigns/muguet/answers/1/given", "n", "2", "call", call); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", name, a.status)
		}
		if a := b.post("/campaigns/muguet/ask", "question", "Is my landlord told?", "call", call); a.status != http.StatusNotFound {
			t.Errorf("a question in a call that is %s: %d", name, a.status)
		}
	}
	if a := b.post("/campaigns/muguet/answers/1/given", "n", "2", "call", hers); !strings.HasPrefix(a.to, "/cell/calls/"+hers+"?") {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := b.post("/genuine", "reference", refSent.String(), "way", "sms", "sentence", "des données qui vous concernent ont été exposées", "call", hers); a.status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
	id, err := strconv.ParseInt(hers, 10, 64)
	w.must(err)
	steps, err := w.ledger.CallSteps(t.Context(), id)
	w.must(err)
	if len(steps) != 2 || steps[0].Kind != pipeline.StepAnswer || steps[0].Code != "bank" || steps[0].Detail != "fr 2" || steps[1].Kind != pipeline.StepGenuine || steps[1].Code != "genuine" {
		t.Errorf("%+v", steps)
	}
	given, err := w.ledger.QAGivenIn(t.Context(), c.ID, id)
	w.must(err)
	if len(given) != 1 || given[0].N != 2 || given[0].Actor != "user:ana" {
		t.Errorf("%+v", given)
	}
}

// TestCallsPerThousandLetters: letters of the day before count, and so do quiet days.
func TestCallsPerThousandLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := w.campaign("muguet", pipeline.Running)
	i, err := w.ledger.BeginImport(ctx, pipeline.Import{Campaign: c.ID, Content: "x", StagedAt: t0, Actor: "user:test"})
	w.must(err)
	const letters = 40
	first, err := w.ledger.ReserveIDs(ctx, letters)
	w.must(err)
	var staged []pipeline.Staged
	for k := range int64(letters) {
		staged = append(staged, pipeline.Staged{Notice: pipeline.Notice{ID: first + k, Campaign: c.ID, Import: i.ID, Role: pipeline.Primary, Person: []byte(strconv.FormatInt(k, 10)), State: pipeline.Due, Born: pipeline.Due,
			Channel: pipeline.Email, Lane: pipeline.LaneNotice, Attempt: 1, Kind: pipeline.First, DueAt: t0, Reach: pipeline.ByEmail, Gen: 1, MovedAt: t0, Locale: "fr", Format: "standard", Country: "FR"}, Sealed: []byte("sealed")})
	}
	w.must(w.ledger.Stage(ctx, i.ID, staged))
	audit := pipeline.Audit{Campaign: c.ID, At: t0, Actor: "user:test", Action: "import"}
	w.must(w.ledger.Publish(ctx, i.ID, pipeline.Manifest{Population: letters, States: map[pipeline.State]int64{pipeline.Due: letters}}, false, audit))
	w.must(w.ledger.Merged(ctx, i.ID, t0))
	tickets, err := w.ledger.TakeDue(ctx, pipeline.Take{Campaign: c.ID, Channel: pipeline.Email, Limit: letters, Now: t0, Moved: t0})
	w.must(err)
	jobs, err := w.ledger.Load(ctx, tickets)
	w.must(err)
	var changes []pipeline.Change
	for _, j := range jobs {
		ch := pipeline.Hop(j.Notice, pipeline.Sending, "courier", t0)
		ch.Attempt = &pipeline.Attempt{Notice: j.ID, N: 1, Kind: j.Kind, Channel: j.Channel, Version: 1, At: t0.Add(-48 * time.Hour), Letter: make([]byte, 32), Bytes: make([]byte, 32), Renderer: "test"}
		changes = append(changes, ch)
	}
	_, err = w.ledger.Commit(ctx, changes)
	w.must(err)
	for i := range changes {
		left := pipeline.Event{Notice: changes[i].To.ID, Attempt: 1, Kind: pipeline.EvAccepted, At: t0.Add(-48 * time.Hour), Actor: "courier"}
		next, _, err := pipeline.DefaultPolicy().Apply(changes[i].To, left)
		w.must(err)
		changes[i] = pipeline.Move(changes[i].To, next, left)
	}
	_, err = w.ledger.Commit(ctx, changes)
	w.must(err)
	for k := range 5 {
		_, err := w.ledger.OpenCall(ctx, pipeline.Call{Campaign: c.ID, Agent: "user:ana", OpenedAt: t0.Add(-time.Duration(k%2) * 48 * time.Hour), Cause: "data", Found: pipeline.FoundNotice}, pipeline.Quota{})
		w.must(err)
	}
	w.user("vic", console.Viewer)
	a := w.as("vic").get("/campaigns/muguet/floor/csv")
	var got []string
	for line := range strings.Lines(a.body) {
		if strings.HasPrefix(line, "calls-per-thousand-letters,") {
			got = append(got, strings.Split(line, ",")[1]+" "+strings.Split(line, ",")[4])
		}
	}
	day := func(back int, rate string) string {
		return t0.AddDate(0, 0, -back).Local().Format(time.DateOnly) + " " + rate
	}
	if want := []string{day(2, "50.00"), day(1, "50.00"), day(0, "125.00")}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if a := w.as("vic").get("/campaigns/muguet/floor"); a.status != http.StatusOK || strings.Contains(a.body, "125.0") {
		t.Errorf("the page makes much of %d letters: %d", letters, a.status)
	}
}

// TestAnswersBesideACall: the page of a call looks answers up, and shows which one
// was given, in which version.
func TestAnswersBesideACall(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	w.write(c, "bank", "en", "Were my bank details taken?", "No.", true, pipeline.ForCell)
	call := w.found(agent(c), "C0001234")
	path := "/cell/calls/" + strconv.FormatInt(call.ID, 10)
	b := w.as("ana")
	a := b.get(path)
	hidden := `name="call" value="` + strconv.FormatInt(call.ID, 10) + `"`
	if !strings.Contains(a.body, `action="/campaigns/`+c.Name+`/answers"`) || !strings.Contains(a.body, hidden) {
		t.Fatalf("no answers beside the call: %d", a.status)
	}
	a = b.post("/campaigns/"+c.Name+"/answers", "q", "bank", "lang", "en", "call", strconv.FormatInt(call.ID, 10))
	if !strings.Contains(a.body, "Were my bank details taken?") || strings.Count(a.body, hidden) != 2 || !strings.Contains(a.body, `href="`+path+`"`) {
		t.Errorf("the answers do not find back to the call: %d", a.status)
	}
	if a := b.post("/campaigns/"+c.Name+"/answers/1/given", "n", "1", "call", strconv.FormatInt(call.ID, 10)); a.to != path+"?done=answer_given" {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := b.get(path); !strings.Contains(a.body, "An answer was given: bank (en 1)") {
		t.Error("the call does not say which answer was given")
	}
}
