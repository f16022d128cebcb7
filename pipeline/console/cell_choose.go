package console

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file holds the choice between campaigns, where one key leads to one customer
// in each of several. It is made before the caller is verified: nothing is said of
// what the customer has to do with any of them.

// choice is what a look-up found in one campaign.
type choice struct {
	Campaign, Notice, Import int64
	Token                    []byte // of who is not concerned
}

// choices are what a look-up of several campaigns leaves to choose from, as a step
// keeps it; "" where another key is needed: two people share this one in a campaign.
func choices(c pipeline.Call, s Sought) string {
	if c.Found != pipeline.FoundMany {
		return ""
	}
	var list []choice
	for _, m := range s.Matches {
		list = append(list, choice{m.Campaign.ID, m.Notice, m.Import, nil})
	}
	for _, b := range s.Others {
		if len(s.Matches) == 0 && !b.ByName {
			list = append(list, choice{b.Campaign.ID, 0, b.Import, b.Token})
		}
	}
	var text []string
	for i, x := range list {
		if slices.ContainsFunc(list[:i], func(y choice) bool { return y.Campaign == x.Campaign }) {
			return ""
		}
		text = append(text, fmt.Sprintf("%d/%d/%d/%x", x.Campaign, x.Notice, x.Import, x.Token))
	}
	if len(list) < 2 {
		return ""
	}
	return strings.Join(text, " ")
}

// choicesOf are those of the last look-up of a call.
func choicesOf(steps []pipeline.CallStep) (list []choice) {
	for _, s := range steps {
		switch s.Kind {
		case pipeline.StepLookUp:
			list = nil
		case pipeline.StepChoice:
			for one := range strings.FieldsSeq(s.Detail) {
				p := strings.Split(one, "/")
				if len(p) != 4 {
					continue
				}
				var n [3]int64
				for i := range n {
					n[i], _ = strconv.ParseInt(p[i], 10, 64)
				}
				token, _ := hex.DecodeString(p[3])
				list = append(list, choice{n[0], n[1], n[2], token})
			}
		}
	}
	return list
}

// choosable are the campaigns that a call can be about, the newest first.
func (k *Cell) choosable(who Asker, steps []Step) (list []pipeline.Campaign) {
	var plain []pipeline.CallStep
	for _, s := range steps {
		plain = append(plain, s.CallStep)
	}
	for _, x := range choicesOf(plain) {
		if c, ok := who.knows(x.Campaign); ok {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b pipeline.Campaign) int {
		if n := b.LaunchAt.Compare(a.LaunchAt); n != 0 {
			return n
		}
		return b.CreatedAt.Compare(a.CreatedAt)
	})
	return list
}

// Choose says which of several campaigns a call is about.
func (k *Cell) Choose(ctx context.Context, who Asker, id int64, campaign string) (pipeline.Call, error) {
	c, err := k.under(ctx, who, id, StageMany)
	if err != nil {
		return c, err
	}
	steps, err := k.Calls.CallSteps(ctx, id)
	if err != nil {
		return c, err
	}
	i := slices.IndexFunc(who.Campaigns, func(x pipeline.Campaign) bool { return x.Name == campaign })
	if i < 0 {
		return c, pipeline.ErrNotFound
	}
	of := who.Campaigns[i]
	list := choicesOf(steps)
	if i = slices.IndexFunc(list, func(x choice) bool { return x.Campaign == of.ID }); i < 0 {
		return c, pipeline.ErrNotFound
	}
	s := Sought{Kind: c.Key}
	if x := list[i]; x.Notice != 0 {
		f, err := k.Customers.File(ctx, of, x.Notice)
		if err != nil {
			return c, err
		}
		s.Matches = []Match{{Campaign: of, Notice: x.Notice, Import: x.Import, Flags: f.Flags}}
	} else {
		s.Others = []Bystander{{Campaign: of, Import: x.Import, Token: x.Token}}
	}
	k.conclude(&c, who, s)
	c, err = k.Calls.UpdateCall(ctx, c, pipeline.Quota{}, k.step(who, id, pipeline.StepChosen, string(c.Found), of.Name))
	if errors.Is(err, pipeline.ErrStale) { // two clicks at once
		return c, errTaken
	}
	return c, err
}
