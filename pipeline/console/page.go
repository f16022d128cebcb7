package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/visible"
)

// pages are the parsed templates of each language and time zone: what a template
// calls is bound to both. Zones are few, and read when they are first needed.
type pages struct {
	mu sync.Mutex
	by map[pageKey]map[string]*template.Template
}

type pageKey struct{ locale, zone string }

// pagesIn returns the pages in these words.
func (k *Console) pagesIn(w *words) (map[string]*template.Template, error) {
	k.pages.mu.Lock()
	defer k.pages.mu.Unlock()
	key := pageKey{w.locale, w.zone.String()}
	if all := k.pages.by[key]; all != nil {
		return all, nil
	}
	all, err := k.readPages(w)
	if err == nil {
		k.pages.by[key] = all
	}
	return all, err
}

// readPages parses html/*.html: each file is a page, and defines "title" and "main"
// for the layout. Those in html/parts are there for all pages.
func (k *Console) readPages(w *words) (map[string]*template.Template, error) {
	parts, err := fs.Glob(k.Files, "html/parts/*.html")
	if err != nil {
		return nil, err
	}
	all, err := fs.Glob(k.Files, "html/*.html")
	if err != nil {
		return nil, err
	}
	base, err := template.New("").Option("missingkey=error").Funcs(k.functions(w)).ParseFS(k.Files, parts...)
	if err != nil {
		return nil, err
	}
	out := map[string]*template.Template{}
	for _, file := range all {
		name := strings.TrimSuffix(path.Base(file), ".html")
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(k.Files, file)
		}
		if err != nil {
			return nil, err
		}
		if t.Lookup("title") == nil || t.Lookup("main") == nil {
			return nil, fmt.Errorf("%s defines no title, or no main", file)
		}
		out[name] = t
	}
	return out, nil
}

// functions is what templates may call.
func (k *Console) functions(w *words) template.FuncMap {
	return template.FuncMap{
		"t":       w.say,
		"has":     w.has,
		"n":       func(v any) string { return w.value(v) },
		"at":      w.at,
		"day":     w.day,
		"soon":    func(t time.Time) string { return w.soon(t, k.Clock.Now()) },
		"scope":   w.scope,
		"mailbox": w.mailbox,
		"cause":   w.cause,
		"tell":    w.tell,
		"fault":   w.faultOf,
		"who":     w.who,
		"why":     w.why,
		"code":    w.code,
		"span":    w.span,
		"states":  stateCounts,
		"percent": w.percent,
		"rate":    w.rate,
		"asset":   k.assets.path,
		"dict":    dict,
		"only":    func(v any) []any { return []any{v} },
		"of":      of,
		"join":    strings.Join,
		"colon":   w.colon,
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"list":    func(all ...string) []string { return all },
		"inc":     func(i int) int { return i + 1 },
		"long":    func(i int) int64 { return int64(i) },
		"share":   w.share,
		"each":    w.each,
		"family":  func(file string) string { kind, _, _ := strings.Cut(file, "."); return kind },
	}
}

// of is the count of a channel or state in a map of counts.
func of(counts any, key string) (int64, error) {
	switch m := counts.(type) {
	case map[pipeline.Channel]int64:
		return m[pipeline.Channel(key)], nil
	case map[pipeline.State]int64:
		return m[pipeline.State(key)], nil
	case map[pipeline.Role]int64:
		return m[pipeline.Role(key)], nil
	}
	return 0, fmt.Errorf("of wants counts, not %T", counts)
}

// dict makes a map of pairs, for the parts of a page.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict wants pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("dict wants names")
		}
		m[key] = pairs[i+1]
	}
	// What a part may be given and was not is empty.
	for _, key := range []string{"hint", "type", "value", "auto", "mode", "class", "rows", "focus"} {
		if _, ok := m[key]; !ok {
			m[key] = ""
		}
	}
	for _, key := range []string{"optional", "many", "focus"} {
		if _, ok := m[key]; !ok {
			m[key] = false
		}
	}
	return m, nil
}

// sheet is what every page knows.
type sheet struct {
	Locale   string
	Zone     string // in which the times of the page are
	Own      bool   // it is that of the campaign
	Path     string
	User     pipeline.User
	Token    string
	Once     string // tells this showing of a form from the next
	Nav      []navEntry
	Pause    bool
	Campaign string // that the page is about, "" if none: what a pause suggests
	Done     string
	Problems []problem
	Reason   string // that was given, when the form comes again
	D        any

	roles []string
}

