// Package returned reads what says that letters came back: references that
// somebody types, scanned symbols, and the lists of print shops and scanning
// services, with the reason that the post gave.
package returned

import (
	"regexp"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/listfile"
)

// Reason is why a letter came back.
type Reason struct {
	Code string
	// Bad says that the address is no good. Who refuses a letter, or does not fetch
	// it, lives where it was sent: the letter is neither repeated nor replaced.
	Bad     bool
	English string
	French  string // as the label of La Poste has it, where it does

	names []string // other spellings, folded
}

// Codes of the reasons that the label of La Poste has since 2013, and of those that
// say nothing.
const (
	AccessOrAddress  = "access-or-address"
	UnknownAtAddress = "unknown-at-address"
	Refused          = "refused"
	Unclaimed        = "unclaimed"
	NotStated        = "not-stated"
	Other            = "other"
)

// Reasons lists the reasons. The first four are those of the label "pli non
// distribuable" of La Poste; then those of the UPU's label of return (CN 15) and
// of foreign posts, in the languages in which they come back to France.
func Reasons() []Reason {
	return []Reason{
		{AccessOrAddress, true, "no access, or a fault in the address", "défaut d'accès ou d'adressage", []string{
			"defaut acces ou adressage", "defaut d acces", "defaut d adressage", "defaut d acces et d adressage", "defaut d adressage ou d acces", "acces ou adressage",
			"pas d acces", "inaccessible", "boite inaccessible", "pas de boite aux lettres", "pas de boite", "boite non identifiable", "boite aux lettres non identifiable",
			"no access", "no mail receptacle", "no letterbox", "inaccessible address", "access or address fault", "address inaccessible"}},
		{UnknownAtAddress, true, "unknown at the address", "destinataire inconnu à l'adresse", []string{
			"inconnu a l adresse", "inconnu", "inconnue", "destinataire inconnu", "inconnu a l adresse indiquee", "inconnu a cette adresse", "n habite pas a l adresse indiquee", "npai",
			"unknown", "unknown at address", "addressee unknown", "not known", "not known at this address", "attempted not known", "no such person",
			"unbekannt", "empfanger unbekannt", "desconocido", "sconosciuto", "onbekend", "recipient not found at address provided"}},
		{Refused, false, "refused by the addressee", "pli refusé par le destinataire", []string{
			"refuse par le destinataire", "pli refuse", "refuse", "refus", "courrier refuse",
			"refused by addressee", "addressee refused", "delivery refused", "refused by the addressee", "annahme verweigert", "verweigert", "rehusado", "rifiutato", "geweigerd"}},
		{Unclaimed, false, "not claimed", "pli avisé et non réclamé", []string{
			"pli non reclame", "non reclame", "avise non reclame", "avise et non reclame", "pli avise non reclame", "pli avise et non reclame",
			"not claimed", "not collected", "not called for", "nicht abgeholt", "nicht abgefordert", "no reclamado", "non reclamato", "non ritirato", "niet afgehaald"}},
		{"moved", true, "moved", "parti, a déménagé", []string{
			"parti", "partie", "parti sans laisser d adresse", "parti sans adresse", "psla", "psa", "demenage", "a demenage", "demenage sans laisser d adresse",
			"moved left no address", "moved no address", "gone away", "addressee gone away", "addressee moved", "no longer at this address", "left no address",
			"forwarding order expired", "moved forwarding period expired", "verzogen", "unbekannt verzogen", "umgezogen", "abgereist", "se mudo", "trasferito", "verhuisd", "vertrokken"}},
		{"insufficient-address", true, "the address is incomplete or wrong", "adresse insuffisante ou inexacte", []string{
			"adresse insuffisante", "adresse incomplete", "adresse inexacte", "adresse erronee", "adresse incorrecte", "adresse illisible", "insuffisante",
			"insufficient address", "incomplete address", "incorrect address", "wrong address", "address unreadable", "illegible address", "insufficient",
			"anschrift ungenugend", "direccion insuficiente", "direccion incorrecta", "indirizzo insufficiente", "indirizzo inesatto", "onvolledig adres", "ontoereikend adres"}},
		{"no-such-address", true, "there is no such address", "adresse inexistante", []string{
			"rue inconnue", "numero inconnu", "numero inexistant", "localite inconnue", "adresse inconnue",
			"no such address", "no such number", "no such street", "no such post office", "address does not exist", "vacant", "boite vacante", "box closed", "box closed no order"}},
		{"deceased", false, "deceased", "décédé", []string{
			"decedee", "destinataire decede", "addressee deceased", "dead", "verstorben", "gestorben", "fallecido", "fallecida", "deceduto", "deceduta", "overleden"}},
		{"company-closed", false, "the company exists no longer", "entreprise fermée", []string{
			"societe fermee", "societe dissoute", "societe radiee", "etablissement ferme", "entreprise disparue", "liquidation", "liquidation judiciaire", "cessation d activite", "fermeture definitive",
			"company closed", "closed", "company no longer in business", "out of business", "ceased trading", "firma erloschen"}},
		{"absent", false, "away at the time", "absent", []string{
			"en voyage", "temporairement absent", "addressee absent", "temporarily away", "travelling", "not available", "verreist", "abwesend", "ausente", "assente", "afwezig"}},
		{"held-or-late", false, "kept too long at the office", "délai de garde expiré", []string{
			"delai expire", "garde expiree", "delai de garde depasse", "retention period expired", "lagerfrist abgelaufen"}},
		{"postage", false, "postage missing or not paid", "affranchissement insuffisant", []string{
			"taxe refusee", "non affranchi", "postage due", "insufficient postage", "postage not paid", "taxe"}},
		{"damaged", false, "damaged on its way", "détérioré", []string{
			"pli deteriore", "endommage", "spoiled", "beschadigt"}},
		{"not-admitted", false, "not admitted in the country", "non admis", []string{
			"interdit", "service suspendu", "prohibited", "service suspended", "not admitted", "nicht zugelassen"}},
		{NotStated, false, "no reason stated", "motif non précisé", []string{
			"", "non renseigne", "motif non renseigne", "non precise", "motif inconnu", "sans motif", "aucun motif", "aucun", "pnd", "pli non distribuable", "retour", "retour a l envoyeur", "retour expediteur",
			"no reason", "none", "return to sender", "undeliverable", "not given", "n a", "na"}},
		{Other, false, "another reason", "autre motif", []string{"autre", "autres", "divers", "other reason"}},
	}
}

