package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// resolver is what the doctor asks of the DNS.
type resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, name string) ([]string, error)
}

// newResolver asks the system's name servers, or the given one.
func newResolver(server string) resolver {
	if server == "" {
		return &net.Resolver{}
	}
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(server, "53")
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server)
	}}
}

// senderDomains are the domains that a sender stands on.
type senderDomains struct{ From, ReplyTo, Envelope string }

func domainsOf(s pipeline.Sender) senderDomains {
	return senderDomains{domainOf(s.From), domainOf(s.ReplyTo), domainOf("@" + s.EnvelopeDomain)}
}

// absent reports whether the DNS says that there is nothing, rather than nothing
// at all.
func absent(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.IsNotFound
}

// records looks at the DNS records of a sender. proven says that the way back
// works whatever the DNS says.
func (d *doctor) records(ctx context.Context, x senderDomains, proven bool, seen map[string]bool) {
	once := func(key string, look func(ctx context.Context)) {
		if seen[key] {
			return
		}
		seen[key] = true
		ctx, cancel := context.WithTimeout(ctx, doctorPatience)
		defer cancel()
		look(ctx)
	}
	once("spf "+x.Envelope, func(ctx context.Context) { d.spf(ctx, x.Envelope) })
	for _, s := range d.DKIMSelector {
		once("dkim "+s+" "+x.From, func(ctx context.Context) { d.dkim(ctx, s, x.From) })
	}
	if len(d.DKIMSelector) == 0 {
		once("dkim "+x.From, func(context.Context) {
			d.say(doctorSkipped, "DKIM", x.From, "the selector is not known here", "name it with --dkim-selector; the relay has to sign with d="+x.From+", that is what survives forwarding")
		})
	}
	once("dmarc "+x.From+" "+x.Envelope, func(ctx context.Context) { d.dmarc(ctx, x) })
	once("mx "+x.Envelope, func(ctx context.Context) { d.returns(ctx, x.Envelope, proven) })
	if x.ReplyTo != "" {
		once("reply "+x.ReplyTo, func(ctx context.Context) { d.answers(ctx, x.ReplyTo) })
	}
}

// txt returns the records of a name that begin with a tag; said is true when the
// answer was said already because the DNS gave none.
func (d *doctor) txt(ctx context.Context, check, domain, name, tag string) (list []string, said bool) {
	all, err := d.dns.LookupTXT(ctx, name)
	if err != nil && !absent(err) {
		d.say(doctorWarn, check, domain, "the DNS gave no answer", "try again, or name another server with --dns")
		return nil, true
	}
	for _, r := range all {
		if len(r) >= len(tag) && strings.EqualFold(r[:len(tag)], tag) {
			list = append(list, r)
		}
	}
	return list, false
}

// spf looks for the record of the domain that return paths are at (RFC 7208).
func (d *doctor) spf(ctx context.Context, domain string) {
	list, said := d.txt(ctx, "SPF", domain, domain, "v=spf1")
	switch {
	case said:
	case len(list) == 0:
		d.say(doctorFail, "SPF", domain, "there is no record", fmt.Sprintf(`publish a TXT record at %s that names the relay, such as "v=spf1 ip4:192.0.2.1 -all"`, domain))
	case len(list) > 1:
		d.say(doctorFail, "SPF", domain, fmt.Sprintf("there are %d records, which counts as none", len(list)), "leave one (RFC 7208, section 4.5)")
	case strings.Contains(list[0], "+all") || strings.HasSuffix(strings.TrimSpace(list[0]), " all"):
		d.say(doctorFail, "SPF", domain, "the record lets the whole world send", "end it in -all or ~all")
	case strings.EqualFold(strings.Join(strings.Fields(list[0]), " "), "v=spf1 -all"):
		d.say(doctorFail, "SPF", domain, "the record says that nobody sends from this domain", "name the relay in it")
	default:
		d.say(doctorOK, "SPF", domain, "there is one record; it has to name the relay: "+short(list[0]), "")
	}
}

// dkim looks for a key (RFC 6376).
func (d *doctor) dkim(ctx context.Context, selector, domain string) {
	name := selector + "._domainkey." + domain
	all, err := d.dns.LookupTXT(ctx, name)
	key := strings.Join(all, "")
	switch {
	case err != nil && !absent(err):
		d.say(doctorWarn, "DKIM", domain, "the DNS gave no answer", "try again, or name another server with --dns")
	case len(all) == 0:
		d.say(doctorFail, "DKIM", domain, "there is no key under the selector "+selector, "publish the relay's key at "+name)
	case tag(key, "p") == "":
		d.say(doctorFail, "DKIM", domain, "the key of the selector "+selector+" is revoked or damaged", "publish the relay's key at "+name)
	case len(tag(key, "p")) < 200 && !strings.EqualFold(tag(key, "k"), "ed25519"):
		d.say(doctorWarn, "DKIM", domain, "the key of the selector "+selector+" is shorter than 2048 bits hold", "sign with RSA-2048 (RFC 8301 asks for 1024 at least, big providers prefer 2048)")
	case strings.Contains(tag(key, "t"), "y"):
		d.say(doctorWarn, "DKIM", domain, "the key of the selector "+selector+" is marked as a test (t=y)", "take t=y out of "+name)
	default:
		d.say(doctorOK, "DKIM", domain, "there is a key under the selector "+selector, "")
	}
}

