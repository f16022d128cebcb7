// Package email carries letters by e-mail: it builds the message, hands it to a
// relay and says what the relay's answer means. It is the only home of go-mail.
//
// A Composer turns a rendered letter into bytes before anything is sent, so that
// nothing can fail in the middle of DATA. A Relay opens connections; a Conn hands
// over one message to one recipient at a time and reports how far that got:
//
//	accepted   250 to the final dot
//	refused    the relay said no to this recipient or message; Outcome says what it means
//	unsent     nothing was taken, through no fault of the notice
//	doubtful   the dot was sent and no answer came
//
// go-mail builds the message and opens, encrypts and authenticates the
// connection. MAIL, RCPT and DATA are written here, because the library's own way
// costs seven round trips a message, completes truncated messages when a write
// fails, calls every network error permanent and prints addresses in its errors.
//
// No error, answer or log line of this package holds a recipient's address.
package email
