package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// cli is the grammar: every command, each in its own file.
type cli struct {
	globals

	Demo   demoCmd   `cmd:"" group:"start" help:"The whole story on sample data, with nothing installed."`
	Sample sampleCmd `cmd:"" group:"start" help:"Write a synthetic population: customers, impacts, campaign.yaml."`

	New     newCmd     `cmd:"" group:"prepare" help:"Start a draft campaign with its own letters."`
	Import  importCmd  `cmd:"" group:"prepare" help:"Bring in a customer directory and an impact list."`
	Check   checkCmd   `cmd:"" group:"prepare" help:"Render every notice and say what is wrong with letters, campaign or customers."`
	Proof   proofCmd   `cmd:"" group:"prepare" help:"Write e-mails and letters exactly as they would go out."`
	Approve approveCmd `cmd:"" group:"prepare" help:"Freeze letters, senders and policy as a numbered version."`

	Rehearse rehearseCmd `cmd:"" group:"prepare" help:"Run the real list against a practice relay and printer, in compressed time."`

	Launch launchCmd `cmd:"" group:"control" help:"Let the approved campaign go."`
	Pause  pauseCmd  `cmd:"" group:"control" help:"Stop sending within a second."`
	Resume resumeCmd `cmd:"" group:"control" help:"Go on after a pause or the canary."`
	Cancel cancelCmd `cmd:"" group:"control" help:"Never send what was not sent yet."`
	Pacing pacingCmd `cmd:"" group:"control" help:"Show or change rate, hours and connections while it runs."`

	Embargo embargoCmd `cmd:"" group:"control" help:"Show or change who may know of a campaign on the console, and until when."`

	Hold    holdCmd    `cmd:"" group:"customers" help:"Stop notices of single customers or of a cohort."`
	Release releaseCmd `cmd:"" group:"customers" help:"Let held notices go on, or close a breaker."`
	Exclude excludeCmd `cmd:"" group:"customers" help:"Take notices out, with a reason."`
	Correct correctCmd `cmd:"" group:"customers" help:"Give a customer another e-mail or postal address, and write there."`
	Find    findCmd    `cmd:"" group:"customers" help:"One customer: what happened, what is next, the very letter."`
	Outside outsideCmd `cmd:"" group:"customers" help:"Record who was told on the phone, by SMS, in a shop, by hand, or by a public notice."`
	Export  exportCmd  `cmd:"" group:"customers" help:"Lists for other people and systems: unreachable, held, states."`

	Run      runCmd      `cmd:"" group:"service" help:"The service: dispatches, sends, prints, until it is stopped."`
	Status   statusCmd   `cmd:"" group:"service" help:"States, channels, pace, and the balance."`
	Doctor   doctorCmd   `cmd:"" group:"service" help:"Look at what a launch needs: relay, DNS, way back, clock, disk, keys."`
	Print    printCmd    `cmd:"" group:"service" help:"Print runs: list, release, acknowledge, recall; letters that come back."`
	Feedback feedbackCmd `cmd:"" group:"service" help:"What comes back: bounces, complaints, replies."`
	Key      keyCmd      `cmd:"" group:"service" help:"The master key."`
	User     userCmd     `cmd:"" group:"service" help:"The people of the console: accounts, roles, passwords."`
	QA       qaCmd       `cmd:"" name:"qa" group:"service" help:"Questions and answers of the call-centre cell, of shops and of the press office."`

	HelpAll helpAllCmd `cmd:"" hidden:"" help:"The reference of the command line as Markdown."`
}

// groups are the headings of the help.
func groups() kong.Groups {
	return kong.Groups{
		"start":     "Try it",
		"prepare":   "Prepare a campaign",
		"control":   "Control a campaign",
		"customers": "Single customers",
		"service":   "Service",
		"every":     "Options of every command:",
	}
}

const about = `Tells every customer hit by a personal-data breach which of their contracts and which kinds of their data were exposed, by e-mail or by letter, and accounts for each of them.

Exit codes: 0 done; 1 the command ran and the answer is no; 2 wrong use or bad input; 3 a needed service is away. Results go to standard output, everything else to standard error.`

// halted carries the exit code of a help or version text out of the parser, which
// expects never to return from its exit function.
type halted int

// run is the program. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case halted:
			code = int(r)
		default:
			panic(r)
		}
	}()
	var c cli
	parser, err := newParser(&c, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	a := newApp(&c.globals, stdin, stdout, stderr)
	k, err := parser.Parse(args)
	if err != nil {
		// The flags were not applied: look for --json by hand, scripts rely on it.
		a.fail(usage(err, args))
		return exitUsage
	}
	if err := a.ready(); err != nil {
		a.fail(err)
		return exitCode(err)
	}
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(a); err != nil {
		a.fail(err)
		return exitCode(err)
	}
	return exitDone
}

func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("art34"),
		kong.Description(about),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(halted(code)) }),
		kong.Vars{"version": version()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, FlagsLast: true}),
		groups(),
		kong.PostBuild(nameEnvironment),
	)
}

func usage(err error, args []string) error {
	hint := "art34 --help lists the commands"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' && !strings.HasPrefix(err.Error(), "unexpected argument "+args[0]) {
		hint = "art34 " + args[0] + " --help shows the options, with examples"
	}
	if own := explained(err); own.Code != "error" {
		return own
	}
	return refuse("usage", err.Error(), hint)
}

// version is what the build says of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "(devel)" && len(s.Value) >= 12 {
			v = "devel-" + s.Value[:12]
		}
	}
	return v
}
