package officer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/proof"
)

// Step is where a registration stands.
type Step string

// The steps. E-mail comes first: nobody can make the ministry send SMS to strangers before he has proved an address.
const (
	ProveEmail Step = "email"
	ProvePhone Step = "phone"
	Registered Step = "registered" // the account is there
	Existing   Step = "existing"   // the citizen ID had an account: on to the forgotten password
	Later      Step = "later"      // told too often today who has an account; the same for who has none
)

// Flow is a registration under way, as its own browser sees it.
type Flow struct {
	ID        string
	Step      Step
	Contact   string    // that has to be proved now, as people write it; "" once finished
	Reference string    // of the code sent last
	SentAt    time.Time // when that was; zero when no code could be sent yet
}

// Finished reports whether there is no step left to take.
func (f Flow) Finished() bool { return f.Step != ProveEmail && f.Step != ProvePhone }

// ResendAfter is how long a person waits before he may ask for another code (proof has further limits).
const ResendAfter = time.Minute

const (
	// flowLife is how long a registration may take from its first submission.
	flowLife = time.Hour
	// purpose is the name of the codes of a registration.
	purpose = "register"
	// existingPerContact and existingPerNetwork are how often within a day the same contact, or the same network, is
	// told that a citizen ID has an account.
	existingPerContact = 3
	existingPerNetwork = 10
	day                = 24 * time.Hour
)

// submissions is how often one network may submit the form: every time costs a password hash.
var submissions = proof.Rate{Burst: 60, Every: time.Second}

// contents is what is sealed of a registration.
type contents struct {
	CitizenID  string
	Phone      thai.Mobile
	GivenName  string
	FamilyName string
	Position   string
	Unit       string
	Email      thai.Email
	LineID     string
	Language   locale.Lang
	Terms      string
	TermsAt    time.Time
	Hash       string
}

// account is the account that the registration asks for.
func (c contents) account() Account {
	return Account{
		GivenName: c.GivenName, FamilyName: c.FamilyName, Position: c.Position, Unit: c.Unit, Email: c.Email,
		Phone: c.Phone, LineID: c.LineID, Language: c.Language, TermsVersion: c.Terms, TermsAt: c.TermsAt,
	}
}

// registration is a row of registrations.
type registration struct {
	id            string
	browser       string
	sealed        []byte
	emailIndex    string
	phoneIndex    string
	emailProvedAt time.Time
	phoneProvedAt time.Time
	reference     string
	sentAt        time.Time
	expiresAt     time.Time
	outcome       Step
	contents      contents // sealed opened; empty once finished
}

func (r registration) step() Step {
	switch {
	case r.outcome != "":
		return r.outcome
	case r.emailProvedAt.IsZero():
		return ProveEmail
	}
	return ProvePhone
}

func (r registration) flow() Flow {
	f := Flow{ID: r.id, Step: r.step(), Reference: r.reference, SentAt: r.sentAt}
	switch f.Step {
	case ProveEmail:
		f.Contact = string(r.contents.Email)
	case ProvePhone:
		f.Contact = r.contents.Phone.National()
	}
	return f
}

// Channel is where the code of a step is sent, "" for a step without one.
func (s Step) Channel() notify.Channel {
	switch s {
	case ProveEmail:
		return notify.Email
	case ProvePhone:
		return notify.SMS
	}
	return ""
}