// dmarc looks for the policy of the From domain or of its organisation, and for
// the alignment of the return path (RFC 7489).
func (d *doctor) dmarc(ctx context.Context, x senderDomains) {
	record, at := "", x.From
	for name := x.From; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		list, said := d.txt(ctx, "DMARC", x.From, "_dmarc."+name, "v=DMARC1")
		if said {
			return
		}
		if len(list) > 1 {
			d.say(doctorFail, "DMARC", x.From, fmt.Sprintf("there are %d records, which counts as none", len(list)), "leave one at _dmarc."+name)
			return
		}
		if len(list) == 1 {
			record, at = list[0], name
			break
		}
	}
	policy := strings.ToLower(tag(record, "p"))
	switch {
	case record == "":
		d.say(doctorFail, "DMARC", x.From, "there is no policy: Google, Yahoo and Microsoft refuse bulk mail without one", fmt.Sprintf(`publish a TXT record at _dmarc.%s, at least "v=DMARC1; p=none"`, x.From))
		return
	case !slices.Contains([]string{"none", "quarantine", "reject"}, policy):
		d.say(doctorFail, "DMARC", x.From, "the record has no policy that is known", `p=none, p=quarantine or p=reject at _dmarc.`+at)
		return
	}
	strict := strings.EqualFold(tag(record, "aspf"), "s")
	aligned := x.Envelope == x.From || !strict && sameOrganisation(x.Envelope, x.From)
	switch {
	case !aligned && strict:
		d.say(doctorWarn, "DMARC", x.From, fmt.Sprintf("p=%s with aspf=s: the return path at %s is not aligned, so everything rests on DKIM", policy, x.Envelope), "take aspf=s out, and sign with d="+x.From)
	case !aligned:
		d.say(doctorWarn, "DMARC", x.From, fmt.Sprintf("p=%s: the return path at %s is of another organisation, so everything rests on DKIM", policy, x.Envelope), "make envelope_domain a subdomain of "+x.From+", and sign with d="+x.From)
	case policy == "none":
		d.say(doctorOK, "DMARC", x.From, "p=none, the return path is aligned; p=reject would keep forgers from writing in your name", "")
	default:
		d.say(doctorOK, "DMARC", x.From, fmt.Sprintf("p=%s, the return path is aligned", policy), "")
	}
}

// sameOrganisation reports whether two domains belong together, as far as that can
// be said without the list of public suffixes: one lies below the other, or both
// below the same name of two labels, three where the second is short (co.uk).
func sameOrganisation(a, b string) bool {
	if strings.HasSuffix("."+a, "."+b) && strings.Contains(b, ".") || strings.HasSuffix("."+b, "."+a) && strings.Contains(a, ".") {
		return true
	}
	return organisation(a) == organisation(b)
}

func organisation(domain string) string {
	l := strings.Split(domain, ".")
	n := 2
	if len(l) > 2 && len(l[len(l)-2]) <= 3 {
		n = 3
	}
	return strings.Join(l[max(0, len(l)-n):], ".")
}

// returns looks at where bounces go.
func (d *doctor) returns(ctx context.Context, domain string, proven bool) {
	list, err := d.dns.LookupMX(ctx, domain)
	switch {
	case proven && len(list) == 0:
		d.say(doctorOK, "MX of return paths", domain, "there is none, and bounces come back all the same", "")
	case err != nil && !absent(err):
		d.say(doctorWarn, "MX of return paths", domain, "the DNS gave no answer", "try again, or name another server with --dns")
	case len(list) == 1 && list[0].Host == ".":
		d.say(doctorFail, "MX of return paths", domain, "the domain says that it takes no mail (null MX)", "point its MX to the relay that routes it to art34")
	case len(list) > 0:
		d.say(doctorOK, "MX of return paths", domain, "bounces go to "+strings.TrimSuffix(list[0].Host, "."), "")
	default:
		if hosts, err := d.dns.LookupHost(ctx, domain); err == nil && len(hosts) > 0 {
			d.say(doctorWarn, "MX of return paths", domain, "there is no MX; mail goes to the host of that name", "publish an MX that leads to the relay")
			return
		}
		d.say(doctorFail, "MX of return paths", domain, "there is neither MX nor address: bounces of other providers come to nobody", "publish an MX that leads to the relay which routes "+domain+" to art34")
	}
}

// answers looks at where people's answers go.
func (d *doctor) answers(ctx context.Context, domain string) {
	list, err := d.dns.LookupMX(ctx, domain)
	switch {
	case err != nil && !absent(err):
		d.say(doctorWarn, "Reply-To", domain, "the DNS gave no answer", "try again, or name another server with --dns")
	case len(list) == 1 && list[0].Host == ".":
		d.say(doctorFail, "Reply-To", domain, "the domain says that it takes no mail: customers who answer get an error", "choose a reply_to that somebody reads")
	case len(list) > 0:
		d.say(doctorOK, "Reply-To", domain, "answers go to "+strings.TrimSuffix(list[0].Host, "."), "")
	default:
		if hosts, err := d.dns.LookupHost(ctx, domain); err == nil && len(hosts) > 0 {
			d.say(doctorOK, "Reply-To", domain, "answers go to the host of that name", "")
			return
		}
		d.say(doctorFail, "Reply-To", domain, "the domain takes no mail: customers who answer get an error", "choose a reply_to that somebody reads, or publish its MX")
	}
}

// tag returns a value of a record of tags: "v=DMARC1; p=none".
func tag(record, name string) string {
	for _, part := range strings.Split(record, ";") {
		k, v, ok := strings.Cut(part, "=")
		if ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.Join(strings.Fields(v), "")
		}
	}
	return ""
}

// short cuts a record to what fits a line.
func short(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
