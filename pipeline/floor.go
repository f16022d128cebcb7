package pipeline

import (
	"log/slog"
	"slices"
	"time"
)

// This file holds what the cell says and hears: questions with their answers, the
// questions that have none yet, and the forgeries that callers report.

// Audience is for whom an answer is written.
type Audience string

const (
	ForCell  Audience = "cell"  // agents, on the phone
	ForShop  Audience = "shop"  // shops, across the counter
	ForPress Audience = "press" // the press office
)

// Audiences lists the audiences in the order of the pages.
func Audiences() []Audience { return []Audience{ForCell, ForShop, ForPress} }

// QA is a question with its answer in one language. What it says is kept as
// versions, what became of them as steps; nothing of its history is ever changed.
type QA struct {
	ID       int64
	Campaign int64
	Topic    string    // "am-i-concerned": the same in every language
	Locale   string    // fr | en
	Newest   QAVersion // written last
	InForce  QAVersion // published last; N is 0 where nothing is in force
	Last     QAStep    // ID is 0 before the first publication
}

// State says where a question stands for who writes it. Whoever answers sees
// InForce and nothing else.
func (q QA) State() QAState {
	switch {
	case q.InForce.N > 0:
		return QAPublished
	case q.Last.Kind == QAWithdrawn && q.Last.N == q.Newest.N:
		return QAWithdrawn
	}
	return QADraft
}

// Pending reports whether a version is written that is not the one in force.
func (q QA) Pending() bool { return q.Newest.N != q.InForce.N && q.State() != QAWithdrawn }

// QAState is where a question stands, and the kind of a step.
type QAState string

const (
	QADraft     QAState = "draft"     // a lead publishes it; nobody answers with it
	QAPublished QAState = "published" // a version is in force
	QAWithdrawn QAState = "withdrawn" // nobody answers with it any more
)

// QAVersion is a question and its answer as somebody wrote them.
type QAVersion struct {
	N         int // from 1
	Audiences []Audience
	Question  string // one line
	Answer    string // Markdown
	Author    string
	At        time.Time
	Reason    string
}

// For reports whether the version is written for an audience.
func (v QAVersion) For(a Audience) bool { return slices.Contains(v.Audiences, a) }

// SameText reports whether two versions say the same to the same people.
func (v QAVersion) SameText(o QAVersion) bool {
	return v.Question == o.Question && v.Answer == o.Answer && slices.Equal(v.Audiences, o.Audiences)
}

// QAStep is a publication or a withdrawal. Ids ascend within a campaign as readers
// come to see them: who has seen one has seen those before.
type QAStep struct {
	ID     int64
	QA     int64
	N      int
	Kind   QAState // published | withdrawn
	Actor  string
	At     time.Time
	Reason string
}

// QAGiven notes that somebody answered with a version.
type QAGiven struct {
	Campaign int64
	QA       int64
	N        int
	Call     int64 // 0: outside a noted call
	Actor    string
	At       time.Time
}

// QATold counts the answers given with a question.
type QATold struct {
	QA    int64
	Count int64
	Last  time.Time
}

// Query is a caller's question that no answer fits. What was typed is sealed: it
// may hold more than it should.
type Query struct {
	ID       int64
	Campaign int64
	Call     int64 // 0: outside a noted call
	Locale   string
	Sealed   []byte
	AskedBy  string
	AskedAt  time.Time
	State    QueryState
	QA       int64 // the question that answers it, if it is answered
	Reason   string
	ClosedBy string
	ClosedAt time.Time
}

// SealContext binds what is sealed to its place.
func (q Query) SealContext() []byte { return []byte("query") }

// LogValue is what a log may say of a query.
func (q Query) LogValue() slog.Value { return slog.Int64Value(q.ID) }

// QueryFilter selects queries. Zero fields select everything.
type QueryFilter struct {
	AskedBy string
	State   QueryState
	Closed  bool  // answered or dismissed
	Before  int64 // ID below this one
}

// QueryState is where a query stands.
type QueryState string

const (
	QueryOpen      QueryState = "open"      // the lead answers or dismisses it
	QueryAnswered  QueryState = "answered"  // by the question that QA names, once that is published
	QueryDismissed QueryState = "dismissed" // for a reason
)

// Forgery is a message in our name that a caller reports. Words, sender and place
// are sealed.
type Forgery struct {
	ID       int64
	Campaign int64
	Notice   int64  // of the reference that it carried; 0: none, or nobody's
	Way      string // email | sms | phone | post | web
	Verdict  string // what the comparison said: foreign | unknown | none
	Print    []byte // keyed hash of its words: the same forgery counts together
	Sealed   []byte
	Actor    string
	At       time.Time
}

// SealContext binds what is sealed to its place.
func (f Forgery) SealContext() []byte { return []byte("forgery") }

// LogValue is what a log may say of a forgery.
func (f Forgery) LogValue() slog.Value { return slog.Int64Value(f.ID) }

// Hourly counts something in an hour, by cause.
type Hourly struct {
	Hour  int64 // since 1970, UTC
	Code  string
	Count int64
}
