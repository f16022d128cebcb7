package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/letter"
	"github.com/art34/art34/pipeline/postal"
)

// This file lets people write the letters of a campaign on the pages. The folder of
// the campaign stays what counts: whoever edits it by hand and whoever writes here
// see each other's text, and the ledger keeps every text that was ever saved.

// actionEdit says in the audit trail that a text was changed.
const actionEdit = "edit"

// textName is the name under the folder of what a page calls file.
func textName(file string) string {
	if file == specFile {
		return file
	}
	return path.Join(lettersDir, file)
}

// textMost bounds a text, as the letters do.
const textMost = 64 << 10

// textHash is how a text is told from another.
func textHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// writable is the folder of a campaign, its files read, and those that people write.
func (k clerk) writable(ctx context.Context, name string) (pipeline.Campaign, *content, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return c, nil, err
	}
	files, _, err := k.h.folder(c.Name).read()
	if err != nil && files == nil {
		return c, nil, explained(err)
	}
	return c, files, err
}

// text is one file as it is now. What is no file of the folder is not found,
// whatever its name tries.
func (k clerk) text(ctx context.Context, name, file string) (pipeline.Campaign, *content, console.Text, error) {
	c, files, err := k.writable(ctx, name)
	if files == nil {
		return c, nil, console.Text{}, err
	}
	is, ok := files.Files[textName(file)]
	if !ok || path.Base(file) != file {
		return c, files, console.Text{}, pipeline.ErrNotFound
	}
	t := console.Text{File: file, Content: is, Hash: textHash(is)}
	t.History, err = k.history(ctx, c, file)
	return c, files, t, err
}

// Texts lists the files of a campaign that people write.
func (k clerk) Texts(ctx context.Context, name string) (console.Texts, error) {
	c, files, fault := k.writable(ctx, name)
	if files == nil {
		return console.Texts{}, fault
	}
	t := console.Texts{}
	if fault != nil {
		t.Fault = sentenceOf(fault)
	}
	all, err := k.h.ledger.Writings(ctx, c.ID)
	if err != nil {
		return t, err
	}
	for _, name := range slices.Sorted(maps.Keys(files.Files)) {
		x := console.Text{File: path.Base(name), Hash: textHash(files.Files[name])}
		for _, w := range all {
			if w.File == name {
				x.History = append(x.History, w)
			}
		}
		t.Files = append(t.Files, x)
	}
	if _, t.Hash, err = files.canonical(); err != nil {
		return t, err
	}
	v, err := k.h.versionInForce(ctx, c)
	if err != nil || v == nil {
		return t, err
	}
	then, err := parseContent(v.Content)
	if err != nil {
		return t, err
	}
	t.Version, t.Changed = v.N, then.changed(files)
	if t.Diff = files.unified(then, fmt.Sprintf("version %d", v.N), "now"); len(t.Changed) == 0 {
		t.Diff = ""
	}
	return t, nil
}

// sentenceOf is an error as one text.
func sentenceOf(err error) string {
	e := explained(err)
	s := e.Sentence
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Text is one file as it is now.
func (k clerk) Text(ctx context.Context, name, file string) (console.Text, error) {
	_, _, t, err := k.text(ctx, name, file)
	return t, err
}

// Saved is a saved text as it was.
func (k clerk) Saved(ctx context.Context, name, file string, n int) (pipeline.Writing, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return pipeline.Writing{}, err
	}
	return k.h.ledger.Writing(ctx, c.ID, textName(file), n)
}

// Difference is what changed from one text to another.
func (clerk) Difference(oldName, old, newName, is string) string {
	return string(diff.Diff(oldName, []byte(old), newName, []byte(is)))
}

