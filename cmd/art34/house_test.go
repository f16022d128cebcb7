package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// This file holds the rules of the house: who may import what, where a library
// lives, and where time, chance, the environment and the end of the process come
// from.

const module = "github.com/art34/art34"

// homes says where each third-party library lives: the only packages whose code
// (tests apart) may import it. A path ending in "/" stands for all below it.
func homes() map[string][]string {
	return map[string][]string{
		"filippo.io/age":                   {"pipeline/kit/agefile"},
		"github.com/alecthomas/kong":       {"cmd/art34"},
		"github.com/alicebob/miniredis/v2": {"pipeline/queue"},
		"github.com/boombuler/barcode":     {"pipeline/postal", "pipeline/console"},
		"github.com/coreos/go-oidc/v3":     {"pipeline/console/openid"},
		"github.com/emersion/go-smtp":      {"pipeline/rehearsal", "pipeline/feedback/listen"},
		"github.com/emersion/go-imap/v2":   {"pipeline/feedback/mailbox"},
		"github.com/go-fonts/liberation":   {"pipeline/postal"},
		"github.com/goccy/go-yaml":         {"pipeline/kit/strictyaml"},
		"github.com/hibiken/asynq":         {"pipeline/queue"},
		"github.com/jackc/pgx/v5":          {"pipeline/ledger/postgres"},
		"github.com/jung-kurt/gofpdf":      {"pipeline/postal"},
		"github.com/klauspost/compress":    {"pipeline/intake"},
		"github.com/nyaruka/phonenumbers":  {"pipeline/intake"},
		"github.com/redis/go-redis/v9":     {"pipeline/queue"},
		"github.com/rogpeppe/go-internal":  {"cmd/art34"},
		"github.com/wneessen/go-mail":      {"pipeline/email"},
		"github.com/xuri/excelize/v2":      {"pipeline/intake"},
		"github.com/yuin/goldmark":         {"pipeline/kit/markdown"},
		"github.com/chromedp":              {}, // tests
		"golang.org/x/crypto/argon2":       {"pipeline/console"},
		"golang.org/x/net/idna":            {"pipeline/kit/idna"},
		"golang.org/x/oauth2":              {"pipeline/console/openid"},
		"golang.org/x/sync/errgroup":       {"cmd/art34"},
		"golang.org/x/term":                {"cmd/art34"},
		"golang.org/x/image":               {"pipeline/postal"},
		"pgregory.net/rapid":               {}, // tests
		"modernc.org/sqlite":               {"pipeline/ledger/sqlite"},
		// The extended standard library where two rooms need the same table.
		"golang.org/x/text": {"pipeline/kit/fold", "pipeline/intake", "pipeline/postal", "pipeline/letter", "pipeline/email", "pipeline/feedback/dsn", "pipeline/rehearsal/sample"},
		"golang.org/x/time": {"pipeline/dispatch", "pipeline/console"},
	}
}

type listed struct {
	ImportPath, Dir, Doc, ForTest      string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// house lists the packages of the module, by path below it.
func houseOf(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports,TestImports,XTestImports", module+"/...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]listed{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[below(p.ImportPath)] = p
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages", len(all))
	}
	return all
}

// root is the top of the tree.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// below is a path without the module; "." for what is no part of it.
func below(importPath string) string {
	rest, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return "."
	}
	return rest
}

func TestHouseImports(t *testing.T) {
	t.Parallel()
	for name, p := range houseOf(t) {
		for _, imported := range p.Imports {
			if in := below(imported); in != "." {
				if why := mayImport(name, in); why != "" {
					t.Errorf("%s imports %s: %s", name, in, why)
				}
				continue
			}
			if !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				continue // the standard library
			}
			if name == "pipeline" {
				t.Errorf("pipeline imports %s: the vocabulary uses the standard library only", imported)
			}
			home, known := homeOf(imported)
			if !known {
				t.Errorf("%s imports %s, which has no home yet: name one", name, imported)
			} else if !slices.Contains(home, name) && !isTest(name) {
				t.Errorf("%s imports %s, whose home is %v", name, imported, home)
			}
		}
	}
}

func homeOf(imported string) ([]string, bool) {
	for lib, home := range homes() {
		if imported == lib || strings.HasPrefix(imported, lib+"/") {
			return home, true
		}
	}
	return nil, false
}

