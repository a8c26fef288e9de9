package signin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/signin"
)

// stick is an authenticator with one passkey, as WebAuthn describes it, and the browser around it.
type stick struct {
	t      *testing.T
	key    *ecdsa.PrivateKey
	id     []byte
	owner  string // user handle, as the site sent it
	count  uint32
	flags  byte
	origin string
}

// What an authenticator says of its owner.
const (
	userPresent  = 0x01
	userVerified = 0x04
	attested     = 0x40
)

func newStick(t *testing.T) *stick {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	return &stick{t: t, key: key, id: id, flags: userPresent | userVerified, origin: "http://localhost:8080"}
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (k *stick) json(v any) []byte {
	k.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		k.t.Fatal(err)
	}
	return text
}

// data is what the authenticator signs of itself.
func (k *stick) data(flags byte, more ...byte) []byte {
	site := sha256.Sum256([]byte("localhost"))
	return append(binary.BigEndian.AppendUint32(append(site[:], flags), k.count), more...)
}

// read reads what the site asks, and answers what the browser signs of it.
func (k *stick) read(c signin.Challenge, kind string) (client []byte, owner string) {
	k.t.Helper()
	var asked struct {
		Challenge string `json:"challenge"`
		User      struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	if err := json.Unmarshal(c.Options, &asked); err != nil {
		k.t.Fatal(err)
	}
	return k.json(map[string]any{"type": kind, "challenge": asked.Challenge, "origin": k.origin, "crossOrigin": false}), asked.User.ID
}

func (k *stick) answer(c signin.Challenge, response map[string]string) signin.Signed {
	k.t.Helper()
	return signin.Signed{Challenge: c.ID, Response: string(k.json(map[string]any{
		"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
	}))}
}

// make makes the passkey.
func (k *stick) make(c signin.Challenge) signin.Signed {
	k.t.Helper()
	client, owner := k.read(c, "webauthn.create")
	k.owner = owner
	raw, err := k.key.PublicKey.Bytes() // 4, then both coordinates
	if err != nil {
		k.t.Fatal(err)
	}
	public, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: raw[1:33], -3: raw[33:]})
	if err != nil {
		k.t.Fatal(err)
	}
	made := append(make([]byte, 16), 0, byte(len(k.id)))
	data := k.data(k.flags|attested, slices.Concat(made, k.id, public)...)
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		k.t.Fatal(err)
	}
	return k.answer(c, map[string]string{"clientDataJSON": b64(client), "attestationObject": b64(object)})
}

