package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
)

// Passkey is a key in a phone, a computer or on a stick, which its owner opens with a finger, his face or a PIN.
type Passkey struct {
	ID        string
	Name      string // as its owner named it
	CreatedAt time.Time
	UsedAt    time.Time // zero when it has not been used
}

// Site is where passkeys are made for. They serve at its host name and nowhere else.
type Site struct{ keys *webauthn.WebAuthn }

// NewSite makes the site of the address that people type. There are no passkeys for an IP address, nor without
// encryption but on localhost: then it answers nil, and none are offered.
func NewSite(address *url.URL) (*Site, error) {
	host := address.Hostname()
	if net.ParseIP(host) != nil || address.Scheme != "https" && host != "localhost" {
		return nil, nil
	}
	required := true
	keys, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: appIssuer, RPOrigins: []string{address.Scheme + "://" + address.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys for %s: %w", host, err)
	}
	return &Site{keys}, nil
}

// The purposes of a challenge.
const (
	keyRegister = "register"
	keySignIn   = "signin"
	keyFactor   = "factor"
	keyStepUp   = "stepup"
	keyReset    = "reset"
)

// challengeLife is how long a passkey may take to sign.
const challengeLife = 5 * time.Minute

// Challenge is what a passkey is asked to sign: once, in one browser, for one purpose. Options are for the browser.
type Challenge struct {
	ID      string          `json:"id"`
	Options json.RawMessage `json:"publicKey"`
}

// Signed is what a browser answers to a challenge.
type Signed struct {
	Challenge string // its id
	Response  string // JSON, as the browser made it
}

// mostResponse bounds the work on what somebody sends as the answer of a passkey.
const mostResponse = 16 << 10

// PasskeyName is the longest name of a passkey, in characters.
const PasskeyName = 60

// Passkeys reports whether passkeys can be used at all.
func (d *Desk) Passkeys() bool { return d.site != nil }

func errNoPasskeys() error { return problem.New(problem.NotFound, "signin.problem.no_passkeys") }

// errWrongPasskey is the one answer to a passkey that proves nothing, whatever the cause.
func errWrongPasskey() *problem.Problem {
	return problem.New(problem.Denied, "signin.problem.passkey_wrong")
}

// keyOwner is a person as his passkeys know him: by an id that tells nobody anything.
type keyOwner struct {
	id          person.ID
	name        string
	credentials []webauthn.Credential
}

func (o keyOwner) WebAuthnID() []byte                         { return []byte(o.id) }
func (o keyOwner) WebAuthnName() string                       { return o.name }
func (o keyOwner) WebAuthnDisplayName() string                { return o.name }
func (o keyOwner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

// keyOwner finds a person with his passkeys.
func (d *Desk) keyOwner(ctx context.Context, tx *store.Tx, who person.ID) (o keyOwner, a officer.Account, err error) {
	if a, err = officer.Find(ctx, tx, who); err != nil {
		return o, a, err
	}
	o = keyOwner{id: who, name: a.Name()}
	o.credentials, err = selectCredentials(ctx, tx, who)
	return o, a, err
}

// AskNewPasskey begins the making of a passkey for a person.
func (d *Desk) AskNewPasskey(ctx context.Context, s Session, browser string) (Challenge, error) {
	return d.ask(ctx, keyRegister, s.ID, browser, func(tx *store.Tx) (any, *webauthn.SessionData, error) {
		owner, _, err := d.keyOwner(ctx, tx, s.Person)
		if err != nil {
			return nil, nil, err
		}
		made, state, err := d.site.keys.BeginRegistration(owner, webauthn.WithExclusions(webauthn.Credentials(owner.credentials).CredentialDescriptors()))
		if err != nil {
			return nil, nil, fmt.Errorf("begin passkey: %w", err)
		}
		return made.Response, state, nil
	})
}

// AskSignIn begins a sign-in by passkey alone. Nothing in it knows of anybody. It fails with problem.Busy when one
// network begins too often.
func (d *Desk) AskSignIn(ctx context.Context, browser string) (Challenge, error) {
	return d.ask(ctx, keySignIn, "", browser, func(*store.Tx) (any, *webauthn.SessionData, error) {
		made, state, err := d.site.keys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return nil, nil, fmt.Errorf("begin sign-in by passkey: %w", err)
		}
		return made.Response, state, nil
	})
}

