package signin_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/internal/thaidtest"
	"sitthi/officer"
	"sitthi/proof"
	"sitthi/signin"
	"sitthi/thaid"
)

// somsakAtThaID is what ThaID tells of somsak, who goes by another family name there.
var somsakAtThaID = thaidtest.Claims{"pid": "3990000000228", "given_name": "สมศักดิ์", "family_name": "ใจดีมาก"}

// byThaID is an office where officers sign in by a fake ThaID.
type byThaID struct {
	*office
	fake    *thaidtest.Fake
	proved  atomic.Int64 // how often the book was told
	browser string
}

func openThaID(t *testing.T, env *storetest.Env) *byThaID {
	t.Helper()
	o := &byThaID{office: open(t, env), fake: thaidtest.New(t, env.Clock), browser: seal.Token()}
	log := slog.New(slog.DiscardHandler)
	o.desk = signin.NewDesk(signin.Options{
		DB: env.DB, Roll: o.roll, Ring: o.ring, Passwords: o.passwords, Outbox: o.outbox, Log: log,
		Codes: proof.NewCodes(proof.CodesOptions{Ring: o.ring, Outbox: o.outbox, Log: log, SMSBudget: 1000}),
		ThaID: o.fake.Client(t, nil),
		Identified: func(context.Context, *store.Tx, officer.Account) error {
			o.proved.Add(1)
			return nil
		},
	})
	return o
}

// ask begins a sign-in and answers what the browser brings back for who says yes.
func (o *byThaID) ask(t *testing.T, who thaidtest.Claims) thaid.Answer {
	t.Helper()
	address, err := o.desk.AskThaID(t.Context(), o.browser, "/my/rights?x=1")
	if err != nil {
		t.Fatal(err)
	}
	return o.fake.Agree(t, address, who)
}

func (o *byThaID) in() signin.In {
	return signin.In{Browser: o.browser, Address: address, Agent: "Firefox"}
}

// linked lets him in once by password and links his account.
func (o *byThaID) linked(t *testing.T) {
	t.Helper()
	first := o.in()
	first.Session = o.enter(t, in()).Token
	opened, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, somsakAtThaID), first)
	if err == nil {
		var s signin.Session
		if s, err = o.desk.Session(t.Context(), opened.Token); err == nil {
			err = o.desk.SignOut(t.Context(), s)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestThaIDLinksWhoseAccountItIs: somebody else may have registered with his citizen ID, and would be confirmed by it.
func TestThaIDLinksWhoseAccountItIs(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		refused := func(what, session string) {
			t.Helper()
			in := o.in()
			in.Session = session
			if opened, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, somsakAtThaID), in); key(err) != "signin.problem.thaid_first" || opened.Token != "" {
				t.Errorf("%s: %v", what, err)
			}
			if o.proved.Load() != 0 || o.told(t, "signin.thaid") != 0 {
				t.Errorf("%s: the account is linked", what)
			}
		}
		refused("who is not signed in", "")
		if e := o.entries(t)[0]; e.Name != "signin.thaid" || e.Subject != string(o.who) || e.Detail["why"] != "signin.problem.thaid_first" {
			t.Errorf("recorded: %+v", e)
		}
		refused("with a session that nobody has", seal.Token())
		ended := o.enter(t, in())
		s, err := o.desk.Session(t.Context(), ended.Token)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.desk.SignOut(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		refused("with a session that ended", ended.Token)

		hash, err := o.passwords.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		citizen, err := thai.ParseCitizenID(stranger)
		if err != nil {
			t.Fatal(err)
		}
		o.write(t, func(tx *store.Tx) error {
			other, err := o.roll.Mention(t.Context(), tx, citizen)
			if err != nil {
				return err
			}
			return officer.Create(t.Context(), tx, officer.Account{
				Person: other, GivenName: "มาลี", FamilyName: "สุขใจ", Position: "นักวิชาการ", Unit: "TH-13",
				Email: "malee@example.go.th", Phone: "+66898765432", EmailProvedAt: tx.Now, PhoneProvedAt: tx.Now,
			}, hash)
		})
		other := in()
		other.CitizenID = stranger
		refused("with another officer's session", o.enter(t, other).Token)
	})
}

