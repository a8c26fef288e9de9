package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"sitthi/internal/config"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/person"
	"sitthi/signin"
)

// adminForgetFactors takes the second factors of somebody away who has lost them all: the phone, the recovery codes and
// every passkey. The password stays, and is asked for as before.
type adminForgetFactors struct {
	config.Database `embed:""`

	Citizen string `placeholder:"ID" help:"Citizen ID. When not given it is asked for."`
}

// Run takes the second factors away. The messages about it go out by the serving program.
func (c *adminForgetFactors) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
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
	if err != nil && !errors.Is(err, thai.ErrCheckDigit) {
		return fmt.Errorf("citizen ID: %w", err)
	}
	outbox, err := notify.NewOutbox(notify.Options{
		DB: v.db, Ring: v.ring, Log: slog.New(slog.DiscardHandler), // it queues, and sends nothing itself
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}},
	})
	if err != nil {
		return err
	}
	desk := signin.NewDesk(signin.Options{DB: v.db, Roll: person.NewRoll(v.ring), Outbox: outbox})
	if err := desk.ForgetFactors(ctx, citizen); err != nil {
		return inWords(err)
	}
	fmt.Fprintln(sh.out, "The second factors are gone, and all sessions have ended. The password is asked for as before.")
	return nil
}
