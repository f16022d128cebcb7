package main

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/templates"
)

// update writes what the README should hold instead of comparing it:
// go test ./cmd/art34 -run Readme -update
var update = flag.Bool("update", false, "write the generated parts of the README")

func TestReadmeReference(t *testing.T) {
	t.Parallel()
	example, err := fs.ReadFile(templates.Console(), "example/campaign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"help-all"}, nil, &out, &out); code != 0 {
		t.Fatalf("help-all: %d %s", code, out.String())
	}
	compareReadme(t, map[string]string{
		"reference": out.String(),
		"diagram":   "```mermaid\n" + pipeline.Diagram() + "```\n",
		"campaign":  "```yaml\n" + string(example) + "```\n", // as the console offers it
	})
}

// compareReadme holds parts of the README against what the program generates.
func compareReadme(t *testing.T, want map[string]string) {
	t.Helper()
	path := filepath.Join(root(t), "README.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, part := range want {
		had := readmePart(t, text, name)
		if had == part {
			continue
		}
		if !*update {
			t.Errorf("the part %s of the README is not what the program prints; go test ./cmd/art34 -run Readme -update writes it", name)
			continue
		}
		text = strings.Replace(text, begin(name)+had, begin(name)+part, 1)
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func begin(name string) string { return "<!-- " + name + ":begin -->\n" }

func readmePart(t *testing.T, text, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, begin(name))
	part, _, ended := strings.Cut(rest, "<!-- "+name+":end -->")
	if !ok || !ended {
		t.Fatalf("the README has no part %s", name)
	}
	return part
}

// TestReadmeCampaign: the campaign.yaml of the README is valid, and explains every
// key there is.
func TestReadmeCampaign(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := readmePart(t, string(data), "campaign")
	block = strings.TrimSuffix(strings.TrimPrefix(block, "```yaml\n"), "```\n")
	if _, err := parseSpec(specFile, []byte(block)); err != nil {
		t.Fatal(err)
	}
	for _, key := range yamlKeys(reflect.TypeFor[pipeline.Spec](), map[reflect.Type]bool{}) {
		if !regexp.MustCompile(`(^|[\s{,])` + regexp.QuoteMeta(key) + `:`).MatchString(block) {
			t.Errorf("the README does not explain the key %s", key)
		}
	}
}

// yamlKeys returns the keys of a type and of what it holds.
func yamlKeys(t reflect.Type, seen map[reflect.Type]bool) (keys []string) {
	switch t.Kind() {
	case reflect.Map, reflect.Slice, reflect.Pointer:
		return yamlKeys(t.Elem(), seen)
	case reflect.Struct:
		if seen[t] || t == reflect.TypeFor[pipeline.Date]() {
			return nil
		}
		seen[t] = true
		for f := range t.Fields() {
			key := f.Tag.Get("yaml")
			if t != reflect.TypeFor[pipeline.ProviderPolicy]() && key != "" {
				keys = append(keys, key)
			}
			keys = append(keys, yamlKeys(f.Type, seen)...)
		}
	}
	return keys
}