// told counts the messages for a purpose.
func (o *byThaID) told(t *testing.T, purpose string) (n int) {
	t.Helper()
	o.write(t, func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM messages WHERE purpose = $1`, purpose).Scan(&n)
	})
	return n
}

func (o *byThaID) sessions(t *testing.T) int {
	t.Helper()
	list, err := o.desk.List(t.Context(), o.who)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestThaID(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		answer := o.ask(t, somsakAtThaID)
		first, before := o.in(), o.enter(t, in())
		first.Session, first.Device = before.Token, before.DeviceToken
		opened, next, err := o.desk.SignInThaID(t.Context(), answer, first)
		if err != nil || next != "/my/rights?x=1" {
			t.Fatalf("leads to %q: %v", next, err)
		}
		s, err := o.desk.Session(t.Context(), opened.Token)
		if err != nil || s.Person != o.who || !s.ThaID || !s.SteppedUp(env.Clock.Now()) {
			t.Fatalf("the session is %+v, %v", s, err)
		}
		if o.proved.Load() != 1 || o.told(t, "signin.thaid") != 2 {
			t.Errorf("the first time told the book %d times, the officer %d times", o.proved.Load(), o.told(t, "signin.thaid"))
		}
		if e := o.entries(t); e[0].Name != "signin.thaid" || e[0].Actor != string(o.who) || e[0].Object != s.ID || e[0].Unit != "TH-12" || e[1].Name != "officer.thaid" {
			t.Errorf("recorded: %+v", e[:2])
		}
		o.write(t, func(tx *store.Tx) error {
			i, err := officer.IdentityOf(t.Context(), tx, o.who)
			if err == nil && (!i.ProvedAt.Equal(env.Clock.Now()) || i.Name() != "สมศักดิ์ ใจดีมาก" || !i.Differs(s.Account) || s.Account.FamilyName != "ใจดี") {
				t.Errorf("the identity is %+v, the account of %s", i, s.Account.Name())
			}
			return err
		})

		// The second time nothing is linked any more, and who has a second factor is not asked for it.
		o.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO factors (id, person_id, secret_sealed, begun_at, enrolled_at) VALUES ('1', $1, $2, 0, 0)`, o.who, []byte{1})
			return err
		})
		env.Clock.Advance(time.Hour)
		again := o.in()
		again.Device, again.Session = opened.DeviceToken, opened.Token
		reopened, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, somsakAtThaID), again)
		if err != nil || reopened.Token == "" || reopened.DeviceToken != opened.DeviceToken {
			t.Fatal(err)
		}
		if o.proved.Load() != 1 || o.told(t, "signin.thaid") != 2 || o.told(t, "signin.new_device") != 0 {
			t.Error("the second time is told like the first")
		}
		if _, err := o.desk.Session(t.Context(), opened.Token); !errors.Is(err, problem.NotFound) {
			t.Errorf("the browser's session before goes on: %v", err)
		}
	})
}

