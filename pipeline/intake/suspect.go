package intake

import (
	"regexp"
	"strings"
)

// webAddresses matches what mail readers make a link of: an address with its
// scheme, or a host name under one of the domains that they know. "S.A.R.L." and
// "St.Malo" are none.
var webAddresses = regexp.MustCompile(`(?i)(?:\bhttps?:/*|\bwww\.)([^\s/?#:<>()"]*)|(?:^|[^\p{L}\p{N}.-])((?:[\p{L}\p{N}][\p{L}\p{N}-]+\.)+(?:com|net|org|info|biz|name|fr|eu|de|es|it|uk|nl|pl|pt|ru|cn|io|app|dev|shop|site|online|store|xyz|top|club|live|link|click|page|web|tk|ly|gd|cc))(?:[^\p{L}\p{N}]|$)`)

// suspect holds a notice whose letter would bring a link that nobody allowed: the
// texts of the directory and of the impact list are somebody else's.
func (k *checker) suspect(text, column string) {
	if !strings.ContainsAny(text, ".:@") {
		return
	}
	for _, m := range webAddresses.FindAllStringSubmatch(strings.ReplaceAll(text, "@", " "), -1) {
		host := strings.ToLower(strings.Trim(m[1]+m[2], "."))
		if !k.allowed[host] && !k.allowed["www."+host] {
			k.f.add(suspectName, column)
			return
		}
	}
}
