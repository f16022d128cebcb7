// Package sample writes a synthetic population: people who do not exist, with
// contracts and impacts, in the input formats of Art34. No address can be
// delivered to: e-mail domains end in .example (RFC 2606), phone numbers are of
// the ranges that are set aside for fiction.
package sample

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// Config is one population. The same Customers and Seed give the same bytes.
type Config struct {
	Customers int    // rows of the directory, without the few bad ones
	Seed      uint64 // any
	Dir       string // is created; gets customers.csv, impact.csv, campaign.yaml, logo-main.png, logo-second.png
}

// Totals says what was written.
type Totals struct {
	Customers int64 // rows of the directory, bad ones included
	Impacts   int64 // rows of the impact list, bad ones included
}

//go:embed campaign.yaml
var campaign []byte

// Write streams the population to Dir. Files that are there are replaced.
func Write(ctx context.Context, c Config) (Totals, error) {
	if c.Customers < 1 || c.Customers > 20_000_000 {
		return Totals{}, errors.New("customers: 1 to 20000000")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return Totals{}, err
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "campaign.yaml"), campaign, 0o600); err != nil {
		return Totals{}, err
	}
	for name, second := range map[string]bool{"logo-main.png": false, "logo-second.png": true} {
		b, err := logo(second)
		if err == nil {
			err = os.WriteFile(filepath.Join(c.Dir, name), b, 0o600)
		}
		if err != nil {
			return Totals{}, err
		}
	}
	w := newWorld(c.Seed)
	var t Totals
	var err error
	if t.Customers, err = w.write(ctx, filepath.Join(c.Dir, "customers.csv"), c.Customers, w.customers); err != nil {
		return t, err
	}
	t.Impacts, err = w.write(ctx, filepath.Join(c.Dir, "impact.csv"), c.Customers, w.list)
	return t, err
}

// sheet counts the rows that are written after the header.
type sheet struct {
	*csv.Writer
	rows int64
}

func (s *sheet) row(cells ...string) error {
	s.rows++
	return s.Write(cells)
}

func (w *world) write(ctx context.Context, path string, n int, fill func(context.Context, *sheet, int) error) (rows int64, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriterSize(f, 1<<20)
	s := &sheet{Writer: csv.NewWriter(buffered)}
	if err := fill(ctx, s, n); err != nil {
		return s.rows, err
	}
	s.Flush()
	return s.rows, errors.Join(s.Error(), buffered.Flush())
}

// customers writes the directory, with about five bad rows in ten thousand.
func (w *world) customers(ctx context.Context, s *sheet, n int) error {
	if err := s.Write([]string{"customer_id", "person_id", "title", "first_name", "last_name", "company", "email", "phone", "address_1", "address_2", "address_3", "address_4", "address_5",
		"postcode", "city", "country", "locale", "format", "flags", "representative_name", "email_date", "address_date", "segment", "newsletter_optin"}); err != nil {
		return err
	}
	for i := range n {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		c := w.customer(i)
		if err := s.row(c.id, c.person, c.title, c.first, c.last, c.company, c.email, c.phone, c.address[0], c.address[1], c.address[2], c.address[3], c.address[4],
			c.postcode, c.city, c.country, c.locale, c.format, c.flags, c.representative, c.emailDate, c.addressDate, c.segment, "non"); err != nil {
			return err
		}
		if err := w.badCustomer(s, c, i); err != nil {
			return err
		}
	}
	return s.row("TOTAL", strconv.Itoa(n))
}

// badCustomer adds what real lists hold beside customers.
func (w *world) badCustomer(s *sheet, c customer, i int) error {
	switch i % 10_000 {
	case 1_234:
		return s.row("", "", "M.", "Sans", "Numéro")
	case 3_456:
		return s.row("6.12E+08", "", "Mme", "Tableur", "Mangé", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "")
	case 5_678:
		return s.row(number(i)+"X", "", "M.", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "")
	case 7_890: // the same number under another name: held, not rejected
		return s.row(c.id, "", "M.", "Autre", "Personne", "", "", "", c.address[0], "", "", "", "", c.postcode, c.city, c.country, "fr", "standard", "", "", "", "", "", "")
	}
	return nil
}

// list writes the impact list in an order of its own: the rows of one customer are
// together, the customers are not where the directory has them.
func (w *world) list(ctx context.Context, s *sheet, n int) error {
	if err := s.Write([]string{"customer_id", "contract_id", "contract_kind", "contract_label", "data_kinds", "certainty", "source", "observed_at"}); err != nil {
		return err
	}
	step := stride(n)
	for k, i := 0, n/3; k < n; k, i = k+1, (i+step)%n {
		if k%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for _, p := range w.impacts(w.customer(i), i) {
			if err := s.row(p.customer, p.contract, p.kind, p.label, p.data, p.certainty, p.source, p.observed); err != nil {
				return err
			}
		}
		if err := w.badImpact(s, i); err != nil {
			return err
		}
	}
	return nil
}

// badImpact adds rows without a customer in the directory, and rows that cannot be
// read.
func (w *world) badImpact(s *sheet, i int) error {
	switch i % 10_000 {
	case 777, 2_777, 4_777, 6_777: // the directory does not know them
		return s.row(fmt0(i), fmt0(i)+"-1", "internet", "Fibre Essentielle", "identity|subscription", "confirmed", "sauvegarde", "2026-01-13")
	case 1_357:
		return s.row(number(i), "FI1", "internet", "Fibre Essentielle", "passwords-of-mars", "confirmed", "", "")
	case 8_642:
		return s.row(number(i), "FI2", "internet", "Fibre Essentielle", "", "confirmed", "", "")
	}
	return nil
}

func fmt0(i int) string { return "U" + strconv.Itoa(90_000_000+i) }

// stride returns a step that meets every number below n once.
func stride(n int) int {
	for s := n*5/8 | 1; ; s += 2 {
		if gcd(s, n) == 1 {
			return s % max(n, 1)
		}
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
