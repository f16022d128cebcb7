package console

import (
	"slices"
)

// Role is what somebody is here for. One person may have several.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // sees figures, never a person
	Agent    Role = "agent"    // has a customer on the phone
	Lead     Role = "lead"     // leads the cell: corrections, questions and answers
	Writer   Role = "writer"   // words the letters, and sees no customer
	Operator Role = "operator" // prepares, launches, watches, prints
	Approver Role = "approver" // says yes to what others have written; the data protection officer
	Admin    Role = "admin"    // gives and takes accounts
	Auditor  Role = "auditor"  // reads what everybody did
	Shop     Role = "shop"     // reads the answer out in a shop, and nothing else
)

// Roles lists the roles in the order of the table.
func Roles() []Role {
	return []Role{Viewer, Shop, Agent, Lead, Writer, Operator, Approver, Admin, Auditor}
}

// Action is something that a page lets people do.
type Action string

// The actions. A page has exactly one.
const (
	ActAnyone Action = "anyone" // before the login: log in, set up
	ActOwn    Action = "own"    // one's own account; everybody who is logged in

	ActSee     Action = "see"     // campaigns, their figures, print runs, doubts
	ActRead    Action = "read"    // the wording of the letters, and what it was before
	ActWrite   Action = "write"   // word the letters and the catalogue
	ActPrepare Action = "prepare" // draft, letters, import, check, proof
	ActProof   Action = "proof"   // read the letters of some customers as they would go out
	ActApprove Action = "approve" // what others have prepared
	ActLaunch  Action = "launch"  // let an approved campaign go
	ActPause   Action = "pause"   // stop sending
	ActControl Action = "control" // resume, pacing, breakers, cancel
	ActCohort  Action = "cohort"  // hold, release, exclude customers
	ActPrint   Action = "print"   // release, fetch, acknowledge, recall print runs
	ActExport  Action = "export"  // take lists out of the house
	ActErase   Action = "erase"   // destroy the personal data of a campaign

	ActAnswer  Action = "answer"  // the sentence for a customer with a reference, and the published answers
	ActLookUp  Action = "look-up" // find a customer, verify a caller, read the file
	ActHelp    Action = "help"    // copies, other channel, notes, corrections for a second person, escalation
	ActVIP     Action = "vip"     // customers that only few may see
	ActSecond  Action = "second"  // the second pair of eyes on a corrected address
	ActCompose Action = "compose" // drafts of questions and answers
	ActPublish Action = "publish" // questions and answers
	ActFloor   Action = "floor"   // what the floor reports, in figures

	ActUsers Action = "users" // accounts, roles, tokens
	ActAudit Action = "audit" // the audit trail
	ActTrace Action = "trace" // who looked at one customer, and why
)

// Permission is a row of the table: an action and who may do it.
type Permission struct {
	Action Action
	Does   string // in a few words
	Roles  []Role
}

// Permissions is the table of who may do what. What is not in it nobody may.
// Approving what one has written oneself, and changing one's own roles, is refused
// whatever the table says.
func Permissions() []Permission {
	return []Permission{
		{ActSee, "see campaigns and their figures", []Role{Viewer, Lead, Writer, Operator, Approver, Admin, Auditor}},
		{ActRead, "read the wording of the letters", []Role{Writer, Operator, Approver}},
		{ActWrite, "word the letters", []Role{Writer, Operator}},
		{ActPrepare, "draft, letters, import, check", []Role{Operator}},
		{ActProof, "read the letters of some customers", []Role{Operator, Approver}},
		{ActApprove, "approve what others prepared", []Role{Approver}},
		{ActLaunch, "launch an approved campaign", []Role{Operator}},
		{ActPause, "pause", []Role{Lead, Operator, Approver}},
		{ActControl, "resume, pacing, breakers, cancel", []Role{Operator}},
		{ActCohort, "hold, release, exclude customers", []Role{Operator}},
		{ActPrint, "release, fetch, acknowledge print runs", []Role{Operator}},
		{ActExport, "take lists out of the house", []Role{Operator, Auditor}},
		{ActErase, "destroy personal data", []Role{Approver}},
		{ActAnswer, "read the sentence and the published answers", []Role{Shop, Agent, Lead}},
		{ActLookUp, "find a customer, verify a caller", []Role{Agent, Lead}},
		{ActHelp, "copies, corrections, notes, escalation", []Role{Agent, Lead}},
		{ActVIP, "customers that only few may see", []Role{Lead}},
		{ActSecond, "second pair of eyes on a correction", []Role{Lead}},
		{ActCompose, "write questions and answers", []Role{Lead, Operator, Approver}},
		{ActPublish, "publish questions and answers", []Role{Lead}},
		{ActFloor, "what the floor reports", []Role{Viewer, Lead, Operator, Approver, Auditor}},
		{ActUsers, "accounts, roles, tokens", []Role{Admin}},
		{ActAudit, "the audit trail", []Role{Admin, Auditor}},
		{ActTrace, "who looked at one customer", []Role{Auditor}},
	}
}

// May reports whether somebody with these roles may do this.
func May(roles []string, a Action) bool {
	if a == ActAnyone || a == ActOwn {
		return true
	}
	for _, p := range Permissions() {
		if p.Action == a {
			return slices.ContainsFunc(p.Roles, func(r Role) bool { return slices.Contains(roles, string(r)) })
		}
	}
	return false
}

// NeedsCode reports whether these roles need a second factor: who approves a letter
// to a million people is worth stealing a password for.
func NeedsCode(roles []string) bool { return slices.Contains(roles, string(Approver)) }

// known returns those of the roles that there are, sorted, and whether all were.
func known(roles []string) ([]string, bool) {
	var list []string
	for _, r := range Roles() {
		if slices.Contains(roles, string(r)) {
			list = append(list, string(r))
		}
	}
	slices.Sort(list)
	return list, len(list) == len(roles)
}
