package console

import (
	"encoding/hex"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/art34/art34/pipeline"
)

// This file holds the desk of whoever words the letters: a text, beside it the letter
// that it gives and what check finds in it, and every text that was there before.
// What is shown is written to somebody who does not exist.

func writingRoutes() []route {
	const file = " /campaigns/{name}/letters/{file}"
	return []route{
		{pattern: "GET /campaigns/{name}/letters", may: ActRead, do: listTexts},
		{pattern: "GET" + file, may: ActRead, do: showText},
		{pattern: "POST" + file, may: ActWrite, do: writeText, limit: textForm},
		{pattern: "POST" + file + "/preview", may: ActWrite, do: previewPiece, limit: textForm},
		{pattern: "GET" + file + "/preview/html", may: ActRead, frame: true, do: previewHTML},
		{pattern: "GET" + file + "/preview/pdf", may: ActRead, do: previewPDF},
		{pattern: "GET" + file + "/saved/{n}", may: ActRead, do: showSaved},
	}
}

// textForm is how long a form with a text may be: each byte may need three.
const textForm = 256 << 10

// fileForm is what a file of letters is called. What it means is for the desk: this
// keeps paths and headers out.
var fileForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}(\.[A-Za-z0-9-]{2,12})?\.(md|yaml)$`)

func listTexts(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	t, err := v.ops().Texts(v.ctx(), c.Name)
	if err != nil {
		return err
	}
	return v.page("texts", struct {
		Campaign pipeline.Campaign
		Texts    Texts
		Lines    []diffLine
	}{c, t, diffLines(t.Diff)})
}

// desk is the page of one text.
type textDesk struct {
	Campaign pipeline.Campaign
	Path     string
	Text     Text   // as it is now
	Written  string // as it stands in the form
	Reason   string
	Preview  Preview
	Mine     []diffLine // from the text as it is to the one in the form, where somebody was faster
	History  []pipeline.Writing
}

// textDesk reads the text that the path names.
func (v *visit) textDesk() (textDesk, error) {
	c, err := v.campaign()
	if err != nil {
		return textDesk{}, err
	}
	file := v.r.PathValue("file")
	if !fileForm.MatchString(file) {
		return textDesk{}, pipeline.ErrNotFound
	}
	t, err := v.ops().Text(v.ctx(), c.Name, file)
	d := textDesk{Campaign: c, Path: campaignPath(c) + "/letters/" + url.PathEscape(file), Text: t, Written: t.Content, History: slices.Clone(t.History)}
	slices.Reverse(d.History)
	return d, err
}

// specimen is what the form wants to be shown.
func (v *visit) specimen() Specimen {
	return Specimen{
		Letter: v.value("letter"), Locale: v.value("locale"), Sender: v.value("sender"),
		Occasion: pipeline.AttemptKind(v.value("occasion")), Person: v.value("person"), LargePrint: v.value("large") == "yes",
	}
}

// look renders the text in the form, and keeps the letter for its frames.
func (v *visit) look(d *textDesk, s Specimen) error {
	done, err := v.looks.begin(v.ctx(), v.user.Login)
	if err != nil {
		v.w.Header().Set("Retry-After", "5")
		return err
	}
	defer done()
	p, err := v.ops().Preview(v.ctx(), d.Campaign.Name, d.Text.File, d.Written, s)
	if err != nil {
		return err
	}
	lines := strings.Split(d.Written, "\n")
	for _, list := range [][]Finding{p.Faults, p.Blocks, p.Warnings} {
		for i, f := range list {
			if f.Line > 0 && f.Line <= len(lines) && (f.File == "" || strings.HasSuffix(f.File, d.Text.File)) {
				list[i].Excerpt = strings.TrimSpace(lines[f.Line-1])
			}
		}
	}
	d.Preview = p
	v.previews.keep(v.previewKey(d.Campaign, d.Text.File), p)
	return nil
}

func showText(v *visit) error {
	d, err := v.textDesk()
	if err != nil {
		return err
	}
	if err := v.look(&d, Specimen{}); err != nil {
		return err
	}
	return v.page("text", d)
}

// written is the text of the form: lines end as in a file.
func (v *visit) written() string { return fileText(v.r.PostForm.Get("text")) }

// fileText is a text of a form as a file has it.
func fileText(text string) string {
	s := strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}

// writeText shows the letter that the form gives, or saves it.
func writeText(v *visit) error {
	d, err := v.textDesk()
	if err != nil {
		return err
	}
	d.Written, d.Reason = v.written(), v.value("reason")
	if v.value("do") != "save" {
		if err := v.look(&d, v.specimen()); err != nil {
			return err
		}
		return v.page("text", d)
	}
	reason := v.reason()
	base := v.value("base")
	if len(v.problems) == 0 {
		err := v.ops().Save(v.ctx(), d.Campaign.Name, d.Text.File, d.Written, base, reason, !May(v.user.Roles, ActPrepare))
		own, _ := errors.AsType[*pipeline.Error](err)
		switch {
		case err == nil:
			v.jobs.outdate(d.Campaign.ID, "check")
			return v.done(d.Path, "text")
		case own != nil && own.Code == "text-changed":
			// Nothing is lost: the form keeps the text, shows what the other did, and saves
			// over it if that is what its writer wants.
			if d.Text, err = v.ops().Text(v.ctx(), d.Campaign.Name, d.Text.File); err != nil {
				return err
			}
			d.Mine = diffLines(v.ops().Difference("theirs", d.Text.Content, "yours", d.Written))
			v.wrong("text", "problem.text_changed")
		default:
			if err := v.refused("text", err); err != nil {
				return err
			}
		}
	}
	if err := v.look(&d, v.specimen()); err != nil {
		return err
	}
	return v.again("text", d)
}

// previewPiece is the preview alone, for the script of the page.
func previewPiece(v *visit) error {
	d, err := v.textDesk()
	if err != nil {
		return err
	}
	d.Written = v.written()
	if err := v.look(&d, v.specimen()); err != nil {
		return err
	}
	text, err := v.piece("text", "preview", d)
	if err != nil {
		return err
	}
	return v.bytes("text/html; charset=utf-8", []byte(text))
}

// kept is the letter that this login looked at last, or that of the text as it is.
func (v *visit) kept() (Preview, error) {
	d, err := v.textDesk()
	if err != nil {
		return Preview{}, err
	}
	if p, ok := v.previews.of(v.previewKey(d.Campaign, d.Text.File)); ok {
		return p, nil
	}
	err = v.look(&d, Specimen{})
	return d.Preview, err
}

func previewHTML(v *visit) error {
	p, err := v.kept()
	if err != nil {
		return err
	}
	if len(p.HTML) == 0 {
		return pipeline.ErrNotFound
	}
	return v.bytes("text/html; charset=utf-8", p.HTML)
}

func previewPDF(v *visit) error {
	p, err := v.kept()
	if err != nil {
		return err
	}
	return v.paper("preview.pdf", p.PDF)
}

// paper answers with pages that our own pages may show in a frame.
func (v *visit) paper(name string, pdf []byte) error {
	if len(pdf) == 0 {
		return pipeline.ErrNotFound
	}
	v.w.Header().Set("Content-Security-Policy", paperPolicy)
	v.w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	v.w.Header().Set("Content-Disposition", `inline; filename="`+plainName(name)+`"`)
	return v.bytes("application/pdf", pdf)
}

func showSaved(v *visit) error {
	d, err := v.textDesk()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(v.r.PathValue("n"))
	if err != nil || n < 1 {
		return pipeline.ErrNotFound
	}
	w, err := v.ops().Saved(v.ctx(), d.Campaign.Name, d.Text.File, n)
	if err != nil {
		return err
	}
	var before pipeline.Writing
	if n > 1 {
		if before, err = v.ops().Saved(v.ctx(), d.Campaign.Name, d.Text.File, n-1); err != nil {
			return err
		}
	}
	data := struct {
		textDesk
		Saved pipeline.Writing
		Lines []diffLine
	}{d, w, nil}
	if n > 1 {
		data.Lines = diffLines(v.ops().Difference(strconv.Itoa(n-1), before.Content, strconv.Itoa(n), w.Content))
	}
	return v.page("saved", data)
}

// previews are the letters that people who write looked at last: one a login and
// file, the newest few. They hold nobody's data.
type previews struct {
	mu    sync.Mutex
	by    map[string]Preview
	order []string
}

const previewsKept = 64

func newPreviews() *previews { return &previews{by: map[string]Preview{}} }

func (v *visit) previewKey(c pipeline.Campaign, file string) string {
	if v.session == nil {
		return ""
	}
	return hex.EncodeToString(v.session.Hash[:]) + "/" + strconv.FormatInt(c.ID, 10) + "/" + file
}

func (p *previews) keep(key string, x Preview) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order = append(slices.DeleteFunc(p.order, func(k string) bool { return k == key }), key)
	p.by[key] = x
	if len(p.order) > previewsKept {
		delete(p.by, p.order[0])
		p.order = p.order[1:]
	}
}

func (p *previews) of(key string) (Preview, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, ok := p.by[key]
	return x, ok
}

// diffLine is a line of a difference. Kind is "file", "gap", "same", "old" or "new".
type diffLine struct{ Kind, Text string }

// fileOf is the file of "now/letters/breach.fr.md": which side it is on, the heading
// says already.
func fileOf(head string) string {
	if _, file, ok := strings.Cut(head, "/"); ok {
		return file
	}
	return head
}

// diffLines reads what diff -u writes.
func diffLines(text string) []diffLine {
	var list []diffLine
	head := 0 // lines of the head of a file that are to come
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case head == 0 && strings.HasPrefix(line, "diff "):
			head = 2
		case head == 2 && strings.HasPrefix(line, "--- "):
			head = 1
		case head == 1 && strings.HasPrefix(line, "+++ "):
			head = 0
			list = append(list, diffLine{"file", fileOf(strings.TrimPrefix(line, "+++ "))})
		case strings.HasPrefix(line, "@@"):
			list = append(list, diffLine{"gap", ""})
		case strings.HasPrefix(line, "-"):
			list = append(list, diffLine{"old", line[1:]})
		case strings.HasPrefix(line, "+"):
			list = append(list, diffLine{"new", line[1:]})
		case strings.HasPrefix(line, " "):
			list = append(list, diffLine{"same", line[1:]})
		case line != "":
			list = append(list, diffLine{"same", line})
		}
	}
	return list
}