// use signs with the passkey, and counts.
func (k *stick) use(c signin.Challenge) signin.Signed {
	k.t.Helper()
	k.count++
	client, _ := k.read(c, "webauthn.get")
	data := k.data(k.flags)
	digest := sha256.Sum256(client)
	digest = sha256.Sum256(append(slices.Clone(data), digest[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, digest[:])
	if err != nil {
		k.t.Fatal(err)
	}
	return k.answer(c, map[string]string{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": k.owner,
	})
}

// asks answers a challenge, or ends the test.
func asks(t *testing.T) func(signin.Challenge, error) signin.Challenge {
	return func(c signin.Challenge, err error) signin.Challenge {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// addPasskey gives the owner of a session a new passkey.
func (o *office) addPasskey(t *testing.T, s signin.Session) (k *stick, recovery []string) {
	t.Helper()
	k = newStick(t)
	c := asks(t)(o.desk.AskNewPasskey(t.Context(), s, here))
	recovery, err := o.desk.AddPasskey(t.Context(), s, here, "โน้ตบุ๊ก", k.make(c))
	if err != nil {
		t.Fatal(err)
	}
	return k, recovery
}

// byPasskey signs in by a passkey alone.
func (o *office) byPasskey(t *testing.T, k *stick) (signin.Opened, error) {
	t.Helper()
	return o.desk.SignInPasskey(t.Context(), k.use(asks(t)(o.desk.AskSignIn(t.Context(), here))), atHere())
}

// second is another officer, who has signed in.
func (o *office) second(t *testing.T) signin.Opened {
	t.Helper()
	citizen, err := thai.ParseCitizenID(stranger)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := o.passwords.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	o.write(t, func(tx *store.Tx) error {
		who, err := o.roll.Mention(t.Context(), tx, citizen)
		if err != nil {
			return err
		}
		return officer.Create(t.Context(), tx, officer.Account{
			Person: who, GivenName: "มานี", FamilyName: "มีนา", Position: "นักวิชาการ", Unit: "TH-12",
			Email: "manee@example.go.th", Phone: "+66812345679", EmailProvedAt: tx.Now, PhoneProvedAt: tx.Now,
		}, hash)
	})
	i := atHere()
	i.CitizenID = stranger
	return o.enter(t, i)
}

// TestPasskeySignsIn: a passkey opens the door by itself, stands in for the app as the second factor and before acts, and
// every use is of one challenge, once.
func TestPasskeySignsIn(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		first := o.enter(t, in())
		k, recovery := o.addPasskey(t, first.Session)
		if len(recovery) != signin.RecoveryCodes {
			t.Errorf("%d recovery codes", len(recovery))
		}
		told := len(o.purposes(t))
		signed := k.use(asks(t)(o.desk.AskSignIn(t.Context(), here)))
		opened, err := o.desk.SignInPasskey(t.Context(), signed, atHere())
		if err != nil || opened.Session.Person != o.who {
			t.Fatalf("%+v, %v", opened.Session, err)
		}
		if got := o.purposes(t); len(got) != told+2 || count(got, "signin.new_device") != 2 {
			t.Errorf("told of a new device: %v", got)
		}
		if _, err := o.desk.SignInPasskey(t.Context(), signed, atHere()); !errors.Is(err, problem.NotFound) {
			t.Errorf("the same answer again: %v", err)
		}
		replayed := signin.Signed{Challenge: asks(t)(o.desk.AskSignIn(t.Context(), here)).ID, Response: signed.Response}
		if _, err := o.desk.SignInPasskey(t.Context(), replayed, atHere()); key(err) != "signin.problem.passkey_wrong" {
			t.Errorf("the same answer to another challenge: %v", err)
		}

		flow := o.waits(t)
		if _, err := o.desk.SignInFactor(t.Context(), flow, k.use(asks(t)(o.desk.AskFactor(t.Context(), flow, here))), atHere()); err != nil {
			t.Errorf("as second factor: %v", err)
		}
		o.Clock.Advance(6 * time.Minute)
		token, err := o.desk.StepUpPasskey(t.Context(), opened.Session, here, k.use(asks(t)(o.desk.AskStepUp(t.Context(), opened.Session, here))))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := o.desk.Session(t.Context(), token); err != nil || !s.SteppedUp(o.Clock.Now()) {
			t.Errorf("not stepped up: %v", err)
		}

		// 32 at once with one answer: one session.
		signed = k.use(asks(t)(o.desk.AskSignIn(t.Context(), here)))
		var all sync.WaitGroup
		var sessions atomic.Int64
		for range 32 {
			all.Go(func() {
				if _, err := o.desk.SignInPasskey(t.Context(), signed, atHere()); err == nil {
					sessions.Add(1)
				}
			})
		}
		all.Wait()
		if sessions.Load() != 1 {
			t.Errorf("one answer opened %d sessions", sessions.Load())
		}
	})
}

// TestPasskeyIsRefused: another's passkey, one for another site, browser, purpose or moment, one that was not opened by its
// owner, and a copy open nothing.
func TestPasskeyIsRefused(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		mine, other := o.enter(t, in()), o.second(t)
		k, _ := o.addPasskey(t, mine.Session)
		theirs, _ := o.addPasskey(t, other.Session)
		refused := func(what string, err error, want string) {
			t.Helper()
			if key(err) != want {
				t.Errorf("%s: %v", what, err)
			}
		}
		const wrong, none = "signin.problem.passkey_wrong", "signin.problem.no_challenge"

		// Another's, wherever a passkey is taken; under her own name it opens her own account.
		flow := o.waits(t)
		_, err := o.desk.SignInFactor(t.Context(), flow, theirs.use(asks(t)(o.desk.AskFactor(t.Context(), flow, here))), atHere())
		refused("another's as second factor", err, wrong)
		_, err = o.desk.StepUpPasskey(t.Context(), mine.Session, here, theirs.use(asks(t)(o.desk.AskStepUp(t.Context(), mine.Session, here))))
		refused("another's before an act", err, wrong)
		was := theirs.owner
		theirs.owner = k.owner
		_, err = o.byPasskey(t, theirs)
		refused("another's under the owner's name", err, wrong)
		theirs.owner = b64([]byte("nobody"))
		_, err = o.byPasskey(t, theirs)
		refused("under nobody's name", err, wrong)
		theirs.owner = was
		if opened, err := o.byPasskey(t, theirs); err != nil || opened.Session.Person != other.Session.Person {
			t.Errorf("under her own name: %v, %v", opened.Session.Person, err)
		}
		_, err = o.desk.AddPasskey(t.Context(), other.Session, here, "", k.make(asks(t)(o.desk.AskNewPasskey(t.Context(), other.Session, here))))
		refused("a passkey that another has", err, wrong)
		k.owner = b64([]byte(o.who))

		// A challenge is for one purpose, one browser and five minutes.
		_, err = o.desk.SignInPasskey(t.Context(), k.use(asks(t)(o.desk.AskStepUp(t.Context(), mine.Session, here))), atHere())
		refused("for another purpose", err, none)
		_, err = o.desk.SignInFactor(t.Context(), o.waits(t), k.use(asks(t)(o.desk.AskFactor(t.Context(), flow, here))), atHere())
		refused("for another sign-in", err, none)
		elsewhere := atHere()
		elsewhere.Browser = "another browser"
		_, err = o.desk.SignInPasskey(t.Context(), k.use(asks(t)(o.desk.AskSignIn(t.Context(), here))), elsewhere)
		refused("in another browser", err, none)
		late := asks(t)(o.desk.AskSignIn(t.Context(), here))
		o.Clock.Advance(5 * time.Minute)
		_, err = o.desk.SignInPasskey(t.Context(), k.use(late), atHere())
		refused("too late", err, none)

		// Signed for another site, or by a key that anyone can touch.
		k.origin = "http://localhost:8080.example.com"
		_, err = o.byPasskey(t, k)
		refused("for another site", err, wrong)
		k.origin, k.flags = "http://localhost:8080", userPresent
		_, err = o.byPasskey(t, k)
		refused("not opened by its owner", err, wrong)
		k.flags |= userVerified

		// A copy falls behind the count of the original, or the original behind the copy's.
		if _, err := o.byPasskey(t, k); err != nil {
			t.Fatal(err)
		}
		copied := *k
		copied.count -= 2
		_, err = o.byPasskey(t, &copied)
		refused("a copy", err, "signin.problem.passkey_copied")
		_, err = o.byPasskey(t, &copied)
		refused("a copy with the same count", err, "signin.problem.passkey_copied")
		if _, err := o.byPasskey(t, k); err != nil {
			t.Errorf("the original: %v", err)
		}
	})
}

