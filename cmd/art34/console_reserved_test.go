package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestReservedInLists: a list of notices, and the table of it, count customers whom
// only few may see, and name them to nobody else.
func TestReservedInLists(t *testing.T) {
	t.Parallel()
	in := install(t, 400, 34, "ART34_CONSOLE=off")
	h := in.house()
	defer h.Close()
	ctx := t.Context()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := h.keys.Existing(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	reserved, others := []string{}, []string{}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID, States: []pipeline.State{pipeline.Held}}) {
		if err != nil {
			t.Fatal(err)
		}
		p, err := openPerson(keys, j)
		if err != nil {
			t.Fatal(err)
		}
		if console.Reserved(j.Flags) {
			reserved = append(reserved, p.Reference.String())
		} else {
			others = append(others, p.Reference.String())
		}
	}
	if len(reserved) == 0 || len(others) == 0 {
		t.Fatalf("%d reserved, %d others are held", len(reserved), len(others))
	}
	k := consoleDesk{h}.As("user:olga").(clerk)
	for _, may := range []bool{false, true} {
		f := console.NoticeFilter{State: pipeline.Held, Limit: 1000, VIP: may}
		page, err := k.Notices(ctx, c.Name, f)
		if err != nil {
			t.Fatal(err)
		}
		var table strings.Builder
		if err := k.NoticeCSV(ctx, c.Name, f, &table); err != nil {
			t.Fatal(err)
		}
		if n := len(reserved) + len(others); len(page.Lines) != n || strings.Count(table.String(), "\n") != n+1 {
			t.Errorf("%d lines, %d rows with the head, of %d notices", len(page.Lines), strings.Count(table.String(), "\n"), n)
		}
		named := func(r string) bool {
			return slices.ContainsFunc(page.Lines, func(l console.NoticeLine) bool { return l.Reference == r })
		}
		for _, r := range reserved {
			if named(r) != may || strings.Contains(table.String(), r) != may {
				t.Errorf("may %v: a reserved customer is on the page: %v, in the table: %v", may, named(r), strings.Contains(table.String(), r))
			}
		}
		for _, r := range others {
			if !named(r) || !strings.Contains(table.String(), r) {
				t.Errorf("may %v: somebody else is missing", may)
			}
		}
	}
}
