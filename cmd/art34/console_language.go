package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// This file adds a language to the letters of a campaign: they begin as those of
// another, and check finds what nobody has translated.

// localeForm is what a locale may be called: "de", "fr-be". It is part of file names.
var localeForm = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})?$`)

// phraseOf is a text of campaign.yaml that every locale has of its own.
type phraseOf struct {
	key   string // of the texts by locale: "incident.facts"
	texts pipeline.Texts
	lists pipeline.TextLists // where it is a list
}

// phrases lists what a campaign.yaml says in a locale.
func phrases(s *pipeline.Spec) []phraseOf {
	i := s.Incident
	list := []phraseOf{
		{"incident.facts", i.Facts, nil}, {"incident.not_taken", i.NotTaken, nil}, {"incident.measures", nil, i.Measures}, {"incident.why_now", i.WhyNow, nil},
	}
	for _, key := range slices.Sorted(maps.Keys(s.Senders)) {
		list = append(list, phraseOf{"senders." + key + ".hours", s.Senders[key].Hours, nil}, phraseOf{"senders." + key + ".signatory.title", s.Senders[key].Signatory.Title, nil})
	}
	return list
}

// in is the phrase in a locale as a form has it: the lines of a list below each other.
func (p phraseOf) in(locale string) string {
	if p.lists != nil {
		return strings.Join(p.lists[locale], "\n")
	}
	return strings.TrimSpace(p.texts[locale])
}

// say gives the phrase a text in a locale, and returns it as it stands in the file.
func (p phraseOf) say(locale, text string) any {
	if p.lists == nil {
		p.texts[locale] = text
		return text
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			p.lists[locale] = append(p.lists[locale], line)
		}
	}
	return p.lists[locale]
}

// Wording is what campaign.yaml says in a locale.
func (k clerk) Wording(ctx context.Context, name, locale string) (console.Wording, error) {
	_, files, err := k.writable(ctx, name)
	if err != nil {
		return console.Wording{}, explained(err)
	}
	spec, err := files.spec()
	if err != nil {
		return console.Wording{}, explained(err)
	}
	if !slices.Contains(spec.Letters.Locales, locale) {
		locale = spec.Letters.FallbackLocale
	}
	w := console.Wording{Locale: locale, Locales: spec.Letters.Locales}
	for _, p := range phrases(spec) {
		if text := p.in(locale); text != "" {
			w.Phrases = append(w.Phrases, console.Phrase{Key: p.key, Text: text})
		}
	}
	return w, nil
}

// AddLocale lets a campaign write in another language. The letters come first and
// campaign.yaml, which names it, last: whatever happens between, the campaign is whole.
func (k clerk) AddLocale(ctx context.Context, name string, l console.NewLocale, reason string) error {
	c, files, err := k.writable(ctx, name)
	if err != nil {
		return explained(err)
	}
	if c.State == pipeline.Withdrawn {
		return notInState(pipeline.ErrConflict, c)
	}
	spec, err := files.spec()
	if err != nil {
		return explained(err)
	}
	switch {
	case !localeForm.MatchString(l.Locale):
		return decline("locale-form", fmt.Sprintf("%q is not the code of a language", l.Locale), "write two or three small letters as in de, with a region as in fr-be")
	case slices.Contains(spec.Letters.Locales, l.Locale):
		return decline("locale-there", "the campaign writes in "+l.Locale+" already", "open its files below the letters")
	case !slices.Contains(spec.Letters.Locales, l.From):
		return decline("locale-from", fmt.Sprintf("the campaign has no letters in %q to begin with", l.From), "begin with one of its languages: "+strings.Join(spec.Letters.Locales, ", "))
	}
	before := files.Files[specFile]
	begun, err := k.begun(c, files, l)
	if err != nil {
		return explained(err)
	}
	text, err := withLocale(before, spec, l)
	if err != nil {
		return err
	}
	files.Files[specFile] = text
	for file, text := range begun {
		files.Files[textName(file)] = text
	}
	if _, err := k.h.newEdition(c, c.Version, files); err != nil {
		return explained(err)
	}
	for _, file := range slices.Sorted(maps.Keys(begun)) {
		is := console.Text{File: file}
		if is.History, err = k.history(ctx, c, file); err != nil {
			return err
		}
		if err := k.put(ctx, c, is, begun[file], reason); err != nil {
			return err
		}
	}
	return k.Save(ctx, name, specFile, text, textHash(before), reason, false)
}

// begun are the files with which the language begins, without those that somebody has
// put there already.
func (k clerk) begun(c pipeline.Campaign, files *content, l console.NewLocale) (map[string]string, error) {
	e, err := k.h.newEdition(c, c.Version, files)
	if err != nil {
		return nil, err
	}
	begun, err := e.set.Start(files.letters(), l.From, l.Locale)
	for file := range begun {
		if _, there := files.Files[textName(file)]; there {
			delete(begun, file)
		}
	}
	return begun, err
}

// withLocale is a campaign.yaml with one locale more, and as its writers left it
// otherwise.
func withLocale(before string, want *pipeline.Spec, l console.NewLocale) (string, error) {
	text := []byte(before)
	var missing []string
	for _, p := range phrases(want) {
		was := p.in(l.From)
		if was == "" {
			continue
		}
		is := strings.TrimSpace(l.Texts[p.key])
		if is == "" {
			is = was
		}
		next, err := strictyaml.Beside(text, append(strings.Split(p.key, "."), l.From), l.Locale, p.say(l.Locale, is))
		if err != nil {
			missing = append(missing, p.key+"."+l.Locale)
			continue
		}
		text = next
	}
	next, err := strictyaml.Append(text, []string{"letters", "locales"}, l.Locale)
	if err != nil {
		missing = append(missing, "letters.locales")
	} else {
		text = next
	}
	want.Letters.Locales = append(slices.Clone(want.Letters.Locales), l.Locale)
	is, err := parseSpec(specFile, text)
	if len(missing) > 0 || err != nil || !reflect.DeepEqual(is, want) {
		if len(missing) == 0 {
			missing = append(missing, "letters.locales")
		}
		return "", decline("locale-yaml", "campaign.yaml is written in a way that nothing can be added to by itself", "copy the letters, then add by hand: "+strings.Join(missing, ", "))
	}
	return string(text), nil
}

// history is what was saved of a file.
func (k clerk) history(ctx context.Context, c pipeline.Campaign, file string) ([]pipeline.Writing, error) {
	all, err := k.h.ledger.Writings(ctx, c.ID)
	return slices.DeleteFunc(all, func(w pipeline.Writing) bool { return w.File != textName(file) }), err
}

// put keeps a text, and then has it stand in the folder.
func (k clerk) put(ctx context.Context, c pipeline.Campaign, is console.Text, text, reason string) error {
	newest := 0
	if n := len(is.History); n > 0 {
		newest = is.History[n-1].N
	}
	w := pipeline.Writing{Campaign: c.ID, File: textName(is.File), Hash: textHash(text), Content: text, Actor: k.h.actor(), At: k.h.clock.Now(), Reason: reason}
	detail := fmt.Sprintf("%s, save %d, sha256 %s", w.File, newest+1, w.Hash)
	if _, err := k.h.ledger.AddWriting(ctx, w, newest, k.h.audit(c.ID, actionEdit, reason, detail)); err != nil {
		return textTaken(err)
	}
	err := writeWhole(filepath.Join(k.h.folder(c.Name).path, filepath.FromSlash(path.Clean(w.File))), 0o600, func(out io.Writer) error {
		_, err := io.WriteString(out, text)
		return err
	})
	if err != nil {
		k.h.log.Error("a text cannot be written", "campaign", c.ID, "error", pathless(err))
		return decline("text-unwritable", "the folder of the campaign cannot be written", "the text is kept in the ledger; whoever runs this machine makes room, and you save it again")
	}
	return nil
}
