package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/inert"
	"github.com/art34/art34/pipeline/kit/visible"
	"github.com/art34/art34/pipeline/postal/returned"
)

type printReturnCmd struct {
	Letters []string          `arg:"" optional:"" name:"reference" help:"References as printed on the letters, or scanned symbols; - reads them from standard input, a line each, as a scanner sends them. The name of a campaign before them: only its letters." placeholder:"REFERENCE"`
	File    string            `help:"List of a print shop or scanning service (CSV), or scanned lines; - is standard input." placeholder:"FILE"`
	Reason  string            `help:"Why, where the line itself does not say: as the post writes it, or one of the codes." placeholder:"REASON" default:"not-stated"`
	Map     map[string]string `help:"What a print shop's own word or number for a reason means." placeholder:"TEXT=REASON"`
	On      string            `help:"Day on which the letters came back, where the line does not say; default: now." placeholder:"DATE"`
	Bag     string            `help:"Name of the bag or box that the letters came in; on record with each." placeholder:"NAME"`
	Counted int               `help:"Letters that somebody counted in the bag; exit 1 if another number was read." placeholder:"N"`
	Rejects string            `help:"Write the rejected lines to a CSV: line, code, sentence." placeholder:"FILE" type:"path"`
	DryRun  bool              `help:"Say what would follow, and record nothing."`
}

// Help shows examples and the reasons.
func (printReturnCmd) Help() string {
	var bad, other []string
	for _, r := range returned.Reasons() {
		if r.Bad {
			bad = append(bad, r.Code)
		} else {
			other = append(other, r.Code)
		}
	}
	return `Each letter is recorded with its reason. These mean that the address is bad, so that an e-mail follows where there is an address, and the customer is unreachable otherwise, also if the letter counted as informed already: ` + strings.Join(bad, ", ") + `. These are recorded only: ` + strings.Join(other, ", ") + `. The labels of La Poste, of the UPU and of neighbouring posts are understood in their words. A reason that nobody knows is recorded as "other" and listed; --map teaches it, and the same list may be read again.

A list has a head line: letter_ref, or datamatrix, or run_id and seq; reason, date and bag (English or French, any order; other columns are ignored). Without a head line each line is a reference or a symbol, and perhaps its reason after a semicolon. From a scanner, a line that is nothing but a reason holds for the letters after it.

The symbol names the attempt; a typed reference means the newest letter that was posted. The same letter again changes nothing. Exit 1 if a line was rejected, a reason was not known, or a bag holds another number than was counted.

Examples:

    art34 print return 7KQ2-M9XD-4T0V --reason "destinataire inconnu à l'adresse"
    art34 print return muguet - --bag 12 --counted 52 < scanned.txt
    art34 print return --file pnd-2026-02-03.csv --map 3=refused --rejects rejects.csv
    art34 print return --file pnd-2026-02-03.csv --dry-run --json`
}