// Save puts a text in place of the one that its writer began with.
func (k clerk) Save(ctx context.Context, name, file, text, base, reason string, wordsOnly bool) error {
	c, _, is, err := k.text(ctx, name, file)
	if err != nil {
		return err
	}
	switch {
	case c.State == pipeline.Withdrawn:
		return notInState(pipeline.ErrConflict, c)
	case len(text) > textMost || !utf8.ValidString(text) || strings.Contains(text, "\x00"):
		return decline("text-form", fmt.Sprintf("a text is UTF-8 and at most %d bytes long", textMost), "shorten it")
	case is.Hash != base:
		return decline("text-changed", "somebody else has changed this text since you opened it", "open it again, and bring both together")
	case text == is.Content:
		return decline("text-same", "nothing was changed", "change the text before you save it")
	}
	if file == specFile {
		if err := specEdit(is.Content, text, wordsOnly); err != nil {
			return err
		}
	}
	if n := len(is.History); n == 0 || is.History[n-1].Hash != is.Hash {
		// Nobody here has saved what is there: it is kept first, so that nothing is lost.
		newest := 0
		if n > 0 {
			newest = is.History[n-1].N
		}
		found := pipeline.Writing{Campaign: c.ID, File: textName(file), Hash: is.Hash, Content: is.Content, At: k.h.clock.Now()}
		if found, err = k.h.ledger.AddWriting(ctx, found, newest); err != nil {
			return textTaken(err)
		}
		is.History = append(is.History, found)
	}
	return k.put(ctx, c, is, text, reason)
}

// logos reads the logos that a text of campaign.yaml names.
func (k clerk) logos(c pipeline.Campaign, files *content, spec *pipeline.Spec) error {
	root, err := os.OpenRoot(k.h.folder(c.Name).path)
	if err != nil {
		return err
	}
	defer root.Close()
	return files.takeLogos(root, spec)
}

// textTaken says that two people saved at the same moment.
func textTaken(err error) error {
	if errors.Is(err, pipeline.ErrStale) {
		return decline("text-changed", "somebody else has changed this text since you opened it", "open it again, and bring both together")
	}
	return err
}

// specEdit refuses a campaign.yaml that cannot be read, and one that changes more
// than words where only words may be changed.
func specEdit(was, is string, wordsOnly bool) error {
	next, err := parseSpec(specFile, []byte(is))
	if err != nil {
		return explained(err)
	}
	if !wordsOnly {
		return nil
	}
	before, err := parseSpec(specFile, []byte(was))
	if err != nil {
		return decline("text-policy", "campaign.yaml has faults that an operator must mend first", "tell an operator; the page of campaign.yaml names each fault")
	}
	if !reflect.DeepEqual(wordless(before), wordless(next)) {
		return decline("text-policy", "only the words of campaign.yaml are yours to change: incident, data_kinds, contract_kinds, cell.labels, and of a sender display_name, signatory, registered_line, phone and hours",
			"an operator changes addresses, senders, channels and pace")
	}
	return nil
}

// wordless is a campaign file without what its writers word.
func wordless(s *pipeline.Spec) *pipeline.Spec {
	c := *s
	c.Incident.Facts, c.Incident.NotTaken, c.Incident.Measures, c.Incident.WhyNow = nil, nil, nil, nil
	c.DataKinds, c.Contracts, c.Cell.Labels = nil, nil, nil
	c.Senders = map[string]pipeline.Sender{}
	for key, x := range s.Senders {
		x.DisplayName, x.Signatory, x.RegisteredLine, x.Phone, x.Hours = "", pipeline.Signatory{}, "", "", nil
		c.Senders[key] = x
	}
	return &c
}

// Preview renders a text that is not saved.
func (k clerk) Preview(ctx context.Context, name, file, text string, s console.Specimen) (console.Preview, error) {
	c, files, _, err := k.text(ctx, name, file)
	p := console.Preview{Specimen: s, At: k.h.clock.Now()}
	if files == nil || errors.Is(err, pipeline.ErrNotFound) {
		return p, err
	}
	files.Files[textName(file)] = text
	if spec, err := files.spec(); err == nil {
		if err := k.logos(c, files, spec); err != nil {
			p.Faults, err = faultsOf(err)
			return p, err
		}
	}
	e, err := k.h.newEdition(c, c.Version, files)
	if err != nil {
		p.Faults, err = faultsOf(err)
		return p, err
	}
	p.Letters, p.Locales, p.Senders = e.set.Templates(), e.spec.Letters.Locales, slices.Sorted(maps.Keys(e.spec.Senders))
	p.Specimen = specimenOf(s, p, file)
	for _, f := range e.set.Lint() {
		if !concerns(f, file) {
			continue
		}
		list := &p.Warnings
		if f.Severity == letter.Block {
			list = &p.Blocks
		}
		*list = append(*list, console.Finding{Code: f.Code, File: f.File, Line: f.Line, Sentence: f.Sentence, Hint: f.Hint, Count: 1})
	}
	return p, k.drawSpecimen(e, &p)
}

