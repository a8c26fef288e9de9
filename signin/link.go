package signin

import (
	"context"
	"fmt"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

// LinkPath is the page that a link to a new password opens; the token follows as the query.
const LinkPath = "/officer/passreset/link"

// linkLives is how long a link serves (trust.md 13).
var linkLives = map[notify.Channel]time.Duration{notify.Email: 24 * time.Hour, notify.SMS: 10 * time.Minute}

func errNoLink() error { return problem.New(problem.NotFound, "signin.problem.no_link") }

// NewLink makes a link with which one person sets a new password: 256 random bits, for one use, 24 hours by mail and ten
// minutes by SMS. An older link of the same person serves no more. Whoever calls has proved, in the same transaction,
// that it may go to where he sends it; it answers the path and when it ends.
func (d *Desk) NewLink(ctx context.Context, tx *store.Tx, who person.ID, channel notify.Channel) (path string, expires time.Time, err error) {
	lives, ok := linkLives[channel]
	if !ok {
		return "", time.Time{}, fmt.Errorf("make link: channel %q", channel)
	}
	if err := endLinks(ctx, tx, who); err != nil {
		return "", time.Time{}, err
	}
	token := seal.Token()
	expires = tx.Now.Add(lives)
	return LinkPath + "?t=" + token, expires, insertLink(ctx, tx, seal.TokenHash(token), who, expires)
}

// OpenLink begins the reset of a link in the browser that opens it first; no other browser gets further with it. The
// code that a reset otherwise asks for is what whoever had the link made has proved, so the reset stands before the new
// password; opened again in its browser, before the password was set, it begins again. It fails with problem.NotFound
// for a link that is unknown, over, used, or another browser's.
func (d *Desk) OpenLink(ctx context.Context, token, browser string, lang locale.Lang) (Reset, error) {
	var r reset
	var who person.ID
	act := audit.Act{Name: "signin.open_link"}
	err := audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		var err error
		if who, err = takeLink(ctx, tx, seal.TokenHash(token), seal.TokenHash(browser)); err != nil {
			return err
		}
		a, err := officer.Find(ctx, tx, who)
		if err != nil {
			return err
		}
		if !a.Enabled() {
			return errNoLink()
		}
		citizen, err := d.roll.CitizenID(ctx, tx, who)
		if err != nil {
			return err
		}
		r = reset{Reset: Reset{ID: store.NewID()}, subject: d.roll.Index(citizen), language: lang}
		act.Actor, act.Subject, act.Unit, act.Object = string(who), string(who), a.Unit, r.ID
		expires := tx.Now.Add(resetProvedLife)
		if err := insertReset(ctx, tx, r, seal.TokenHash(browser), expires); err != nil {
			return err
		}
		return updateResetProved(ctx, tx, r.ID, expires)
	})
	if err != nil {
		return Reset{}, fmt.Errorf("open link to new password: %w", err)
	}
	r.Step = ResetPassword
	return r.Reset, nil
}

func insertLink(ctx context.Context, tx *store.Tx, tokenHash string, who person.ID, expires time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO reset_links (token_hash, person_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`,
		tokenHash, who, store.Us(tx.Now), store.Us(expires))
	if err != nil {
		return fmt.Errorf("make link: %w", err)
	}
	return nil
}

// takeLink binds a link to the browser that opens it first, and answers whom it is for.
func takeLink(ctx context.Context, tx *store.Tx, tokenHash, browserHash string) (who person.ID, err error) {
	list, err := store.Rows(func(row store.Row) (id person.ID, err error) { return id, row.Scan(&id) })(tx.Query(ctx, `
		UPDATE reset_links SET browser = $2, opened_at = coalesce(opened_at, $3)
		WHERE token_hash = $1 AND expires_at > $3 AND browser IN ('', $2) RETURNING person_id`, tokenHash, browserHash, store.Us(tx.Now)))
	if err != nil {
		return "", fmt.Errorf("open link: %w", err)
	}
	if len(list) == 0 {
		return "", errNoLink()
	}
	return list[0], nil
}

// endLinks ends the links of a person: a new password was set, or another link takes their place.
func endLinks(ctx context.Context, tx *store.Tx, who person.ID) error {
	_, err := tx.Exec(ctx, `UPDATE reset_links SET expires_at = $2 WHERE person_id = $1 AND expires_at > $2`, who, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("end links: %w", err)
	}
	return nil
}
