package intake

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/idna"
)

// Kinds of search keys. They are part of the token's hash.
const (
	KeyCustomer  = "customer"
	KeyContract  = "contract"
	KeyEmail     = "email"
	KeyPhone     = "phone"
	KeyReference = "reference"
	KeyName      = "name" // folded family name or company, "/", folded postcode
)

// Key is a normalised search key; Keys.Token(Kind, Value) is its token.
type Key struct{ Kind, Value string }

// SearchKeys returns the keys by which a person is found: every customer and
// contract number, e-mail address, phone number, reference, family name or
// company with postcode.
func SearchKeys(p pipeline.Person) []Key {
	list := make([]Key, 0, len(p.CustomerIDs)+len(p.Contracts)+5)
	for _, id := range p.CustomerIDs {
		list = appendKey(list, KeyCustomer, foldNumber(id))
	}
	for i := range p.Contracts {
		list = appendKey(list, KeyContract, foldNumber(p.Contracts[i].ID))
	}
	list = appendKey(list, KeyEmail, strings.ToLower(p.Email))
	list = appendKey(list, KeyPhone, p.Phone)
	list = appendKey(list, KeyReference, p.Reference.Compact())
	if post := foldText(p.Postcode); post != "" {
		for _, name := range []string{p.LastName, p.Company} {
			if name = foldText(name); name != "" {
				list = appendKey(list, KeyName, name+"/"+post)
			}
		}
	}
	return list
}

// Fits reports whether a text that led to a person by name and postcode may mean
// this very one: what it holds beside family name, company and postcode are first
// names, whole or by their initial. Another first name is another person.
func Fits(text string, p pipeline.Person) bool {
	spoken := func(s string) []string {
		return strings.FieldsFunc(spaces(s), func(r rune) bool { return r == ' ' || r == '-' || r == '.' })
	}
	var own, first []string
	for _, s := range []string{p.LastName, p.Company, p.Postcode} {
		for _, w := range spoken(s) {
			own = append(own, foldText(w))
		}
		own = append(own, foldText(s))
	}
	for _, s := range append(spoken(p.FirstName), p.FirstName) {
		first = append(first, foldText(s))
	}
	words := spoken(text)
	for i := 0; i < len(words); i++ {
		w := foldText(words[i])
		if w == "" || slices.Contains(own, w) || slices.Contains(titles(), w) {
			continue
		}
		if i+1 < len(words) && slices.Contains(own, foldText(words[i]+words[i+1])) {
			i++ // a postcode or a name in two parts
			continue
		}
		if !slices.ContainsFunc(first, func(f string) bool { return f == w || len(w) == 1 && strings.HasPrefix(f, w) }) {
			return len(first) == 1 && first[0] == "" // nobody knows the first name
		}
	}
	return true
}

func appendKey(list []Key, kind, value string) []Key {
	if value == "" {
		return list
	}
	return append(list, Key{kind, value})
}

// QueryKeys returns the keys that a text may mean, the most likely first: what a
// caller reads out, as an agent types it.
func QueryKeys(text string) []Key {
	text = spaces(text)
	if text == "" || len(text) > 320 {
		return nil
	}
	var list []Key
	if r, err := pipeline.ParseReference(text); err == nil {
		list = append(list, Key{KeyReference, r.Compact()})
	}
	if mail := spelled.ReplaceAllString(text, "@"); strings.ContainsRune(mail, '@') {
		return appendKey(list, KeyEmail, queryEmail(strings.ReplaceAll(mail, " ", "")))
	}
	if n := strings.Count(text, " "); n > 0 && n < 8 {
		list = append(list, nameKeys(strings.Fields(text))...)
	}
	number := foldNumber(text)
	list = appendKey(list, KeyCustomer, number)
	list = appendKey(list, KeyContract, number)
	if e := queryPhone(text); e != "" {
		list = append(list, Key{KeyPhone, e})
	}
	return list
}

// titles are what people put before a name, folded.
func titles() []string {
	return []string{"m", "mr", "mme", "mlle", "mrs", "ms", "monsieur", "madame", "mademoiselle", "dr", "docteur", "me", "maitre"}
}

func queryEmail(text string) string {
	text = strings.Trim(strings.TrimPrefix(strings.ToLower(text), "mailto:"), "<>.,; ")
	at := strings.LastIndexByte(text, '@')
	domain, err := idna.Domain(text[at+1:])
	if err != nil {
		return text
	}
	return text[:at+1] + domain
}

// queryPhone reads a number in French national form or with its prefix.
func queryPhone(text string) string {
	if strings.ContainsFunc(text, unicode.IsLetter) {
		return ""
	}
	if e := frenchPhone(text, "FR"); e != "" {
		return e
	}
	return e164(text, "FR")
}

// nameKeys reads "NAME POSTCODE", "Firstname Name POSTCODE" or "POSTCODE NAME".
// Postcodes abroad may have two words.
func nameKeys(words []string) []Key {
	var list []Key
	try := func(names []string, post string) {
		if !strings.ContainsAny(post, "0123456789") || len(names) == 0 {
			return
		}
		for from := range names {
			name := foldText(strings.Join(names[from:], ""))
			if name != "" {
				list = append(list, Key{KeyName, name + "/" + foldText(post)})
			}
		}
		if len(names) > 1 {
			list = append(list, Key{KeyName, foldText(names[0]) + "/" + foldText(post)}) // DUPONT Jean 75001
		}
	}
	n := len(words)
	try(words[:n-1], words[n-1])
	try(words[1:], words[0])
	if n > 2 {
		try(words[:n-2], words[n-2]+words[n-1])
		try(words[2:], words[0]+words[1])
	}
	return list
}

// foldNumber is a customer or contract number as people may write it: letters in
// capitals and digits, nothing else.
func foldNumber(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(s))
}
