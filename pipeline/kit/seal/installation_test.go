package seal

import "testing"

func TestInstallationKeys(t *testing.T) {
	t.Parallel()
	k, _, path := newKeyring(t)
	own, err := k.Installation()
	if err != nil {
		t.Fatal(err)
	}
	sealed := own.Seal([]byte("arrived"), []byte("row"))
	if _, err := campaignKeys(t, k, 1).Open(sealed, []byte("row")); err == nil {
		t.Error("the keys of a campaign open what is the installation's")
	}
	next := NewMaster()
	if err := k.Rotate(next); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path, next)
	if err != nil {
		t.Fatal(err)
	}
	same, err := again.Installation()
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := same.Open(sealed, []byte("row")); err != nil || string(plain) != "arrived" {
		t.Errorf("after a rotation: %q, %v", plain, err)
	}
}
