package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// Names in the folder of a campaign.
const (
	specFile   = "campaign.yaml"
	lettersDir = "letters"
)

// maxCampaignFile bounds one file of a campaign: a logo is the largest.
const maxCampaignFile = 2 << 20

// campaignName is what a campaign may be called: it becomes a directory.
// nameRule says so.
var campaignName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

const nameRule = "lower-case letters, digits, hyphens, dots, underscores; a letter or digit first, 64 characters at most; it becomes a directory"

// folder is the directory of one campaign, DIR/campaigns/NAME: campaign.yaml, the
// letters, the logos. People edit it; approve freezes what it holds.
type folder struct {
	path string
	spec string // how faults name campaign.yaml
}

func (a *app) folder(campaign string) folder {
	f := folder{path: filepath.Join(a.Dir, "campaigns", campaign), spec: specFile}
	if a.acts == "" {
		// Whoever mends it at the machine needs its place; the pages show none.
		f.spec = filepath.Join(f.path, specFile)
	}
	return f
}

// content is everything that a version freezes: the name of each file under the
// folder, with what is in it. Its JSON is canonical: keys are sorted.
type content struct {
	Files map[string]string `json:"files"` // campaign.yaml, letters/breach.fr.md, …
	Logos map[string][]byte `json:"logos,omitempty"`
}

// read takes in the folder. The spec is decoded strictly and validated; where only
// that fails, the files are returned beside the error.
func (f folder) read() (*content, *pipeline.Spec, error) {
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return nil, nil, refuse("campaign-folder", "the folder of the campaign cannot be opened: "+pathless(err), "it is made by art34 new")
	}
	defer root.Close()
	c := &content{Files: map[string]string{}, Logos: map[string][]byte{}}
	text, err := readLimited(root, specFile)
	if err != nil {
		return nil, nil, err
	}
	c.Files[specFile] = string(text)
	entries, err := fs.ReadDir(root.FS(), lettersDir)
	if err != nil {
		return nil, nil, refuse("campaign-folder", "the letters of the campaign cannot be read: "+pathless(err), "they were copied to letters/ by art34 new")
	}
	for _, e := range entries {
		name := path.Join(lettersDir, e.Name())
		if ext := path.Ext(name); ext == ".md" || ext == ".yaml" {
			letter, err := readLimited(root, name)
			if err != nil {
				return nil, nil, err
			}
			c.Files[name] = string(letter)
		}
	}
	spec, err := parseSpec(f.spec, text)
	if err != nil {
		return c, nil, err // whoever mends campaign.yaml needs to see it
	}
	return c, spec, c.takeLogos(root, spec)
}

// takeLogos reads the logos that a spec names.
func (c *content) takeLogos(root *os.Root, spec *pipeline.Spec) (err error) {
	for _, s := range spec.Senders {
		if s.Logo == "" || c.Logos[s.Logo] != nil {
			continue
		}
		if c.Logos[s.Logo], err = readLimited(root, s.Logo); err != nil {
			return err
		}
	}
	return nil
}

func readLimited(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse("campaign-file-missing", name+" is not in the folder of the campaign", "put it there; campaign.yaml names the logos")
	}
	if err != nil {
		return nil, err
	}
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		return nil, refuse("campaign-file-link", name+" is a symbolic link", "put a copy of the file itself there: what a version freezes must not change elsewhere")
	case !info.Mode().IsRegular():
		return nil, refuse("campaign-file", name+" is no file", "put the file there")
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// What is read is what was looked at: the name may lead to another file by now, and
	// the file may have grown.
	if opened, err := f.Stat(); err != nil {
		return nil, err
	} else if !os.SameFile(info, opened) {
		return nil, refuse("campaign-file-changed", name+" was replaced while it was read", "try again")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxCampaignFile+1))
	if err == nil && len(data) > maxCampaignFile {
		return nil, refuse("campaign-file-large", fmt.Sprintf("%s is larger than %d bytes", name, maxCampaignFile), "shorten the text, or save the logo smaller")
	}
	return data, err
}

// spec decodes and validates campaign.yaml.
func (c *content) spec() (*pipeline.Spec, error) {
	return parseSpec(specFile, []byte(c.Files[specFile]))
}

