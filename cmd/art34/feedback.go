package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/feedback/dsn"
)

type feedbackCmd struct {
	Explain feedbackExplainCmd `cmd:"" help:"Say what messages that came back mean, without touching anything."`
	Ingest  feedbackIngestCmd  `cmd:"" help:"Take in messages that came back, and do what they ask for."`
	List    feedbackListCmd    `cmd:"" help:"List what came back and waits for a person."`
	Replay  feedbackReplayCmd  `cmd:"" help:"Judge again what was kept."`
}

type feedbackExplainCmd struct {
	Files []string `arg:"" help:"Messages, mailboxes (mbox), directories with them; - is standard input." placeholder:"FILE"`
}

// Help shows examples.
func (feedbackExplainCmd) Help() string {
	return `Reads bounces, complaints, absences and replies, and what Amazon SES or Mailgun posted, and says for each recipient what would follow. Needs no installation and changes none. With --json a line a recipient. Exit 2 if a file cannot be read.

Examples:

    art34 feedback explain bounce.eml
    art34 feedback explain Maildir/new --json
    art34 feedback explain - < bounce.eml`
}

// explainedView is a line of feedback explain --json.
type explainedView struct {
	File      string           `json:"file"`
	Index     int              `json:"index"` // of the recipient within the file, from 1
	Recipient string           `json:"recipient"`
	Action    string           `json:"action"`
	Status    string           `json:"status"`
	Reply     string           `json:"reply"`
	Outcome   pipeline.Outcome `json:"outcome"`
	Reason    string           `json:"reason"`
	Kind      feedback.Kind    `json:"kind"`
}

// Run explains every message of every file.
func (c *feedbackExplainCmd) Run(a *app) error {
	e := explainer{app: a, classifier: feedback.NewClassifier()}
	for _, name := range c.Files {
		if name == "-" {
			if err := e.stream(name, a.in); err != nil {
				return err
			}
			continue
		}
		err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path != name && !d.Type().IsRegular() {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			return e.stream(path, f)
		})
		var path *fs.PathError
		if errors.As(err, &path) {
			return refuse("unreadable", name+" cannot be read: "+path.Err.Error(), "name files or directories that this user may read")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// explainer prints what messages mean.
type explainer struct {
	*app
	classifier *feedback.Classifier
}

// stream explains the messages of one file: one, or those of an mbox. Of each no
// more is kept than the parser looks at.
func (e explainer) stream(name string, r io.Reader) error {
	b := bufio.NewReaderSize(r, 64<<10)
	head, _ := b.Peek(5)
	mbox := string(head) == "From "
	var message bytes.Buffer
	index, blank, started := 0, true, false
	flush := func() error {
		if !started {
			return nil
		}
		n, err := e.explain(name, index, message.Bytes())
		index += n
		message.Reset()
		return err
	}
	for {
		line, err := b.ReadSlice('\n')
		if mbox && blank && bytes.HasPrefix(line, []byte("From ")) {
			if err := flush(); err != nil {
				return err
			}
		}
		started = started || len(line) > 0
		if message.Len() < dsn.MaxMessage {
			message.Write(line)
		}
		blank = len(bytes.TrimRight(line, "\r\n")) == 0
		if errors.Is(err, bufio.ErrBufferFull) {
			blank = false
			continue
		}
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
	}
}

// explain prints one message and returns how many recipients it had.
func (e explainer) explain(name string, before int, raw []byte) (int, error) {
	verdicts := e.classifier.Classify(feedback.Read(pipeline.FromFile, raw))
	for i, v := range verdicts {
		view := explainedView{name, before + i + 1, v.Recipient, v.Action, v.Status, v.Reply, v.Outcome, v.Reason, v.Kind}
		err := e.answer(view, func(w io.Writer) { fmt.Fprintln(w, view.sentence()) })
		if err != nil {
			return 0, err
		}
	}
	return len(verdicts), nil
}

// sentence is what the verdict means for the customer. What strangers wrote is
// printed without control characters.
func (v explainedView) sentence() string {
	who := v.Recipient
	if who == "" {
		who = "no recipient named"
	}
	codes := strings.TrimSpace(v.Reply + " " + v.Status)
	if codes != "" {
		codes = ", " + codes
	}
	s := fmt.Sprintf("%s #%d, %s: %s (%s%s).", v.File, v.Index, who, v.follows(), v.Reason, codes)
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

func (v explainedView) follows() string {
	if v.Kind != feedback.Bounce {
		return v.Kind.Meaning()
	}
	switch v.Outcome {
	case pipeline.Dead:
		return "the address is dead: a letter would follow"
	case pipeline.Transient:
		return "a matter of time: the e-mail would be sent again on schedule"
	}
	return "we are refused, not the customer: an alert would go out, nothing would be sent until a person looked"
}
