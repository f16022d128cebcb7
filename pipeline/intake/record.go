package intake

import (
	"encoding/binary"
	"errors"
)

// key is the first part of every spilled record: what it is sorted by.
type key [16]byte

// Kinds of spilled records. They follow the key, so that the records of one key
// come in this order.
const (
	recCustomer byte = iota // a row of the directory
	recShared               // the person shares this e-mail address with too many
	recImpact               // one contract with its data kinds
	recPoison               // a row of this customer's impacts was rejected
)

// recKey is the length of the sorted part: key and kind.
const recKey = len(key{}) + 1

// place is where a record was read: the file, by its place among those of its
// role, and the row. The zero value is nowhere.
type place struct {
	role string
	file int
	row  int64
}

// customer is a checked row of the directory.
type customer struct {
	f     [customerColumns]string
	codes []code
	attrs []attribute
	file  int
	row   int64
}

// at is where the row was read.
func (c *customer) at() place { return place{roleCustomers, c.file, c.row} }

// attribute is a further column: its place in the list of names, and its value.
type attribute struct {
	name  int
	value string
}

// impact is a checked row of an impact list, or one contract of a nested one.
type impact struct {
	customer              string // customer number as the list writes it
	contract, kind, label string // all empty: data of the person himself
	kinds                 []string
	possible              bool
	source, observed      string
	codes                 []code
	at                    place
}

var errRecord = errors.New("spill record is damaged")

// encoder appends values to a record.
type encoder struct{ b []byte }

func (e *encoder) start(k key, kind byte) {
	e.b = append(append(e.b[:0], k[:]...), kind)
}
func (e *encoder) number(n int) { e.b = binary.AppendUvarint(e.b, uint64(n)) }
func (e *encoder) text(s string) {
	e.number(len(s))
	e.b = append(e.b, s...)
}
func (e *encoder) codes(list []code) {
	e.number(len(list))
	for _, c := range list {
		e.b = append(e.b, byte(c))
	}
}

func (e *encoder) customer(k key, c *customer) []byte {
	e.start(k, recCustomer)
	e.number(c.file)
	e.number(int(c.row))
	e.codes(c.codes)
	for i := range c.f {
		e.text(c.f[i])
	}
	e.number(len(c.attrs))
	for _, a := range c.attrs {
		e.number(a.name)
		e.text(a.value)
	}
	return e.b
}

func (e *encoder) impact(k key, i *impact) []byte {
	e.start(k, recImpact)
	e.codes(i.codes)
	if i.possible {
		e.number(1)
	} else {
		e.number(0)
	}
	for _, s := range []string{i.customer, i.contract, i.kind, i.label, i.source, i.observed} {
		e.text(s)
	}
	e.number(len(i.kinds))
	for _, k := range i.kinds {
		e.text(k)
	}
	e.number(i.at.file)
	e.number(int(i.at.row))
	return e.b
}

// poison marks a customer whose impacts are known to be incomplete.
func (e *encoder) poison(k key) []byte {
	e.start(k, recPoison)
	return e.b
}

// shared marks a person's e-mail address.
func (e *encoder) shared(k, email key) []byte {
	e.start(k, recShared)
	e.b = append(e.b, email[:]...)
	return e.b
}

// decoder of a record's values: all texts share one copy of the record.
type values struct {
	s   string
	bad bool
}

func (v *values) number() int {
	var n uint64
	for i := 0; i < len(v.s) && i < binary.MaxVarintLen64; i++ {
		n |= uint64(v.s[i]&0x7f) << (7 * i)
		if v.s[i] < 0x80 {
			v.s = v.s[i+1:]
			return int(n)
		}
	}
	v.bad, v.s = true, ""
	return 0
}

func (v *values) text() string {
	n := v.number()
	if n < 0 || n > len(v.s) {
		v.bad, v.s = true, ""
		return ""
	}
	t := v.s[:n]
	v.s = v.s[n:]
	return t
}

func (v *values) codes() []code {
	t := v.text()
	if t == "" {
		return nil
	}
	list := make([]code, len(t))
	for i := range list {
		list[i] = code(t[i])
		if list[i] >= codeCount {
			v.bad = true
			list[i] = noCode
		}
	}
	return list
}

// decodeCustomer reads what encoder.customer wrote.
func decodeCustomer(rec []byte, c *customer) error {
	v := values{s: string(rec[recKey:])}
	c.file, c.row = v.number(), int64(v.number())
	c.codes = v.codes()
	for i := range c.f {
		c.f[i] = v.text()
	}
	c.attrs = nil
	if n := v.number(); n > 0 && n <= len(v.s) {
		c.attrs = make([]attribute, n)
		for i := range c.attrs {
			c.attrs[i] = attribute{name: v.number(), value: v.text()}
		}
	}
	if v.bad {
		return errRecord
	}
	return nil
}

// decodeImpact reads what encoder.impact wrote.
func decodeImpact(rec []byte, i *impact) error {
	v := values{s: string(rec[recKey:])}
	i.codes = v.codes()
	i.possible = v.number() == 1
	for _, to := range []*string{&i.customer, &i.contract, &i.kind, &i.label, &i.source, &i.observed} {
		*to = v.text()
	}
	i.kinds = i.kinds[:0]
	for n := v.number(); n > 0 && !v.bad; n-- {
		i.kinds = append(i.kinds, v.text())
	}
	i.at = place{roleImpact, v.number(), int64(v.number())}
	if v.bad {
		return errRecord
	}
	return nil
}