// ReasonOf returns the reason with a code.
func ReasonOf(code string) (Reason, bool) {
	for _, r := range Reasons() {
		if r.Code == code {
			return r, true
		}
	}
	return Reason{}, false
}

// Outcome is what the reason means for the notice: pipeline.Dead gives the address
// up, pipeline.None is recorded only.
func (r Reason) Outcome() pipeline.Outcome {
	if r.Bad {
		return pipeline.Dead
	}
	return pipeline.None
}

// Names knows how reasons are written: those of Reasons, and what a print shop
// calls them.
type Names map[string]Reason

// NewNames returns the shipped spellings and own ones, from the text of a print
// shop to a code or spelling of ours. An own one wins.
func NewNames(own map[string]string) (Names, error) {
	n := Names{}
	for _, r := range Reasons() {
		for _, s := range append(slices.Clone(r.names), listfile.Fold(r.Code), listfile.Fold(r.English), listfile.Fold(r.French)) {
			n[s] = r
		}
	}
	mapped := map[string]Reason{}
	for text, to := range own {
		r, ok := n.Parse(to)
		if !ok {
			return nil, &pipeline.Error{Code: "reason-unknown", Permanent: true, Exit: 2, Sentence: "there is no reason of that name to map to", Hint: "there are " + strings.Join(Codes(), ", ")}
		}
		mapped[listfile.Fold(text)] = r
	}
	for s, r := range mapped {
		n[s] = r
	}
	return n, nil
}

// numbered is a reason with its number on the print shop's own list before it: "2 -
// destinataire inconnu". Numbers alone mean nothing until somebody maps them.
var numbered = regexp.MustCompile(`^[0-9]{1,2} (.*[a-z].*)$`)

// Parse returns the reason that a text names. It compares without case, accents and
// punctuation, and never guesses.
func (n Names) Parse(text string) (Reason, bool) {
	s := listfile.Fold(text)
	if r, ok := n[s]; ok {
		return r, true
	}
	if m := numbered.FindStringSubmatch(s); m != nil {
		r, ok := n[m[1]]
		return r, ok
	}
	return Reason{}, false
}

// Codes lists the codes in the order of Reasons.
func Codes() []string {
	var list []string
	for _, r := range Reasons() {
		list = append(list, r.Code)
	}
	return list
}