// Run records returned mail.
func (c printReturnCmd) Run(ctx context.Context, a *app) error {
	names, reason, on, err := c.usage(a)
	if err != nil {
		return err
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	d := newReturnDesk(h, names)
	d.reason, d.on, d.bag, d.dry = reason, on, c.Bag, c.DryRun
	letters, err := d.scope(ctx, c.Letters)
	if err != nil {
		return err
	}
	if err := c.read(ctx, d, letters); err != nil {
		return err
	}
	result, err := d.finish(ctx, c.Counted)
	if err != nil {
		return err
	}
	if c.Rejects != "" {
		if err := writeRejects(c.Rejects, result.Rejected); err != nil {
			return err
		}
	}
	if err := a.answer(result, result.print); err != nil {
		return err
	}
	if !result.clean() {
		return errNo
	}
	return nil
}

// usage checks the options.
func (c printReturnCmd) usage(a *app) (names returned.Names, reason returned.Reason, on pipeline.Date, err error) {
	if names, err = returned.NewNames(c.Map); err != nil {
		return
	}
	var ok bool
	if reason, ok = names.Parse(c.Reason); !ok {
		err = refuse("reason-unknown", "--reason is none that is known", "there are "+strings.Join(returned.Codes(), ", "))
		return
	}
	if c.On != "" {
		if e := on.UnmarshalText([]byte(c.On)); e != nil || on.IsZero() || on.After(a.clock.Now().Add(24*time.Hour)) {
			err = refuse("usage", "--on is a day like 2026-02-03, not in the future", "")
			return
		}
	}
	if !returned.BagName(c.Bag) || c.Counted < 0 || c.Counted > 0 && c.Bag == "" {
		err = refuse("usage", "--bag is a short name, and --counted the number of letters in it", "for example --bag 12 --counted 52")
		return
	}
	if c.File != "" && len(c.Letters) > 1 || c.File == "" && len(c.Letters) == 0 {
		err = refuse("usage", "say which letters came back: references, --file, or - for a scanner on standard input", "art34 print return --help shows examples")
	}
	return
}

// read brings every letter before the desk.
func (c printReturnCmd) read(ctx context.Context, d *returnDesk, letters []string) error {
	if c.File != "" {
		if len(letters) > 0 {
			return refuse("usage", "either references or --file", "a campaign may stand before both")
		}
		var in io.Reader = d.h.in
		if c.File != "-" {
			f, err := os.Open(c.File)
			if err != nil {
				return refuse("unreadable", "the list cannot be read: "+pathless(err), "put it where this account can read it")
			}
			defer f.Close()
			in = f
		}
		return d.list(ctx, in)
	}
	if len(letters) == 0 {
		return refuse("usage", "say which letters of the campaign came back: references, --file, or - for a scanner on standard input", "")
	}
	for i, text := range letters {
		if text == "-" {
			if err := d.scanner(ctx, d.h.in); err != nil {
				return err
			}
			continue
		}
		e, alone := returned.Line(i+1, text, d.names)
		if alone {
			return refuse("usage", "a reason stands among the references", "give it with --reason")
		}
		if err := d.take(ctx, []returned.Entry{e}); err != nil {
			return err
		}
	}
	return nil
}

// pathless is the reason of an error about a file, without its name.
func pathless(err error) string {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// scope takes the name of a campaign off the front of the arguments.
func (d *returnDesk) scope(ctx context.Context, args []string) ([]string, error) {
	all, err := d.h.ledger.AllCampaigns(ctx)
	if err != nil {
		return nil, err
	}
	d.campaigns = all
	if len(args) == 0 {
		return args, nil
	}
	for _, c := range all {
		if c.Name == args[0] {
			d.campaigns = []pipeline.Campaign{c}
			return args[1:], nil
		}
	}
	return args, nil
}

// list reads a whole list.
func (d *returnDesk) list(ctx context.Context, in io.Reader) error {
	list, err := returned.Read(in, d.names)
	if err != nil {
		return err
	}
	d.result.Encoding = list.Encoding
	for _, part := range chunks(list.Entries, 500) {
		if err := d.take(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func chunks[T any](list []T, n int) (parts [][]T) {
	for len(list) > n {
		parts, list = append(parts, list[:n]), list[n:]
	}
	return append(parts, list)
}

// scanner reads line by line and answers each, so that who scans sees at once what
// was not read.
func (d *returnDesk) scanner(ctx context.Context, in io.Reader) error {
	r := bufio.NewReader(in)
	if head, _ := r.Peek(3); bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = r.Discard(3)
	}
	for n, line := 0, ""; ; {
		var end error
		if line, end = readScan(r); end != nil && !errors.Is(end, io.EOF) {
			return end
		}
		n++
		if strings.TrimSpace(line) == "" {
			if end != nil {
				return nil
			}
			continue
		}
		if n == 1 && returned.IsHead(line) {
			return d.list(ctx, io.MultiReader(strings.NewReader(line+"\n"), r))
		}
		e, alone := returned.Line(n, line, d.names)
		if alone {
			d.reason = *e.Reason
			d.say("from here on: %s", e.Reason.Code)
		} else {
			seen, rejected := len(d.result.Letters), len(d.result.Rejected)
			if err := d.take(ctx, []returned.Entry{e}); err != nil {
				return err
			}
			d.echo(d.result.Letters[seen:], d.result.Rejected[rejected:])
		}
		if end != nil {
			return nil
		}
	}
}

// scanMost bounds a line of a scanner; what is longer is cut and rejected.
const scanMost = 4 << 10

// readScan reads up to the end of a line, LF, CR or both.
func readScan(r *bufio.Reader) (string, error) {
	var b []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			return string(b), err
		}
		if c == '\r' {
			if next, _ := r.Peek(1); r.Buffered() > 0 && len(next) == 1 && next[0] == '\n' {
				_, _ = r.ReadByte()
			}
			return string(b), nil
		}
		if c == '\n' {
			return string(b), nil
		}
		if len(b) < scanMost {
			b = append(b, c)
		}
	}
}

// say speaks to whoever scans.
func (d *returnDesk) say(format string, args ...any) {
	if !d.h.JSON {
		fmt.Fprintln(d.h.out, visible.Text(fmt.Sprintf(format, args...)))
	}
}

func (d *returnDesk) echo(letters []returnedLetter, rejected []rejectedLine) {
	for _, l := range letters {
		d.say("%s", l.sentence())
	}
	for _, r := range rejected {
		d.say("line %d is not recorded: %s (%s)", r.Line, r.Sentence, r.Code)
	}
}

// rejectedLine is a line that was not recorded.
type rejectedLine struct {
	Line     int    `json:"line"`
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
	Hint     string `json:"hint,omitempty"`
}

func reject(line int, err *pipeline.Error) rejectedLine {
	return rejectedLine{line, err.Code, err.Sentence, err.Hint}
}

// writeRejects writes rejected lines; none of what they said, only where.
func writeRejects(path string, list []rejectedLine) error {
	var b bytes.Buffer
	w := inert.NewTable(&b)
	_ = w.Write("line", "code", "sentence", "hint")
	for _, r := range list {
		_ = w.Write(strconv.Itoa(r.Line), r.Code, r.Sentence, r.Hint)
	}
	_ = w.Flush()
	return writeWhole(path, 0o600, func(out io.Writer) error {
		_, err := out.Write(b.Bytes())
		return err
	})
}
