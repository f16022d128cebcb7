package console

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Route is a row of the table of pages, for the test that walks it.
type Route struct {
	Pattern      string
	May          Action
	Upload, Sure bool
}

// Table is the table of pages.
func (k *Console) Table() (list []Route) {
	for _, r := range k.table {
		list = append(list, Route{r.pattern, r.may, r.upload, r.sure})
	}
	return list
}

// TOTPCode is what an authenticator shows.
func TOTPCode(secret []byte, at time.Time) string { return totpCode(secret, at.Unix()/30) }

// TOTPMatch looks at a code.
func TOTPMatch(secret []byte, code string, at time.Time, last int64) (int64, bool) {
	return totpMatch(secret, code, at, last)
}

// Weak says what is wrong with a password.
func Weak(password, login, name string) string { return weak(password, login, name) }

// OwnPath cleans a path that somebody sent.
func OwnPath(p string) string { return ownPath(p) }

// Words are the texts of a language.
func (k *Console) Words(locale string) map[string]string { return k.words[locale].other }

// Plural reports which texts of a language have two forms.
func (k *Console) Plural(locale string) map[string]string { return k.words[locale].one }

// CheapHashes makes hashes that a test can afford by the hundred.
func CheapHashes(a *Accounts) { a.hash.memory = 64 }

// Endpoint is a row of the table of the interface for programs.
type Endpoint struct {
	Method, Path, ID string
	May              Action
}

// Endpoints is that table.
func (k *Console) Endpoints() (list []Endpoint) {
	for _, e := range k.api.table {
		list = append(list, Endpoint{e.method, e.path, e.id, e.may})
	}
	return list
}

// Tell says a sentence of the program in a language.
func (k *Console) Tell(locale, english string) string { return k.words[locale].tell(english) }

// Known reports whether a language has a sentence; anything stands in it for values.
func (k *Console) Known(locale, english, anything string) bool {
	return k.words[locale].sentences.known(english, anything)
}

func (s *sentences) known(english, anything string) bool {
	if _, ok := s.whole[english]; ok || strings.Trim(english, anything+" ,.") == "" {
		return true
	}
	for _, f := range s.forms {
		found := f.form.FindStringSubmatch(english)
		if found == nil {
			continue
		}
		// What only joins sentences says nothing itself.
		return f.literal > len(": ") || !slices.ContainsFunc(found[1:], func(part string) bool { return !s.known(part, anything) })
	}
	return false
}

// NetworkOf and SiteOf are what limits count together.
var (
	NetworkOf = networkOf
	SiteOf    = siteOf
)

// Sentences are those of the program in a language, by their English.
func (k *Console) Sentences(locale string) map[string]string {
	s := k.words[locale].sentences
	all := maps.Clone(s.whole)
	for _, f := range s.forms {
		all[f.form.String()] = f.text
	}
	return all
}
