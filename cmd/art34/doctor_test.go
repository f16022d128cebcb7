package main

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"
)

// zone is a name server for a test: records by "TYPE name".
type zone map[string][]string

// serve answers questions over UDP and returns the address (RFC 1035, section 4).
func (z zone) serve(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = c.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if n > 12 {
				_, _ = c.WriteTo(z.answer(b[:n]), from)
			}
		}
	}()
	return c.LocalAddr().String()
}

func (z zone) answer(q []byte) []byte {
	var labels []string
	at := 12
	for at < len(q) && q[at] != 0 {
		n := int(q[at])
		labels = append(labels, string(q[at+1:at+1+n]))
		at += 1 + n
	}
	at++
	name, kind := strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(q[at:])
	types := map[uint16]string{1: "A", 15: "MX", 16: "TXT"}
	values, known := z[types[kind]+" "+name]
	for k := range z {
		known = known || strings.HasSuffix(k, " "+name)
	}
	out := append([]byte{}, q[:at+4]...)
	out[2], out[3] = 0x84, 0 // an answer, and ours
	if !known {
		out[3] = 3 // no such name
	}
	binary.BigEndian.PutUint16(out[6:], uint16(len(values)))
	binary.BigEndian.PutUint32(out[8:], 0)
	for _, v := range values {
		var data []byte
		switch kind {
		case 1:
			data = net.ParseIP(v).To4()
		case 15:
			data = []byte{0, 10}
			for _, l := range strings.FieldsFunc(v, func(r rune) bool { return r == '.' }) {
				data = append(append(data, byte(len(l))), l...)
			}
			data = append(data, 0)
		case 16:
			for rest := v; rest != ""; {
				part := rest[:min(255, len(rest))]
				data, rest = append(append(data, byte(len(part))), part...), rest[len(part):]
			}
		}
		out = append(out, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 60)
		out = binary.BigEndian.AppendUint16(out, uint16(len(data)))
		out = append(out, data...)
	}
	return out
}

func TestDoctorReadsTheDNS(t *testing.T) {
	t.Parallel()
	good := func() zone {
		return zone{
			"TXT bounce.exemple.example":           {"v=spf1 ip4:192.0.2.1 -all", "something else"},
			"TXT mail._domainkey.exemple.example":  {"v=DKIM1; k=rsa; p=" + strings.Repeat("A", 392)},
			"TXT _dmarc.exemple.example":           {"v=DMARC1; p=reject"},
			"MX bounce.exemple.example":            {"mx.exemple.example"},
			"MX exemple.example":                   {"mx.exemple.example"},
			"A host.exemple.example":               {"192.0.2.9"},
			"TXT short._domainkey.exemple.example": {"v=DKIM1; p=" + strings.Repeat("A", 100)},
		}
	}
	for name, c := range map[string]struct {
		change   func(z zone)
		envelope string
		replyTo  string
		selector string
		want     map[string]string // check → level and a part of the sentence
	}{
		"all well": {want: map[string]string{"SPF": "ok", "DKIM": "ok", "DMARC": "ok p=reject", "MX of return paths": "ok mx.exemple", "Reply-To": "ok"}},
		"nothing there": {change: func(z zone) { clear(z) }, want: map[string]string{
			"SPF": "fail no record", "DKIM": "fail no key", "DMARC": "fail no policy", "MX of return paths": "fail neither", "Reply-To": "fail no mail"}},
		"two SPF records": {change: func(z zone) {
			z["TXT bounce.exemple.example"] = []string{"v=spf1 -all", "v=spf1 ip4:192.0.2.1 -all"}
		}, want: map[string]string{"SPF": "fail 2 records"}},
		"SPF for everybody":    {change: func(z zone) { z["TXT bounce.exemple.example"] = []string{"v=spf1 +all"} }, want: map[string]string{"SPF": "fail whole world"}},
		"SPF for nobody":       {change: func(z zone) { z["TXT bounce.exemple.example"] = []string{"v=spf1  -all"} }, want: map[string]string{"SPF": "fail nobody"}},
		"a short key":          {selector: "short", want: map[string]string{"DKIM": "warn 2048"}},
		"a revoked key":        {change: func(z zone) { z["TXT mail._domainkey.exemple.example"] = []string{"v=DKIM1; p="} }, want: map[string]string{"DKIM": "fail revoked"}},
		"no selector":          {selector: "-", want: map[string]string{"DKIM": "skipped"}},
		"strict alignment":     {change: func(z zone) { z["TXT _dmarc.exemple.example"] = []string{"v=DMARC1; p=none; aspf=s"} }, want: map[string]string{"DMARC": "warn aspf=s"}},
		"no such policy":       {change: func(z zone) { z["TXT _dmarc.exemple.example"] = []string{"v=DMARC1; p=maybe"} }, want: map[string]string{"DMARC": "fail no policy that is known"}},
		"another house":        {envelope: "bounce.mailer.example", change: func(z zone) { z["TXT bounce.mailer.example"] = []string{"v=spf1 a -all"} }, want: map[string]string{"DMARC": "warn another organisation", "SPF": "ok", "MX of return paths": "fail neither"}},
		"a null MX":            {change: func(z zone) { z["MX exemple.example"] = []string{"."} }, want: map[string]string{"Reply-To": "fail takes no mail"}},
		"an address is enough": {replyTo: "host.exemple.example", want: map[string]string{"Reply-To": "ok host of that name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := good()
			if c.change != nil {
				c.change(z)
			}
			d := &doctor{dns: newResolver(z.serve(t))}
			if d.DKIMSelector = []string{"mail"}; c.selector == "-" {
				d.DKIMSelector = nil
			} else if c.selector != "" {
				d.DKIMSelector = []string{c.selector}
			}
			x := senderDomains{From: "exemple.example", ReplyTo: "exemple.example", Envelope: "bounce.exemple.example"}
			if c.envelope != "" {
				x.Envelope = c.envelope
			}
			if c.replyTo != "" {
				x.ReplyTo = c.replyTo
			}
			d.records(t.Context(), x, false, map[string]bool{})
			got := map[string]diagnosis{}
			for _, l := range d.list {
				got[l.Check] = l
				if l.Level != doctorOK && l.Hint == "" {
					t.Errorf("%s: %s says not what to do", l.Check, l.Level)
				}
			}
			for check, want := range c.want {
				level, part, _ := strings.Cut(want, " ")
				if l := got[check]; l.Level != level || !strings.Contains(l.Sentence, part) {
					t.Errorf("%s: %s, %q; want %s", check, l.Level, l.Sentence, want)
				}
			}
			if len(got) != 5 {
				t.Errorf("%d checks", len(got))
			}
		})
	}
}

func TestDNSThatIsSilentFailsNothing(t *testing.T) {
	t.Parallel()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := c.LocalAddr().String()
	_ = c.Close() // nobody there
	d := &doctor{dns: newResolver(address)}
	d.records(t.Context(), senderDomains{"exemple.example", "exemple.example", "bounce.exemple.example"}, false, map[string]bool{})
	for _, l := range d.list {
		if l.Level == doctorFail {
			t.Errorf("%s: %s", l.Check, l.Sentence)
		}
	}
}

func TestSameOrganisation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"bounce.exemple.fr", "exemple.fr", true}, {"exemple.fr", "mail.exemple.fr", true}, {"a.exemple.fr", "b.exemple.fr", true},
		{"exemple.fr", "autre.fr", false}, {"badexemple.fr", "exemple.fr", false}, {"a.co.uk", "b.co.uk", false}, {"x.a.co.uk", "y.a.co.uk", true},
	} {
		if got := sameOrganisation(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}