func TestThaIDAnswerServesOnceInItsBrowser(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		o.linked(t)
		refused := func(what string, a thaid.Answer, in signin.In, want string) {
			t.Helper()
			if opened, _, err := o.desk.SignInThaID(t.Context(), a, in); key(err) != want || opened.Token != "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		answer := o.ask(t, somsakAtThaID)
		other := o.in()
		other.Browser = seal.Token()
		refused("another browser", answer, other, "signin.problem.thaid_browser")
		other.Browser = ""
		refused("a browser without a cookie", answer, other, "signin.problem.thaid_browser")
		forged := answer
		forged.State = seal.Token()
		refused("a state that nobody asked with", forged, o.in(), "signin.problem.thaid_over")
		refused("no state", thaid.Answer{Code: answer.Code}, o.in(), "signin.problem.thaid_over")

		if _, _, err := o.desk.SignInThaID(t.Context(), answer, o.in()); err != nil {
			t.Fatalf("what others tried used the answer up: %v", err)
		}
		refused("the same answer again", answer, o.in(), "signin.problem.thaid_over")

		late := o.ask(t, somsakAtThaID)
		env.Clock.Advance(10 * time.Minute)
		refused("after ten minutes", late, o.in(), "signin.problem.thaid_over")
		just := o.ask(t, somsakAtThaID)
		env.Clock.Advance(10*time.Minute - time.Second)
		if _, _, err := o.desk.SignInThaID(t.Context(), just, o.in()); err != nil {
			t.Errorf("a second before ten minutes are over: %v", err)
		}

		// The code of one question with the state of another: the nonce is not that of the question.
		first, second := o.ask(t, somsakAtThaID), o.ask(t, somsakAtThaID)
		first.Code = second.Code
		refused("the code of another question", first, o.in(), "signin.problem.thaid_unproved")
		if n := o.sessions(t); n != 2 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestThaIDTwoAnswersAtOnceOpenOneSession(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		o.linked(t)
		answer := o.ask(t, somsakAtThaID)
		var in, over atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, _, err := o.desk.SignInThaID(t.Context(), answer, o.in())
				switch {
				case err == nil:
					in.Add(1)
				case key(err) == "signin.problem.thaid_over":
					over.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 || over.Load() != 7 || o.sessions(t) != 1 {
			t.Errorf("%d came in, %d were told that it is over, %d sessions", in.Load(), over.Load(), o.sessions(t))
		}
	})
}

func TestThaIDOfWhoCanNotComeIn(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		refused := func(what string, who thaidtest.Claims, want string) {
			t.Helper()
			if opened, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, who), o.in()); key(err) != want || opened.Token != "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("nobody's citizen ID", thaidtest.Claims{"pid": "3990000000503"}, "signin.problem.thaid_nobody")
		refused("no citizen ID", thaidtest.Claims{"given_name": "สมศักดิ์"}, "signin.problem.thaid_unproved")
		refused("a wrong check digit", thaidtest.Claims{"pid": "3990000000229"}, "signin.problem.thaid_unproved")
		if o.proved.Load() != 0 || len(o.entries(t)) != 0 {
			t.Errorf("of nobody is recorded %+v", o.entries(t))
		}

		o.set(t, "state = 'disabled'")
		refused("an account that is switched off", somsakAtThaID, "signin.problem.disabled")
		if e := o.entries(t)[0]; e.Name != "signin.thaid" || e.Actor != string(o.who) || e.Detail["why"] != "signin.problem.disabled" {
			t.Errorf("recorded: %+v", e)
		}
		if o.proved.Load() != 0 || o.told(t, "signin.thaid") != 0 {
			t.Error("an account that is switched off is linked")
		}
		o.set(t, "state = 'active'")
		o.linked(t)
		o.set(t, "password_off = TRUE, failures = 100")
		if _, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, somsakAtThaID), o.in()); err != nil {
			t.Errorf("a password that was guessed at keeps its owner out of ThaID: %v", err)
		}
	})
}

// TestThaIDOfClosedSwitchedOffAndLocked: how an account stands is told to whom ThaID has proved to be its owner, and to
// nobody before; none of the three comes in.
func TestThaIDOfClosedSwitchedOffAndLocked(t *testing.T) {
	for name, c := range map[string]struct {
		set  string // of the account
		want string
		kind error
	}{
		"closed":       {"state = 'disabled', closed_at = last_signin_at", "signin.problem.disabled", problem.Denied},
		"switched off": {"state = 'disabled'", "signin.problem.disabled", problem.Denied},
		"locked":       {"", "signin.problem.locked", problem.Locked},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
				o := openThaID(t, env)
				o.linked(t)
				proofs, messages := o.proved.Load(), o.told(t, "signin.thaid")
				env.Clock.Advance(officer.LockAfter - time.Second)
				if c.set != "" {
					o.set(t, c.set)
				} else {
					env.Clock.Advance(time.Second)
				}
				entries := len(o.entries(t))
				refused := func(what string, a thaid.Answer, in signin.In, want string) {
					t.Helper()
					if opened, _, err := o.desk.SignInThaID(t.Context(), a, in); key(err) != want || opened != (signin.Opened{}) {
						t.Errorf("%s is told %v, %+v", what, err, opened)
					}
				}
				// Who has not proved that he is the owner is told what everybody is told.
				other := o.in()
				other.Browser = seal.Token()
				answer := o.ask(t, somsakAtThaID)
				refused("another browser", answer, other, "signin.problem.thaid_browser")
				refused("who ended it at ThaID", thaid.Answer{State: answer.State, Error: "access_denied"}, o.in(), "signin.problem.thaid_refused")
				answer = o.ask(t, somsakAtThaID)
				answer.Code = "x"
				refused("who has another code", answer, o.in(), "signin.problem.thaid_unproved")
				o.fake.Sign = o.fake.SignedByAnother
				refused("who brings a token that ThaID did not sign", o.ask(t, somsakAtThaID), o.in(), "signin.problem.thaid_unproved")
				o.fake.Sign = nil
				if n := len(o.entries(t)); n != entries {
					t.Errorf("%d acts are recorded of somebody who was not proved", n-entries)
				}

				opened, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, somsakAtThaID), o.in())
				if key(err) != c.want || !errors.Is(err, c.kind) || opened.Token != "" || opened.Flow != "" {
					t.Errorf("its owner: %+v, %v", opened, err)
				}
				locked := errors.Is(c.kind, problem.Locked)
				if locked != (opened.Activation != "") || o.sessions(t) != 0 || o.proved.Load() != proofs || o.told(t, "signin.thaid") != messages {
					t.Errorf("it led to %+v, %d sessions", opened, o.sessions(t))
				}
				if !locked {
					return
				}
				// The lock stays until his chief has let him in: ThaID is no way around it, and no sign-in.
				if a, err := o.desk.Activation(t.Context(), opened.Activation, o.browser); err != nil || a.Step != signin.ActivationChannel {
					t.Errorf("his way back in: %+v, %v", a, err)
				}
				if _, err := o.desk.Activation(t.Context(), opened.Activation, seal.Token()); !errors.Is(err, problem.NotFound) {
					t.Errorf("his way back in, in another browser: %v", err)
				}
				if again, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, somsakAtThaID), o.in()); !errors.Is(err, problem.Locked) || again.Token != "" {
					t.Errorf("a second time: %+v, %v", again, err)
				}
				if e := o.entries(t)[0]; e.Name != "signin.locked" || e.Object == "" {
					t.Errorf("recorded: %+v", e)
				}
				o.write(t, func(tx *store.Tx) error { return officer.Reopen(t.Context(), tx, o.who) })
				if opened, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, somsakAtThaID), o.in()); err != nil || opened.Token == "" {
					t.Errorf("after he was let in: %v", err)
				}
			})
		})
	}
}