// TestLastFactorStays: who needs a second factor changes it, and keeps one.
func TestLastFactorStays(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		s := o.enter(t, in()).Session
		o.enrol(t, s)
		if err := o.desk.RemoveApp(t.Context(), s, true); key(err) != "signin.problem.factor_last" {
			t.Errorf("the last one: %v", err)
		}
		f, err := o.desk.Factors(t.Context(), o.who)
		if err != nil || f.App.IsZero() || f.Recovery != signin.RecoveryCodes {
			t.Errorf("after the refusal: %+v, %v", f, err)
		}
		o.addPasskey(t, s)
		if err := o.desk.RemoveApp(t.Context(), s, true); err != nil {
			t.Errorf("one of two: %v", err)
		}
		if f, err = o.desk.Factors(t.Context(), o.who); err != nil || len(f.Passkeys) != 1 || f.Recovery != signin.RecoveryCodes {
			t.Fatalf("left: %+v, %v", f, err)
		}
		if err := o.desk.RemovePasskey(t.Context(), s, f.Passkeys[0].ID, true); key(err) != "signin.problem.factor_last" {
			t.Errorf("the last one: %v", err)
		}
		if err := o.desk.RemovePasskey(t.Context(), s, f.Passkeys[0].ID, false); err != nil {
			t.Errorf("who needs none: %v", err)
		}
	})
}

