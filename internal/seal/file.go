package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// file is the key file as written: base64 of 32 random bytes each.
type file struct {
	Note       string         `json:"note"`
	Encryption map[int][]byte `json:"encryption"`
	Index      versions       `json:"index"`
	Pepper     versions       `json:"pepper"`
	Signer     []byte         `json:"signer"`
}

// versions are the keys of one kind by their versions. Version 1 alone is written as the one key that it is, as all
// were before peppers and blind-index keys had versions.
type versions map[int][]byte

// MarshalJSON implements json.Marshaler.
func (v versions) MarshalJSON() ([]byte, error) {
	if one := v[1]; one != nil && len(v) == 1 {
		return json.Marshal(one)
	}
	return json.Marshal(map[int][]byte(v))
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *versions) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte{'"'}) {
		var one []byte
		err := json.Unmarshal(raw, &one)
		*v = versions{1: one}
		return err
	}
	var all map[int][]byte
	err := json.Unmarshal(raw, &all)
	*v = all
	return err
}

func (v versions) newest() (newest int) {
	for version := range v {
		newest = max(newest, version)
	}
	return newest
}

func (f *file) of(kind Kind) *versions {
	switch kind {
	case Encryption:
		return (*versions)(&f.Encryption)
	case Pepper:
		return &f.Pepper
	}
	return &f.Index
}

func fresh() file {
	return file{
		Note:       "Keys of this Sitthi installation. Keep a copy apart from the backups of the database.",
		Encryption: map[int][]byte{1: random()}, Index: versions{1: random()}, Pepper: versions{1: random()}, Signer: random(),
	}
}

// stamp tells one state of a file from another without reading it.
type stamp struct {
	inode       uint64
	size, moved int64
}

// Load reads the key file, or makes one with fresh keys when it does not exist (mode 0600, folder 0700).
// When mayCreate is false a missing file is an error: keys that were lost must not be replaced silently. Who else can
// read the file is for the caller to see to (config.Secrets).
func Load(path string, mayCreate bool) (*Ring, error) {
	f, s, err := read(path)
	if errors.Is(err, fs.ErrNotExist) && mayCreate {
		return create(path)
	}
	if err != nil {
		return nil, err
	}
	return f.ring(path, s)
}

func read(path string) (f file, s stamp, err error) {
	in, err := os.Open(path)
	if err != nil {
		return f, s, fmt.Errorf("read key file: %w", err)
	}
	defer in.Close() // it was only read
	if s, err = stampOf(in); err != nil {
		return f, s, fmt.Errorf("read key file: %w", err)
	}
	if err := json.NewDecoder(in).Decode(&f); err != nil {
		return f, s, fmt.Errorf("%w: %s: %w", ErrKeys, path, err)
	}
	return f, s, nil
}

func stampOf(f *os.File) (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	s := stamp{size: info.Size(), moved: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s, nil
}

// Reread reads the key file again and answers a ring with what is in it now, with the same blind-index key in use; nil
// when the file has not changed. It fails when that key is no longer in it.
func (r *Ring) Reread() (*Ring, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.path == "" {
		return nil, nil
	}
	held := r.held.Load()
	in, err := os.Open(r.path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	s, err := stampOf(in)
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if s == held.stamp {
		return nil, nil
	}
	f, s, err := read(r.path)
	if err != nil {
		return nil, err
	}
	next, err := f.ring(r.path, s)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(f.Index[held.index], held.file.Index[held.index]) || !bytes.Equal(f.Signer, held.Signer) {
		return nil, fmt.Errorf("%w: %s no longer holds the keys that this program was started with", ErrKeys, r.path)
	}
	k := *next.held.Load()
	k.index = held.index
	next.held.Store(&k)
	return next, nil
}

// Become makes the ring hold what another one holds that Reread answered.
func (r *Ring) Become(next *Ring) { r.held.Store(next.held.Load()) }

// Path is the file that the ring was read from; "" when it is kept nowhere.
func (r *Ring) Path() string { return r.path }

func create(path string) (*Ring, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make folder for key file: %w", err)
	}
	// The file is written whole beside its place and linked there: of two processes that start at once
	// one wins, and both go on with the winner's keys.
	err := write(path, fresh(), func(tmp *os.File) error { return tmp.Chmod(0o600) }, os.Link)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return Load(path, false)
}

// write puts a key file in its place whole, so that a power cut leaves the old one or the new one.
func write(path string, f file, dress func(*os.File) error, put func(from, to string) error) error {
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	defer os.Remove(tmp.Name()) // already elsewhere when all went well
	err = dress(tmp)
	if err == nil {
		_, err = tmp.Write(append(raw, '\n'))
	}
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if err := put(tmp.Name(), path); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}

// Add adds a new random key to the key file and answers its version. A program that serves with the file takes it up
// by itself.
func Add(path string, kind Kind) (version int, err error) {
	err = change(path, func(f *file) error {
		keys := f.of(kind)
		version = keys.newest() + 1
		(*keys)[version] = random()
		return nil
	})
	return version, err
}

// Remove takes a key out of the key file for good; nothing happens when it is not there. The newest stays.
func Remove(path string, kind Kind, version int) error {
	return change(path, func(f *file) error {
		if keys := *f.of(kind); version != keys.newest() {
			delete(keys, version)
			return nil
		}
		return fmt.Errorf("%s key %d is the newest", kind, version)
	})
}

// change alters the key file; owner and mode stay. Of several at once one waits for the other.
func change(path string, alter func(*file) error) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return fmt.Errorf("change key file: %w", err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("change key file: %w", err)
	}
	defer folder.Close() // which gives the lock back
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock key file: %w", err)
	}
	f, _, err := read(path)
	if err != nil {
		return err
	}
	if err := alter(&f); err != nil {
		return fmt.Errorf("change key file: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("change key file: %w", err)
	}
	return write(path, f, func(tmp *os.File) error {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok { // the service reads what an administrator changes
			if err := tmp.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
				return err
			}
		}
		return tmp.Chmod(info.Mode().Perm())
	}, os.Rename)
}
