package pipeline

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// SpecError lists every fault of a campaign.yaml at once.
type SpecError struct{ Faults []string }

func (e *SpecError) Error() string { return strings.Join(e.Faults, "\n") }

var (
	codeName = regexp.MustCompile(`^[A-Z][A-Z0-9-]{1,31}$`)
	kindCode = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}$`)
	telling  = regexp.MustCompile(`(?i)breach|violation|leak|fuite|hack|intrusion|incident`)
)

// Validate reports every fault that can be seen without letters or lists, as a
// *SpecError. What a letter must say is for the linter.
func (s *Spec) Validate() error {
	v := validator{}
	v.names(s)
	v.incident(s)
	v.senders(s)
	v.letters(s)
	v.channels(s)
	v.email(s.Email)
	v.post(s.Post)
	v.feedback(s.Feedback)
	v.schedule(s.Schedule)
	v.cell(s.Cell)
	v.embargo(s.Embargo)
	if s.Retention.PurgeAfter < 0 {
		v.fault("retention.purge_after is negative")
	}
	if len(v) == 0 {
		return nil
	}
	return &SpecError{Faults: v}
}

type validator []string

func (v *validator) fault(format string, args ...any) { *v = append(*v, fmt.Sprintf(format, args...)) }

// line refuses what would break a header, a manifest or a file name.
func (v *validator) line(key, s string, required bool) {
	switch {
	case s == "" && required:
		v.fault("%s is missing", key)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' }):
		v.fault("%s holds a line break or control character", key)
	}
}

func (v *validator) embargo(e EmbargoSpec) {
	if e.Until == "" {
		if len(e.Members) > 0 {
			v.fault("embargo.until is missing: the members are those who know of the campaign until then")
		}
		return
	}
	if _, err := time.Parse(time.RFC3339, e.Until); err != nil {
		v.fault("embargo.until %q is not a time like 2026-01-20T08:00:00+01:00", e.Until)
	}
	if len(e.Members) == 0 {
		v.fault("embargo.members is missing: nobody would see the campaign")
	}
	for _, m := range e.Members {
		if !ValidMember(m) {
			v.fault("embargo.members: %q is neither a login nor token:NAME", m)
		}
	}
}

func (v *validator) names(s *Spec) {
	switch {
	case !codeName.MatchString(s.CodeName):
		v.fault("code_name %q: capitals, digits and hyphens, 2 to 32 of them, a letter first; it is the only name that file names and headers show", s.CodeName)
	case telling.MatchString(s.CodeName):
		v.fault("code_name %q gives away what the campaign is about; choose a neutral word", s.CodeName)
	}
	if s.Kind != "breach" && s.Kind != "awareness" {
		v.fault("kind is %q: breach or awareness", s.Kind)
	}
	for _, k := range slices.Sorted(maps.Keys(s.DataKinds)) {
		if !kindCode.MatchString(k) {
			v.fault("data_kinds.%s: a code is lower-case letters, digits and hyphens", k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Contracts)) {
		v.labels("contract_kinds."+k, s.Contracts[k])
	}
}

// longestLabel is how long what the console calls something may be, in bytes.
const longestLabel = 80

// labels looks at what the console calls something: a few words on one line.
func (v *validator) labels(key string, texts Texts) {
	for _, locale := range slices.Sorted(maps.Keys(texts)) {
		if text := texts[locale]; len(text) > longestLabel || strings.ContainsFunc(text, unicode.IsControl) {
			v.fault("%s.%s: a few words on one line, at most %d characters", key, locale, longestLabel)
		}
	}
}

func (v *validator) incident(s *Spec) {
	i := s.Incident
	if s.Kind == "breach" {
		for _, d := range []struct {
			key string
			at  Date
		}{{"happened_from", i.HappenedFrom}, {"discovered", i.Discovered}} {
			if d.at.IsZero() {
				v.fault("incident.%s is missing: Article 34(2) GDPR asks for the nature of the breach, and people ask when", d.key)
			}
		}
	}
	if !i.HappenedTo.IsZero() && i.HappenedTo.Before(i.HappenedFrom.Time) {
		v.fault("incident.happened_to is before happened_from")
	}
	if !i.Discovered.IsZero() && i.Discovered.Before(i.HappenedFrom.Time) {
		v.fault("incident.discovered is before happened_from")
	}
	v.line("controller.name", s.Controller.Name, true)
	if len(s.Controller.Address) == 0 {
		v.fault("controller.address is missing")
	}
	d := s.Controller.DPO
	v.line("controller.dpo.name", d.Name, true)
	if d.Post == "" && d.Phone == "" {
		v.fault("controller.dpo needs post or phone: people must reach the data protection officer without a click")
	}
}

func (v *validator) senders(s *Spec) {
	if len(s.Senders) == 0 {
		v.fault("senders is empty: at least one brand has to write")
	}
	for _, key := range slices.Sorted(maps.Keys(s.Senders)) {
		v.sender("senders."+key, s.Senders[key], s.Letters.Locales)
	}
	if _, ok := s.SenderOf["*"]; !ok {
		v.fault(`sender_of has no "*": it is the sender for everything else, and when a customer's contracts have several`)
	}
	for _, kind := range slices.Sorted(maps.Keys(s.SenderOf)) {
		if _, ok := s.Senders[s.SenderOf[kind]]; !ok {
			v.fault("sender_of.%s names the sender %q, which is not in senders", kind, s.SenderOf[kind])
		}
	}
}

