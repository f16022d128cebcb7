package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Spec is the content of a campaign.yaml. It is decoded strictly: an unknown key
// is an error with its line.
type Spec struct {
	CodeName   string              `yaml:"code_name"` // the only name in file names, PDF metadata, manifests, headers
	Kind       string              `yaml:"kind"`      // breach | awareness
	Incident   Incident            `yaml:"incident"`
	Controller Controller          `yaml:"controller"`
	Senders    map[string]Sender   `yaml:"senders"`
	SenderOf   map[string]string   `yaml:"sender_of"` // contract kind → sender key; "*" otherwise and when mixed
	Letters    Letters             `yaml:"letters"`
	DataKinds  map[string]DataKind `yaml:"data_kinds"`     // wording of this campaign, over the shipped catalogue
	Contracts  map[string]Texts    `yaml:"contract_kinds"` // contract kind → what the console calls it, per locale
	Channels   ChannelPolicy       `yaml:"channels"`
	Flags      map[string]string   `yaml:"flags"` // flag → send | hold | exclude | email-never | post-never
	Email      EmailPolicy         `yaml:"email"`
	Post       PostPolicy          `yaml:"post"`
	Feedback   FeedbackPolicy      `yaml:"feedback"`
	Schedule   Schedule            `yaml:"schedule"`
	Retention  Retention           `yaml:"retention"`
	Cell       CellPolicy          `yaml:"cell"`
	Embargo    EmbargoSpec         `yaml:"embargo"`
}

// Texts is a text per locale.
type Texts map[string]string

// TextLists is a list of texts per locale.
type TextLists map[string][]string

// Incident is the breach: what happened, when, what was taken and what not.
type Incident struct {
	HappenedFrom Date      `yaml:"happened_from"`
	HappenedTo   Date      `yaml:"happened_to"`
	Discovered   Date      `yaml:"discovered"`
	Facts        Texts     `yaml:"facts"`
	NotTaken     Texts     `yaml:"not_taken"`
	Measures     TextLists `yaml:"measures"`
	WhyNow       Texts     `yaml:"why_now"` // why it took until today, if it has to be said
}

// Controller is who answers for the data (Article 4(7) GDPR), with the contact
// of the data protection officer that Article 34(2) asks for.
type Controller struct {
	Name    string   `yaml:"name"`
	Address []string `yaml:"address"`
	DPO     Contact  `yaml:"dpo"`
}

// Contact is a way to reach somebody without a click.
type Contact struct {
	Name  string `yaml:"name"`
	Post  string `yaml:"post"`
	Phone string `yaml:"phone"`
	Email string `yaml:"email"`
}

// Sender is the brand that writes.
type Sender struct {
	LegalName      string    `yaml:"legal_name"`
	DisplayName    string    `yaml:"display_name"`
	From           string    `yaml:"from"`
	ReplyTo        string    `yaml:"reply_to"`
	EnvelopeDomain string    `yaml:"envelope_domain"` // of the signed return path, RFC 5321 MAIL FROM
	Logo           string    `yaml:"logo"`            // PNG or JPEG beside campaign.yaml, printed on paper
	Signatory      Signatory `yaml:"signatory"`
	ReturnAddress  []string  `yaml:"return_address"`
	RegisteredLine string    `yaml:"registered_line"`
	Phone          string    `yaml:"phone"` // of the call-centre cell
	Hours          Texts     `yaml:"hours"`
}

// Signatory signs the letter.
type Signatory struct {
	Name  string `yaml:"name"`
	Title Texts  `yaml:"title"`
}

// Letters chooses the template and the locales that must be approved.
type Letters struct {
	Template       string   `yaml:"template"` // breach | awareness
	Locales        []string `yaml:"locales"`
	FallbackLocale string   `yaml:"fallback_locale"`
	AllowLinks     []string `yaml:"allow_links"` // hosts; none by default
}

// DataKind is the wording of a category of exposed data.
type DataKind struct {
	Name        Texts     `yaml:"name"`        // "identity": "Identity: title, first name, last name"
	Fields      Texts     `yaml:"fields"`      // which fields exactly
	Consequence Texts     `yaml:"consequence"` // what somebody could do with it
	Advice      TextLists `yaml:"advice"`      // what the customer can do
}

// ChannelPolicy chooses between e-mail and post, by data kind or flag.
type ChannelPolicy struct {
	PostIf           []string `yaml:"post_if"`
	BothIf           []string `yaml:"both_if"`
	SharedEmailLimit int      `yaml:"shared_email_limit"` // an address used by more persons is unusable
}

// EmailPolicy paces the e-mail.
type EmailPolicy struct {
	Connections int            `yaml:"connections"`
	Window      int            `yaml:"window"` // notices marked ahead per connection
	Rate        float64        `yaml:"rate"`   // messages per second over all providers; 0: no limit
	Hours       string         `yaml:"hours"`  // "08:00-20:00 Europe/Paris"; "": always
	Providers   ProviderPolicy `yaml:"providers"`
	Breaker     BreakerPolicy  `yaml:"breaker"`
}

// ProviderPolicy paces mailbox providers. In YAML it is a map of provider →
// limits, or the word "default" for the shipped table.
type ProviderPolicy struct {
	Default bool                     `yaml:"default"`
	Limits  map[string]ProviderLimit `yaml:"limits"`
}

// UnmarshalYAML takes the word "default" or a map of provider to limit.
func (p *ProviderPolicy) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil {
		if word != "" && word != "default" {
			return fmt.Errorf("email.providers is %q: it is a map of provider to limits, or the word default", word)
		}
		p.Default = word == "default"
		return nil
	}
	return unmarshal(&p.Limits)
}

