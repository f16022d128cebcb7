package pipeline

import "slices"

// Flags that the customer directory knows, each with its default rule.
const (
	FlagVIP              = "vip"
	FlagPress            = "press"
	FlagEmployee         = "employee"
	FlagMinor            = "minor"
	FlagProtectedAdult   = "protected-adult"
	FlagProtectedAddress = "protected-address"
	FlagDeceased         = "deceased"
	FlagLitigation       = "litigation"
	FlagNoEmail          = "no-email"
	FlagNoPost           = "no-post"
)

// Rule says what a flag does to the notice of a customer who has it.
type Rule string

const (
	RuleSend      Rule = "send"
	RuleHold      Rule = "hold"
	RuleExclude   Rule = "exclude"
	RuleEmailOnly Rule = "email-only" // never by post
	RulePostOnly  Rule = "post-only"  // never by e-mail
)

// Rules lists what a flag may do.
func Rules() []Rule { return []Rule{RuleSend, RuleHold, RuleExclude, RuleEmailOnly, RulePostOnly} }

// DefaultFlagRules returns the rule of each flag where the campaign says nothing.
// The list is closed: any other flag is an error of the input.
func DefaultFlagRules() map[string]Rule {
	return map[string]Rule{
		FlagVIP: RuleHold, FlagPress: RuleHold, FlagEmployee: RuleSend, FlagMinor: RuleHold,
		FlagProtectedAdult: RuleHold, FlagProtectedAddress: RuleHold, FlagDeceased: RuleExclude,
		FlagLitigation: RuleHold, FlagNoEmail: RulePostOnly, FlagNoPost: RuleEmailOnly,
	}
}

// FlagRule returns what a flag does in a campaign.
func (s *Spec) FlagRule(flag string) Rule {
	if own, ok := s.Flags[flag]; ok {
		return Rule(own)
	}
	return DefaultFlagRules()[flag]
}

// Formats of a letter.
const (
	FormatStandard   = "standard"
	FormatLargePrint = "large-print"
	FormatBraille    = "braille"
	FormatAudio      = "audio"
)

// Route is where a notice starts: State is Held, Due, Unreachable or Excluded.
type Route struct {
	State   State
	Channel Channel
	Reach   Reach
	Reason  string // code; "" when Due
	Both    bool   // a paper copy goes out beside the e-mail
}

// Traveller is what the choice of a channel needs to know.
type Traveller struct {
	Flags          []string
	Kinds          []string // data kinds
	Format         string
	EmailUsable    bool     // present, well-formed, no placeholder, not shared by too many
	Printable      bool     // a postal address that the profile can print
	HasContact     bool     // the directory knows this customer
	Representative bool     // somebody is named to be written to instead
	Defects        []string // codes that hold the notice: ambiguous record, contradictory names
}

// ChooseRoute decides channel and first state: exclusion first, then what holds,
// then policy by data kind and flag, then e-mail if usable, else post if
// printable, else unreachable with the reason.
func (s *Spec) ChooseRoute(t Traveller) Route {
	r := Route{State: Due}
	if t.EmailUsable {
		r.Reach |= ByEmail
	}
	if t.Printable {
		r.Reach |= ByPost
	}
	hold := ""
	for _, f := range t.Flags {
		rule := s.FlagRule(f)
		if f == FlagMinor && rule == RuleHold && t.Representative {
			rule = RuleSend // the letter goes to the representative
		}
		switch rule {
		case RuleExclude:
			return Route{State: Excluded, Channel: NoChannel, Reach: r.Reach, Reason: f}
		case RuleHold:
			if hold == "" {
				hold = f
			}
		case RuleEmailOnly:
			r.Reach = r.Reach.Without(ByPost)
		case RulePostOnly:
			r.Reach = r.Reach.Without(ByEmail)
		}
	}
	if len(t.Defects) > 0 && hold == "" {
		hold = t.Defects[0]
	}
	if t.Format == FormatBraille || t.Format == FormatAudio {
		// Made by hand from a text file: held until somebody did.
		if hold == "" {
			hold = t.Format
		}
	}
	wants := func(list []string) bool {
		return slices.ContainsFunc(list, func(c string) bool {
			return slices.Contains(t.Kinds, c) || slices.Contains(t.Flags, c)
		})
	}
	post := wants(s.Channels.PostIf) || t.Format == FormatLargePrint && r.Reach.Has(ByPost)
	switch {
	case post && r.Reach.Has(ByPost):
		r.Channel = Post
	case r.Reach.Has(ByEmail):
		r.Channel = Email
		r.Both = wants(s.Channels.BothIf) && r.Reach.Has(ByPost)
	case r.Reach.Has(ByPost):
		r.Channel = Post
	default:
		r.State, r.Channel, r.Reason = Unreachable, NoChannel, ReasonNoAddress
		if !t.HasContact {
			r.Reason = ReasonNoContact
		}
		return r
	}
	if hold != "" {
		r.State, r.Reason, r.Both = Held, hold, false
	}
	return r
}
