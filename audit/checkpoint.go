package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"sitthi/internal/seal"
)

// origin is the first line of every checkpoint and the name of the key that signs it.
const origin = "sitthi/audit"

// Checkpoint is a signed statement about the whole log at a moment: so many leaves, with this root.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
	At   time.Time
}

func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s\n", origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]), leafTime(c.At))
}

// parseCheckpoint reads what text wrote, and nothing else.
func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 {
		return Checkpoint{}, errors.New("a checkpoint has four lines")
	}
	var sizeErr, rootErr, atErr error
	c.Size, sizeErr = strconv.ParseInt(lines[1], 10, 64)
	c.Root, rootErr = tlog.ParseHash(lines[2])
	c.At, atErr = time.Parse(time.RFC3339Nano, lines[3])
	if err := errors.Join(sizeErr, rootErr, atErr); err != nil {
		return Checkpoint{}, fmt.Errorf("read checkpoint: %w", err)
	}
	if c.text() != text {
		return Checkpoint{}, errors.New("read checkpoint: not in the form in which this program writes it")
	}
	return c, nil
}

// notary signs checkpoints and opens them, with a key that belongs to the installation alone.
type notary struct {
	note.Verifier
	key    ed25519.PrivateKey
	public string // what outsiders verify with
}

func newNotary(ring *seal.Ring) (*notary, error) {
	seed, err := ring.Derive("audit.checkpoint")
	if err != nil {
		return nil, err
	}
	n := &notary{key: ed25519.NewKeyFromSeed(seed)}
	if n.public, err = note.NewEd25519VerifierKey(origin, ed25519.PublicKey(n.key[ed25519.SeedSize:])); err != nil {
		return nil, fmt.Errorf("make checkpoint key: %w", err)
	}
	if n.Verifier, err = note.NewVerifier(n.public); err != nil {
		return nil, fmt.Errorf("make checkpoint key: %w", err)
	}
	return n, nil
}

// Sign makes the notary a note.Signer.
func (n *notary) Sign(text []byte) ([]byte, error) { return ed25519.Sign(n.key, text), nil }

func (n *notary) sign(c Checkpoint) (string, error) {
	signed, err := note.Sign(&note.Note{Text: c.text()}, n)
	if err != nil {
		return "", fmt.Errorf("sign checkpoint: %w", err)
	}
	return string(signed), nil
}

func (n *notary) open(signed string) (Checkpoint, error) {
	opened, err := note.Open([]byte(signed), note.VerifierList(n))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	return parseCheckpoint(opened.Text)
}
