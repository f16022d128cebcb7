package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/seal"
)

// search looks a key up in the blind index of each campaign, newest notice first.
func (h *house) search(ctx context.Context, c findCmd) (list []found, others []bystander, err error) {
	campaigns, err := h.ledger.AllCampaigns(ctx)
	if err != nil {
		return nil, nil, err
	}
	if c.Campaign != "" {
		one, err := campaignArg{c.Campaign}.find(ctx, h)
		if err != nil {
			return nil, nil, err
		}
		campaigns = []pipeline.Campaign{one}
	}
	for _, campaign := range campaigns {
		keys, err := h.keys.Existing(campaign.ID)
		if errors.Is(err, seal.ErrNoKeys) || errors.Is(err, seal.ErrDestroyed) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		hit, err := h.searchIn(ctx, campaign, keys, c.Key)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range hit.trail {
			if err := h.ledger.Append(ctx, a); err != nil {
				return nil, nil, err
			}
		}
		matches, bystanderOf, byName := hit.list, hit.bystanderOf, hit.byName
		for i := range matches {
			matches[i].shared = bystanderOf != 0 && !byName
		}
		if len(matches) > 0 {
			e := h.speaking(ctx, campaign)
			for i := range matches {
				matches[i].edition = e
			}
		}
		list = append(list, matches...)
		if len(matches) == 0 && bystanderOf != 0 {
			b, err := h.notConcerned(ctx, campaign, bystanderOf)
			if err != nil {
				return nil, nil, err
			}
			if b.ByName = byName; byName {
				b.Sentence = map[string]string{}
			}
			others = append(others, b)
		}
	}
	slices.SortFunc(list, func(a, b found) int { return cmp.Compare(b.job.ID, a.job.ID) })
	return list, others, nil
}

// hits is what a text led to in one campaign.
type hits struct {
	list        []found
	bystanderOf int64 // newest import of somebody who is not concerned; 0 without one
	byName      bool  // of whom only the name is known
	kind        string
	token       [16]byte         // of the bystander
	trail       []pipeline.Audit // to write before anybody is told
}

// searchIn looks for a text in one campaign, as it stands, and if that is nobody as
// it may have been meant. The caller writes the trail.
func (h *house) searchIn(ctx context.Context, campaign pipeline.Campaign, keys *seal.Keys, text string) (hits, error) {
	hit, err := h.searchKeys(ctx, campaign, keys, text, intake.QueryKeys(text))
	if err == nil && len(hit.trail) == 0 {
		return h.searchKeys(ctx, campaign, keys, text, intake.Misheard(text))
	}
	return hit, err
}

func (h *house) searchKeys(ctx context.Context, campaign pipeline.Campaign, keys *seal.Keys, text string, wanted []intake.Key) (hit hits, err error) {
	var (
		list        []found
		bystanderOf int64
		byName      bool
	)
	seen := map[int64]bool{}
	another := false // somebody of this name, with another first name
	for _, k := range wanted {
		token := keys.Token(k.Kind, k.Value)
		ids, other, err := h.ledger.Search(ctx, campaign.ID, token, maxMatches)
		if err != nil {
			return hit, err
		}
		if hit.kind == "" && (other != 0 || len(ids) > 0) {
			hit.kind = k.Kind
		}
		if other != 0 {
			byName = k.Kind == intake.KeyName && (bystanderOf == 0 || byName)
			if bystanderOf == 0 || !byName {
				hit.token = token
			}
			bystanderOf = max(bystanderOf, other)
		}
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			j, err := h.ledger.Notice(ctx, id)
			if errors.Is(err, pipeline.ErrNotFound) {
				continue
			}
			if err != nil {
				return hit, err
			}
			p, err := openPerson(keys, j)
			if err != nil {
				return hit, err
			}
			if k.Kind == intake.KeyName && !intake.Fits(text, p) {
				another = true
				continue
			}
			list = append(list, found{campaign: campaign, job: j, person: p, asked: k.Kind == intake.KeyReference})
			if k.Kind != intake.KeyReference || len(p.CustomerIDs) == 0 {
				continue
			}
			// The letter that somebody has in hand is one of several, perhaps.
			beside, err := h.byCustomer(ctx, campaign.ID, keys, p.CustomerIDs[0])
			if err != nil {
				return hit, err
			}
			for _, b := range beside {
				if seen[b.ID] || !bytes.Equal(b.Person, j.Person) {
					continue
				}
				seen[b.ID] = true
				q, err := openPerson(keys, b)
				if err != nil {
					return hit, err
				}
				list = append(list, found{campaign: campaign, job: b, person: q})
			}
		}
	}
	if another && byName {
		bystanderOf = 0 // the name says nothing about the one who calls
	}
	if len(seen)+int(bystanderOf) > 0 {
		// Who looked whom up belongs on record; the key itself does not.
		hit.trail = append(hit.trail, h.audit(campaign.ID, "find", "", sought(slices.Sorted(maps.Keys(seen)), bystanderOf)))
	}
	hit.list, hit.bystanderOf, hit.byName = list, bystanderOf, byName
	return hit, nil
}

// sought says on record whom a look-up led to, by number: who looked at a customer is
// answered from it.
func sought(notices []int64, bystanderOf int64) string {
	if len(notices) == 0 {
		return fmt.Sprintf("somebody who is not concerned, as of import %d", bystanderOf)
	}
	const most = 20
	var list []string
	for _, id := range notices[:min(most, len(notices))] {
		list = append(list, fmt.Sprintf("notice %d", id))
	}
	if more := len(notices) - most; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

func (h *house) notConcerned(ctx context.Context, c pipeline.Campaign, importID int64) (bystander, error) {
	b := bystander{Campaign: c.Name, State: "not-concerned", Import: importID}
	imports, err := h.ledger.Imports(ctx, c.ID)
	for _, i := range imports {
		if i.ID == importID {
			b.At = i.PublishedAt
			if e := h.speaking(ctx, c); e != nil {
				b.At = e.local(b.At)
			}
		}
	}
	b.Sentence = map[string]string{
		"fr": fmt.Sprintf("Au %s, notre analyse ne vous compte pas parmi les personnes concernées.", dateIn("fr", b.At)),
		"en": fmt.Sprintf("As of %s, our analysis does not list you among the people concerned.", dateIn("en", b.At)),
	}
	return b, err
}
