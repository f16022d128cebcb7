package console_test

import (
	"context"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// overheardLedger writes down what the console asks the ledger for.
type overheardLedger struct {
	console.Ledger
	calls *overheard
}

type overheard struct {
	mu   sync.Mutex
	list []string
}

func (l overheardLedger) note(method string) {
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	l.calls.list = append(l.calls.list, method)
}

// of are the calls that a deed makes.
func (c *overheard) of(deed func()) []string {
	c.mu.Lock()
	c.list = nil
	c.mu.Unlock()
	deed()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.list
}

func (l overheardLedger) CreateUser(ctx context.Context, u pipeline.User, first bool, a pipeline.Audit) (pipeline.User, error) {
	l.note("CreateUser")
	return l.Ledger.CreateUser(ctx, u, first, a)
}

func (l overheardLedger) UpdateUser(ctx context.Context, u pipeline.User, a ...pipeline.Audit) (pipeline.User, error) {
	l.note("UpdateUser")
	return l.Ledger.UpdateUser(ctx, u, a...)
}

func (l overheardLedger) User(ctx context.Context, login string) (pipeline.User, error) {
	l.note("User")
	return l.Ledger.User(ctx, login)
}

func (l overheardLedger) UserOf(ctx context.Context, source, subject string) (pipeline.User, error) {
	l.note("UserOf")
	return l.Ledger.UserOf(ctx, source, subject)
}

func (l overheardLedger) AllUsers(ctx context.Context) ([]pipeline.User, error) {
	l.note("AllUsers")
	return l.Ledger.AllUsers(ctx)
}

func (l overheardLedger) Append(ctx context.Context, a pipeline.Audit) error {
	l.note("Append")
	return l.Ledger.Append(ctx, a)
}

func (l overheardLedger) SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error) {
	l.note("SetMeta")
	return l.Ledger.SetMeta(ctx, key, value, ifEmpty)
}

func (l overheardLedger) Embargoes(ctx context.Context) ([]pipeline.Embargo, error) {
	l.note("Embargoes")
	return l.Ledger.Embargoes(ctx)
}

func (l overheardLedger) SetEmbargo(ctx context.Context, e pipeline.Embargo, a pipeline.Audit) (pipeline.Embargo, error) {
	l.note("SetEmbargo")
	return l.Ledger.SetEmbargo(ctx, e, a)
}

func (l overheardLedger) CreateToken(ctx context.Context, t pipeline.APIToken, a pipeline.Audit) (pipeline.APIToken, error) {
	l.note("CreateToken")
	return l.Ledger.CreateToken(ctx, t, a)
}

func (l overheardLedger) AllTokens(ctx context.Context) ([]pipeline.APIToken, error) {
	l.note("AllTokens")
	return l.Ledger.AllTokens(ctx)
}

func (l overheardLedger) RevokeToken(ctx context.Context, name string, at time.Time, a pipeline.Audit) error {
	l.note("RevokeToken")
	return l.Ledger.RevokeToken(ctx, name, at, a)
}

func (l overheardLedger) TokenOf(ctx context.Context, hash [32]byte) (pipeline.APIToken, error) {
	l.note("TokenOf")
	return l.Ledger.TokenOf(ctx, hash)
}

func (l overheardLedger) TouchToken(ctx context.Context, id int64, at time.Time) error {
	l.note("TouchToken")
	return l.Ledger.TouchToken(ctx, id, at)
}

func (l overheardLedger) Remember(ctx context.Context, r pipeline.Remembered) (pipeline.Remembered, bool, error) {
	l.note("Remember")
	return l.Ledger.Remember(ctx, r)
}

func (l overheardLedger) Answered(ctx context.Context, r pipeline.Remembered) error {
	l.note("Answered")
	return l.Ledger.Answered(ctx, r)
}

func (l overheardLedger) Forget(ctx context.Context, r pipeline.Remembered) error {
	l.note("Forget")
	return l.Ledger.Forget(ctx, r)
}

func (l overheardLedger) ForgetAnswers(ctx context.Context, before time.Time) error {
	l.note("ForgetAnswers")
	return l.Ledger.ForgetAnswers(ctx, before)
}

func (l overheardLedger) AddSession(ctx context.Context, s pipeline.Session) error {
	l.note("AddSession")
	return l.Ledger.AddSession(ctx, s)
}

func (l overheardLedger) Session(ctx context.Context, hash [32]byte) (pipeline.Session, pipeline.User, error) {
	l.note("Session")
	return l.Ledger.Session(ctx, hash)
}

func (l overheardLedger) TouchSession(ctx context.Context, s pipeline.Session) error {
	l.note("TouchSession")
	return l.Ledger.TouchSession(ctx, s)
}

func (l overheardLedger) EndSession(ctx context.Context, hash [32]byte) error {
	l.note("EndSession")
	return l.Ledger.EndSession(ctx, hash)
}

func (l overheardLedger) SweepSessions(ctx context.Context, seenBefore, begunBefore time.Time) error {
	l.note("SweepSessions")
	return l.Ledger.SweepSessions(ctx, seenBefore, begunBefore)
}