type navEntry struct {
	Href, Key string
	Here      bool
}

// May reports whether the reader may do this.
func (s sheet) May(a string) bool { return s.User.ID != 0 && May(s.roles, Action(a)) }

// Problem is what is wrong with a field, "" if nothing.
func (s sheet) Problem(field string) string {
	for _, p := range s.Problems {
		if p.Field == field {
			return p.Text
		}
	}
	return ""
}

// nav is the list of places, each with who may go there.
func nav() []struct {
	may       Action
	href, key string
} {
	return []struct {
		may       Action
		href, key string
	}{
		{ActSee, "/campaigns", "nav.campaigns"},
		{ActLookUp, "/cell", "nav.cell"},
		{ActSecond, "/queue", "nav.queue"},
		{ActAnswer, counterPath, "nav.counter"},
		{ActAnswer, "/answers", "nav.answers"},
		{ActLookUp, "/genuine", "nav.genuine"},
		{ActUsers, "/users", "nav.users"},
		{ActAudit, "/audit", "nav.audit"},
	}
}

// page answers with a page.
func (v *visit) page(name string, data any) error { return v.show(http.StatusOK, name, data) }

// again answers with the form once more, because of its problems.
func (v *visit) again(name string, data any) error {
	return v.show(http.StatusUnprocessableEntity, name, data)
}

// show renders a page to the end before the first byte leaves.
func (v *visit) show(status int, name string, data any) error {
	all, err := v.pagesIn(v.said())
	if err != nil {
		return err
	}
	t := all[name]
	if t == nil {
		return fmt.Errorf("no page %q", name)
	}
	s := sheet{Locale: v.words.locale, Zone: zoneName(v.zone(), v.Clock.Now()), Own: v.subject != nil, Path: v.r.URL.Path, User: v.user, Problems: v.problems, D: data, roles: v.user.Roles}
	if v.token != "" {
		s.Token = v.formToken()
	}
	if v.route.once {
		s.Once = v.newToken()
	}
	if len(v.problems) > 0 {
		s.Reason = v.value("reason")
	}
	if v.user.ID != 0 && v.halfway() == "" {
		for _, e := range nav() {
			if May(v.user.Roles, e.may) && v.wants(e.href) {
				s.Nav = append(s.Nav, navEntry{e.href, e.key, under(s.Path, e.href)})
			}
		}
		s.Pause = May(v.user.Roles, ActPause)
		if v.subject != nil {
			s.Campaign = v.subject.Name
		}
	}
	if code := v.r.URL.Query().Get("done"); code != "" && v.words.has("done."+code) {
		s.Done = "done." + code
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", s); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.words.locale)
	v.w.WriteHeader(status)
	if _, err = v.w.Write(visible.Page(b.Bytes())); err != nil {
		return errAnswered // the reader has gone
	}
	return nil
}

// piece renders one named part of a page, for what moves.
func (v *visit) piece(page, part string, data any) (string, error) {
	var b bytes.Buffer
	all, err := v.pagesIn(v.said())
	if err != nil {
		return "", err
	}
	err = all[page].ExecuteTemplate(&b, part, data)
	return string(visible.Page(b.Bytes())), err
}

// assets are style sheets, scripts and pictures under names that carry the hash of
// their content: a browser may keep them for ever.
type assets map[string]asset // by base name, and by name with the hash

type asset struct {
	name, kind string
	data       []byte
}

func readAssets(files fs.FS) (assets, error) {
	out := assets{}
	for _, dir := range []string{"css", "static"} {
		entries, err := fs.ReadDir(files, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			data, err := fs.ReadFile(files, dir+"/"+e.Name())
			if err != nil {
				return nil, err
			}
			sum := sha256.Sum256(data)
			ext := path.Ext(e.Name())
			a := asset{strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext, mime.TypeByExtension(ext), data}
			if ext == ".js" {
				a.kind = "text/javascript; charset=utf-8"
			}
			out[e.Name()], out[a.name] = a, a
		}
	}
	return out, nil
}

func (a assets) path(name string) (string, error) {
	f, ok := a[name]
	if !ok {
		return "", fmt.Errorf("no file %q", name)
	}
	return "/static/" + f.name, nil
}

// static serves a file by its name with the hash.
func (k *Console) static(w http.ResponseWriter, r *http.Request) {
	f, ok := k.assets[r.PathValue("file")]
	if !ok || f.name != r.PathValue("file") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.data)
}
