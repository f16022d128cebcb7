package pipeline

import "strings"

// OtherProvider is the provider of every domain that the table does not know.
const OtherProvider = "other"

// providers maps the big mailbox domains of the table to who runs them. Pacing
// and breakers work by provider, because reputation does.
var providers = map[string]string{
	"orange.fr": "orange", "wanadoo.fr": "orange", "voila.fr": "orange",
	"gmail.com": "google", "googlemail.com": "google",
	"outlook.com": "microsoft", "outlook.fr": "microsoft", "hotmail.com": "microsoft", "hotmail.fr": "microsoft",
	"live.com": "microsoft", "live.fr": "microsoft", "msn.com": "microsoft",
	"yahoo.com": "yahoo", "yahoo.fr": "yahoo", "ymail.com": "yahoo", "aol.com": "yahoo", "aol.fr": "yahoo",
	"sfr.fr": "sfr", "neuf.fr": "sfr", "cegetel.net": "sfr", "club-internet.fr": "sfr", "numericable.fr": "sfr", "9online.fr": "sfr",
	"free.fr": "free", "aliceadsl.fr": "free",
	"laposte.net": "laposte",
	"bbox.fr":     "bouygues",
	"icloud.com":  "apple", "me.com": "apple", "mac.com": "apple",
}

// Provider returns the mailbox provider of an e-mail address, OtherProvider for
// domains that the table does not know and "" for no address.
func Provider(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return ""
	}
	domain := strings.ToLower(email[at+1:])
	if p, ok := providers[domain]; ok {
		return p
	}
	if name, ok := strings.CutSuffix(domain, ".example"); ok {
		return rehearsed(name)
	}
	return OtherProvider
}

// rehearsed maps the reserved domains of practice populations (RFC 2606) to the
// providers that they stand for: orange.example, wanadoo.example.
func rehearsed(name string) string {
	if _, ok := DefaultProviderLimits()[name]; ok {
		return name
	}
	for _, top := range []string{".fr", ".com", ".net"} {
		if p, ok := providers[name+top]; ok {
			return p
		}
	}
	return OtherProvider
}

// DefaultProviderLimits is the shipped table of paces, off until a campaign turns
// it on. Rates are messages per second of one warm sender; the ramp is for a
// sender that the provider does not know yet.
func DefaultProviderLimits() map[string]ProviderLimit {
	const day = Duration(24 * 3600e9)
	return map[string]ProviderLimit{
		"orange":      {Rate: 20, Connections: 3, RampFrom: 2, RampOver: day},
		"google":      {Rate: 50, Connections: 5, RampFrom: 5, RampOver: day},
		"microsoft":   {Rate: 30, Connections: 5, RampFrom: 3, RampOver: day},
		"yahoo":       {Rate: 20, Connections: 5, RampFrom: 2, RampOver: day},
		"sfr":         {Rate: 10, Connections: 3, RampFrom: 1, RampOver: day},
		"free":        {Rate: 10, Connections: 3, RampFrom: 1, RampOver: day},
		"laposte":     {Rate: 10, Connections: 3, RampFrom: 1, RampOver: day},
		"bouygues":    {Rate: 10, Connections: 3, RampFrom: 1, RampOver: day},
		"apple":       {Rate: 15, Connections: 5, RampFrom: 2, RampOver: day},
		OtherProvider: {Rate: 50, Connections: 8, RampFrom: 10, RampOver: day},
	}
}