func (l overheardLedger) Meta(ctx context.Context, key string) (string, error) {
	l.note("Meta")
	return l.Ledger.Meta(ctx, key)
}

func (l overheardLedger) Campaign(ctx context.Context, name string) (pipeline.Campaign, error) {
	l.note("Campaign")
	return l.Ledger.Campaign(ctx, name)
}

func (l overheardLedger) AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error) {
	l.note("AllCampaigns")
	return l.Ledger.AllCampaigns(ctx)
}

func (l overheardLedger) WriteQA(ctx context.Context, q pipeline.QA, v pipeline.QAVersion, after int, a pipeline.Audit) (pipeline.QA, error) {
	l.note("WriteQA")
	return l.Ledger.WriteQA(ctx, q, v, after, a)
}

func (l overheardLedger) StepQA(ctx context.Context, campaign int64, s pipeline.QAStep, a pipeline.Audit) (pipeline.QAStep, error) {
	l.note("StepQA")
	return l.Ledger.StepQA(ctx, campaign, s, a)
}

func (l overheardLedger) QAs(ctx context.Context, campaign int64) ([]pipeline.QA, error) {
	l.note("QAs")
	return l.Ledger.QAs(ctx, campaign)
}

func (l overheardLedger) QAHistory(ctx context.Context, campaign, id int64) ([]pipeline.QAVersion, []pipeline.QAStep, error) {
	l.note("QAHistory")
	return l.Ledger.QAHistory(ctx, campaign, id)
}

func (l overheardLedger) QASeen(ctx context.Context, user, campaign int64) (int64, error) {
	l.note("QASeen")
	return l.Ledger.QASeen(ctx, user, campaign)
}

func (l overheardLedger) SeeQA(ctx context.Context, user, campaign, step int64) error {
	l.note("SeeQA")
	return l.Ledger.SeeQA(ctx, user, campaign, step)
}

func (l overheardLedger) GiveQA(ctx context.Context, g pipeline.QAGiven) error {
	l.note("GiveQA")
	return l.Ledger.GiveQA(ctx, g)
}

func (l overheardLedger) QATold(ctx context.Context, campaign int64) ([]pipeline.QATold, error) {
	l.note("QATold")
	return l.Ledger.QATold(ctx, campaign)
}

func (l overheardLedger) AddQuery(ctx context.Context, q pipeline.Query) (pipeline.Query, error) {
	l.note("AddQuery")
	return l.Ledger.AddQuery(ctx, q)
}

func (l overheardLedger) CloseQuery(ctx context.Context, q pipeline.Query, a pipeline.Audit) error {
	l.note("CloseQuery")
	return l.Ledger.CloseQuery(ctx, q, a)
}

func (l overheardLedger) Queries(ctx context.Context, campaign int64, f pipeline.QueryFilter, limit int) ([]pipeline.Query, error) {
	l.note("Queries")
	return l.Ledger.Queries(ctx, campaign, f, limit)
}

func (l overheardLedger) Query(ctx context.Context, campaign, id int64) (pipeline.Query, error) {
	l.note("Query")
	return l.Ledger.Query(ctx, campaign, id)
}

func (l overheardLedger) AddForgery(ctx context.Context, f pipeline.Forgery, a pipeline.Audit) (pipeline.Forgery, error) {
	l.note("AddForgery")
	return l.Ledger.AddForgery(ctx, f, a)
}

func (l overheardLedger) Forgeries(ctx context.Context, campaign int64, limit int) ([]pipeline.Forgery, error) {
	l.note("Forgeries")
	return l.Ledger.Forgeries(ctx, campaign, limit)
}

func (l overheardLedger) QueriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	l.note("QueriesByHour")
	return l.Ledger.QueriesByHour(ctx, campaign)
}

func (l overheardLedger) ForgeriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	l.note("ForgeriesByHour")
	return l.Ledger.ForgeriesByHour(ctx, campaign)
}

func (l overheardLedger) LettersByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	l.note("LettersByHour")
	return l.Ledger.LettersByHour(ctx, campaign)
}

func (l overheardLedger) CountCalls(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallCount, error) {
	l.note("CountCalls")
	return l.Ledger.CountCalls(ctx, campaign, since)
}

func (l overheardLedger) CountTold(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallTold, error) {
	l.note("CountTold")
	return l.Ledger.CountTold(ctx, campaign, since)
}

func (l overheardLedger) ByHand(ctx context.Context, campaign int64) ([]pipeline.Audit, error) {
	l.note("ByHand")
	return l.Ledger.ByHand(ctx, campaign)
}

func (l overheardLedger) AddSteps(ctx context.Context, steps ...pipeline.CallStep) error {
	l.note("AddSteps")
	return l.Ledger.AddSteps(ctx, steps...)
}

func (l overheardLedger) Call(ctx context.Context, id int64) (pipeline.Call, error) {
	l.note("Call")
	return l.Ledger.Call(ctx, id)
}

func (l overheardLedger) LastAudits(ctx context.Context, campaign int64, limit int) ([]pipeline.Audit, error) {
	l.note("LastAudits")
	return l.Ledger.LastAudits(ctx, campaign, limit)
}