// AskFactor asks for a passkey of who waits for the second factor at sign-in. It fails like FactorsAsked.
func (d *Desk) AskFactor(ctx context.Context, flow, browser string) (Challenge, error) {
	return d.askOwner(ctx, keyFactor, flow, browser, func(tx *store.Tx) (person.ID, error) {
		f, err := selectFlow(ctx, tx, flow, seal.TokenHash(browser))
		return f.who, err
	})
}

// AskStepUp asks for a passkey before an act.
func (d *Desk) AskStepUp(ctx context.Context, s Session, browser string) (Challenge, error) {
	return d.askOwner(ctx, keyStepUp, s.ID, browser, func(*store.Tx) (person.ID, error) { return s.Person, nil })
}

// AskReset asks for a passkey on the way to a new password. It fails like FactorsOfReset.
func (d *Desk) AskReset(ctx context.Context, id, browser string) (Challenge, error) {
	return d.askOwner(ctx, keyReset, id, browser, func(tx *store.Tx) (person.ID, error) {
		r, err := selectReset(ctx, tx, id, seal.TokenHash(browser))
		if err != nil {
			return "", err
		}
		if r.Step != ResetFactor {
			return "", errNoReset()
		}
		owner, err := Owner(ctx, tx, r.subject)
		return owner.Person, err
	})
}

// askOwner asks for one of the passkeys of a person.
func (d *Desk) askOwner(ctx context.Context, purpose, subject, browser string, find func(*store.Tx) (person.ID, error)) (Challenge, error) {
	return d.ask(ctx, purpose, subject, browser, func(tx *store.Tx) (any, *webauthn.SessionData, error) {
		who, err := find(tx)
		if err != nil {
			return nil, nil, err
		}
		owner, _, err := d.keyOwner(ctx, tx, who)
		if err != nil {
			return nil, nil, err
		}
		if len(owner.credentials) == 0 {
			return nil, nil, errNoPasskeys()
		}
		made, state, err := d.site.keys.BeginLogin(owner, webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return nil, nil, fmt.Errorf("ask for passkey: %w", err)
		}
		return made.Response, state, nil
	})
}

func (d *Desk) ask(ctx context.Context, purpose, subject, browser string, begin func(*store.Tx) (any, *webauthn.SessionData, error)) (c Challenge, err error) {
	if !d.Passkeys() {
		return Challenge{}, errNoPasskeys()
	}
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		wait, err := proof.Take(ctx, tx, "signin/address/"+proof.Network(audit.OriginOf(ctx).Address), d.settings.Address)
		if err != nil {
			return err
		}
		if wait > 0 {
			return tooMany(wait)
		}
		options, state, err := begin(tx)
		if err != nil {
			return err
		}
		c = Challenge{ID: store.NewID()}
		if c.Options, err = json.Marshal(options); err != nil {
			return fmt.Errorf("write challenge: %w", err)
		}
		kept, err := json.Marshal(state)
		if err != nil {
			return fmt.Errorf("write challenge: %w", err)
		}
		return insertChallenge(ctx, tx, c.ID, seal.TokenHash(browser), purpose, subject, string(kept))
	})
	return c, err
}

// answered is an answer to a challenge that was taken, and can not be given again.
type answered struct {
	state    webauthn.SessionData
	response []byte
}

