package signin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
)

// Factors are what a person can prove himself with beside the password (การยืนยันตัวตนขั้นที่สอง).
type Factors struct {
	App      time.Time // since when he has an app that shows codes; zero for none
	Passkeys []Passkey
	Recovery int // codes for when neither is at hand that are left
}

// Any reports whether there is a second factor to ask for.
func (f Factors) Any() bool { return !f.App.IsZero() || len(f.Passkeys) > 0 }

// Factors answers the second factors of a person.
func (d *Desk) Factors(ctx context.Context, who person.ID) (f Factors, err error) {
	err = d.db.Read(ctx, func(tx *store.Tx) error {
		f, err = factorsOf(ctx, tx, who)
		return err
	})
	return f, err
}

func factorsOf(ctx context.Context, tx *store.Tx, who person.ID) (f Factors, err error) {
	if f.App, f.Recovery, err = selectFactors(ctx, tx, who); err != nil {
		return Factors{}, err
	}
	f.Passkeys, err = selectPasskeys(ctx, tx, who)
	return f, err
}

// appLife is how long an app can be set up with the key that was shown.
const appLife = time.Hour

// secretBytes is as long as RFC 4226 asks for.
const secretBytes = 20

// appIssuer names the system in the app.
const appIssuer = "Sitthi DIW"

// App is an app that is being set up.
type App struct {
	Secret string // base32, for typing
	URL    string // otpauth, for the picture
}

func secretPlace(id string) string { return secretPlaces + "/" + id }

// BeginApp makes the key with which a person sets up an app; one that was begun within the hour stays as it is, so that
// the picture already taken is right. Nothing is asked for by it before ConfirmApp.
func (d *Desk) BeginApp(ctx context.Context, s Session) error {
	act := audit.Act{Name: "signin.app_begin", Actor: string(s.Person), Subject: string(s.Person), Unit: s.Account.Unit}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		begun, err := selectApp(ctx, tx, s.Person, false)
		if err == nil && tx.Now.Sub(begun.begunAt) < appLife {
			act.Object = begun.id
			return nil
		}
		if err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
		secret := make([]byte, secretBytes)
		rand.Read(secret) // never fails
		act.Object = store.NewID()
		sealed := d.ring.Seal(secretPlace(act.Object), []byte(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)))
		return replaceBegun(ctx, tx, act.Object, s.Person, sealed)
	})
}

// BegunApp answers the key with which an app is being set up. It fails with problem.NotFound when none is, or it took
// more than an hour.
func (d *Desk) BegunApp(ctx context.Context, s Session) (a App, err error) {
	err = d.db.Read(ctx, func(tx *store.Tx) error {
		begun, err := selectApp(ctx, tx, s.Person, false)
		if err != nil {
			return err
		}
		if tx.Now.Sub(begun.begunAt) >= appLife {
			return errNoApp()
		}
		a.Secret, err = d.secret(begun)
		return err
	})
	if err != nil {
		return App{}, err
	}
	u := url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + appIssuer + ":" + s.Account.Name(),
		RawQuery: url.Values{"secret": {a.Secret}, "issuer": {appIssuer}}.Encode(),
	}
	a.URL = u.String()
	return a, nil
}

func (d *Desk) secret(a app) (string, error) {
	plain, err := d.ring.Open(secretPlace(a.id), a.sealed)
	if err != nil {
		return "", fmt.Errorf("open key of app: %w", err)
	}
	return string(plain), nil
}

func errNoApp() error { return problem.New(problem.NotFound, "signin.problem.no_app") }

// ConfirmApp takes the first code of the app that is being set up, which from then on is asked for; it takes the place
// of one used before. That code opens nothing any more. Who had no second factor gets recovery codes, which are shown
// this once. All other sessions end, and every contact is told. It fails with problem.Invalid for a code that is not
// right, and with problem.NotFound when no app is being set up.
func (d *Desk) ConfirmApp(ctx context.Context, s Session, typed string) (recovery []string, err error) {
	code, err := thai.FoldDigits(typed)
	if err != nil || len(code) != appDigits {
		return nil, invalid(FieldCode, "signin.problem.app_form")
	}
	act := audit.Act{Name: "signin.app_add", Actor: string(s.Person), Subject: string(s.Person), Unit: s.Account.Unit}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		recovery = nil
		begun, err := selectApp(ctx, tx, s.Person, false)
		if err != nil {
			return err
		}
		if tx.Now.Sub(begun.begunAt) >= appLife {
			return errNoApp()
		}
		secret, err := d.secret(begun)
		if err != nil {
			return err
		}
		step, ok, err := matchStep(secret, code, tx.Now)
		if err != nil {
			return fmt.Errorf("compare code of app: %w", err)
		}
		if !ok {
			return invalid(FieldCode, "signin.problem.app_wrong")
		}
		act.Object = begun.id
		if err := updateEnrolled(ctx, tx, s.Person, begun.id, step); err != nil {
			return err
		}
		recovery, err = d.factorAdded(ctx, tx, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("set up app: %w", err)
	}
	return recovery, nil
}

