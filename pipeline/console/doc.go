// Package console is the pages for people: operations at the wheel of a campaign,
// and the cell with a customer on the phone. They are HTML from this program, work
// without JavaScript, ask nothing of any other host, and are there in French and
// English.
//
// One table says who may do what (Permissions), and one says which page does it
// (routes); a test walks every page as every role. What a page shows or changes is
// declared in ports.go as small interfaces, which the command supplies.
//
// The templates, the style sheet, the script and the words come as a file system:
// html/NAME.html, css/console.css, static/*, messages/LOCALE.yaml and
// messages/LOCALE-PART.yaml.
//
// References: OWASP ASVS 5.0 level 2; WCAG 2.2 A and AA; RFC 6238 (time-based
// one-time passwords); RFC 9106 (argon2id); RFC 6265bis (cookie prefixes).
package console