// InForce returns the limit of each provider that has one.
func (p ProviderPolicy) InForce() map[string]ProviderLimit {
	if !p.Default {
		return p.Limits
	}
	all := DefaultProviderLimits()
	maps.Copy(all, p.Limits)
	return all
}

// ProviderLimit paces one mailbox provider.
type ProviderLimit struct {
	Rate        float64  `yaml:"rate"`        // messages per second when warm
	Connections int      `yaml:"connections"` // at once
	RampFrom    float64  `yaml:"ramp_from"`   // messages per second at the start of the campaign
	RampOver    Duration `yaml:"ramp_over"`   // time until Rate is reached
}

// BreakerPolicy says when sending stops by itself.
type BreakerPolicy struct {
	Refusals   int     `yaml:"refusals"`    // consecutive refusals that are our fault, per provider
	DoubtShare float64 `yaml:"doubt_share"` // share of doubts among the last 200
}

// PostPolicy says how letters are printed.
type PostPolicy struct {
	Profile    string   `yaml:"profile"` // envelope profile: fr-dl, fr-c5, …
	RunSize    int      `yaml:"run_size"`
	CutOff     string   `yaml:"cut_off"`     // "17:30 Europe/Paris": what is due by then goes into the day's runs
	MinLetters int      `yaml:"min_letters"` // gather at least so many …
	MaxWait    Duration `yaml:"max_wait"`    // … but wait no longer than this
	EncryptTo  string   `yaml:"encrypt_to"`  // age recipient of the print shop
	Duplex     *bool    `yaml:"duplex"`      // both sides printed; default true
}

// FeedbackPolicy is the YAML form of Policy.
type FeedbackPolicy struct {
	InDoubt      string     `yaml:"in_doubt"`
	Resend       []Duration `yaml:"resend"`
	Deadline     Duration   `yaml:"deadline"`
	BounceWindow Duration   `yaml:"bounce_window"`
	ReturnWindow Duration   `yaml:"return_window"`
}

// Schedule bounds the sending in time.
type Schedule struct {
	EmailFrom  string `yaml:"email_from"`  // RFC 3339 time; "": at once
	EmailUntil string `yaml:"email_until"` // RFC 3339 time; "": no end
	DepositOn  Date   `yaml:"deposit_on"`  // date on the letters; zero: the day of the print run
}

// Retention says when personal data go.
type Retention struct {
	PurgeAfter Duration `yaml:"purge_after"`
}

// EmbargoSpec hides the campaign from its first day on. It counts when the campaign
// is made; later ones are set beside it.
type EmbargoSpec struct {
	Until   string   `yaml:"until"`   // RFC 3339 time; "": no embargo
	Members []string `yaml:"members"` // logins, and "token:NAME" of programs
}

// Policy returns the feedback policy with its defaults.
func (s *Spec) Policy() Policy {
	p := DefaultPolicy()
	f := s.Feedback
	if f.InDoubt != "" {
		p.InDoubt = DoubtPolicy(f.InDoubt)
	}
	if f.Resend != nil {
		p.Resend = nil
		for _, d := range f.Resend {
			p.Resend = append(p.Resend, time.Duration(d))
		}
	}
	for _, x := range []struct {
		to   *time.Duration
		from Duration
	}{{&p.Deadline, f.Deadline}, {&p.BounceWindow, f.BounceWindow}, {&p.ReturnWindow, f.ReturnWindow}} {
		if x.from != 0 {
			*x.to = time.Duration(x.from)
		}
	}
	return p
}

// SenderFor returns the key of the sender for a customer with these contract
// kinds: the one they all lead to, or the "*" sender when they differ.
func (s *Spec) SenderFor(products []string) string {
	key := ""
	for _, p := range products {
		k, ok := s.SenderOf[p]
		if !ok {
			k = s.SenderOf["*"]
		}
		if key != "" && k != key {
			return s.SenderOf["*"]
		}
		key = k
	}
	if key == "" {
		key = s.SenderOf["*"]
	}
	return key
}

// ContractKind returns what people call a contract kind in a locale; its code where
// nothing is said.
func (s *Spec) ContractKind(code, locale string) string { return s.Contracts[code].In(locale, code) }

// In returns the text of a locale, else what stands for it.
func (t Texts) In(locale, otherwise string) string {
	if text := strings.TrimSpace(t[locale]); text != "" {
		return text
	}
	return otherwise
}

// Locale returns the locale to write in: the customer's if the campaign has it,
// by language if not by region, else the fallback.
func (s *Spec) Locale(wanted string) string {
	wanted = strings.ToLower(strings.ReplaceAll(wanted, "_", "-"))
	if slices.Contains(s.Letters.Locales, wanted) {
		return wanted
	}
	if lang, _, _ := strings.Cut(wanted, "-"); slices.Contains(s.Letters.Locales, lang) {
		return lang
	}
	return s.Letters.FallbackLocale
}

// Date is a calendar date without a time zone. Its text form is 2006-01-02, ""
// for the zero value.
type Date struct{ time.Time }

// UnmarshalText parses 2006-01-02.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		d.Time = time.Time{}
		return nil
	}
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("%q is not a date like 2026-01-12", b)
	}
	d.Time = t
	return nil
}

// MarshalText writes 2006-01-02.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.AppendFormat(nil, time.DateOnly), nil
}

// Duration is a time.Duration whose text form is "4h", "90m".
type Duration time.Duration

// UnmarshalText parses "4h"; "0" is zero.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a duration like 4h or 90m", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes "4h0m0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }
