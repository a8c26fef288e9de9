package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"text/tabwriter"
	"time"

	"sitthi/draft"
	"sitthi/internal/config"
	"sitthi/internal/rekey"
	"sitthi/internal/seal"
	"sitthi/legacy"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/signin"
)

// keysCommand keeps the keys of the installation.
type keysCommand struct {
	List    keysList    `cmd:"" help:"List the keys: which are in use, and what each still holds. It never shows a key."`
	Rotate  keysRotate  `cmd:"" help:"Add a new key to the key file. Serving programs take it up within seconds."`
	Reseal  keysReseal  `cmd:"" help:"Seal anew, with the newest key, what older ones have sealed, while programs serve."`
	Reindex keysReindex `cmd:"" help:"Change the key by which citizen IDs are found. Nothing may serve from the database meanwhile."`
	Retire  keysRetire  `cmd:"" help:"Take an old key out of the key file, once nothing needs it."`
}

// reindexers make all blind indexes of the database anew; the roll goes last, since the others find people by it.
var reindexers = []rekey.Reindexer{
	legacy.Reindex,
	rekey.Citizens("tickets", "subject"),
	rekey.Empty("tickets", "email_index", "phone_index", "line_index"),
	rekey.Delete("registrations", "codes", "resets", "throttles"),
	person.Reindex,
}

// sealedFields are all columns that hold sealed values.
var sealedFields = slices.Concat(person.Sealed, notify.Sealed, draft.Sealed, officer.Sealed, signin.Sealed, legacy.Sealed, []seal.Field{
	{Table: "tickets", Column: "form_sealed", Key: []string{"id"}, Place: "ticket.form"},
	{Table: "tickets", Column: "line_sealed", Key: []string{"id"}, Place: "ticket.line"},
	{Table: "ticket_events", Column: "text_sealed", Key: []string{"id"}, Place: "ticket.note"},
})

// keyDesk is the desk at which keys are changed.
func keyDesk(v *vault, log *slog.Logger) *rekey.Desk {
	return rekey.NewDesk(rekey.Options{DB: v.db, Ring: v.ring, Log: log, Fields: sealedFields, Peppered: officer.Peppered})
}

// atKeys runs what a command of the terminal does with keys.
func atKeys(ctx context.Context, sh *shell, d *config.Database, secrets config.Secrets, f func(*rekey.Desk) error) (err error) {
	v, err := openExisting(ctx, d, secrets, newClock())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	return f(keyDesk(v, slog.New(slog.NewTextHandler(sh.err, nil))))
}

// keysList tells of all keys.
type keysList struct {
	config.Database `embed:""`
}

// Run prints a line for each key.
func (c *keysList) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	return atKeys(ctx, sh, &c.Database, secrets, func(desk *rekey.Desk) error {
		list, err := desk.List(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(sh.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "KIND\tVERSION\tSINCE\tMARK\tHOLDS\tSTATE")
		for _, v := range list {
			holds, since := fmt.Sprint(v.Holds), "-"
			if v.Kind == seal.Index {
				holds = "-"
			}
			if !v.Since.IsZero() {
				since = v.Since.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", v.Kind, v.Version, since, v.Mark, holds, stateOf(v))
		}
		return w.Flush()
	})
}

// stateOf says of a key what an operator has to know.
func stateOf(v rekey.Version) string {
	switch {
	case v.Missing:
		return "missing in the key file"
	case v.Retired && v.Kind == seal.Index:
		return "old; backups of before need it"
	case v.Retired:
		return "retired, still in the key file: retire it once more"
	case v.InUse && v.Kind != seal.Index:
		return fmt.Sprintf("in use; serving programs with it: %d", v.Users)
	case v.InUse:
		return "in use"
	case v.Users > 0:
		return fmt.Sprintf("old; serving programs that have not taken up the newest: %d", v.Users)
	}
	return "old"
}

// keysRotate adds a key.
type keysRotate struct {
	config.Database `embed:""`

	Kind string `default:"encryption" enum:"encryption,pepper" placeholder:"KIND" help:"Which key: encryption, or pepper, which is mixed into password hashes (default encryption)."`
}

// Run adds the key, and tells what comes next.
func (c *keysRotate) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	return atKeys(ctx, sh, &c.Database, secrets, func(desk *rekey.Desk) error {
		version, err := desk.Rotate(ctx, seal.Kind(c.Kind))
		if err != nil {
			return err
		}
		fmt.Fprintf(sh.out, "%s key %d is in %s: keep a new copy of that file apart from the backups\n", c.Kind, version, desk.Ring.Path())
		return nil
	})
}

// keysReseal seals anew what older keys have sealed.
type keysReseal struct {
	config.Database `embed:""`
}

// Run seals anew, and tells every few seconds how far it is.
func (c *keysReseal) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	return atKeys(ctx, sh, &c.Database, secrets, func(desk *rekey.Desk) error {
		p := newProgress(ctx, sh, "sealed anew")
		err := desk.Reseal(ctx, p.add)
		return errors.Join(err, p.end(nil))
	})
}

// keysReindex changes the blind-index key.
type keysReindex struct {
	config.Database `embed:""`
}

// Run indexes everything anew while no other program uses the database, and tells how far it is.
func (c *keysReindex) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	v, err := openFor(ctx, &c.Database, secrets, newClock(), true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	desk := keyDesk(v, slog.New(slog.NewTextHandler(sh.err, nil)))
	p := newProgress(ctx, sh, "indexed anew")
	version, err := desk.Reindex(ctx, reindexers, p.add)
	if err := p.end(err); err != nil {
		return err
	}
	fmt.Fprintf(sh.out, "index key %d is in use: keep a new copy of %s apart from the backups\n", version, desk.Ring.Path())
	return nil
}

// keysRetire takes an old key out of use.
type keysRetire struct {
	config.Database `embed:""`

	Kind    string `default:"encryption" enum:"encryption,pepper,index" placeholder:"KIND" help:"Which key: encryption, pepper or index (default encryption)."`
	Version int    `arg:"" help:"Its version, as 'sitthi keys list' shows it."`
}

// Run retires the key.
func (c *keysRetire) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	return atKeys(ctx, sh, &c.Database, secrets, func(desk *rekey.Desk) error {
		if err := desk.Retire(ctx, seal.Kind(c.Kind), c.Version); err != nil {
			return err
		}
		fmt.Fprintf(sh.out, "%s key %d is retired and no longer in %s; backups from before need a copy of the file that has it\n", c.Kind, c.Version, desk.Ring.Path())
		return nil
	})
}