// parseSpec decodes and validates a campaign file; its faults name it.
func parseSpec(name string, data []byte) (*pipeline.Spec, error) {
	s := new(pipeline.Spec)
	if err := strictyaml.Decode(name, data, s); err != nil {
		return nil, refuse("campaign-file", strings.TrimRight(err.Error(), " \n"), specHint)
	}
	if err := s.Validate(); err != nil {
		faults, ok := errors.AsType[*pipeline.SpecError](err)
		if !ok {
			return nil, err
		}
		return nil, &pipeline.Error{Code: "campaign-file", Sentence: name + " has " + count(int64(len(faults.Faults)), "fault", "faults"), Cause: faultList{faults}, Hint: specHint, Permanent: true, Exit: exitUsage}
	}
	return s, nil
}

// specHint says where the keys of a campaign file are explained.
const specHint = "README.md explains every key under campaign.yaml; art34 sample writes a complete example"

// faultList writes the faults of a campaign file a line each.
type faultList struct{ *pipeline.SpecError }

func (l faultList) Error() string { return "\n  - " + strings.Join(l.Faults, "\n  - ") }
func (l faultList) Unwrap() error { return l.SpecError }

// canonical is the content as it is stored and hashed.
func (c *content) canonical() (data []byte, hash string, err error) {
	if data, err = json.Marshal(c); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:]), nil
}

func parseContent(data []byte) (*content, error) {
	c := new(content)
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("the stored version cannot be read: %w", err)
	}
	return c, nil
}

// letters is the part that the letter package loads, rooted at letters/.
func (c *content) letters() fs.FS {
	m := memory{}
	for name, text := range c.Files {
		if rest, ok := strings.CutPrefix(name, lettersDir+"/"); ok {
			m[rest] = []byte(text)
		}
	}
	return m
}

// changed lists the files in which two contents differ.
func (c *content) changed(other *content) (names []string) {
	all := map[string]bool{}
	for _, m := range []map[string]string{c.Files, other.Files} {
		for name := range m {
			all[name] = true
		}
	}
	for name := range all {
		was, had := c.Files[name]
		is, has := other.Files[name]
		if was != is || had != has {
			names = append(names, name)
		}
	}
	logos := maps.Clone(c.Logos)
	if logos == nil {
		logos = map[string][]byte{}
	}
	maps.Copy(logos, other.Logos)
	for name := range logos {
		if !bytes.Equal(c.Logos[name], other.Logos[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// unified is the difference from an older content as people read it.
func (c *content) unified(old *content, oldName, newName string) string {
	var b strings.Builder
	for _, name := range old.changed(c) {
		_, isText := c.Files[name]
		_, wasText := old.Files[name]
		if !isText && !wasText {
			fmt.Fprintf(&b, "logo %s changed\n", name)
			continue
		}
		b.Write(diff.Diff(oldName+"/"+name, []byte(old.Files[name]), newName+"/"+name, []byte(c.Files[name])))
	}
	return b.String()
}

// memory is a file system of a few files in one directory.
type memory map[string][]byte

var (
	_ fs.ReadFileFS = memory{}
	_ fs.ReadDirFS  = memory{}
)

// ReadFile implements fs.ReadFileFS.
func (m memory) ReadFile(name string) ([]byte, error) {
	data, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return bytes.Clone(data), nil
}

// ReadDir implements fs.ReadDirFS for the root.
func (m memory) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var list []fs.DirEntry
	for _, n := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fs.FileInfoToDirEntry(memoryInfo{n, int64(len(m[n]))}))
	}
	return list, nil
}

// Open implements fs.FS.
func (m memory) Open(name string) (fs.File, error) {
	data, err := m.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &memoryFile{Reader: bytes.NewReader(data), info: memoryInfo{name, int64(len(data))}}, nil
}

type memoryFile struct {
	*bytes.Reader
	info memoryInfo
}

func (f *memoryFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *memoryFile) Close() error               { return nil }

type memoryInfo struct {
	name string
	size int64
}

func (i memoryInfo) Name() string       { return i.name }
func (i memoryInfo) Size() int64        { return i.size }
func (i memoryInfo) Mode() fs.FileMode  { return 0o444 }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return false }
func (i memoryInfo) Sys() any           { return nil }
