// Package pipeline is the vocabulary of Art34 and its rules: the life of a
// notice, the balance, letters, references, and the choice of a channel.
//
// A breach has exposed data of customers. Article 34 of Regulation (EU)
// 2016/679 asks the controller to tell each of them, without undue delay and in
// plain language, what happened and which of their data is concerned. One such
// duty towards one customer is a Notice; a Campaign holds the notices of one
// population. A notice moves from State to State by Events and by nothing else;
// Policy.Apply is the only function that decides where, and Transitions is the
// table that says what is allowed.
//
// The package imports the standard library only and does no I/O. The packages
// below it bring one technology each and meet here:
//
//	intake → ledger → dispatch → letter → email | postal → ledger
//	feedback → ledger → dispatch
//
// Everything in this package is safe for concurrent use as long as values are
// not shared while they are being changed.
package pipeline
