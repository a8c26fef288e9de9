package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sitthi/audit"
	"sitthi/internal/config"
)

// auditCommand looks after the audit log.
type auditCommand struct {
	Verify     auditVerify     `cmd:"" help:"Check every entry, place, text, hash and checkpoint of the log; the exit status is 1 when one is wrong."`
	Checkpoint auditCheckpoint `cmd:"" help:"Print the newest signed checkpoint. Kept elsewhere, it shows later that nothing before it was cut off."`
	Prove      auditProve      `cmd:"" help:"Prove to an outsider that an entry stands in the log, or that the log was only added to; see docs/proof.md."`
	Key        auditKey        `cmd:"" help:"Print the public key that outsiders check checkpoints and proofs with."`
}

// auditVerify checks the whole log.
type auditVerify struct {
	config.Database `embed:""`

	Checkpoint []string `name:"checkpoint" placeholder:"FILE" group:"Check" help:"File with a checkpoint printed earlier, to hold the log to; may be given again."`
}

// Run prints what was checked, and fails with the first thing found wrong.
func (c *auditVerify) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	kept := make([]string, len(c.Checkpoint))
	for i, name := range c.Checkpoint {
		if kept[i], err = readNote("checkpoint", name); err != nil {
			return err
		}
	}
	v, err := openExisting(ctx, &c.Database, secrets, newClock())
	if err != nil {
		return err
	}
	report, err := audit.Verify(ctx, v.db, v.ring, kept...)
	if err := errors.Join(err, v.db.Close()); err != nil {
		return err
	}
	return tellAudit(sh.out, report)
}

// tellAudit prints a report; what is wrong with the log it answers as an error.
func tellAudit(out io.Writer, r audit.Report) error {
	signed := "never"
	if !r.SealedAt.IsZero() {
		signed = r.SealedAt.Format("2006-01-02 15:04:05 MST")
	}
	_, err := fmt.Fprintf(out, `sealed entries  %d, and %d that wait for their place
texts           %d, of which %d were erased
checkpoints     %d, the newest signed %s
root            %s
public key      %s
`, r.Size, r.Waiting, r.Texts, r.Erased, r.Checkpoints, signed, r.Root, r.Key)
	if err != nil {
		return err
	}
	for _, c := range r.Kept {
		_, err := fmt.Fprintf(out, "consistent with the checkpoint of %d entries, signed %s\n", c.Size, c.At.Format("2006-01-02 15:04:05 MST"))
		if err != nil {
			return err
		}
	}
	if r.Fault != nil {
		return fmt.Errorf("the audit log is not whole: %s", r.Fault)
	}
	_, err = fmt.Fprintln(out, "the audit log is whole")
	return err
}

// auditCheckpoint prints the newest checkpoint.
type auditCheckpoint struct {
	config.Database `embed:""`
}

// Run prints it; it fails when nothing is sealed yet.
func (c *auditCheckpoint) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	v, err := openExisting(ctx, &c.Database, secrets, newClock())
	if err != nil {
		return err
	}
	signed, err := audit.Latest(ctx, v.db)
	if err := errors.Join(err, v.db.Close()); err != nil {
		return err
	}
	if signed == "" {
		return errors.New("nothing is sealed yet")
	}
	_, err = fmt.Fprint(sh.out, signed)
	return err
}
