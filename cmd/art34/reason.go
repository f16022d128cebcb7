package main

import (
	"strings"

	"github.com/art34/art34/pipeline/kit/redact"
)

// reasonHelp is part of the help of every command that takes --reason.
const reasonHelp = "The reason lies in clear in the ledger, in the audit trail and beside the notices: a code, or a sentence without names or other personal data."

// checkReason refuses a reason that holds personal data beyond doubt: reasons are
// not sealed, and outlive the people's data.
func checkReason(reason string) error {
	if what := redact.Personal(reason); what != "" {
		return refuse("reason-personal", "--reason holds "+what+", and reasons lie in clear in the ledger", "say why without naming anybody: "+"a code such as address-corrected, or a sentence")
	}
	return nil
}

// needReason is checkReason where a reason has to be given.
func needReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return refuse("usage", "--reason is missing", "it goes on record: a code such as press-office, or a sentence without names")
	}
	return checkReason(reason)
}
