package feedback

import (
	"context"
	"errors"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/dsn"
)

// Codes of messages that were put aside.
const (
	CodeSignature = "bad-signature"  // claims to be about a notice, and we did not sign that
	CodeNotice    = "unknown-notice" // signed like ours, for a notice that is not here
	CodeKey       = "key-retired"    // signed with a key that is not in force
	CodeErased    = "erased"         // the people of its campaign are erased
	CodeDamaged   = "does-not-open"
)

// identity is whom a message is about.
type identity struct {
	token Token  // verified; Notice 0 and no probe: of nobody that we know
	probe bool   // a message of our own
	code  string // why it is put aside
}

// mostQuoted bounds how many Message-IDs of a message are looked up.
const mostQuoted = 8

// identify takes the recipient of the envelope, and nothing else where that is a
// token of ours: good or bad, it decides. Where the envelope no longer has it (a
// relay that rewrites senders, an answer to Reply-To), what the message quotes of
// ours decides: ENVID and Message-IDs, which are signed too. What the text says
// about recipients never does.
func (j *Judge) identify(ctx context.Context, m Message, r *dsn.Report) (identity, error) {
	if t, ok := j.Tokens.ReturnPath(m.To); ok {
		return j.verify(ctx, t)
	}
	var bad identity
	for _, t := range j.quoted(m, r) {
		who, err := j.verify(ctx, t)
		if err != nil || who.code == "" {
			return who, err
		}
		bad = who
	}
	return bad, nil
}

// quoted lists the tokens that a message quotes, those of the returned message
// first.
func (j *Judge) quoted(m Message, r *dsn.Report) (list []Token) {
	if t, ok := j.Tokens.ReturnPath(r.EnvID); ok && t.Notice != 0 {
		list = append(list, t)
	}
	f := Fields(m.Raw, "in-reply-to", "references")
	ids := []string{r.MessageID}
	for _, name := range []string{"in-reply-to", "references"} {
		for _, v := range f[name] {
			words := strings.Fields(v)
			for i := len(words) - 1; i >= 0; i-- {
				ids = append(ids, words[i]) // the newest stands last
			}
		}
	}
	for _, id := range ids {
		if t, ok := j.Tokens.MessageID(id); ok && len(list) < mostQuoted {
			list = append(list, t)
		}
	}
	return list
}

// verify believes a token, or says why not.
func (j *Judge) verify(ctx context.Context, t Token) (identity, error) {
	campaign := int64(0)
	if t.Notice != 0 {
		n, err := j.Ledger.Notice(ctx, t.Notice)
		if errors.Is(err, pipeline.ErrNotFound) {
			return identity{code: CodeNotice}, nil
		}
		if err != nil {
			return identity{}, err
		}
		campaign = n.Campaign
	}
	mac, err := j.Signs.MAC(ctx, campaign, t.Key)
	switch {
	case errors.Is(err, ErrErased):
		return identity{code: CodeErased}, nil
	case errors.Is(err, ErrKey):
		return identity{code: CodeKey}, nil
	case err != nil:
		return identity{}, err
	case !t.Verify(mac):
		return identity{code: CodeSignature}, nil
	}
	return identity{token: t, probe: t.Notice == 0}, nil
}
