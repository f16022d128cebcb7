package main

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/letter"
	"github.com/art34/art34/pipeline/postal"
)

// samplesLooked is how many notices are looked at for those worth a look: a page
// must not take longer than somebody waits.
const samplesLooked = 20_000

// sampler picks notices that differ in what shows in a letter.
type sampler struct {
	longest pipeline.Job
	special map[string]pipeline.Job // what is special → the first that is
	varied  []pipeline.Job
	seen    map[string]bool
	country string
}

// Samples returns notices worth a look: the longest letter, large print, other
// brands and languages, abroad, by post, supplements and copies; then others that
// differ.
func (k clerk) Samples(ctx context.Context, name string, n int) ([]console.Sample, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return nil, err
	}
	s := sampler{special: map[string]pipeline.Job{}, seen: map[string]bool{}, country: "FR"}
	looked := 0
	for j, err := range k.h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID, States: []pipeline.State{pipeline.Due, pipeline.Held}}) {
		if err != nil {
			return nil, err
		}
		if looked++; looked > samplesLooked {
			break
		}
		if j.Channel != pipeline.NoChannel {
			s.look(j, n)
		}
	}
	list := s.list(n)
	// A draft whose letters have faults is still listed, by its codes.
	if e, _, err := k.h.draft(c); err == nil {
		for i := range list {
			list[i].Names, list[i].Held = map[string][]string{}, map[string][]string{}
			for _, locale := range pageLocales() {
				for _, kind := range list[i].Products {
					list[i].Held[locale] = append(list[i].Held[locale], e.spec.ContractKind(kind, locale))
				}
				for _, kind := range list[i].Kinds {
					list[i].Names[locale] = append(list[i].Names[locale], e.set.KindName(locale, kind))
				}
			}
		}
	}
	return list, nil
}

func (s *sampler) look(j pipeline.Job, n int) {
	// The sealed person is as long as what the letter lists.
	if len(j.Sealed) > len(s.longest.Sealed) {
		s.longest = j
	}
	for _, x := range []struct {
		what string
		is   bool
	}{
		{"large-print", j.Format == pipeline.FormatLargePrint}, {"supplement", j.Role == pipeline.Supplement}, {"copy", j.Role == pipeline.Copy},
		{"abroad", j.Country != "" && j.Country != s.country}, {"post", j.Channel == pipeline.Post},
		{"represented", slices.Contains(j.Flags, "minor") || slices.Contains(j.Flags, "protected-adult")},
		{"sender/" + j.Sender, true}, {"locale/" + j.Locale, true},
	} {
		if _, there := s.special[x.what]; x.is && !there {
			s.special[x.what] = j
		}
	}
	look := strings.Join([]string{j.Locale, string(j.Channel), j.Sender, j.Format, string(j.Role), strings.Join(j.Kinds, "|"), strings.Join(j.Products, "|")}, "/")
	if !s.seen[look] && len(s.varied) < n {
		s.seen[look] = true
		s.varied = append(s.varied, j)
	}
}

func (s *sampler) list(n int) []console.Sample {
	var list []console.Sample
	add := func(j pipeline.Job, why string) {
		if j.ID == 0 {
			return
		}
		i := slices.IndexFunc(list, func(x console.Sample) bool { return x.ID == j.ID })
		if i < 0 {
			list, i = append(list, console.Sample{Notice: j.Notice}), len(list)
		}
		if why != "" {
			list[i].Why = append(list[i].Why, why)
		}
	}
	add(s.longest, "longest")
	for _, what := range []string{"large-print", "abroad", "represented", "supplement", "copy", "post"} {
		add(s.special[what], what)
	}
	// One of each brand and language, if there are several.
	for _, kind := range []string{"sender", "locale"} {
		var keys []string
		for key := range s.special {
			if strings.HasPrefix(key, kind+"/") {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			if len(keys) > 1 {
				add(s.special[key], kind)
			}
		}
	}
	for _, j := range s.varied {
		if len(list) >= n {
			break
		}
		add(j, "")
	}
	return list
}

// Proof renders one notice as it would go out, from the letters as they are now, and
// as it would go by post if that may follow.
func (k clerk) Proof(ctx context.Context, name string, notice int64) (console.Proof, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return console.Proof{}, err
	}
	j, err := k.h.ledger.Notice(ctx, notice)
	if err != nil {
		return console.Proof{}, err
	}
	if j.Campaign != c.ID || j.Channel == pipeline.NoChannel {
		return console.Proof{}, pipeline.ErrNotFound
	}
	e, _, err := k.h.draft(c)
	if err != nil {
		return console.Proof{}, explained(err)
	}
	p, err := e.render(ctx, j, k.h.clock.Now())
	if err != nil {
		return console.Proof{}, explained(err)
	}
	out := console.Proof{Notice: j.Notice, Subject: p.letter.Subject, Text: string(letter.Text(p.letter))}
	if j.Channel == pipeline.Email {
		s := e.spec.Senders[j.Sender]
		out.From, out.HTML = s.DisplayName+" <"+s.From+">", letter.HTML(p.letter)
		if !j.Reach.Has(pipeline.ByPost) {
			return out, nil
		}
		j.Channel = pipeline.Post
		if p, err = e.render(ctx, j, k.h.clock.Now()); err != nil {
			return out, explained(err)
		}
	}
	item, err := e.item(p, 1)
	if err == nil {
		var pdf bytes.Buffer
		var drawn postal.DrawnLetter
		if drawn, err = e.press.DrawLetter(&pdf, item); err == nil {
			out.PDF, out.Pages = pdf.Bytes(), drawn.Printed
		}
	}
	if err != nil {
		out.Paper = explained(err).Sentence
		if out.HTML == nil {
			return out, explained(err)
		}
	}
	return out, nil
}
