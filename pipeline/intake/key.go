package intake

import "github.com/art34/art34/pipeline"

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
// contract number, e-mail address, phone number, reference, family name with
// postcode.
func SearchKeys(p pipeline.Person) []Key { panic("not yet") }

// QueryKeys returns the keys that a text may mean, the most likely first.
func QueryKeys(text string) []Key { panic("not yet") }