// RemoveApp takes the app of a person away. It fails with problem.NotFound when he has none, and with problem.Denied when it
// is his last second factor and he needs one.
func (d *Desk) RemoveApp(ctx context.Context, s Session, needed bool) error {
	act := audit.Act{Name: "signin.app_remove", Actor: string(s.Person), Subject: string(s.Person), Unit: s.Account.Unit}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		if err := deleteApp(ctx, tx, s.Person); err != nil {
			return err
		}
		return d.factorRemoved(ctx, tx, s, needed)
	})
}

// NewRecovery makes new recovery codes in place of all before, and answers them this once. It fails with
// problem.NotFound when there is no second factor that they could stand in for.
func (d *Desk) NewRecovery(ctx context.Context, s Session) (codes []string, err error) {
	act := audit.Act{Name: "signin.recovery_new", Actor: string(s.Person), Subject: string(s.Person), Unit: s.Account.Unit}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		f, err := factorsOf(ctx, tx, s.Person)
		if err != nil {
			return err
		}
		if !f.Any() {
			return problem.New(problem.NotFound, "signin.problem.no_factor")
		}
		if codes, err = d.writeRecovery(ctx, tx, s.Person); err != nil {
			return err
		}
		return d.factorChanged(ctx, tx, s, "factor.codes")
	})
	return codes, err
}

// writeRecovery replaces the recovery codes of a person.
func (d *Desk) writeRecovery(ctx context.Context, tx *store.Tx, who person.ID) ([]string, error) {
	if err := deleteRecovery(ctx, tx, who); err != nil {
		return nil, err
	}
	codes := make([]string, RecoveryCodes)
	for i := range codes {
		var random [recoveryLength]byte
		rand.Read(random[:]) // never fails
		code := writeRecovery(random)
		hash, err := d.recoveryHash(who, code)
		if err != nil {
			return nil, err
		}
		if err := insertRecovery(ctx, tx, who, hash); err != nil {
			return nil, err
		}
		codes[i] = showRecovery(code)
	}
	return codes, nil
}

// recoveryHash is keyed with a key outside the database, and of each person another: a stolen table can not be guessed
// against.
func (d *Desk) recoveryHash(who person.ID, code string) (string, error) {
	key, err := d.ring.Derive("signin.recovery")
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(string(who) + "/" + code))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// factorAdded ends an act by which a second factor came. The first brings recovery codes.
func (d *Desk) factorAdded(ctx context.Context, tx *store.Tx, s Session) (recovery []string, err error) {
	f, err := factorsOf(ctx, tx, s.Person)
	if err != nil {
		return nil, err
	}
	if f.Recovery == 0 {
		if recovery, err = d.writeRecovery(ctx, tx, s.Person); err != nil {
			return nil, err
		}
	}
	return recovery, d.factorChanged(ctx, tx, s, "factor.added")
}

// factorRemoved ends an act by which a second factor went. With the last one go the recovery codes; where one is needed
// the last one stays.
func (d *Desk) factorRemoved(ctx context.Context, tx *store.Tx, s Session, needed bool) error {
	f, err := factorsOf(ctx, tx, s.Person)
	if err != nil {
		return err
	}
	if !f.Any() {
		if needed {
			return problem.New(problem.Denied, "signin.problem.factor_last")
		}
		if err := deleteRecovery(ctx, tx, s.Person); err != nil {
			return err
		}
	}
	return d.factorChanged(ctx, tx, s, "factor.removed")
}

// factorChanged ends all other sessions, and sign-ins under way, and tells every contact (trust.md 5).
func (d *Desk) factorChanged(ctx context.Context, tx *store.Tx, s Session, purpose string) error {
	if err := updateOthersEnded(ctx, tx, s.Person, s.ID, endedByFactor); err != nil {
		return err
	}
	if err := endFlows(ctx, tx, s.Person); err != nil {
		return err
	}
	owner, err := officer.Find(ctx, tx, s.Person)
	if err != nil {
		return err
	}
	return officer.Tell(ctx, tx, d.outbox, owner, purpose, nil)
}

