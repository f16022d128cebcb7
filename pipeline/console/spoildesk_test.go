package console_test

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// spoiledDesk spoils what operations answer.
type spoiledDesk struct {
	console.Desk
	s *spoiler
}

func (d spoiledDesk) As(actor string) console.Operations {
	return spoiledClerk{d.Desk.As(actor), d.s}
}

type spoiledClerk struct {
	console.Operations
	s *spoiler
}

func (c spoiledClerk) PaceOutlook(ctx context.Context, campaign string, p pipeline.EmailPolicy) (console.PaceOutlook, error) {
	v, err := c.Operations.PaceOutlook(ctx, campaign, p)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Resolve(ctx context.Context, campaign string, send bool, reason string) (console.Moved, error) {
	v, err := c.Operations.Resolve(ctx, campaign, send, reason)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Cohort(ctx context.Context, campaign string, verb console.Verb, which console.Cohort, reason string) (console.Moved, error) {
	v, err := c.Operations.Cohort(ctx, campaign, verb, which, reason)
	return spoil(c.s, v, err)
}

// Pause is refused in words of somebody else.
func (c spoiledClerk) Pause(context.Context, string, string) error {
	_, err := spoil(c.s, 0, &pipeline.Error{Code: "state", Sentence: "this cannot be", Hint: "do something else"})
	return err
}

// Launch is refused with a list of faults.
func (c spoiledClerk) Launch(context.Context, string, time.Time, int, string) error {
	return &pipeline.SpecError{Faults: []string{c.s.text("senders: is missing")}}
}

func (c spoiledClerk) Import(ctx context.Context, campaign string, lists []console.List, replace bool, unmatched int64) (console.Imported, error) {
	v, err := c.Operations.Import(ctx, campaign, lists, replace, unmatched)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Check(ctx context.Context, campaign string) (console.Checked, error) {
	v, err := c.Operations.Check(ctx, campaign)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Samples(ctx context.Context, campaign string, n int) ([]console.Sample, error) {
	v, err := c.Operations.Samples(ctx, campaign, n)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Proof(ctx context.Context, campaign string, notice int64) (console.Proof, error) {
	v, err := c.Operations.Proof(ctx, campaign, notice)
	v.HTML = c.s.html(v.HTML)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Texts(ctx context.Context, campaign string) (console.Texts, error) {
	v, err := c.Operations.Texts(ctx, campaign)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Text(ctx context.Context, campaign, file string) (console.Text, error) {
	v, err := c.Operations.Text(ctx, campaign, file)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Saved(ctx context.Context, campaign, file string, n int) (pipeline.Writing, error) {
	v, err := c.Operations.Saved(ctx, campaign, file, n)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Difference(oldName, old, newName, is string) string {
	return c.s.text(c.Operations.Difference(oldName, old, newName, is))
}

func (c spoiledClerk) Preview(ctx context.Context, campaign, file, text string, s console.Specimen) (console.Preview, error) {
	v, err := c.Operations.Preview(ctx, campaign, file, text, s)
	v.HTML = c.s.html(v.HTML)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Notices(ctx context.Context, campaign string, f console.NoticeFilter) (console.NoticePage, error) {
	v, err := c.Operations.Notices(ctx, campaign, f)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Outlook(ctx context.Context, campaign string) (console.Outlook, error) {
	v, err := c.Operations.Outlook(ctx, campaign)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) Submission(ctx context.Context, campaign string) (console.Submission, error) {
	v, err := c.Operations.Submission(ctx, campaign)
	return spoil(c.s, v, err)
}

func (c spoiledClerk) ReturnReasons() []string {
	v, _ := spoil(c.s, c.Operations.ReturnReasons(), nil)
	return v
}

func (c spoiledClerk) Return(ctx context.Context, campaign string, r console.Returns) (console.Returned, error) {
	v, err := c.Operations.Return(ctx, campaign, r)
	return spoil(c.s, v, err)
}

// html is a letter whose markup is the attacker's: only the frame holds it.
func (s *spoiler) html(letter []byte) []byte {
	if len(letter) == 0 {
		return nil
	}
	return append(letter, s.text("<p>")...)
}

// spoiledCustomers spoils what is known about people.
type spoiledCustomers struct {
	console.Customers
	s *spoiler
}

func (c spoiledCustomers) File(ctx context.Context, campaign pipeline.Campaign, notice int64) (console.File, error) {
	v, err := c.Customers.File(ctx, campaign, notice)
	return spoil(c.s, v, err)
}

func (c spoiledCustomers) Proofs(ctx context.Context, campaign pipeline.Campaign, notice int64) (console.Proofs, error) {
	v, err := c.Customers.Proofs(ctx, campaign, notice)
	return spoil(c.s, v, err)
}

func (c spoiledCustomers) NotConcerned(ctx context.Context, campaign pipeline.Campaign, id int64) (map[string]string, time.Time, error) {
	v, at, err := c.Customers.NotConcerned(ctx, campaign, id)
	v, err = spoil(c.s, v, err)
	return v, at, err
}

func (c spoiledCustomers) Letter(ctx context.Context, campaign pipeline.Campaign, notice int64, attempt int) (console.SentLetter, error) {
	v, err := c.Customers.Letter(ctx, campaign, notice, attempt)
	v.HTML = c.s.html(v.HTML)
	return spoil(c.s, v, err)
}

// spoiledCalls spoils what the cell keeps of calls.
type spoiledCalls struct {
	console.Calls
	s *spoiler
}

func (c spoiledCalls) Call(ctx context.Context, id int64) (pipeline.Call, error) {
	v, err := c.Calls.Call(ctx, id)
	return spoil(c.s, v, err)
}

func (c spoiledCalls) CallSteps(ctx context.Context, id int64) ([]pipeline.CallStep, error) {
	v, err := c.Calls.CallSteps(ctx, id)
	return spoil(c.s, v, err)
}

func (c spoiledCalls) Proposal(ctx context.Context, id int64) (pipeline.Proposal, error) {
	v, err := c.Calls.Proposal(ctx, id)
	return spoil(c.s, v, err)
}

func (c spoiledCalls) Proposals(ctx context.Context, s pipeline.ProposalState) ([]pipeline.Proposal, error) {
	v, err := c.Calls.Proposals(ctx, s)
	return spoil(c.s, v, err)
}
