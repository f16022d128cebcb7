package console

import (
	"context"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// Writing is what people write: letters, catalogue, campaign.yaml. A file is called
// by its base name, "breach.fr.md".
type Writing interface {
	// Texts lists the files of a campaign that people write.
	Texts(ctx context.Context, campaign string) (Texts, error)
	// Text is one of them as it is now, with what was saved before.
	Text(ctx context.Context, campaign, file string) (Text, error)
	// Saved is a saved text as it was.
	Saved(ctx context.Context, campaign, file string, n int) (pipeline.Writing, error)
	// Difference is what changed from one text to another, as diff -u writes it.
	Difference(oldName, old, newName, new string) string
	// Preview renders a text that is not saved, and says what check finds in it.
	Preview(ctx context.Context, campaign, file, text string, s Specimen) (Preview, error)
	// Save puts a text in place of the one with the hash base. If that is not there
	// any more, somebody was faster: the code is "text-changed". With wordsOnly a
	// change of campaign.yaml that is more than words is refused.
	Save(ctx context.Context, campaign, file, text, base, reason string, wordsOnly bool) error
	// Wording is what campaign.yaml says in a locale; "", or one in which the campaign
	// does not write: in its fallback.
	Wording(ctx context.Context, campaign, locale string) (Wording, error)
	// AddLocale lets the campaign write in another language. Its letters begin as those
	// of another, and what stays so is a finding of Check.
	AddLocale(ctx context.Context, campaign string, l NewLocale, reason string) error
}

// Wording is what a campaign.yaml says in one of its locales, and has to say in each.
type Wording struct {
	Locale  string
	Locales []string
	Phrases []Phrase
}

// Phrase is a text of campaign.yaml.
type Phrase struct {
	Key  string // without the locale: "incident.facts", "senders.main.hours"
	Text string // of a list, such as incident.measures, a line each
}

// What is the phrase itself: "facts", "hours", "title".
func (p Phrase) What() string { return p.Key[strings.LastIndexByte(p.Key, '.')+1:] }

// Sender is the sender whose phrase it is, "" where it is the campaign's.
func (p Phrase) Sender() string {
	if rest, ok := strings.CutPrefix(p.Key, "senders."); ok {
		sender, _, _ := strings.Cut(rest, ".")
		return sender
	}
	return ""
}

// NewLocale is a language that a campaign is to write in.
type NewLocale struct {
	Locale string // "de", "fr-be"
	From   string // whose letters it begins with
	// Texts are phrases by their keys; one that is missing begins as it is in From.
	Texts map[string]string
}

// Texts are the files of a campaign, and how they stand to its approval.
type Texts struct {
	Files   []Text   // without content
	Changed []string // files that are not as the version in force froze them
	Diff    string   // from the version in force to the files as they are
	Version int      // in force; 0: none was approved yet
	Hash    string   // of everything, as an approval would freeze it
	Fault   string   // why the folder cannot be read as it is; ""
}

// Text is one file.
type Text struct {
	File    string
	Content string
	Hash    string
	History []pipeline.Writing // without content, oldest first
}

// Last is the newest save, nil where the text is as the folder had it.
func (t Text) Last() *pipeline.Writing {
	if n := len(t.History); n > 0 && t.History[n-1].Hash == t.Hash {
		return &t.History[n-1]
	}
	return nil
}

// Specimen chooses what a preview shows: a letter to a person who does not exist.
type Specimen struct {
	Letter, Locale, Sender string
	Occasion               pipeline.AttemptKind // first, fallback, copy
	Person                 string               // much, little, represented
	LargePrint             bool
}

// Preview is a letter as it would go out, and what is wrong with the text.
type Preview struct {
	Specimen Specimen // as it was taken
	Letters  []string // to choose from
	Locales  []string
	Senders  []string

	Faults   []Finding // the text cannot be used: there is no letter
	Blocks   []Finding
	Warnings []Finding

	Subject, From, Text string
	HTML, PDF           []byte
	Pages               int
	Paper               string // why there is no PDF; ""
	At                  time.Time
}
