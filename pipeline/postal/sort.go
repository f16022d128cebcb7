package postal

import (
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// SortKey orders the letters of a run as a post sorts them: domestic by postcode;
// then, in France, the overseas departments and territories and Monaco, which
// travel apart; then abroad by country. Within a postcode by street. origin is the
// country of posting (ISO 3166-1 alpha-2, "": FR), address what Press.Address
// gave. Keys compare as bytes and hold the address: they are for sorting in
// memory, not for keeping.
func SortKey(origin string, person pipeline.Person, address []string) string {
	if origin == "" {
		origin = "FR"
	}
	a := atlas{origin}
	country := origin
	if c, err := a.destination(person); err == nil {
		country = c.code
	}
	code := a.postcode(person)
	group := "2" + country
	switch {
	case frenchPost(origin) && frenchPost(country):
		if group = "0"; strings.HasPrefix(code, "97") || strings.HasPrefix(code, "98") {
			group = "1"
		}
	case country == origin:
		group = "0"
	}
	// The street stands above the locality; its number behind its name.
	street := slices.Clone(address)
	slices.Reverse(street)
	for i, line := range street {
		number, name, ok := strings.Cut(line, " ")
		if ok && strings.Trim(number, "0123456789") == "" {
			street[i] = name + " " + strings.Repeat("0", max(0, 5-len(number))) + number
		}
	}
	return strings.Join(append([]string{group, code}, street...), "\x00")
}