// TestThaIDLinksNoLockedAccount: whose account was never linked, and is locked, has no session to link it by.
func TestThaIDLinksNoLockedAccount(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		session := o.enter(t, in()).Token
		env.Clock.Advance(officer.LockAfter)
		in := o.in()
		in.Session = session
		opened, _, err := o.desk.SignInThaID(t.Context(), o.ask(t, somsakAtThaID), in)
		if key(err) != "signin.problem.thaid_first" || opened != (signin.Opened{}) || o.proved.Load() != 0 {
			t.Errorf("it leads to %+v, %v", opened, err)
		}
	})
}

func TestThaIDAwayOrRefused(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		answer := o.ask(t, somsakAtThaID)
		answer.Error, answer.Code = "access_denied", ""
		if _, next, err := o.desk.SignInThaID(t.Context(), answer, o.in()); key(err) != "signin.problem.thaid_refused" || next != "/my/rights?x=1" {
			t.Errorf("who says no is told %v", err)
		}
		answer = o.ask(t, somsakAtThaID)
		o.fake.Token = thaidtest.Hang
		if _, _, err := o.desk.SignInThaID(t.Context(), answer, o.in()); key(err) != "signin.problem.thaid_away" {
			t.Errorf("who waits for ThaID is told %v", err)
		}
		if n := o.sessions(t); n != 0 {
			t.Errorf("%d sessions", n)
		}
		// By password he comes in as ever.
		o.enter(t, in())
	})
}

func TestThaIDIsAskedSlowly(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		for range signin.Defaults().Address.Burst {
			o.ask(t, somsakAtThaID)
		}
		if _, err := o.desk.AskThaID(t.Context(), o.browser, "/"); key(err) != "signin.problem.too_many" {
			t.Errorf("after so many: %v", err)
		}
	})
}

func TestThaIDIsOffUnlessSetUp(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		if o.desk.ThaID() {
			t.Error("ThaID is on")
		}
		_, err := o.desk.AskThaID(t.Context(), seal.Token(), "/")
		if _, _, answered := o.desk.SignInThaID(t.Context(), thaid.Answer{}, in()); !errors.Is(err, problem.NotFound) || !errors.Is(answered, problem.NotFound) {
			t.Error(err, answered)
		}
	})
}

func TestSweepQuestionsToThaID(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := openThaID(t, env)
		o.ask(t, somsakAtThaID)
		env.Clock.Advance(25 * time.Hour)
		if n, err := o.desk.Sweep(t.Context()); err != nil || n != 1 {
			t.Errorf("%d went, %v", n, err)
		}
	})
}