// isTest reports whether a package exists for tests only.
func isTest(name string) bool {
	base := path.Base(name)
	return name == "fixtures" || strings.HasSuffix(base, "test") || base == "testenv"
}

// mayImport says why a package must not import another of the house, "" if it may.
func mayImport(name, in string) string {
	switch {
	case isTest(in) && !isTest(name):
		return "it is for tests only"
	case isTest(name), strings.HasPrefix(name, "cmd/"):
		return ""
	case strings.HasPrefix(in, "cmd/"):
		return "nothing imports the program"
	case name == "pipeline":
		return "the vocabulary uses the standard library only"
	case strings.HasPrefix(name, "pipeline/kit/"):
		return "a tool of the kit knows no sibling"
	case in == "pipeline", strings.HasPrefix(in, "pipeline/kit/"):
		return ""
	case strings.HasPrefix(in, name+"/"), strings.HasPrefix(name, in+"/"):
		return "" // parent and child
	}
	return "siblings know each other through interfaces only"
}

func TestHouseHasDoc(t *testing.T) {
	t.Parallel()
	for name, p := range houseOf(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", name)
		}
	}
}

// TestHouseTimeAndChance: clock, randomness, environment and exit only in cmd and
// the kit.
func TestHouseTimeAndChance(t *testing.T) {
	t.Parallel()
	forbidden := map[string][]string{
		"time": {"Now", "Since", "Until"},
		"os":   {"Getenv", "LookupEnv", "Environ", "Exit", "ExpandEnv"},
	}
	for name, p := range houseOf(t) {
		outside := !strings.HasPrefix(name, "cmd/") && !strings.HasPrefix(name, "pipeline/kit/") && !isTest(name)
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			where := name + "/" + file
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s has an init function: work belongs into functions that are called", where)
				}
			}
			if !outside {
				continue
			}
			for _, i := range f.Imports {
				if slices.Contains([]string{`"math/rand"`, `"math/rand/v2"`, `"crypto/rand"`}, i.Path.Value) {
					t.Errorf("%s imports %s: chance is passed in", where, i.Path.Value)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if pkg, ok := sel.X.(*ast.Ident); ok && slices.Contains(forbidden[pkg.Name], sel.Sel.Name) {
						t.Errorf("%s uses %s.%s: it is passed in", where, pkg.Name, sel.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestHouseKnowsNoMachine: nothing in the tree names a directory of the machine it
// was written on.
func TestHouseKnowsNoMachine(t *testing.T) {
	t.Parallel()
	machine := regexp.MustCompile(`/(?:(?:work|home)/[a-z.]+|farm|root)/|/tmp/(?:bash_jobs|art34/)`)
	err := filepath.WalkDir(root(t), func(file string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "bin", "art34-data"}, d.Name()) {
			return filepath.SkipDir
		}
		if d.IsDir() || d.Name() == "house_test.go" || d.Name() == ".git" {
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for n, line := range strings.Split(string(data), "\n") {
			if m := machine.FindString(line); m != "" {
				t.Errorf("%s:%d names %s", file, n+1, m)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHouseRulesBite makes sure that the rules refuse what they are for.
func TestHouseRulesBite(t *testing.T) {
	t.Parallel()
	for _, bad := range [][2]string{
		{"pipeline", "pipeline/kit/clock"}, {"pipeline/kit/clock", "pipeline"}, {"pipeline/email", "pipeline/letter"},
		{"pipeline/letter", "templates"}, {"pipeline/email", "pipeline/kit/testenv"}, {"cmd/art34", "fixtures"}, {"pipeline/email", "cmd/art34"},
	} {
		if mayImport(bad[0], bad[1]) == "" {
			t.Errorf("%s may import %s", bad[0], bad[1])
		}
	}
	for _, good := range [][2]string{
		{"cmd/art34", "pipeline/email"}, {"pipeline/email", "pipeline"}, {"pipeline/email", "pipeline/kit/idna"},
		{"pipeline/ledger/sqlite", "pipeline/ledger"}, {"pipeline/ledger/ledgertest", "pipeline/ledger"},
	} {
		if why := mayImport(good[0], good[1]); why != "" {
			t.Errorf("%s must not import %s: %s", good[0], good[1], why)
		}
	}
}
