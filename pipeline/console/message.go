package console

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// words are the texts of one language: key → text, or key → {one, other}. {0}, {1}
// stand for values; with one and other the first of them is the number that
// decides.
type words struct {
	locale string
	zone   *time.Location // in which times are said; nil: that of the machine
	one    map[string]string
	other  map[string]string

	sentences *sentences // of the rest of the program
}

// in are the same words with times in a zone.
func (w *words) in(zone *time.Location) *words {
	c := *w
	c.zone = zone
	return &c
}

// local is a time as the clock on the wall of the zone shows it.
func (w *words) local(t time.Time) time.Time {
	if w.zone == nil {
		return t.Local()
	}
	return t.In(w.zone)
}

// readWords reads messages/LOCALE.yaml of every language, and messages/LOCALE-PART.yaml:
// a part of the console may bring its own words.
func readWords(files fs.FS) (map[string]*words, error) {
	names, err := fs.Glob(files, "messages/*.yaml")
	if err != nil {
		return nil, err
	}
	all := map[string]*words{}
	from := map[string]string{} // locale and key → file
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var raw map[string]any
		if err := strictyaml.Decode(path.Base(name), data, &raw); err != nil {
			return nil, err
		}
		locale, _, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".yaml"), "-")
		w := all[locale]
		if w == nil {
			w = &words{locale: locale, one: map[string]string{}, other: map[string]string{}}
			all[locale] = w
		}
		for key, v := range raw {
			if other := from[locale+key]; other != "" {
				return nil, fmt.Errorf("%s: %s: stands in %s too", name, key, other)
			}
			from[locale+key] = name
			switch v := v.(type) {
			case string:
				w.other[key] = w.typeset(v)
			case map[string]any:
				one, ok1 := v["one"].(string)
				other, ok2 := v["other"].(string)
				if !ok1 || !ok2 || len(v) != 2 {
					return nil, fmt.Errorf("%s: %s: a text, or one and other", name, key)
				}
				w.one[key], w.other[key] = w.typeset(one), w.typeset(other)
			default:
				return nil, fmt.Errorf("%s: %s: a text, or one and other", name, key)
			}
		}
	}
	return all, readSentences(files, all)
}

// typeset puts the spaces that French wants before its high signs.
func (w *words) typeset(s string) string {
	s = strings.TrimSpace(s)
	if w.locale != "fr" {
		return s
	}
	return strings.NewReplacer(" :", "\u00a0:", " ;", "\u202f;", " !", "\u202f!", " ?", "\u202f?", "« ", "«\u00a0", " »", "\u00a0»", "'", "’").Replace(s)
}

// has reports whether there is a text.
func (w *words) has(key string) bool { _, ok := w.other[key]; return ok }

// say returns a text with its values. A key that is not there is an error: no page
// goes out with a hole.
func (w *words) say(key string, values ...any) (string, error) {
	text, ok := w.other[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, w.locale)
	}
	if one, plural := w.one[key]; plural && len(values) > 0 && w.singular(values[0]) {
		text = one
	}
	for i, v := range values {
		text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", w.value(v))
	}
	return text, nil
}

// singular: 1 in English; 0 and 1 in French.
func (w *words) singular(v any) bool {
	n, ok := whole(v)
	return ok && (n == 1 || n == 0 && w.locale == "fr")
}

func whole(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	}
	return 0, false
}

// value writes a value as people of this language do.
func (w *words) value(v any) string {
	if n, ok := whole(v); ok {
		return w.number(n)
	}
	if t, ok := v.(time.Time); ok {
		return w.at(t)
	}
	return fmt.Sprint(v)
}

// number groups digits: 1 234 567, or 1,234,567.
func (w *words) number(n int64) string {
	s, sign := strconv.FormatInt(n, 10), ""
	if n < 0 {
		s, sign = s[1:], "−"
	}
	gap := ","
	if w.locale == "fr" {
		gap = "\u202f"
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + gap + s[i:]
	}
	return sign + s
}

