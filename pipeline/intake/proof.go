package intake

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// ProofAttribute begins the names of the attributes that hold what a caller may be
// asked for, as a keyed hash.
const ProofAttribute = "proof:"

// ProofHash is what is kept of a value that a caller may be asked for. It is bound to
// the person and to the column, so that equal values show nothing; dates count as
// the same however they are written.
func ProofHash(keys Keys, person []byte, column, value string) string {
	value = spaces(value)
	if day, ok := parseDate(value); ok {
		value = day
	}
	value = foldText(value)
	if value == "" {
		return ""
	}
	t := keys.Token("proof/"+column, hex.EncodeToString(person)+"/"+value)
	return hex.EncodeToString(t[:])
}

// proven returns attributes with keyed hashes in the place of the values of such
// columns. What a list itself calls a hash is none.
func proven(keys Keys, person []byte, values, attributes map[string]string) map[string]string {
	if len(values) == 0 || len(attributes) == 0 {
		return attributes
	}
	out := map[string]string{}
	for name, value := range attributes {
		_, asked := values[name]
		switch {
		case strings.HasPrefix(name, ProofAttribute):
		case !asked:
			out[name] = value
		default:
			if h := ProofHash(keys, person, name, value); h != "" {
				out[ProofAttribute+name] = h
			}
		}
	}
	return out
}

// United returns p with what news holds beside it.
func United(p, news pipeline.Person) pipeline.Person {
	p.CustomerIDs, p.Own, p.Contracts = slices.Clone(p.CustomerIDs), slices.Clone(p.Own), slices.Clone(p.Contracts)
	for i := range p.Contracts {
		p.Contracts[i].Data = slices.Clone(p.Contracts[i].Data)
	}
	unite(&p, news)
	return p
}
