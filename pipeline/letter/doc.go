// Package letter turns a template and a notice into a pipeline.Letter, a letter
// into text and HTML, and checks both.
//
// The letters of a campaign are plain files, one a kind and locale, that people
// rewrite ten times in the week of a breach:
//
//	breach.fr.md supplement.fr.md awareness.fr.md   the letters
//	parts.fr.md                                     {{define}}s that they share
//	locale.fr.yaml                                  dates, salutations, words to avoid
//	catalogue.yaml                                  the data kinds, in every locale
//
// Adding a locale is adding files: breach.de.md, locale.de.yaml and so on, and the
// wording of the data kinds in catalogue.de.yaml.
//
// A letter is Markdown with a front matter (subject, version) and actions of
// text/template. What an action may say is closed: the fields that Fields lists,
// the functions that Functions lists, if, range, with, define and template. Every
// template is type-checked when it is loaded, so that an unknown field is an error
// with file and line before the first letter, and none can run for ever.
//
// A value of a customer never meets the Markdown parser. It travels as one
// private-use character that is an ordinary letter to the parser and is replaced
// in the parsed blocks, so no value can make structure, and the parsed blocks of a
// section are the same for all customers with the same contracts and data kinds:
// they are kept and parsed once. Texts of campaign.yaml and of the catalogue are
// the campaign's own; they are escaped and stay text as well.
//
// Everything is deterministic: the same files, campaign and notice give the same
// letter, and the same letter the same bytes.
package letter
