package email

import (
	"time"

	"github.com/art34/art34/pipeline"
)

// MAC is a keyed hash over labelled, length-delimited parts; the keys of a
// campaign provide it.
type MAC func(label string, parts ...[]byte) [32]byte

// Config says how a Composer builds.
type Config struct {
	// MAC signs return paths and derives Message-IDs.
	MAC MAC
	// Key is the number of the key behind MAC, 0 to 31. It is part of the return
	// path, so that two keys can be in force while one replaces the other.
	Key int
	// CodeName is the campaign's code name, the only name that headers show. It may
	// be empty.
	CodeName string
}

// Composer builds messages. It is safe for concurrent use.
type Composer struct {
	config Config
}

// NewComposer returns a composer for one campaign.
func NewComposer(c Config) (*Composer, error) {
	return &Composer{config: c}, nil
}

// Compose builds the message that carries a letter, from its plain text and HTML
// form, for one attempt of a notice (n.ID, n.Attempt) to one address, dated at.
// The same arguments give the same bytes. It fails with a permanent
// *pipeline.Error when this letter or address cannot be an e-mail.
func (c *Composer) Compose(l *pipeline.Letter, text, html []byte, n pipeline.Notice, to string, at time.Time) (*pipeline.Message, error) {
	return nil, nil
}
