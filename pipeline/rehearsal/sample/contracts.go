package sample

import "fmt"

// impact is one row of the impact list.
type impact struct{ customer, contract, kind, label, data, certainty, source, observed string }

// impacts makes the rows of customer i: about two in three are concerned, with
// one to four contracts.
func (w *world) impacts(c customer, i int) []impact {
	r := at(w.seed^0xC0117, uint64(i))
	if r.in(330) {
		return nil
	}
	var rows []impact
	if r.in(350) {
		rows = append(rows, impact{customer: c.id, data: pick(r, []string{"identity|contact", "identity|contact|household", "contact"})})
	}
	for k := range 1 + r.n(3) + r.n(2) {
		kind, label := contract(c, r)
		rows = append(rows, impact{
			customer: c.id, contract: fmt.Sprintf("%s%09d", prefix(kind), 100_000_000+i*5+k), kind: kind, label: label,
			data: pick(r, []string{"subscription", "subscription|bank-truncated", "identity|subscription", "contact|subscription|bank-truncated", "household|subscription"}),
		})
		if r.in(30) {
			rows = append(rows, rows[len(rows)-1]) // the forensics list it twice
		}
	}
	for j := range rows {
		rows[j].certainty = pick(r, []string{"confirmed", "confirmed", "confirmed", "confirmed", "possible", ""})
		rows[j].source, rows[j].observed = pick(r, []string{"journal-web", "export-base", "sauvegarde"}), fmt.Sprintf("2026-01-%02d", 12+r.n(4))
	}
	return rows
}

func contract(c customer, r *source) (kind, label string) {
	if c.brand == 1 {
		return "second-brand", pick(r, []string{"Forfait Nuage 20 Go", "Forfait Nuage 100 Go", "Nuage Box"})
	}
	switch r.n(10) {
	case 0, 1, 2, 3:
		return "internet", pick(r, []string{"Fibre Essentielle", "Fibre Confort", "ADSL Maison"})
	case 4, 5, 6:
		return "mobile-postpaid", pick(r, []string{"Forfait Mobile 5 Go", "Forfait Mobile 80 Go", "Forfait Mobile illimité"})
	case 7:
		return "mobile-prepaid", "Carte prépayée"
	case 8:
		return "convergent", "Pack Fibre + Mobile"
	}
	return "second-brand", "Forfait Nuage 20 Go"
}

func prefix(kind string) string {
	switch kind {
	case "internet":
		return "FI"
	case "mobile-postpaid":
		return "MB"
	case "mobile-prepaid":
		return "PP"
	case "convergent":
		return "CV"
	}
	return "NM"
}
