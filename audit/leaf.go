package audit

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// leaf is the sealed text of an entry; its fields stand in the order of their keys. README.md defines it for outsiders.
type leaf struct {
	Act     string            `json:"act"`
	Actor   string            `json:"actor"`
	At      string            `json:"at"`
	Detail  map[string]string `json:"detail,omitempty"`
	ID      string            `json:"id"`
	Object  string            `json:"object"`
	Outcome string            `json:"outcome"`
	Request string            `json:"request"`
	Subject string            `json:"subject"`
	Texts   map[string]string `json:"texts,omitempty"` // name → salted hash
	Unit    string            `json:"unit"`
}

func (l leaf) encode() (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return "", fmt.Errorf("write leaf: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func decodeLeaf(text string) (leaf, error) {
	var l leaf
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return leaf{}, fmt.Errorf("read leaf: %w", err)
	}
	return l, nil
}

// leafTime writes a moment as leaves do.
func leafTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// salted is the hash that stands for a text in its leaf. The salt's length is fixed, so that where it ends and the
// text begins is never in doubt.
func salted(salt, text string) string {
	sum := sha256.Sum256([]byte(salt + text))
	return hex.EncodeToString(sum[:])
}

func newSalt() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails: crypto/rand stops the program rather than answer with weak bytes
	return hex.EncodeToString(b)
}

// clean makes a text one that every engine stores as it is: PostgreSQL takes neither the zero byte nor broken UTF-8,
// and a refusal must be recorded whatever was typed.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
