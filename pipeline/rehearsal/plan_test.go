package rehearsal_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/rehearsal"
)

func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if d := got - want; d < -2*time.Second || d > 2*time.Second {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestPredict(t *testing.T) {
	t.Parallel()
	limit := func(l pipeline.ProviderLimit) pipeline.EmailPolicy {
		return pipeline.EmailPolicy{Providers: pipeline.ProviderPolicy{Limits: map[string]pipeline.ProviderLimit{"orange": l}}}
	}
	orange := rehearsal.Load{Email: map[string]int64{"orange": 3600, "other": 100}}
	flat := rehearsal.Predict(orange, rehearsal.Capacity{Policy: limit(pipeline.ProviderLimit{Rate: 2})})
	near(t, "flat", flat.Email, 30*time.Minute)
	near(t, "unlimited provider", flat.Providers["other"], 0)
	// From 0.5 to 1.5 a second over an hour: 3600 messages take exactly that hour.
	ramp := rehearsal.Predict(orange, rehearsal.Capacity{Policy: limit(pipeline.ProviderLimit{Rate: 1.5, RampFrom: 0.5, RampOver: pipeline.Duration(time.Hour)})})
	near(t, "ramp", ramp.Email, time.Hour)
	half := rehearsal.Predict(rehearsal.Load{Email: map[string]int64{"orange": 1350}}, rehearsal.Capacity{Policy: limit(pipeline.ProviderLimit{Rate: 1.5, RampFrom: 0.5, RampOver: pipeline.Duration(time.Hour)})})
	near(t, "half the ramp", half.Email, 30*time.Minute)
	relay := rehearsal.Predict(orange, rehearsal.Capacity{PerSecond: 1})
	near(t, "relay", relay.Email, 3700*time.Second)
	hours := limit(pipeline.ProviderLimit{Rate: 3600.0 / (9 * 3600)})
	hours.Hours = "08:00-14:00 Europe/Paris"
	near(t, "hours", rehearsal.Predict(orange, rehearsal.Capacity{Policy: hours}).Email, 27*time.Hour)
}

func TestPredictPrint(t *testing.T) {
	t.Parallel()
	f := rehearsal.Predict(rehearsal.Load{Letters: map[rehearsal.Size]int64{{Pages: 1}: 1500, {Pages: 3}: 6, {Pages: 4}: 3, {Class: "large-print", Pages: 4}: 1}}, rehearsal.Capacity{RunSize: 1000, Duplex: true})
	if f.Letters != 1510 || f.Pages != 1534 || f.Sheets != 1520 || f.Runs != 4 {
		t.Errorf("%+v", f)
	}
}

func TestPredictWhatComesBack(t *testing.T) {
	t.Parallel()
	load := rehearsal.Load{Email: map[string]int64{"orange": 1000, "other": 10}, Letters: map[rehearsal.Size]int64{{Pages: 1}: 100, {Pages: 3}: 100}}
	f := rehearsal.Predict(load, rehearsal.Capacity{Duplex: true, Assumed: rehearsal.Assumed{Failed: 0.05, Dead: 0.03}})
	if f.Bounces != 51 || f.Fallbacks != 31 || f.FallbackSheets != 47 || f.Letters != 200 {
		t.Errorf("%+v", f)
	}
	load.Letters = nil
	if f := rehearsal.Predict(load, rehearsal.Capacity{Assumed: rehearsal.Usually()}); f.FallbackSheets != f.Fallbacks || f.Fallbacks == 0 {
		t.Errorf("without letters: %+v", f)
	}
}

func TestFactorFitsTheLongestWay(t *testing.T) {
	t.Parallel()
	p := pipeline.DefaultPolicy()
	f := rehearsal.Factor(p, time.Minute)
	near(t, "longest way", time.Duration(float64(p.Deadline+p.BounceWindow+p.ReturnWindow)/f), time.Minute)
	if rehearsal.Factor(p, 1000*24*time.Hour) != 1 {
		t.Error("time was stretched")
	}
}

func TestPrinterSpoilsOnceAndSaysTheSameTwice(t *testing.T) {
	t.Parallel()
	p := rehearsal.Printer{Seed: 3, Spoil: 0.1, Place: "Lyon"}
	items := make([]pipeline.RunItem, 1000)
	for i := range items {
		items[i] = pipeline.RunItem{Seq: i + 1, Notice: int64(i), Attempt: 1, State: pipeline.ItemIn}
	}
	on := time.Date(2026, 2, 3, 23, 0, 0, 0, time.UTC)
	d, spoiled := p.Acknowledge(pipeline.Run{ID: 4}, items, on)
	if len(spoiled) < 60 || len(spoiled) > 140 || d.Count != 1000-len(spoiled) || d.Slip != "PRACTICE-R000004" || d.On.Format(time.DateOnly) != "2026-02-03" {
		t.Fatalf("%d spoiled, deposit %+v", len(spoiled), d)
	}
	if d2, s2 := p.Acknowledge(pipeline.Run{ID: 4}, items, on); !reflect.DeepEqual(d2, d) || len(s2) != len(spoiled) {
		t.Error("the same run got another answer")
	}
	for i := range items {
		items[i].Attempt = 2
	}
	if _, again := p.Acknowledge(pipeline.Run{ID: 5}, items, on); len(again) != 0 {
		t.Errorf("%d letters spoiled twice", len(again))
	}
}

func TestPrinterBringsSomeBack(t *testing.T) {
	t.Parallel()
	p := rehearsal.Printer{Seed: 3, Return: 0.1}
	items := make([]pipeline.RunItem, 1000)
	for i := range items {
		items[i] = pipeline.RunItem{Seq: i + 1, Notice: int64(i), Attempt: 1, State: pipeline.ItemPosted}
	}
	items[0].State = pipeline.ItemRejected
	back, reasons := p.Returned(items), map[string]int{}
	for _, b := range back {
		reasons[b.Reason]++
		if b.Seq == 1 {
			t.Error("a letter came back that was never posted")
		}
	}
	if len(back) < 60 || len(back) > 140 || reasons["unknown-at-address"] < 20 || len(reasons) < 4 {
		t.Errorf("%d came back: %v", len(back), reasons)
	}
	if again := p.Returned(items); len(again) != len(back) {
		t.Error("the same run got another answer")
	}
}
