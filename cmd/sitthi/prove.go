package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"sitthi/audit"
	"sitthi/internal/config"
)

// auditProve writes proofs for outsiders; docs/proof.md tells how they check them.
type auditProve struct {
	config.Database `embed:""`

	Entry      string `placeholder:"ID" xor:"what" required:"" group:"Proof" help:"Prove that this entry stands in the log (c2sp.org/tlog-proof)."`
	Checkpoint string `placeholder:"FILE" group:"Proof" help:"Checkpoint to prove it for; without one, the newest."`
	Texts      bool   `group:"Proof" help:"Add what was written with the entry. It is personal data; without it the proof holds none but ids."`

	From string `placeholder:"FILE" xor:"what" required:"" group:"Proof" help:"Prove that the log of this checkpoint was only added to since."`
	To   string `placeholder:"FILE" group:"Proof" help:"Checkpoint up to which; without one, the newest."`

	Out string `placeholder:"FILE" group:"Proof" help:"File to write; it must not exist. Without one the proof is printed."`
}

// Run writes the proof.
func (c *auditProve) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	switch {
	case c.From != "" && (c.Checkpoint != "" || c.Texts):
		return config.Wrong("from", "does not go with --checkpoint and --texts")
	case c.Entry != "" && c.To != "":
		return config.Wrong("to", "goes with --from")
	}
	if c.Out != "" {
		if err := absent("out", c.Out); err != nil {
			return err
		}
	}
	var notes [3]string
	for i, file := range []struct{ flag, name string }{{"checkpoint", c.Checkpoint}, {"from", c.From}, {"to", c.To}} {
		if notes[i], err = readNote(file.flag, file.name); err != nil {
			return err
		}
	}
	v, err := openExisting(ctx, &c.Database, secrets, newClock())
	if err != nil {
		return err
	}
	proof, err := c.prove(ctx, v, notes[0], notes[1], notes[2])
	if err := errors.Join(err, v.db.Close()); err != nil {
		return inWords(err)
	}
	if c.Out == "" {
		_, err = fmt.Fprint(sh.out, proof)
		return err
	}
	if err := os.WriteFile(c.Out, []byte(proof), 0o600); err != nil {
		return config.Wrong("out", "%w", err)
	}
	return nil
}

func (c *auditProve) prove(ctx context.Context, v *vault, checkpoint, from, to string) (string, error) {
	p, err := audit.NewProver(v.db, v.ring, nil) // asked by the terminal alone
	if err != nil {
		return "", err
	}
	if c.From != "" {
		return p.Growth(ctx, from, to)
	}
	proof, err := p.Entry(ctx, audit.Terminal, c.Entry, checkpoint, c.Texts)
	return proof.File, err
}

// readNote reads the file with a checkpoint that a flag names, or "" when it names none.
func readNote(flag, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", config.Wrong(flag, "%w", err)
	}
	return string(text), nil
}

// auditKey prints the public key.
type auditKey struct {
	config.Database `embed:""`
}

// Run prints the key that outsiders check checkpoints with.
func (c *auditKey) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	v, err := openExisting(ctx, &c.Database, secrets, newClock())
	if err != nil {
		return err
	}
	p, err := audit.NewProver(v.db, v.ring, nil)
	if err := errors.Join(err, v.db.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(sh.out, p.PublicKey())
	return err
}