// Start takes the form, sends a code to the e-mail address entered and answers the flow that goes on. Nothing in it
// looks at whether the citizen ID has an account, so nothing in the answer can tell. browser is the token of the
// browser's flow cookie, without which nobody takes the next step. It fails with problem.Invalid, all faults at
// once, and with problem.Busy when too much was submitted or sent before.
func (d *Desk) Start(ctx context.Context, f Form, browser string) (Flow, error) {
	e, err := d.check(ctx, f)
	if err != nil {
		return Flow{}, err
	}
	err = d.db.Write(ctx, func(tx *store.Tx) error { return d.mayStart(ctx, tx) })
	if err != nil {
		return Flow{}, fmt.Errorf("start registration: %w", err)
	}
	hash, err := d.passwords.Hash(ctx, f.Password)
	if err != nil {
		return Flow{}, fmt.Errorf("start registration: %w", err)
	}
	var r registration
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		r = registration{
			id: store.NewID(), browser: seal.TokenHash(browser),
			emailIndex: d.contactIndex(string(e.email)), phoneIndex: d.contactIndex(string(e.phone)),
			expiresAt: tx.Now.Add(flowLife),
			contents: contents{
				CitizenID: e.citizen.Digits(), Phone: e.phone, GivenName: e.givenName, FamilyName: e.familyName,
				Position: e.position, Unit: e.unit, Email: e.email, LineID: e.lineID, Language: e.language,
				Terms: e.terms, TermsAt: tx.Now, Hash: hash,
			},
		}
		plain, err := json.Marshal(r.contents)
		if err != nil {
			return fmt.Errorf("seal form: %w", err)
		}
		r.sealed = d.ring.Seal(formPlace(r.id), plain)
		if err := insertRegistration(ctx, tx, r); err != nil {
			return err
		}
		return d.send(ctx, tx, &r)
	})
	if err != nil {
		return Flow{}, fmt.Errorf("start registration: %w", err)
	}
	return r.flow(), nil
}

// check holds the form against all rules.
func (d *Desk) check(ctx context.Context, f Form) (entry, error) {
	var c problem.Check
	e := f.read(&c, d.checkDigit, d.TermsVersion())
	about := e.context()
	if !c.Failed(FieldUnit) {
		err := d.db.Read(ctx, func(tx *store.Tx) error {
			u, err := agency.Find(ctx, tx, e.unit)
			if errors.Is(err, problem.NotFound) || err == nil && !u.Active {
				c.Fail(FieldUnit, "officer.problem.unit_unknown")
				return nil
			}
			about = append(about, u.Code, u.Name.TH, u.Name.EN, u.Short.TH, u.Short.EN)
			return err
		})
		if err != nil {
			return entry{}, fmt.Errorf("check registration: %w", err)
		}
	}
	if !c.Failed(FieldPassword) {
		if err := c.Merge(d.passwords.Check(f.Password, about...)); err != nil {
			return entry{}, err
		}
	}
	return e, inOrder(c.Err())
}

func (d *Desk) mayStart(ctx context.Context, tx *store.Tx) error {
	wait, err := proof.Take(ctx, tx, "register/network/"+network(ctx), submissions)
	if err != nil {
		return err
	}
	if wait > 0 {
		return &problem.Problem{Kind: problem.Busy, Key: "officer.problem.too_many", RetryAfter: wait, TooMany: true,
			Args: problem.Args("n", minutes(wait))}
	}
	return nil
}

// minutes rounds a time to wait up to what people are told.
func minutes(wait time.Duration) int { return int((wait + time.Minute - 1) / time.Minute) }

// network is whom the request of the context comes from, for counting.
func network(ctx context.Context) string { return proof.Network(audit.OriginOf(ctx).Address) }

// send sends the code of the step at hand and notes its reference.
func (d *Desk) send(ctx context.Context, tx *store.Tx, r *registration) error {
	o := proof.CodeOrder{
		Flow: r.id, Browser: r.browser, Purpose: purpose, Channel: r.step().Channel(), Lang: r.contents.Language,
		Network: network(ctx),
		// Tries are counted for the contact: counted for the citizen ID, a stranger who knows it could use them up.
		To: string(r.contents.Email), Account: r.emailIndex,
	}
	if o.Channel == notify.SMS {
		o.To, o.Account = string(r.contents.Phone), r.phoneIndex
	}
	reference, err := d.codes.Send(ctx, tx, o)
	if err != nil {
		return err
	}
	r.reference, r.sentAt = reference, tx.Now
	return updateSent(ctx, tx, *r)
}

// Flow answers where a registration stands. It fails with problem.NotFound for an unknown one, one that took longer
// than an hour, and one of another browser.
func (d *Desk) Flow(ctx context.Context, id, browser string) (Flow, error) {
	var f Flow
	err := d.db.Read(ctx, func(tx *store.Tx) error {
		r, err := d.registration(ctx, tx, id, browser)
		f = r.flow()
		return err
	})
	return f, err
}

