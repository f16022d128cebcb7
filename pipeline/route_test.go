package pipeline_test

import (
	"testing"

	"github.com/art34/art34/pipeline"
)

func TestChooseRoute(t *testing.T) {
	t.Parallel()
	full := pipeline.Traveller{EmailUsable: true, Printable: true, HasContact: true, Kinds: []string{"identity"}}
	with := func(f func(*pipeline.Traveller)) pipeline.Traveller { c := full; f(&c); return c }
	spec := &pipeline.Spec{Channels: pipeline.ChannelPolicy{PostIf: []string{"bank-truncated"}, BothIf: []string{"litigation"}}, Flags: map[string]string{"litigation": "send", "employee": "hold"}}
	for name, c := range map[string]struct {
		t    pipeline.Traveller
		want pipeline.Route
	}{
		"e-mail if usable":       {full, pipeline.Route{State: pipeline.Due, Channel: pipeline.Email, Reach: both}},
		"else post if printable": {with(func(t *pipeline.Traveller) { t.EmailUsable = false }), pipeline.Route{State: pipeline.Due, Channel: pipeline.Post, Reach: pipeline.ByPost}},
		"else unreachable":       {with(func(t *pipeline.Traveller) { t.EmailUsable, t.Printable = false, false }), pipeline.Route{State: pipeline.Unreachable, Channel: pipeline.NoChannel, Reason: pipeline.ReasonNoAddress}},
		"nobody knows them":      {pipeline.Traveller{}, pipeline.Route{State: pipeline.Unreachable, Channel: pipeline.NoChannel, Reason: pipeline.ReasonNoContact}},
		"post by data kind":      {with(func(t *pipeline.Traveller) { t.Kinds = []string{"bank-truncated"} }), pipeline.Route{State: pipeline.Due, Channel: pipeline.Post, Reach: both}},
		"both by flag":           {with(func(t *pipeline.Traveller) { t.Flags = []string{"litigation"} }), pipeline.Route{State: pipeline.Due, Channel: pipeline.Email, Reach: both, Both: true}},
		"VIP is held":            {with(func(t *pipeline.Traveller) { t.Flags = []string{"vip"} }), pipeline.Route{State: pipeline.Held, Channel: pipeline.Email, Reach: both, Reason: "vip"}},
		"the campaign's rule":    {with(func(t *pipeline.Traveller) { t.Flags = []string{"employee"} }), pipeline.Route{State: pipeline.Held, Channel: pipeline.Email, Reach: both, Reason: "employee"}},
		"exclusion wins":         {with(func(t *pipeline.Traveller) { t.Flags = []string{"vip", "deceased"} }), pipeline.Route{State: pipeline.Excluded, Channel: pipeline.NoChannel, Reach: both, Reason: "deceased"}},
		"no e-mail wanted":       {with(func(t *pipeline.Traveller) { t.Flags = []string{"no-email"} }), pipeline.Route{State: pipeline.Due, Channel: pipeline.Post, Reach: pipeline.ByPost}},
		"no post wanted":         {with(func(t *pipeline.Traveller) { t.Flags = []string{"no-post"} }), pipeline.Route{State: pipeline.Due, Channel: pipeline.Email, Reach: pipeline.ByEmail}},
		"minor alone":            {with(func(t *pipeline.Traveller) { t.Flags = []string{"minor"} }), pipeline.Route{State: pipeline.Held, Channel: pipeline.Email, Reach: both, Reason: "minor"}},
		"minor represented":      {with(func(t *pipeline.Traveller) { t.Flags = []string{"minor"}; t.Representative = true }), pipeline.Route{State: pipeline.Due, Channel: pipeline.Email, Reach: both}},
		"large print on paper":   {with(func(t *pipeline.Traveller) { t.Format = "large-print" }), pipeline.Route{State: pipeline.Due, Channel: pipeline.Post, Reach: both}},
		"braille by hand":        {with(func(t *pipeline.Traveller) { t.Format = "braille" }), pipeline.Route{State: pipeline.Held, Channel: pipeline.Email, Reach: both, Reason: "braille"}},
		"ambiguous record":       {with(func(t *pipeline.Traveller) { t.Defects = []string{"names-differ"} }), pipeline.Route{State: pipeline.Held, Channel: pipeline.Email, Reach: both, Reason: "names-differ"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := spec.ChooseRoute(c.t); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestProvider(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a@Wanadoo.fr": "orange", "a@gmail.com": "google", "a@b@orange.fr": "orange", "a@example.com": pipeline.OtherProvider, "": "", "nobody": "", "a@google.example": "google", "a@wanadoo.example": "orange", "a@perso.example": pipeline.OtherProvider} {
		if got := pipeline.Provider(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
