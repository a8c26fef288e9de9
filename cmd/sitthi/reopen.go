package main

import (
	"context"
	"errors"
	"fmt"

	"sitthi/internal/config"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/signin"
)

// adminReopen lets a password be used again that a hundred wrong tries have switched off, and an account that locked
// because nobody signed in to it. It asks for no password and makes none: whoever knew it gets in again, and nobody else.
type adminReopen struct {
	config.Database `embed:""`
	config.Lock     `embed:""`

	Citizen string `placeholder:"ID" help:"Citizen ID. When not given it is asked for."`
}

// Run switches the password on and forgets the failures.
func (c *adminReopen) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	v, err := openExisting(ctx, &c.Database, secrets, newClock())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	ask := newAsker(sh)
	citizen, err := thai.ParseCitizenID(ask.line("Citizen ID", c.Citizen))
	if ask.err != nil {
		return ask.err
	}
	// An ID with another check digit may have registered, where the settings let it.
	if err != nil && !errors.Is(err, thai.ErrCheckDigit) {
		return fmt.Errorf("citizen ID: %w", err)
	}
	desk := signin.NewDesk(signin.Options{DB: v.db, Roll: person.NewRoll(v.ring), Settings: signin.Settings{LockAfter: c.Lock.Officers()}})
	if err := desk.Reopen(ctx, citizen); err != nil {
		return inWords(err)
	}
	fmt.Fprintln(sh.out, "The password can be used again, from every browser.")
	return nil
}