// take uses a challenge up, before the answer is looked at.
func (d *Desk) take(ctx context.Context, purpose, subject, browser string, signed Signed) (a answered, err error) {
	if !d.Passkeys() {
		return a, errNoPasskeys()
	}
	if len(signed.Response) > mostResponse {
		return a, errWrongPasskey()
	}
	var kept string
	err = d.db.Write(ctx, func(tx *store.Tx) (err error) {
		kept, err = updateChallenge(ctx, tx, signed.Challenge, seal.TokenHash(browser), purpose, subject)
		return err
	})
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(kept), &a.state); err != nil {
		return a, fmt.Errorf("read challenge: %w", err)
	}
	a.response = []byte(signed.Response)
	return a, nil
}

// AddPasskey keeps the passkey that was made. All other sessions end and every contact is told; who had no second factor
// gets recovery codes. It fails with problem.Invalid when the name is too long, and with problem.Denied for what is no
// passkey for this challenge.
func (d *Desk) AddPasskey(ctx context.Context, s Session, browser, name string, signed Signed) (recovery []string, err error) {
	name, err = thai.CleanLine(name, PasskeyName)
	if err != nil {
		return nil, invalid("name", "signin.problem.passkey_name")
	}
	var check problem.Check
	if person.CheckText(&check, "name", name); check.Failed() {
		return nil, check.Err()
	}
	act := audit.Act{Name: "signin.passkey_add", Actor: string(s.Person), Subject: string(s.Person), Unit: s.Account.Unit}
	a, err := d.take(ctx, keyRegister, s.ID, browser, signed)
	if err != nil {
		return nil, fmt.Errorf("add passkey: %w", err)
	}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		owner, _, err := d.keyOwner(ctx, tx, s.Person)
		if err != nil {
			return err
		}
		made, err := protocol.ParseCredentialCreationResponseBytes(a.response)
		if err != nil {
			return errWrongPasskey()
		}
		credential, err := d.site.keys.CreateCredential(owner, a.state, made)
		if err != nil {
			return errWrongPasskey()
		}
		credential.Attestation = webauthn.CredentialAttestation{} // nothing is asked of its maker
		act.Object = store.NewID()
		if err := insertPasskey(ctx, tx, act.Object, s.Person, name, *credential); err != nil {
			return err
		}
		recovery, err = d.factorAdded(ctx, tx, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("add passkey: %w", err)
	}
	return recovery, nil
}

// RemovePasskey takes a passkey of a person away. It fails with problem.NotFound when he has no such one, and like
// RemoveApp.
func (d *Desk) RemovePasskey(ctx context.Context, s Session, id string, needed bool) error {
	act := audit.Act{Name: "signin.passkey_remove", Actor: string(s.Person), Subject: string(s.Person), Unit: s.Account.Unit, Object: id}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		if err := deletePasskey(ctx, tx, s.Person, id); err != nil {
			return err
		}
		return d.factorRemoved(ctx, tx, s, needed)
	})
}

// verify holds an answer against the passkeys of a person, within the transaction of the act that it opens. An
// authenticator that counts its uses and comes with a count that was seen before has been copied: that is refused.
func (d *Desk) verify(ctx context.Context, tx *store.Tx, who person.ID, a answered) error {
	owner, _, err := d.keyOwner(ctx, tx, who)
	if err != nil {
		return err
	}
	signed, err := protocol.ParseCredentialRequestResponseBytes(a.response)
	if err != nil {
		return errWrongPasskey()
	}
	var credential *webauthn.Credential
	if len(a.state.UserID) == 0 {
		credential, err = d.site.keys.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) { return owner, nil }, a.state, signed)
	} else {
		credential, err = d.site.keys.ValidateLogin(owner, a.state, signed)
	}
	if err != nil {
		return errWrongPasskey()
	}
	taken, err := updatePasskeyUsed(ctx, tx, who, *credential)
	if err != nil {
		return err
	}
	if !taken || credential.Authenticator.CloneWarning {
		return problem.New(problem.Denied, "signin.problem.passkey_copied")
	}
	return nil
}