// Typed answers the form of a registration that is not finished, without its passwords, so that it can be mended
// and submitted anew. It fails like Flow.
func (d *Desk) Typed(ctx context.Context, id, browser string) (Form, error) {
	var f Form
	err := d.db.Read(ctx, func(tx *store.Tx) error {
		r, err := d.registration(ctx, tx, id, browser)
		if err != nil {
			return err
		}
		if r.outcome != "" {
			return errNoFlow()
		}
		c := r.contents
		f = Form{
			CitizenID: c.CitizenID, Phone: c.Phone.National(), GivenName: c.GivenName, FamilyName: c.FamilyName,
			Position: c.Position, Unit: c.Unit, Email: string(c.Email), LineID: c.LineID, Terms: c.Terms,
			Language: c.Language,
		}
		return nil
	})
	return f, err
}

// Resend sends another code for the step at hand and voids the one before. It fails like Flow, and with problem.Busy
// when it is too early.
func (d *Desk) Resend(ctx context.Context, id, browser string) (Flow, error) {
	var f Flow
	err := d.db.Write(ctx, func(tx *store.Tx) error {
		r, err := d.registration(ctx, tx, id, browser)
		if err != nil {
			return err
		}
		if r.outcome == "" {
			if err := d.send(ctx, tx, &r); err != nil {
				return err
			}
		}
		f = r.flow()
		return nil
	})
	return f, err
}

// Prove takes the code that was sent for a step. When it is right, the flow goes on to the next step, or ends: the
// citizen ID turns out to have an account, or the last contact is proved and the account is made. A step that was
// taken before answers where the flow stands now, so a form sent twice does no harm. It fails like Flow, and with
// problem.Invalid or problem.Busy for what proof.Codes.Try refuses.
func (d *Desk) Prove(ctx context.Context, id, browser string, step Step, code string) (Flow, error) {
	code, err := thai.FoldDigits(code)
	if err != nil {
		var c problem.Check
		c.Fail(FieldCode, "officer.problem.code_form")
		return Flow{}, c.Err()
	}
	var f Flow
	var refused error
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		refused = nil
		r, err := d.registration(ctx, tx, id, browser)
		if err != nil {
			return err
		}
		if r.outcome == "" && r.step() == step {
			refused, err = d.prove(ctx, tx, &r, code)
		}
		f = r.flow()
		return err
	})
	if err != nil {
		return Flow{}, fmt.Errorf("prove contact: %w", err)
	}
	return f, refused
}

// prove answers as refused what the person is told although the transaction is kept.
func (d *Desk) prove(ctx context.Context, tx *store.Tx, r *registration, code string) (refused, err error) {
	try := proof.CodeTry{
		Flow: r.id, Browser: r.browser, Purpose: purpose, Channel: r.step().Channel(), Code: code,
		To: string(r.contents.Email),
	}
	if try.Channel == notify.SMS {
		try.To = string(r.contents.Phone)
	}
	right, err := d.codes.Try(ctx, tx, try)
	if err != nil {
		return nil, err
	}
	if !right {
		return proof.WrongCode(), nil // the try stays counted
	}
	if try.Channel == notify.Email {
		r.emailProvedAt = tx.Now
	} else {
		r.phoneProvedAt = tx.Now
	}
	r.reference, r.sentAt = "", time.Time{}
	if err := updateProved(ctx, tx, *r); err != nil {
		return nil, err
	}
	// From here on the person has proved a contact and may be told; yet only so often, and who has no account is
	// put off alike.
	told, err := countExisting(ctx, tx, *r, d.networkIndex(ctx))
	if err != nil {
		return nil, err
	}
	if told.contact >= existingPerContact || told.network >= existingPerNetwork {
		return nil, d.finish(ctx, tx, r, Later)
	}
	citizen, err := thai.ParseCitizenID(r.contents.CitizenID)
	if err != nil && !errors.Is(err, thai.ErrCheckDigit) {
		return nil, fmt.Errorf("read citizen ID of registration: %w", err)
	}
	who, known, err := d.roll.Find(ctx, tx, citizen)
	if err != nil {
		return nil, err
	}
	if known {
		switch owner, err := Find(ctx, tx, who); {
		case err == nil:
			return nil, d.existing(ctx, tx, r, owner)
		case !errors.Is(err, problem.NotFound):
			return nil, err
		}
	}
	if r.step() == ProvePhone && r.phoneProvedAt.IsZero() {
		err := d.send(ctx, tx, r)
		if errors.Is(err, problem.Busy) {
			return err, nil // the address stays proved; the person asks for the SMS again later
		}
		return nil, err
	}
	return nil, d.create(ctx, tx, r, citizen)
}

