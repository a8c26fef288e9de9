package seal

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// made is a ring with a fresh key file.
func made(t *testing.T) (path string, ring *Ring) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys", "keys.json")
	ring, err := Load(path, true)
	if err != nil {
		t.Fatal(err)
	}
	return path, ring
}

func add(t *testing.T, path string, kind Kind) int {
	t.Helper()
	version, err := Add(path, kind)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// opens fails unless the ring opens what was sealed.
func opens(t *testing.T, ring *Ring, sealed []byte, want string) {
	t.Helper()
	if got, err := ring.Open("x/1", sealed); err != nil || string(got) != want {
		t.Errorf("opened %q: %v", got, err)
	}
}

// Of two processes with one key file each opens what the other sealed, before it has heard of the new key.
func TestRotate(t *testing.T) {
	path, here := made(t)
	there, err := Load(path, false)
	if err != nil {
		t.Fatal(err)
	}
	first := here.Seal("x/1", []byte("old"))
	if version := add(t, path, Encryption); version != 2 {
		t.Fatalf("version %d", version)
	}
	next, err := here.Reread()
	if err != nil || next == nil {
		t.Fatal(next, err)
	}
	if here.InUse(Encryption) != 1 {
		t.Error("reading again took the key into use by itself")
	}
	here.Become(next)
	second := here.Seal("x/1", []byte("new"))
	if Version(first) != 1 || Version(second) != 2 {
		t.Errorf("sealed with %d and %d", Version(first), Version(second))
	}
	for _, ring := range []*Ring{here, there} {
		opens(t, ring, first, "old")
		opens(t, ring, second, "new")
	}
	if there.InUse(Encryption) != 2 {
		t.Error("the other process does not seal with the new key")
	}
	if next, err := here.Reread(); next != nil || err != nil {
		t.Errorf("read again without a change: %v %v", next, err)
	}
	if err := Remove(path, Encryption, 1); err != nil {
		t.Fatal(err)
	}
	alone, err := Load(path, false)
	if err != nil {
		t.Fatal(err)
	}
	opens(t, alone, second, "new")
	if _, err := alone.Open("x/1", first); err == nil || !strings.Contains(err.Error(), "no key of version 1") {
		t.Errorf("opened with a key that was removed: %v", err)
	}
	if err := Remove(path, Encryption, 2); err == nil {
		t.Error("the newest key was removed")
	}
	if version := add(t, path, Encryption); version != 3 {
		t.Errorf("a version came back: %d", version)
	}
}

// Many who add at once each add one, and nothing is lost.
func TestAddAtOnce(t *testing.T) {
	path, _ := made(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { add(t, path, Pepper) })
	}
	all.Wait()
	ring, err := Load(path, false)
	if err != nil || ring.InUse(Pepper) != 9 {
		t.Errorf("%d %v", ring.InUse(Pepper), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".keys-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestUseIndex(t *testing.T) {
	path, ring := made(t)
	first := ring.Index("a", "b")
	add(t, path, Index)
	both, err := Load(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if both.Index("a", "b") == first || !both.UseIndex("a", "b", first) || both.Index("a", "b") != first {
		t.Error("the key of the database is not in use")
	}
	if both.UseIndex("a", "b", strings.Repeat("0", 64)) || both.InUse(Index) != 1 {
		t.Error("the index of no key was taken for one")
	}
	other, ok := both.Indexing(2)
	if _, absent := both.Indexing(3); !ok || absent || other.Index("a", "b") == first || both.Index("a", "b") != first {
		t.Error("the other key")
	}
	if ring.Mark("a", "b") != other.Mark("a", "b") || ring.Mark("a", "b") == first {
		t.Error("a mark changes with the index")
	}
	// A program that serves goes on with its index when the file changes, and refuses a file without it.
	add(t, path, Encryption)
	next, err := both.Reread()
	if err != nil || next == nil || next.InUse(Index) != 1 {
		t.Fatal(next, err)
	}
	if err := Remove(path, Index, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := both.Reread(); !errors.Is(err, ErrKeys) {
		t.Errorf("went on without the index in use: %v", err)
	}
}

// A file of before peppers and blind-index keys had versions is read, and written so as long as it can be: programs of
// before read it too.
func TestFileOfBefore(t *testing.T) {
	path, ring := made(t)
	var before struct {
		Encryption            map[int][]byte
		Index, Pepper, Signer []byte
	}
	parse := func() error {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return json.Unmarshal(raw, &before)
	}
	if err := parse(); err != nil {
		t.Fatal(err)
	}
	if pepper, err := ring.Pepper(1); err != nil || !slices.Equal(pepper, before.Pepper) {
		t.Errorf("pepper %v", err)
	}
	add(t, path, Encryption)
	if err := parse(); err != nil || len(before.Encryption) != 2 {
		t.Errorf("%d encryption keys, %v", len(before.Encryption), err)
	}
}

// TestModeStays: the mode that an administrator gave the file stays when keys are added.
func TestModeStays(t *testing.T) {
	path, _ := made(t)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	add(t, path, Encryption)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("the mode became %v: %v", info.Mode(), err)
	}
}

func TestUnusableFiles(t *testing.T) {
	path, _ := made(t)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	short := base64.StdEncoding.EncodeToString(make([]byte, 16))
	for name, text := range map[string]string{
		"empty": "", "no JSON": "keys", "nothing in it": "{}", "cut off": string(raw[:len(raw)/2]),
		"short key": `{"encryption":{"1":"` + short + `"},"index":"` + short + `","pepper":"` + short + `","signer":"` + short + `"}`,
		"version 0": strings.Replace(string(raw), `"1":`, `"0":`, 1),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, true); !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysTellNothing(t *testing.T) {
	path, ring := made(t)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, k := range ring.Keys() {
		if len(k.Mark) != 32 || strings.Contains(string(raw), k.Mark) || seen[k.Mark] || !k.InUse {
			t.Errorf("%+v", k)
		}
		seen[k.Mark] = true
	}
}