// TestClosingTakesTheFactors: of a closed account nothing is left with which its owner proved himself.
func TestClosingTakesTheFactors(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		s := o.enter(t, in())
		o.enrol(t, s.Session)
		o.addPasskey(t, s.Session)
		o.write(t, func(tx *store.Tx) error { return signin.Closed(t.Context(), tx, o.who) })
		if left := o.factorRows(t); left != 0 {
			t.Errorf("%d rows of second factors are left", left)
		}
		if _, err := o.desk.Session(t.Context(), s.Token); !errors.Is(err, problem.NotFound) {
			t.Errorf("the session: %v", err)
		}
	})
}

// factorRows counts the rows of all that somsak proves himself with beside the password.
func (o *office) factorRows(t *testing.T) (n int) {
	t.Helper()
	err := o.DB.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM factors WHERE person_id = $1)
			+ (SELECT count(*) FROM passkeys WHERE person_id = $1) + (SELECT count(*) FROM recovery_codes WHERE person_id = $1)`, o.who).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestForgottenDeviceIsSignedOut: a browser that its owner removes is signed out, and new when it comes again.
func TestForgottenDeviceIsSignedOut(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		here, lost := o.enter(t, in()), o.enter(t, in())
		before := count(o.purposes(t), "signin.new_device")
		again := in()
		again.Device = lost.DeviceToken
		twice := o.enter(t, again)
		list, err := o.desk.Devices(t.Context(), o.who, lost.DeviceToken)
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		at := slices.IndexFunc(list, func(d signin.Device) bool { return d.Here })
		if err := o.desk.ForgetDevice(t.Context(), o.second(t).Session, list[at].ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("another's device: %v", err)
		}
		if err := o.desk.ForgetDevice(t.Context(), here.Session, list[at].ID); err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{lost.Token, twice.Token} {
			if _, err := o.desk.Session(t.Context(), token); !errors.Is(err, problem.NotFound) {
				t.Errorf("a session in the browser that is forgotten: %v", err)
			}
		}
		if _, err := o.desk.Session(t.Context(), here.Token); err != nil {
			t.Errorf("the session here: %v", err)
		}
		o.enter(t, again)
		if got := count(o.purposes(t), "signin.new_device") - before; got != 2 {
			t.Errorf("%d messages tell that it came again, want one to each contact", got)
		}
	})
}

// TestKeep brings an account to what a list says: an app with a known key, or nothing.
func TestKeep(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		s := o.enter(t, in())
		const known = "JBSWY3DPEHPK3PXP"
		keep := func(key string, want bool) {
			t.Helper()
			o.write(t, func(tx *store.Tx) error {
				changed, err := o.desk.Keep(t.Context(), tx, o.who, key, "test")
				if err == nil && changed != want {
					t.Errorf("to %q: changed %v", key, changed)
				}
				return err
			})
		}
		keep("", false)
		if _, err := o.desk.Session(t.Context(), s.Token); err != nil {
			t.Errorf("nothing was changed, and the session ended: %v", err)
		}
		keep(known, true)
		if _, err := o.desk.Session(t.Context(), s.Token); !errors.Is(err, problem.NotFound) {
			t.Errorf("the session: %v", err)
		}
		opened, err := o.desk.SignInCode(t.Context(), o.waits(t), o.shows(t, known), atHere())
		if err != nil {
			t.Fatal(err)
		}
		keep(known, false)
		if _, err := o.desk.SignInCode(t.Context(), o.waits(t), o.shows(t, known), atHere()); key(err) != "signin.problem.factor_wrong" {
			t.Errorf("a code that was used: %v", err)
		}
		o.addPasskey(t, opened.Session)
		keep(known, true)
		o.Clock.Advance(time.Minute)
		keep("", true)
		if left := o.factorRows(t); left != 0 {
			t.Errorf("%d rows are left", left)
		}
	})
}