// existing ends a registration for a citizen ID that has an account, and tells the account's owner.
func (d *Desk) existing(ctx context.Context, tx *store.Tx, r *registration, owner Account) error {
	err := Tell(ctx, tx, d.outbox, owner, "register.existing", nil)
	if err != nil {
		return err
	}
	err = audit.Record(ctx, tx, audit.Act{
		Name: "officer.register_existing", Unit: owner.Unit, Subject: string(owner.Person), Object: r.id,
	})
	if err != nil {
		return err
	}
	return d.finish(ctx, tx, r, Existing)
}

// create makes the account. Of two registrations at once the unique person decides.
func (d *Desk) create(ctx context.Context, tx *store.Tx, r *registration, citizen thai.CitizenID) error {
	who, err := d.roll.Mention(ctx, tx, citizen)
	if err != nil {
		return err
	}
	a := r.contents.account()
	a.Person, a.EmailProvedAt, a.PhoneProvedAt = who, r.emailProvedAt, r.phoneProvedAt
	created, err := insert(ctx, tx, a, r.contents.Hash)
	if err != nil {
		return err
	}
	if !created {
		owner, err := Find(ctx, tx, who)
		if err != nil {
			return err
		}
		return d.existing(ctx, tx, r, owner)
	}
	err = audit.Record(ctx, tx, audit.Act{
		Name: "officer.register", Actor: string(who), Unit: a.Unit, Subject: string(who), Object: r.id,
		Detail: map[string]string{"terms": a.TermsVersion},
	})
	if err != nil {
		return err
	}
	if err := d.registered(ctx, tx, who); err != nil {
		return err
	}
	return d.finish(ctx, tx, r, Registered)
}

func (d *Desk) finish(ctx context.Context, tx *store.Tx, r *registration, outcome Step) error {
	r.outcome = outcome
	return updateFinished(ctx, tx, *r, d.networkIndex(ctx))
}

// registration finds the row of a flow and opens what is sealed in it.
func (d *Desk) registration(ctx context.Context, tx *store.Tx, id, browser string) (registration, error) {
	r, err := selectRegistration(ctx, tx, id, seal.TokenHash(browser))
	if err != nil || r.outcome != "" {
		return r, err
	}
	plain, err := d.ring.Open(formPlace(r.id), r.sealed)
	if err != nil {
		return r, fmt.Errorf("open registration: %w", err)
	}
	if err := json.Unmarshal(plain, &r.contents); err != nil {
		return r, fmt.Errorf("open registration: %w", err)
	}
	return r, nil
}

// errNoFlow is the one answer for a flow that is not there, is over, or is another browser's.
func errNoFlow() error { return problem.New(problem.NotFound, "officer.problem.no_flow") }

// Sweep deletes registrations and changes of contacts once they count for nothing any more, and answers how many rows
// went. Once an hour is often enough.
func (d *Desk) Sweep(ctx context.Context) (swept int64, err error) {
	over := d.db.Now().Add(-day)
	return d.db.Delete(ctx,
		store.Old{Table: "registrations", Key: "id", Where: "expires_at < $1", Before: over},
		store.Old{Table: "contact_changes", Key: "id", Where: "expires_at < $1", Before: over},
	)
}

func (d *Desk) contactIndex(contact string) string { return d.ring.Index("register.contact", contact) }

func (d *Desk) networkIndex(ctx context.Context) string {
	return d.ring.Index("register.network", network(ctx))
}

// Sealed is what this package seals, for whoever seals it anew.
var Sealed = []seal.Field{
	{Table: "registrations", Column: "form_sealed", Key: []string{"id"}, Place: formPlaces},
	{Table: "contact_changes", Column: "contact_sealed", Key: []string{"id"}, Place: contactPlaces},
}

// The places that forms and contacts are sealed for.
const (
	formPlaces    = "registration.form"
	contactPlaces = "contact_change.contact"
)

// formPlace binds a sealed form to its row.
func formPlace(id string) string { return formPlaces + "/" + id }