// factorTry is one try to prove a second factor.
type factorTry struct {
	who  person.ID
	door string // by which limit it counts
	wait time.Duration
}

// count lets a try through the limits and counts it before anything is compared: however many run at once, no more
// than the limit are looked at. One that is held back is told by wait.
func (d *Desk) count(ctx context.Context, tx *store.Tx, t *factorTry) (err error) {
	t.wait, err = proof.Take(ctx, tx, "signin/address/"+proof.Network(audit.OriginOf(ctx).Address), d.settings.Address)
	if err != nil || t.wait > 0 {
		return err
	}
	for _, limit := range []struct {
		name string
		rate proof.Rate
	}{{"short", d.settings.Factor}, {"day", d.settings.FactorDay}} {
		t.wait, err = proof.Take(ctx, tx, t.limit()+limit.name, limit.rate)
		if err != nil || t.wait > 0 {
			return err
		}
	}
	return nil
}

// limit begins the names of the limits on tries like this one.
func (t factorTry) limit() string { return factorLimit(t.who) + t.door + "/" }

func factorLimit(who person.ID) string { return "signin/factor/" + string(who) + "/" }

// takeCode uses a code up within the transaction of the act that it opens. It answers errWrongFactor for one that is not
// right, was used, or is of an earlier step than one that was used. A right one frees the limits.
func (d *Desk) takeCode(ctx context.Context, tx *store.Tx, t factorTry, code factorCode) error {
	if code.app == "" {
		return d.takeRecovery(ctx, tx, t, code.recovery)
	}
	used, err := selectApp(ctx, tx, t.who, true)
	if errors.Is(err, problem.NotFound) {
		return errWrongFactor()
	}
	if err != nil {
		return err
	}
	secret, err := d.secret(used)
	if err != nil {
		return err
	}
	step, ok, err := matchStep(secret, code.app, tx.Now)
	if err != nil {
		return fmt.Errorf("compare code of app: %w", err)
	}
	if !ok {
		return errWrongFactor()
	}
	taken, err := updateStep(ctx, tx, used.id, step)
	if err != nil {
		return err
	}
	if !taken {
		return errWrongFactor()
	}
	return proof.Release(ctx, tx, t.limit())
}

func (d *Desk) takeRecovery(ctx context.Context, tx *store.Tx, t factorTry, code string) error {
	hash, err := d.recoveryHash(t.who, code)
	if err != nil {
		return err
	}
	taken, err := updateRecovery(ctx, tx, t.who, hash)
	if err != nil {
		return err
	}
	if !taken {
		return errWrongFactor()
	}
	if err := proof.Release(ctx, tx, t.limit()); err != nil {
		return err
	}
	owner, err := officer.Find(ctx, tx, t.who)
	if err != nil {
		return err
	}
	return officer.Tell(ctx, tx, d.outbox, owner, "factor.recovery", nil)
}

// StepUpCode takes a code in place of the password, for who has a second factor, and answers the token that replaces the
// session's old one. It fails like StepUp.
func (d *Desk) StepUpCode(ctx context.Context, s Session, typed string) (token string, err error) {
	code, err := readFactorCode(typed)
	if err != nil {
		return "", err
	}
	return d.stepUp(ctx, s, func(tx *store.Tx, t factorTry) error { return d.takeCode(ctx, tx, t, code) })
}

// stepUp counts a try and steps the session up when it proves a second factor.
func (d *Desk) stepUp(ctx context.Context, s Session, prove func(*store.Tx, factorTry) error) (token string, err error) {
	t := factorTry{who: s.Person, door: "session/" + s.ID}
	if err := d.db.Write(ctx, func(tx *store.Tx) error { return d.count(ctx, tx, &t) }); err != nil {
		return "", fmt.Errorf("step up: %w", err)
	}
	if t.wait > 0 {
		return "", tooMany(t.wait)
	}
	token = seal.Token()
	act := audit.Act{Name: "signin.stepup", Actor: string(s.Person), Subject: string(s.Person), Unit: s.Account.Unit, Object: s.ID}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		if err := prove(tx, t); err != nil {
			return err
		}
		return updateToken(ctx, tx, s.ID, seal.TokenHash(token))
	})
	if err != nil {
		return "", fmt.Errorf("step up: %w", err)
	}
	return token, nil
}
