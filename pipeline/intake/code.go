package intake

// Effect says what a finding does.
type Effect string

const (
	Reject  Effect = "reject"   // the row is not taken
	Hold    Effect = "hold"     // a person has to look at the notice
	NoEmail Effect = "no-email" // the e-mail address is not used
	NoPost  Effect = "no-post"  // the postal address is not used
	Drop    Effect = "drop"     // this value is not used
	Note    Effect = "note"     // repaired, or only counted
)

// Code is one thing that can be wrong with a row or a record.
type Code struct {
	Code     string
	Effect   Effect
	Sentence string // for the person who repairs the list; no value, no full stop
}

// Codes returns the table of everything that intake finds, in order of effect.
func Codes() []Code {
	list := make([]Code, 0, len(codes))
	for _, c := range codes {
		if c.Code != "" {
			list = append(list, c)
		}
	}
	return list
}

// code is an index into codes. Spill files hold it as one byte.
type code uint8

func (c code) String() string { return codes[c].Code }
func (c code) effect() Effect { return codes[c].Effect }

const (
	noCode code = iota

	badQuotes
	fewCells
	manyCells
	longRow
	longField
	nulByte
	badEncoding
	emptyRow
	totalsRow
	repeatedHeader
	badJSON
	badShape
	noID
	mangledID
	dateID
	badID
	noName
	noKinds
	unknownKinds
	mangledContract
	dateContract
	badContract

	namesDiffer
	personNamesDiffer
	personIDsDiffer
	idCollision
	unknownFlag
	unknownKind
	unknownFormat
	unknownCertainty
	damagedText
	suspectName
	rowRejected
	contractDiffers
	emailsDiffer
	addressesDiffer
	tooMany

	emailSyntax
	emailSpace
	emailLong
	emailDots
	emailDomain
	emailNonASCII
	emailQuoted
	emailLiteral
	emailSeveral
	emailPlaceholder
	emailOwnDomain
	emailShared

	unknownCountry
	badPostcode
	unprintable

	badPhone
	mangledPhone
	badDate
	badLocale
	badPersonID

	nullText
	excelQuoted
	decimalID
	trimmedID
	otherCaseID
	postcodeZero
	phoneZero
	phoneSeveral
	emailTidied
	emailName
	mojibake
	customerRepeated
	emailPassed
	addressPassed
	unmatchedID
	otherLocale

	codeCount
)

