package ledgertest

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func is(err, condition error) bool { return errors.Is(err, condition) }

// same compares notices field by field; times as instants.
func same(t testing.TB, got, want pipeline.Notice) {
	t.Helper()
	for _, p := range []*pipeline.Notice{&got, &want} {
		for _, at := range []*time.Time{&p.DueAt, &p.FirstAt, &p.MovedAt} {
			*at = at.UTC().Truncate(time.Microsecond)
		}
		for _, list := range []*[]string{&p.Kinds, &p.Products, &p.Flags, &p.Defects} {
			if len(*list) == 0 {
				*list = nil
			}
		}
	}
	if !bytes.Equal(got.Person, want.Person) {
		t.Errorf("notice %d: person %x, want %x", want.ID, got.Person, want.Person)
	}
	got.Person, want.Person = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("notice %d:\n got %+v\nwant %+v", want.ID, got, want)
	}
}

func ids(tickets []pipeline.Ticket) (list []int64) {
	for _, t := range tickets {
		list = append(list, t.Notice)
	}
	return list
}

func jobIDs(jobs []pipeline.Job) (list []int64) {
	for _, j := range jobs {
		list = append(list, j.ID)
	}
	return list
}

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
