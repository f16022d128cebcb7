package pipeline

import (
	"encoding/binary"
	"log/slog"
	"strings"
	"time"
)

// Person is the personal part of a notice. It is kept sealed, and prints nothing.
type Person struct {
	PersonID    string
	CustomerIDs []string
	Title       string // as given: "M.", "Mme", "Mr and Mrs"
	FirstName   string
	LastName    string
	Company     string
	// Representative is who is written to for a minor or a protected adult.
	Representative string
	Email          string   // as it goes on the wire: IDN domain in punycode
	Phone          string   // E.164
	Address        []string // up to five lines, without postcode, city and country
	Postcode       string
	City           string
	Country        string // ISO 3166-1 alpha-2
	Reference      Reference
	Own            []Exposure // data of the person himself
	Contracts      []Contract
	Attributes     map[string]string // further columns of the directory, and email_date, address_date, segment
	Former         []Former          // addresses that a person corrected, oldest first
}

// Former are the addresses of a person that were in force until a correction.
type Former struct {
	Until                   time.Time
	Email                   string
	Address                 []string
	Postcode, City, Country string
}

// AsOf returns p with the addresses that were in force at a time, so that an older
// letter can be shown as it went out.
func (p Person) AsOf(at time.Time) Person {
	for _, f := range p.Former {
		if at.Before(f.Until) {
			p.Email, p.Address, p.Postcode, p.City, p.Country = f.Email, f.Address, f.Postcode, f.City, f.Country
			break
		}
	}
	return p
}

// Contract is an offer that the customer holds, with what was exposed through it.
type Contract struct {
	ID    string
	Kind  string
	Label string
	Data  []Exposure
}

// Exposure is one data kind that was exposed.
type Exposure struct {
	Kind       string
	Possible   bool // not confirmed by the forensics
	Source     string
	ObservedAt string // date, YYYY-MM-DD
	Import     int64  // the import that brought it
}

// LogValue keeps people out of logs.
func (Person) LogValue() slog.Value { return slog.StringValue("(person)") }

// String keeps people out of formatted text.
func (Person) String() string { return "(person)" }

// GoString keeps people out of %#v.
func (Person) GoString() string { return "(person)" }

// FullName is the name to greet and to write on an envelope: "Firstname Lastname",
// or the company if there is no name.
func (p Person) FullName() string {
	name := strings.TrimSpace(strings.TrimSpace(p.FirstName) + " " + strings.TrimSpace(p.LastName))
	if name == "" {
		return strings.TrimSpace(p.Company)
	}
	return name
}

// Kinds returns the codes of all exposed data kinds and of all contract kinds,
// each sorted and without repetition.
func (p Person) Kinds() (data, products []string) {
	for _, e := range p.Own {
		data = append(data, e.Kind)
	}
	for _, c := range p.Contracts {
		if c.Kind != "" {
			products = append(products, c.Kind)
		}
		for _, e := range c.Data {
			data = append(data, e.Kind)
		}
	}
	return Set(data), Set(products)
}

// SealContext is the associated data of the sealed person of a notice.
func SealContext(campaign, notice int64) []byte {
	b := make([]byte, 0, 32)
	b = append(b, "art34/person/1\x00"...)
	b = binary.BigEndian.AppendUint64(b, uint64(campaign))
	return binary.BigEndian.AppendUint64(b, uint64(notice))
}

// Dialled writes a telephone number as one dials it, so that no spreadsheet takes
// it for a formula or a number: "06 39 98 12 34", "00 4930123456".
func Dialled(e164 string) string {
	if rest, ok := strings.CutPrefix(e164, "+33"); ok && len(rest) == 9 {
		return "0" + rest[:1] + " " + rest[1:3] + " " + rest[3:5] + " " + rest[5:7] + " " + rest[7:]
	}
	if rest, ok := strings.CutPrefix(e164, "+"); ok {
		return "00 " + rest
	}
	return e164
}
