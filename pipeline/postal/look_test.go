package postal

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestLook writes the sample letters as PDF and PNG into the directory that
// ART34_LOOK names, for eyes.
func TestLook(t *testing.T) {
	dir := os.Getenv("ART34_LOOK")
	if dir == "" {
		t.Skip("set ART34_LOOK to a directory to look at the letters")
	}
	de := pipeline.Person{Title: "Herrn", FirstName: "Łukasz", LastName: "Großmann", Address: []string{"Schloßstraße 12"}, Postcode: "10115", City: "Berlin", Country: "DE"}
	gb := pipeline.Person{Title: "Ms", FirstName: "Sarah", LastName: "O’Connor", Address: []string{"Flat 3", "221B Baker Street"}, Postcode: "NW1 6XE", City: "London", Country: "GB"}
	for _, x := range []struct {
		name   string
		config Config
		letter *pipeline.Letter
		who    pipeline.Person
	}{
		{"french", Config{}, frenchLetter(2), person()},
		{"french-c5", Config{Profile: "fr-c5"}, frenchLetter(1), person()},
		{"two-page", Config{}, frenchLetter(7), person()},
		{"english", Config{}, englishLetter(), gb},
		{"large", Config{}, largeLetter(), person()},
		{"din", Config{Profile: "din5008b"}, englishLetter(), de},
		{"govuk", Config{Profile: "govuk"}, englishLetter(), gb},
	} {
		press := newPress(t, x.config)
		var b bytes.Buffer
		d, err := press.DrawLetter(&b, item(t, press, x.letter, x.who))
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		t.Log(x.name, d.Printed, "pages", d.Code)
		file := filepath.Join(dir, x.name+".pdf")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("pdftoppm", "-r", "100", "-png", file, filepath.Join(dir, x.name)).CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
	}
}
