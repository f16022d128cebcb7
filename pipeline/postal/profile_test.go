package postal

import (
	"math"
	"testing"
)

func profileNamed(t testing.TB, name string) Profile {
	t.Helper()
	list, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no profile %s", name)
	return Profile{}
}

// The zones were computed by hand from the sizes of envelope, window and folded
// sheet.
func TestZonesOfEnvelopes(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name         string
		always, ever Box
	}{
		{"fr-dl", Box{109, 55, 81, 24}, Box{90, 34, 119, 60}},
		{"fr-c5", Box{109, 57, 81, 31.5}, Box{90, 43.5, 119, 58.5}},
		{"c4", Box{99, 50, 91, 23}, Box{80, 23, 129, 77}},
		{"din5008b", Box{20, 50, 80, 40}, Box{10, 45, 100, 50}},
		{"govuk", Box{24.6, 39.5, 95.4, 26.8}, Box{0, 30, 125, 65}},
	} {
		p := profileNamed(t, x.name)
		if got := p.Always(); !same(got, x.always) {
			t.Errorf("%s: always visible %v, want %v", x.name, got, x.always)
		}
		if got := p.Ever(); !same(got, x.ever) {
			t.Errorf("%s: ever visible %v, want %v", x.name, got, x.ever)
		}
	}
}

func same(a, b Box) bool {
	return math.Abs(a.X-b.X) < 0.01 && math.Abs(a.Y-b.Y) < 0.01 && math.Abs(a.W-b.W) < 0.01 && math.Abs(a.H-b.H) < 0.01
}

// A profile that would show anything but the address, or hide it, does not load.
func TestProfileIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(p *Profile){
		"address left of the window":  func(p *Profile) { p.Address.X = 100 },
		"address hidden by a slide":   func(p *Profile) { p.Address.Y = 50 },
		"address too wide":            func(p *Profile) { p.Address.W = 90 },
		"body in the window":          func(p *Profile) { p.Body.Y, p.Body.H = 90, 170 },
		"sender in the window":        func(p *Profile) { p.Sender.W = 75 },
		"logo in the window":          func(p *Profile) { p.Logo = Box{120, 30, 60, 16} },
		"body off the margin":         func(p *Profile) { p.Body.X = 10 },
		"body runs into the foot":     func(p *Profile) { p.Body.H = 180 },
		"foot off the paper":          func(p *Profile) { p.Foot.Y = 280 },
		"foot in a clear zone":        func(p *Profile) { p.Clear = []Box{{0, 270, 210, 20}} },
		"code half in the window":     func(p *Profile) { p.WindowCode = &Point{105, 56} },
		"code over the address":       func(p *Profile) { p.WindowCode = &Point{150, 60} },
		"a sheet larger than its bag": func(p *Profile) { p.Envelopes[0].W = 200 },
		"no envelope":                 func(p *Profile) { p.Envelopes = nil },
		"no sheets":                   func(p *Profile) { p.MaxSheets = 0 },
		"small print":                 func(p *Profile) { p.Address.MinSize = 6 },
	} {
		p := profileNamed(t, "fr-dl")
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(&p)
		if p.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseProfilesIsStrict(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"- {name: x, colour: red}", "- {name: x}", "nonsense"} {
		if _, err := ParseProfiles("own.yaml", []byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
	if _, err := NewPress(Config{Profile: "nowhere"}); err == nil {
		t.Error("unknown profile accepted")
	}
	own := profileNamed(t, "fr-dl")
	own.Name = "shop"
	if p := newPress(t, Config{Profile: "shop", Profiles: []Profile{own}}); p.standard.Name != "shop" {
		t.Error("own profile is not used")
	}
}