// SignInPasskey opens the session of the owner of a passkey, who needs no password: the passkey is what he has, and he
// has opened it with what he is or knows. It fails with problem.Denied in one way for whatever does not prove it, with
// problem.NotFound for a challenge that is used, over or another browser's, and like SignIn for an account that is disabled or locked.
func (d *Desk) SignInPasskey(ctx context.Context, signed Signed, in In) (Opened, error) {
	a, err := d.take(ctx, keySignIn, "", in.Browser, signed)
	if err != nil {
		return Opened{}, fmt.Errorf("sign in by passkey: %w", err)
	}
	who, err := handleOf(a.response)
	if err != nil {
		return Opened{}, fmt.Errorf("sign in by passkey: %w", errWrongPasskey())
	}
	var o Opened
	act := audit.Act{Name: "signin.open"}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		owner, err := officer.Find(ctx, tx, who)
		if errors.Is(err, problem.NotFound) {
			return errWrongPasskey()
		}
		if err != nil {
			return err
		}
		act.Actor, act.Subject, act.Unit = string(who), string(who), owner.Unit
		if err := d.verify(ctx, tx, who, a); err != nil {
			return err
		}
		if !owner.Enabled() {
			return problem.New(problem.Denied, "signin.problem.disabled")
		}
		known, err := selectDeviceOf(ctx, tx, who, seal.TokenHash(in.Device))
		if err != nil {
			return err
		}
		o = d.opening(in, known)
		return d.open(ctx, tx, &act, who, in, &o)
	})
	if err != nil {
		return Opened{}, fmt.Errorf("sign in by passkey: %w", err)
	}
	return o.orLocked()
}

// handleOf reads whose a passkey says it is.
func handleOf(response []byte) (person.ID, error) {
	var said struct {
		Response struct {
			UserHandle string `json:"userHandle"`
		} `json:"response"`
	}
	if err := json.Unmarshal(response, &said); err != nil {
		return "", err
	}
	raw, err := base64.RawURLEncoding.DecodeString(said.Response.UserHandle)
	if err != nil {
		return "", err
	}
	if len(raw) == 0 || len(raw) > 64 || !utf8.Valid(raw) || containsZero(raw) {
		return "", errors.New("no person")
	}
	return person.ID(raw), nil
}

func containsZero(raw []byte) bool {
	for _, b := range raw {
		if b == 0 { // PostgreSQL keeps none
			return true
		}
	}
	return false
}

// SignInFactor goes on with a sign-in like SignInCode, by a passkey.
func (d *Desk) SignInFactor(ctx context.Context, flow string, signed Signed, in In) (Opened, error) {
	a, err := d.take(ctx, keyFactor, flow, in.Browser, signed)
	if err != nil {
		return Opened{}, fmt.Errorf("go on with sign-in: %w", err)
	}
	return d.goOn(ctx, flow, in, func(tx *store.Tx, t factorTry) error { return d.verify(ctx, tx, t.who, a) })
}

// StepUpPasskey takes a passkey in place of the password, like StepUpCode.
func (d *Desk) StepUpPasskey(ctx context.Context, s Session, browser string, signed Signed) (token string, err error) {
	a, err := d.take(ctx, keyStepUp, s.ID, browser, signed)
	if errors.Is(err, problem.NotFound) { // the session is there; what was signed is not what was asked
		return "", fmt.Errorf("step up: %w", errWrongPasskey())
	}
	if err != nil {
		return "", fmt.Errorf("step up: %w", err)
	}
	return d.stepUp(ctx, s, func(tx *store.Tx, t factorTry) error { return d.verify(ctx, tx, t.who, a) })
}

// ProveResetPasskey takes a passkey as the second factor on the way to a new password, like ProveResetCode.
func (d *Desk) ProveResetPasskey(ctx context.Context, id, browser string, signed Signed) (Reset, error) {
	a, err := d.take(ctx, keyReset, id, browser, signed)
	if err != nil {
		return Reset{}, fmt.Errorf("prove second factor to reset password: %w", err)
	}
	return d.proveResetFactor(ctx, id, browser, func(tx *store.Tx, t factorTry) error { return d.verify(ctx, tx, t.who, a) })
}