func (v *validator) sender(key string, s Sender, locales []string) {
	v.line(key+".legal_name", s.LegalName, true)
	v.line(key+".display_name", s.DisplayName, true)
	v.line(key+".registered_line", s.RegisteredLine, false)
	v.line(key+".phone", s.Phone, true)
	v.address(key+".from", s.From, true)
	v.address(key+".reply_to", s.ReplyTo, true)
	if !hostName.MatchString(strings.ToLower(s.EnvelopeDomain)) {
		v.fault("%s.envelope_domain %q is not a host name; bounces come back to it, use a subdomain of the From domain such as bounce.example.com", key, s.EnvelopeDomain)
	}
	if len(s.ReturnAddress) == 0 {
		v.fault("%s.return_address is missing: undeliverable letters go there", key)
	}
	for _, l := range s.ReturnAddress {
		v.line(key+".return_address", l, true)
	}
	if strings.ContainsAny(s.Logo, `/\`) || strings.HasPrefix(s.Logo, ".") {
		v.fault("%s.logo %q: a file name beside campaign.yaml, without a path", key, s.Logo)
	}
	for _, l := range locales {
		if s.Hours[l] == "" {
			v.fault("%s.hours.%s is missing", key, l)
		}
	}
}

func (v *validator) address(key, s string, required bool) {
	v.line(key, s, required)
	if s == "" {
		return
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || strings.ContainsAny(s, " <>,;:\"()[]\\") || !strings.Contains(domain, ".") || strings.Contains(domain, "@") {
		v.fault("%s %q is not a bare e-mail address", key, s)
	}
}

func (v *validator) letters(s *Spec) {
	l := s.Letters
	if l.Template != "breach" && l.Template != "awareness" {
		v.fault("letters.template is %q: breach or awareness", l.Template)
	}
	if len(l.Locales) == 0 {
		v.fault("letters.locales is empty: name the languages that you have letters for")
	}
	if !slices.Contains(l.Locales, l.FallbackLocale) {
		v.fault("letters.fallback_locale %q is not in letters.locales", l.FallbackLocale)
	}
	for _, h := range l.AllowLinks {
		if !hostName.MatchString(h) {
			v.fault("letters.allow_links: %q is not a host name such as www.example.com", h)
		}
	}
	for _, x := range []struct {
		key   string
		texts Texts
	}{{"facts", s.Incident.Facts}, {"not_taken", s.Incident.NotTaken}} {
		for _, locale := range l.Locales {
			if strings.TrimSpace(x.texts[locale]) == "" && s.Kind == "breach" {
				v.fault("incident.%s.%s is missing", x.key, locale)
			}
		}
	}
}

func (v *validator) channels(s *Spec) {
	if s.Channels.SharedEmailLimit < 0 {
		v.fault("channels.shared_email_limit is negative")
	}
	rules := DefaultFlagRules()
	for _, f := range slices.Sorted(maps.Keys(s.Flags)) {
		if _, ok := rules[f]; !ok {
			v.fault("flags.%s: no such flag; there are %s", f, strings.Join(slices.Sorted(maps.Keys(rules)), ", "))
		}
		if !slices.Contains(Rules(), Rule(s.Flags[f])) {
			v.fault("flags.%s is %q: send, hold, exclude, email-only or post-only", f, s.Flags[f])
		}
	}
}

func (v *validator) email(e EmailPolicy) {
	for _, x := range []struct {
		key string
		n   int
		max int
	}{{"connections", e.Connections, 256}, {"window", e.Window, 64}} {
		if x.n < 0 || x.n > x.max {
			v.fault("email.%s is %d: 1 to %d", x.key, x.n, x.max)
		}
	}
	if e.Rate < 0 {
		v.fault("email.rate is negative")
	}
	if _, err := ParseHours(e.Hours); err != nil {
		v.fault("email.hours: %v", err)
	}
	for _, p := range slices.Sorted(maps.Keys(e.Providers.Limits)) {
		l := e.Providers.Limits[p]
		if l.Rate < 0 || l.Connections < 0 || l.RampFrom < 0 || l.RampOver < 0 {
			v.fault("email.providers.%s has a negative limit", p)
		}
		if _, ok := DefaultProviderLimits()[p]; !ok {
			v.fault("email.providers.%s: no such provider; there are %s", p, strings.Join(slices.Sorted(maps.Keys(DefaultProviderLimits())), ", "))
		}
	}
	if e.Breaker.Refusals < 0 || e.Breaker.DoubtShare < 0 || e.Breaker.DoubtShare > 1 {
		v.fault("email.breaker: refusals is a count, doubt_share a share between 0 and 1")
	}
}

func (v *validator) post(p PostPolicy) {
	if p.RunSize < 0 || p.RunSize > MostRunLetters {
		v.fault("post.run_size is %d: 1 to %d letters, because a run is drawn in memory, and a larger one takes more than 256 MB", p.RunSize, MostRunLetters)
	}
	if p.MinLetters < 0 || p.MaxWait < 0 {
		v.fault("post.min_letters and post.max_wait cannot be negative")
	}
	if p.MinLetters > 1 && p.MaxWait == 0 {
		v.fault("post.min_letters without post.max_wait: the last letters would wait for ever")
	}
	if _, err := ParseCutOff(p.CutOff); err != nil {
		v.fault("post.cut_off: %v", err)
	}
}

func (v *validator) feedback(f FeedbackPolicy) {
	if f.InDoubt != "" && f.InDoubt != string(DoubtResend) && f.InDoubt != string(DoubtHold) {
		v.fault("feedback.in_doubt is %q: resend or hold", f.InDoubt)
	}
	for _, d := range append(slices.Clone(f.Resend), f.Deadline, f.BounceWindow, f.ReturnWindow) {
		if d < 0 {
			v.fault("feedback has a negative time")
			break
		}
	}
}

func (v *validator) schedule(s Schedule) {
	from, err := s.From()
	if err != nil {
		v.fault("schedule.email_from: %v", err)
	}
	until, err := s.Until()
	if err != nil {
		v.fault("schedule.email_until: %v", err)
	}
	if !from.IsZero() && !until.IsZero() && !from.Before(until) {
		v.fault("schedule.email_until is not after email_from")
	}
}

// From is when the first e-mail may go; zero: at once.
func (s Schedule) From() (time.Time, error) { return moment(s.EmailFrom) }

// Until is when the last first e-mail may go; zero: no end.
func (s Schedule) Until() (time.Time, error) { return moment(s.EmailUntil) }

func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time like 2026-01-20T08:00:00+01:00", s)
	}
	return t.UTC(), nil
}