// concerns: findings of another letter are not shown beside this one.
func concerns(f letter.Finding, file string) bool {
	return f.File == "" || f.File == file || strings.HasPrefix(file, "parts.") || strings.HasPrefix(file, "locale.") || path.Ext(file) == ".yaml"
}

// specimenOf fills in what was not chosen, or cannot be: the letter and the language of
// the file that is written.
func specimenOf(s console.Specimen, p console.Preview, file string) console.Specimen {
	parts := strings.Split(file, ".")
	if len(parts) == 3 && s.Letter == "" {
		s.Letter = parts[0]
	}
	if len(parts) == 3 && s.Locale == "" {
		s.Locale = parts[1]
	}
	pick := func(is string, from []string) string {
		if slices.Contains(from, is) || len(from) == 0 {
			return is
		}
		return from[0]
	}
	s.Letter, s.Locale, s.Sender = pick(s.Letter, p.Letters), pick(s.Locale, p.Locales), pick(s.Sender, p.Senders)
	s.Occasion = pipeline.AttemptKind(pick(string(s.Occasion), []string{string(pipeline.First), string(pipeline.Fallback), string(pipeline.CopyOf)}))
	s.Person = pick(s.Person, []string{letter.SpecimenMuch, letter.SpecimenLittle, letter.SpecimenRepresented})
	return s
}

// drawSpecimen renders the e-mail and the pages. What fails for this specimen is a
// fault of the text: nobody else is in it.
func (k clerk) drawSpecimen(e *edition, p *console.Preview) error {
	q := letter.Specimen{Template: p.Specimen.Letter, Locale: p.Specimen.Locale, Sender: p.Specimen.Sender, Kind: p.Specimen.Occasion, Channel: pipeline.Email, Person: p.Specimen.Person}
	r := e.set.Specimen(q)
	l, err := e.set.Render(r)
	if err != nil {
		p.Faults, err = faultsOf(err)
		return err
	}
	s := e.spec.Senders[p.Specimen.Sender]
	p.Subject, p.From, p.Text, p.HTML = l.Subject, s.DisplayName+" <"+s.From+">", string(letter.Text(l)), letter.HTML(l)
	q.Channel = pipeline.Post
	if p.Specimen.LargePrint {
		q.Format = pipeline.FormatLargePrint
	}
	r = e.set.Specimen(q)
	if l, err = e.set.Render(r); err == nil {
		var address []string
		if address, err = e.press.Address(r.Person); err == nil {
			var pdf bytes.Buffer
			var drawn postal.DrawnLetter
			item := postal.Item{Seq: 1, Notice: 1, Attempt: 1, Letter: l, Address: address, Country: r.Person.Country, Postcode: e.press.Postcode(r.Person)}
			if drawn, err = e.press.DrawLetter(&pdf, item); err == nil {
				p.PDF, p.Pages = pdf.Bytes(), drawn.Printed
			}
		}
	}
	if err != nil {
		p.Paper = sentenceOf(err)
	}
	return nil
}

// faultsOf unpacks what makes letters unusable; other errors pass.
func faultsOf(err error) ([]console.Finding, error) {
	if load, ok := errors.AsType[*letter.LoadError](err); ok {
		var list []console.Finding
		for _, f := range load.Faults {
			list = append(list, console.Finding{File: f.File, Line: f.Line, Sentence: f.Sentence, Count: 1})
		}
		return list, nil
	}
	own, ok := errors.AsType[*pipeline.Error](err)
	if !ok || errors.Is(err, pipeline.ErrAway) {
		return nil, err
	}
	f := console.Finding{Code: own.Code, Sentence: own.Sentence, Hint: own.Hint, Count: 1}
	if own.Cause != nil {
		f.Sentence += ": " + strings.TrimSpace(own.Cause.Error())
	}
	return []console.Finding{f}, nil
}
