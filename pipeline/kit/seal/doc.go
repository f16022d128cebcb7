// Package seal keeps people out of reach of who steals the ledger: it seals the
// personal part of a notice, hashes search keys for the blind index, and keeps
// the keys for both outside the ledger, in a key file under a master key.
//
//	master key (a file or the environment, 32 bytes)
//	  └ HKDF-SHA256 (RFC 5869) → key-wrapping key
//	      └ key file: per campaign a data key and an index key, wrapped
//	          ├ data key  → Keys.Seal, Keys.Open: AES-256-GCM (NIST SP 800-38D)
//	          └ index key → Keys.Token, Keys.MAC: HMAC-SHA256 (RFC 2104)
//
// The key file alone, or the ledger alone, says nothing about anybody. Destroying
// the keys of a campaign erases its people from every copy of the ledger at once,
// as far as the copies of the key file go too.
//
// The package is, with kit/clock, the house's only source of randomness.
// Everything in it is safe for concurrent use, and several processes may use one
// key file.
package seal
