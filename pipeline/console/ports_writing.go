package console

import (
	"context"
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