// each writes how many a second: "212", "3.4".
func (w *words) each(f float64) string {
	s := strconv.FormatFloat(f, 'f', 0, 64)
	if f < 10 {
		s = strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	}
	if w.locale == "fr" {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

// percent writes a share of a whole: 12.3 %.
func (w *words) percent(part, all int64) string {
	if all == 0 {
		return "–"
	}
	s := strconv.FormatFloat(100*float64(part)/float64(all), 'f', 1, 64)
	if w.locale == "fr" {
		return strings.Replace(s, ".", ",", 1) + "\u202f%"
	}
	return s + "%"
}

// share writes a part of one as a percentage of at most three digits: 2.5 %.
func (w *words) share(f float64) string {
	s := strconv.FormatFloat(100*f, 'g', 3, 64)
	if w.locale == "fr" {
		return strings.Replace(s, ".", ",", 1) + "\u202f%"
	}
	return s + "%"
}

// rate writes a number with one decimal; one below 0 is not known.
func (w *words) rate(f float64) string {
	if f < 0 {
		return "–"
	}
	s := strconv.FormatFloat(f, 'f', 1, 64)
	if w.locale == "fr" {
		return strings.Replace(s, ".", ",", 1)
	}
	return s
}

// at writes a moment.
func (w *words) at(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t = w.local(t)
	if w.locale == "fr" {
		return w.day(t) + " à " + t.Format("15:04")
	}
	return w.day(t) + " at " + t.Format("15:04")
}

// soon writes a moment near now: only the hour, if it is today.
func (w *words) soon(t, now time.Time) string {
	t, now = w.local(t), w.local(now)
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	if w.locale == "fr" {
		return t.Format("02/01 15:04")
	}
	return t.Format("2 Jan 15:04")
}

// mailbox is the name of a mailbox provider: Orange for "orange".
func (w *words) mailbox(code string) (string, error) {
	switch {
	case code == "":
		return "–", nil
	case code == pipeline.OtherProvider:
		return w.say("provider.other")
	case w.has("mailbox." + code):
		return w.say("mailbox." + code)
	}
	return code, nil
}

// code says a code in the words of a family, "class." or "profile."; one without is
// shown as it is.
func (w *words) code(family, code string) (string, error) {
	if w.has(family + code) {
		return w.say(family + code)
	}
	return code, nil
}

// who names somebody: people by their login, parts of the program in words.
func (w *words) who(actor string) (string, error) {
	return w.code("actor.", strings.TrimPrefix(actor, "user:"))
}

// why is a reason: of people in their words, of the program by its code.
func (w *words) why(actor, reason string) (string, error) {
	if strings.Contains(actor, ":") {
		return reason, nil
	}
	return w.cause(reason)
}

// cause says a code in words, where there are any: why something is held, what a
// timeline says, what a system answered.
func (w *words) cause(code string) (string, error) {
	for _, prefix := range []string{"cause.", "flag.", "back.", "bounce."} {
		if w.has(prefix + code) {
			return w.say(prefix + code)
		}
	}
	if scope, ok := strings.CutPrefix(code, pipeline.ReasonBounces); ok {
		which, err := w.scope(scope)
		if err != nil {
			return "", err
		}
		return w.say("cause.bounces", which)
	}
	if rule, ok := strings.CutPrefix(code, "check:"); ok {
		if w.has("rule." + rule) {
			return w.say("cause.check", w.other["rule."+rule])
		}
		return w.say("cause.check", rule)
	}
	return code, nil
}

// scope says which breaker: that of "relay", "provider:NAME", also as
// "breaker:provider:NAME". One that has no words is shown as it is.
func (w *words) scope(scope string) (string, error) {
	scope = strings.TrimPrefix(scope, "breaker:")
	kind, name, _ := strings.Cut(scope, ":")
	switch {
	case name == "":
	case kind == "provider":
		mailbox, err := w.mailbox(name)
		if err != nil {
			return "", err
		}
		return w.say("scope.provider", mailbox)
	case kind == "import" || kind == "kind":
		return w.say("scope."+kind, name)
	}
	if key := "scope." + scope; w.has(key) {
		return w.say(key)
	}
	return scope, nil
}

// day writes a date.
func (w *words) day(t time.Time) string {
	t = w.local(t)
	if w.locale != "fr" {
		return t.Format("2 January 2006")
	}
	months := [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
	day := strconv.Itoa(t.Day())
	if day == "1" {
		day = "1er"
	}
	return day + " " + months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// span writes how long something takes, roughly: "2 h 10 min".
func (w *words) span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d\u00a0s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d\u00a0min", d.Round(time.Minute)/time.Minute)
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d\u00a0h\u00a0%02d", d/time.Hour, d%time.Hour/time.Minute)
	}
	n := int64(d.Round(24*time.Hour) / (24 * time.Hour))
	if w.locale == "fr" {
		return fmt.Sprintf("%d\u00a0jours", n)
	}
	return fmt.Sprintf("%d\u00a0days", n)
}
