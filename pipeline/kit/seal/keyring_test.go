package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKeysSurviveReopening(t *testing.T) {
	t.Parallel()
	k, master, path := newKeyring(t)
	keys := campaignKeys(t, k, 7)
	sealed, token := keys.Seal([]byte("plain"), nil), keys.Token("a", "b")
	again, err := Open(path, master)
	if err != nil {
		t.Fatal(err)
	}
	if again.Check() != k.Check() || len(k.Check()) != 16 {
		t.Errorf("check values %q and %q", k.Check(), again.Check())
	}
	same, err := again.Existing(7)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := same.Open(sealed, nil); err != nil || string(got) != "plain" || same.Token("a", "b") != token {
		t.Errorf("other keys after reopening: %q %v", got, err)
	}
	if _, err := again.Existing(8); !errors.Is(err, ErrNoKeys) {
		t.Errorf("keys of nowhere: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestWrongMasterKey(t *testing.T) {
	t.Parallel()
	_, _, path := newKeyring(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(path, NewMaster())
	e, ok := errors.AsType[*Error](err)
	if !errors.Is(err, ErrMaster) || !ok || e.Code != "master-key-wrong" || e.Hint == "" {
		t.Errorf("%v", err)
	}
	if _, err := Open(path, []byte("short")); !errors.Is(err, ErrMaster) {
		t.Errorf("short master: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was touched: %v", err)
	}
}

func TestKeyFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := Open(filepath.Join(t.TempDir(), "keys.json"), NewMaster())
	if e, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, ErrMissing) || e.Code != "key-file-missing" {
		t.Errorf("%v", err)
	}
}

func TestCreateOverwritesNothing(t *testing.T) {
	t.Parallel()
	k, master, path := newKeyring(t)
	campaignKeys(t, k, 1)
	if _, err := Create(path, NewMaster(), at); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
	if again, err := Open(path, master); err != nil || again.Check() != k.Check() {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDamagedKeyFile(t *testing.T) {
	t.Parallel()
	k, master, path := newKeyring(t)
	campaignKeys(t, k, 1)
	campaignKeys(t, k, 2)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(f func(*file)) []byte {
		v := new(file)
		if err := json.Unmarshal(text, v); err != nil {
			t.Fatal(err)
		}
		f(v)
		out, err := v.text()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, x := range map[string]struct {
		text []byte
		want error
	}{
		"empty":            {nil, ErrDamaged},
		"cut":              {text[:len(text)/2], ErrDamaged},
		"something else":   {[]byte(`{"hello": 1}`), ErrDamaged},
		"newer":            {edit(func(f *file) { f.Format = format + 1 }), ErrNewer},
		"salt altered":     {edit(func(f *file) { f.Salt[0] ^= 1 }), ErrMaster},
		"keys swapped":     {edit(func(f *file) { f.Campaigns[0].Data, f.Campaigns[1].Data = f.Campaigns[1].Data, f.Campaigns[0].Data }), ErrDamaged},
		"campaign renamed": {edit(func(f *file) { f.Campaigns[1].Campaign, f.Campaigns[0].Campaign = 1, 3 }), ErrDamaged},
		"index as data":    {edit(func(f *file) { f.Campaigns[0].Data = f.Campaigns[0].Index }), ErrDamaged},
	} {
		bad := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(bad, x.text, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := Open(bad, master)
		if err == nil {
			_, err = k.Campaign(1)
		}
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	k, old, path := newKeyring(t)
	keys := campaignKeys(t, k, 1)
	sealed, token, check := keys.Seal([]byte("plain"), nil), keys.Token("a", "b"), k.Check()
	fresh := NewMaster()
	if err := k.Rotate(fresh); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, old); !errors.Is(err, ErrMaster) {
		t.Errorf("the old master key still opens the file: %v", err)
	}
	again, err := Open(path, fresh)
	if err != nil {
		t.Fatal(err)
	}
	if again.Check() != check {
		t.Error("the check value changed")
	}
	same := campaignKeys(t, again, 1)
	if got, err := same.Open(sealed, nil); err != nil || string(got) != "plain" || same.Token("a", "b") != token {
		t.Errorf("data was lost: %q %v", got, err)
	}
	campaignKeys(t, k, 2) // the keyring that rotated goes on
}

func TestDestroy(t *testing.T) {
	t.Parallel()
	k, master, path := newKeyring(t)
	campaignKeys(t, k, 1)
	campaignKeys(t, k, 2)
	for range 2 {
		if err := k.Destroy(1, at); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(path, master)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Keyring{k, again} {
		if _, err := r.Campaign(1); !errors.Is(err, ErrDestroyed) {
			t.Errorf("keys of a campaign that was erased: %v", err)
		}
		if _, err := r.Existing(1); !errors.Is(err, ErrDestroyed) {
			t.Errorf("keys of a campaign that was erased: %v", err)
		}
		campaignKeys(t, r, 2)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), `"data"`) != 1 {
		t.Errorf("the keys are still in the file: %v", err)
	}
	if a, b := campaignKeys(t, k, 3), campaignKeys(t, k, 2); a.header == b.header {
		t.Error("a key id was used twice")
	}
}

// TestSeveralWriters has keyrings on one file, as several processes do, create
// keys at the same time: nobody's may get lost, and the same campaign gets the
// same keys everywhere.
func TestSeveralWriters(t *testing.T) {
	t.Parallel()
	_, master, path := newKeyring(t)
	var tokens [4][10][16]byte
	var wg sync.WaitGroup
	for g := range tokens {
		wg.Go(func() {
			k, err := Open(path, master)
			if err != nil {
				t.Error(err)
				return
			}
			for id := range tokens[g] {
				keys, err := k.Campaign(int64(id))
				if err != nil {
					t.Error(err)
					return
				}
				tokens[g][id] = keys.Token("a", "b")
			}
		})
	}
	wg.Wait()
	k, err := Open(path, master)
	if err != nil {
		t.Fatal(err)
	}
	for g := range tokens {
		for id, want := range tokens[g] {
			keys, err := k.Existing(int64(id))
			if err != nil {
				t.Fatal(err)
			}
			if keys.Token("a", "b") != want {
				t.Errorf("campaign %d: writer %d had other keys than the file", id, g)
			}
		}
	}
}

// TestSeveralProcesses does the same with a process of its own.
func TestSeveralProcesses(t *testing.T) {
	t.Parallel()
	if path := os.Getenv("ART34_TEST_KEY_FILE"); path != "" {
		master, err := ParseMaster([]byte(os.Getenv("ART34_TEST_MASTER")))
		if err != nil {
			t.Fatal(err)
		}
		k, err := Open(path, master)
		if err != nil {
			t.Fatal(err)
		}
		for id := range int64(20) {
			campaignKeys(t, k, 2*id)
		}
		return
	}
	k, master, path := newKeyring(t)
	child := exec.Command(os.Args[0], "-test.run=^TestSeveralProcesses$")
	child.Env = append(os.Environ(), "ART34_TEST_KEY_FILE="+path, "ART34_TEST_MASTER="+string(FormatMaster(master)))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for id := range int64(20) {
		campaignKeys(t, k, 2*id+1)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path, master)
	if err != nil {
		t.Fatal(err)
	}
	for id := range int64(40) {
		if _, err := again.Existing(id); err != nil {
			t.Errorf("campaign %d: %v", id, err)
		}
	}
}

func TestParseMaster(t *testing.T) {
	t.Parallel()
	key := NewMaster()
	key[0], key[1] = 0xfb, 0xff // + and / in base64
	for _, text := range []string{
		string(FormatMaster(key)),
		"  " + strings.TrimRight(string(FormatMaster(key)), "=\n") + "\r\n",
		strings.NewReplacer("+", "-", "/", "_").Replace(string(FormatMaster(key))),
		hexOf(key), strings.ToUpper(hexOf(key)) + "\n",
	} {
		if got, err := ParseMaster([]byte(text)); err != nil || !bytes.Equal(got, key) {
			t.Errorf("a good form was refused: %v", err)
		}
	}
	for _, text := range []string{"", "secret", hexOf(key[:31]), hexOf(append(bytes.Clone(key), 1)), string(FormatMaster(key[:30]))} {
		if _, err := ParseMaster([]byte(text)); !errors.Is(err, ErrMaster) {
			t.Errorf("%d characters: %v", len(text), err)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Error("the error shows the key")
		}
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

func TestMasterFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := ReadMaster(path); err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	key, err := CreateMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ReadMaster(path); err != nil || !bytes.Equal(got, key) {
		t.Errorf("%v", err)
	}
	if _, err := CreateMaster(path); !errors.Is(err, ErrExists) {
		t.Errorf("overwritten: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
