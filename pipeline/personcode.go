package pipeline

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"
)

// The version begins the binary form of a person. A field that is added later
// makes a new version; old ones stay readable.
const (
	personVersion   = 1
	personCorrected = 2 // followed by Former, which few have
)

// errPerson says that bytes are no person. It holds none of them.
var errPerson = errors.New("not a person")

// AppendBinary appends the form of a person that is sealed: texts and lists behind
// their length. Equal persons give equal bytes. A courier reads one for every
// notice that it carries, so it is quick to read.
func (p *Person) AppendBinary(b []byte) ([]byte, error) {
	version := byte(personVersion)
	if len(p.Former) > 0 {
		version = personCorrected
	}
	b = append(b, version)
	b = appendTexts(b, p.PersonID)
	b = appendList(b, p.CustomerIDs)
	b = appendTexts(b, p.Title, p.FirstName, p.LastName, p.Company, p.Representative, p.Email, p.Phone)
	b = appendList(b, p.Address)
	b = appendTexts(b, p.Postcode, p.City, p.Country, string(p.Reference))
	b = appendExposures(b, p.Own)
	b = binary.AppendUvarint(b, uint64(len(p.Contracts)))
	for _, c := range p.Contracts {
		b = appendTexts(b, c.ID, c.Kind, c.Label)
		b = appendExposures(b, c.Data)
	}
	b = binary.AppendUvarint(b, uint64(len(p.Attributes)))
	for _, k := range slices.Sorted(maps.Keys(p.Attributes)) {
		b = appendTexts(b, k, p.Attributes[k])
	}
	if version == personCorrected {
		b = binary.AppendUvarint(b, uint64(len(p.Former)))
		for _, f := range p.Former {
			b = binary.AppendUvarint(b, uint64(f.Until.UnixMicro()))
			b = appendList(appendTexts(b, f.Email), f.Address)
			b = appendTexts(b, f.Postcode, f.City, f.Country)
		}
	}
	return b, nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (p *Person) MarshalBinary() ([]byte, error) { return p.AppendBinary(make([]byte, 0, 512)) }

func appendTexts(b []byte, list ...string) []byte {
	for _, s := range list {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

func appendList(b []byte, list []string) []byte {
	return appendTexts(binary.AppendUvarint(b, uint64(len(list))), list...)
}

func appendExposures(b []byte, list []Exposure) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, e := range list {
		b = appendTexts(b, e.Kind, e.Source, e.ObservedAt)
		possible := uint64(0)
		if e.Possible {
			possible = 1
		}
		b = binary.AppendUvarint(b, uint64(e.Import)<<1|possible)
	}
	return b
}

// UnmarshalBinary reads what AppendBinary wrote.
func (p *Person) UnmarshalBinary(data []byte) error {
	if len(data) == 0 || data[0] != personVersion && data[0] != personCorrected {
		return errPerson
	}
	r := personReader{rest: string(data[1:])}
	*p = Person{PersonID: r.text(), CustomerIDs: r.list(), Title: r.text(), FirstName: r.text(), LastName: r.text(), Company: r.text(),
		Representative: r.text(), Email: r.text(), Phone: r.text(), Address: r.list(),
		Postcode: r.text(), City: r.text(), Country: r.text(), Reference: Reference(r.text()), Own: r.exposures()}
	if n := r.count(); n > 0 {
		p.Contracts = make([]Contract, n)
		for i := range p.Contracts {
			p.Contracts[i] = Contract{ID: r.text(), Kind: r.text(), Label: r.text(), Data: r.exposures()}
		}
	}
	if n := r.count(); n > 0 {
		p.Attributes = make(map[string]string, n)
		for range n {
			k := r.text()
			p.Attributes[k] = r.text()
		}
	}
	if data[0] == personCorrected {
		for n := r.count(); n > 0; n-- {
			p.Former = append(p.Former, Former{Until: time.UnixMicro(int64(r.number())).UTC(), Email: r.text(), Address: r.list(),
				Postcode: r.text(), City: r.text(), Country: r.text()})
		}
	}
	if r.bad || r.rest != "" {
		*p = Person{}
		return errPerson
	}
	return nil
}

// personReader takes fields off the front. After the first fault it returns
// nothing but zero values.
type personReader struct {
	rest string
	bad  bool
}

func (r *personReader) number() uint64 {
	n := uint64(0)
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		c := r.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.rest, r.bad = "", true
	return 0
}

// count is a length; everything counted takes a byte at least.
func (r *personReader) count() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.rest, r.bad = "", true
		return 0
	}
	return int(n)
}

func (r *personReader) text() string {
	n := r.count()
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *personReader) list() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.text()
	}
	return list
}

func (r *personReader) exposures() []Exposure {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]Exposure, n)
	for i := range list {
		list[i] = Exposure{Kind: r.text(), Source: r.text(), ObservedAt: r.text()}
		x := r.number()
		list[i].Import, list[i].Possible = int64(x>>1), x&1 == 1
	}
	return list
}