// codes is the one table: what can be found, what it does, and how it is said.
var codes = [codeCount]Code{
	badQuotes:       {"quotes", Reject, "a quotation mark is opened and never closed, or text follows the closing one; the next line is read as a new row"},
	fewCells:        {"cells-few", Reject, "the row has fewer cells than the header"},
	manyCells:       {"cells-many", Reject, "the row has more cells than the header; a separator inside a value needs quotation marks"},
	longRow:         {"row-long", Reject, "the row is longer than a row may be"},
	longField:       {"field-long", Reject, "a cell is longer than a cell may be"},
	nulByte:         {"nul-byte", Reject, "the row holds a NUL byte; the file is damaged, or it is not text"},
	badEncoding:     {"encoding", Reject, "the row holds bytes that are not valid in the encoding of the file"},
	emptyRow:        {"row-empty", Reject, "the row is empty and rows follow it"},
	totalsRow:       {"totals-row", Reject, "the row looks like a total of a spreadsheet, not like a customer"},
	repeatedHeader:  {"header-repeated", Reject, "the row is the header again, as when two files were pasted together"},
	badJSON:         {"json", Reject, "the line is not one JSON object"},
	badShape:        {"json-shape", Reject, "a field of the JSON object does not have the type that it should have"},
	noID:            {"id-missing", Reject, "there is no customer number"},
	mangledID:       {"id-mangled", Reject, "a spreadsheet turned the customer number into a rounded number such as 6.12E+08; its digits are lost, export it as text"},
	dateID:          {"id-date", Reject, "a spreadsheet turned the customer number into a date; export it as text"},
	badID:           {"id-unfit", Reject, "the customer number is longer than 64 characters or holds control characters"},
	noName:          {"name-missing", Reject, "there is neither a name nor a company to write to"},
	noKinds:         {"kinds-missing", Reject, "there is no data kind; the row does not say what was exposed"},
	unknownKinds:    {"kinds-unknown", Reject, "none of the data kinds is in the campaign's catalogue; add them there or correct the list"},
	mangledContract: {"contract-mangled", Reject, "a spreadsheet turned the contract number into a rounded number such as 6.12E+08; its digits are lost, export it as text"},
	dateContract:    {"contract-date", Reject, "a spreadsheet turned the contract number into a date; export it as text"},
	badContract:     {"contract-unfit", Reject, "the contract number is longer than 64 characters or holds control characters"},

	namesDiffer:       {"names-differ", Hold, "rows of the same customer number give different names; who is it?"},
	personNamesDiffer: {"person-names-differ", Hold, "customers with the same person_id have different names; are they one person?"},
	personIDsDiffer:   {"person-ids-differ", Hold, "rows of the same customer number give different person_ids"},
	idCollision:       {"id-collision", Hold, "two customer numbers differ in capitals, spaces or width only; are they one customer?"},
	unknownFlag:       {"flag-unknown", Hold, "a flag is not one of the closed list, so nobody knows what it asks for"},
	unknownKind:       {"kind-unknown", Hold, "one of several data kinds is not in the campaign's catalogue; the letter would be incomplete"},
	unknownFormat:     {"format-unknown", Hold, "the format is none of standard, large-print, braille, audio"},
	unknownCertainty:  {"certainty-unknown", Hold, "the certainty is neither confirmed nor possible; it is taken as confirmed"},
	damagedText:       {"text-damaged", Hold, "a name or address holds replacement characters: letters were lost in an earlier conversion"},
	suspectName:       {"name-suspect", Hold, "a name or label holds a web address, of which mail readers make a link; correct it, list its host under letters.allow_links, or release the notice if it is right"},
	rowRejected:       {"row-rejected", Hold, "another row of this customer's impacts was rejected; the letter would be incomplete"},
	contractDiffers:   {"contract-differs", Hold, "rows of the same contract number give different contract kinds"},
	emailsDiffer:      {"emails-differ", Hold, "rows of the same customer number give different e-mail addresses, and no email_date says which is newer; that of this row is taken if the notice is released"},
	addressesDiffer:   {"addresses-differ", Hold, "rows of the same customer number give different postal addresses, and no address_date says which is newer; that of this row is taken if the notice is released"},
	tooMany:           {"too-many", Hold, "so many rows or contracts for one person that the list must be wrong; not all were taken"},

	emailSyntax:      {"email-syntax", NoEmail, "the e-mail address is not one local part, one @ and one domain"},
	emailSpace:       {"email-space", NoEmail, "the e-mail address holds a space or a control character"},
	emailLong:        {"email-long", NoEmail, "the e-mail address is longer than RFC 5321 allows: 64 octets before the @, 254 in all"},
	emailDots:        {"email-dots", NoEmail, "the e-mail address has a dot at the start or end of its local part, or two in a row"},
	emailDomain:      {"email-domain", NoEmail, "the domain of the e-mail address cannot exist"},
	emailNonASCII:    {"email-non-ascii", NoEmail, "the part before the @ is not ASCII; few relays carry that (SMTPUTF8), a letter is surer"},
	emailQuoted:      {"email-quoted", NoEmail, "the part before the @ needs quotation marks; few relays carry that, a letter is surer"},
	emailLiteral:     {"email-literal", NoEmail, "the e-mail address names an IP address instead of a domain"},
	emailSeveral:     {"email-several", NoEmail, "the cell holds more than one e-mail address; whose are they?"},
	emailPlaceholder: {"email-placeholder", NoEmail, "the e-mail address is a placeholder that somebody typed to fill the field"},
	emailOwnDomain:   {"email-own-domain", NoEmail, "the e-mail address is at the company itself: a counter or an agent, not the customer"},
	emailShared:      {"email-shared", NoEmail, "the e-mail address belongs to more persons than channels.shared_email_limit"},

	unknownCountry: {"country-unknown", NoPost, "the country is neither an ISO 3166 code nor a name that is known"},
	badPostcode:    {"postcode-unfit", NoPost, "a French postcode has five digits"},
	unprintable:    {"address-unprintable", NoPost, "the postal address does not fit the envelope profile; check.csv says why"},

	badPhone:     {"phone-unfit", Drop, "the phone number is none; it is not a search key"},
	mangledPhone: {"phone-mangled", Drop, "a spreadsheet turned the phone number into a rounded number such as 6.12E+08; its digits are lost"},
	badDate:      {"date-unfit", Drop, "the date is not one that can be read without guessing, such as 2026-01-31 or 31/01/2026"},
	badLocale:    {"locale-unfit", Drop, "the locale is not a language tag such as fr or en-GB; the fallback locale is used"},
	badPersonID:  {"person-id-unfit", Drop, "the person_id was rounded or turned into a date by a spreadsheet, or is too long; the customer number stands alone"},

	nullText:         {"null-text", Note, "a cell says NULL, N/A or - instead of being empty; it was taken as empty"},
	excelQuoted:      {"excel-quoted", Note, "a number was written as a formula or with an apostrophe (=\"0012\", '0012); the text was taken"},
	decimalID:        {"number-decimal", Note, "a number ended in .0; that was taken off"},
	trimmedID:        {"id-trimmed", Note, "the customer number had spaces around it; they were taken off"},
	otherCaseID:      {"id-other-case", Note, "the impact list writes the customer number in other capitals or with other spaces than the directory"},
	postcodeZero:     {"postcode-zero", Note, "a French postcode had lost its leading zero; it was put back"},
	phoneZero:        {"phone-zero", Note, "a phone number had lost its leading zero; it was put back"},
	phoneSeveral:     {"phone-several", Note, "the cell holds more than one phone number; the first was taken"},
	emailTidied:      {"email-tidied", Note, "the e-mail address had mailto:, angle brackets or a final full stop or comma; they were taken off"},
	emailName:        {"email-name", Note, "the cell holds a name with the e-mail address; the address was taken"},
	mojibake:         {"text-repaired", Note, "text had been decoded in the wrong encoding once (Ã© for é); it was repaired"},
	customerRepeated: {"customer-repeated", Note, "the directory lists the customer number more than once; the rows were merged"},
	emailPassed:      {"email-not-taken", Note, "another row of the customer number gives another e-mail address, and that one is taken"},
	addressPassed:    {"address-not-taken", Note, "another row of the customer number gives another postal address, and that one is taken"},
	unmatchedID:      {"customer-unmatched", Note, "no customer directory has the customer number of this row; without one the customer is unreachable"},
	otherLocale:      {"locale-other", Note, "the campaign has no letters in the customer's locale; the fallback locale is used"},
}
