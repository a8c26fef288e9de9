package notify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// outside is what the tests stand in for: it notes what it takes, or fails as told.
type outside struct {
	mu    sync.Mutex
	taken []Parcel
	fail  error
	came  chan struct{} // told of each parcel, if set
	hold  chan struct{} // a parcel waits here, if set
}

func (o *outside) Send(_ context.Context, p Parcel) error {
	if o.came != nil {
		o.came <- struct{}{}
	}
	if o.hold != nil {
		<-o.hold
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return o.fail
	}
	o.taken = append(o.taken, p)
	return nil
}

// office is an outbox with its surroundings.
type office struct {
	*Outbox
	t         *testing.T
	env       *storetest.Env
	mail, sms *outside
	log       *bytes.Buffer
}

func newOffice(t *testing.T, env *storetest.Env, keep bool) *office {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	f := &office{t: t, env: env, mail: &outside{}, sms: &outside{}, log: &bytes.Buffer{}}
	f.Outbox, err = NewOutbox(Options{
		DB: env.DB, Ring: ring, Log: slog.New(slog.NewTextHandler(f.log, nil)), KeepBodies: keep,
		Senders: map[Channel]Sender{Email: f.mail, SMS: f.sms},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// message is a usual one.
func message(c Channel) Message {
	m := Message{Channel: c, Person: "p1", To: "somchai@example.go.th", Purpose: "appointment.none_left", Lang: locale.TH,
		Args: locale.Args{"unit": "นนทบุรี", "link": "https://sitthi.example.go.th/admin"}}
	if c == SMS {
		m.To = "+66812345678"
	}
	return m
}

func (f *office) queue(m Message) {
	f.t.Helper()
	err := f.env.DB.Write(f.t.Context(), func(tx *store.Tx) error { return f.Queue(f.t.Context(), tx, m) })
	if err != nil {
		f.t.Fatal(err)
	}
}

// deliver runs one round and wants so many parcels sent.
func (f *office) deliver(want int) {
	f.t.Helper()
	sent, err := f.Deliver(f.t.Context())
	if err != nil || sent != want {
		f.t.Fatalf("%d sent, want %d: %v", sent, want, err)
	}
}

// only answers the one message there is.
func (f *office) only() Delivery {
	f.t.Helper()
	list, err := f.List(f.t.Context(), 10)
	if err != nil || len(list) != 1 {
		f.t.Fatalf("%d messages, %v", len(list), err)
	}
	return list[0]
}

// newest answers the message queued last.
func (f *office) newest() Delivery {
	f.t.Helper()
	list, err := f.List(f.t.Context(), 1)
	if err != nil || len(list) != 1 {
		f.t.Fatalf("%d messages, %v", len(list), err)
	}
	return list[0]
}

func TestDeliver(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint("keep bodies ", keep), func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
				f := newOffice(t, env, keep)
				f.queue(message(Email))
				d := f.only()
				if d.State != Waiting || d.To != "somchai@example.go.th" || !strings.Contains(d.Subject, "นนทบุรี") || !strings.Contains(d.Text, "https://") ||
					d.Lang != locale.TH || d.Person != "p1" || !d.CreatedAt.Equal(storetest.Start) || !d.SentAt.IsZero() || !d.ExpiresAt.IsZero() {
					t.Errorf("waiting: %+v", d)
				}
				env.Clock.Advance(time.Second)
				f.deliver(1)
				f.deliver(0)
				if len(f.mail.taken) != 1 || len(f.sms.taken) != 0 {
					t.Fatalf("mail %v, SMS %v", f.mail.taken, f.sms.taken)
				}
				if p := f.mail.taken[0]; p.ID != d.ID || p.To != d.To || p.Subject != d.Subject || p.Text != d.Text || !p.At.Equal(d.CreatedAt) {
					t.Errorf("taken: %+v", p)
				}
				sent := f.only()
				if sent.State != Sent || sent.Attempts != 1 || !sent.SentAt.Equal(storetest.Start.Add(time.Second)) || (sent.Text != "") != keep || (sent.Subject != "") != keep {
					t.Errorf("sent: %+v", sent)
				}
				f.queue(message(SMS))
				f.deliver(1)
				if len(f.sms.taken) != 1 || f.sms.taken[0].Subject != "" {
					t.Errorf("SMS %+v", f.sms.taken)
				}
				if strings.Contains(f.log.String(), "somchai") || strings.Contains(f.log.String(), "นนทบุรี") || !strings.Contains(f.log.String(), d.ID) {
					t.Errorf("the log tells too much, or nothing: %s", f.log)
				}
			})
		})
	}
}

func TestQueueIsPartOfTheAct(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		stop := errors.New("stop")
		err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
			return errors.Join(f.Queue(t.Context(), tx, message(Email)), stop)
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		f.deliver(0)
		bad := message(Email)
		bad.Args = nil
		if err := env.DB.Write(t.Context(), func(tx *store.Tx) error { return f.Queue(t.Context(), tx, bad) }); err == nil {
			t.Error("a message without its arguments was queued")
		}
	})
}

func TestMessagesAreSealedAtRest(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.queue(message(Email))
		var to, body []byte
		err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT to_sealed, body_sealed FROM messages").Scan(&to, &body)
		})
		if err != nil || bytes.Contains(to, []byte("somchai")) || bytes.Contains(body, []byte("sitthi")) {
			t.Errorf("%q %q, %v", to, body, err)
		}
		f.deliver(1)
		err = env.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT body_sealed FROM messages").Scan(&body)
		})
		if err != nil || body != nil {
			t.Errorf("the body was not wiped: %q, %v", body, err)
		}
	})
}

func TestFailuresAreTriedAgain(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.mail.fail = errors.New("server answered 451 about <somchai@example.go.th> and +66812345678")
		f.queue(message(Email))
		for i := range len(backOff) {
			f.deliver(0)
			d := f.only()
			if d.State != Waiting || d.Attempts != i+1 || d.Text == "" || d.LastError != "server answered 451 about <‹…›> and ‹…›" {
				t.Fatalf("attempt %d: %+v", i+1, d)
			}
			env.Clock.Advance(backOff[i]*4/5 - time.Second)
			f.deliver(0)
			if n := f.only().Attempts; n != i+1 {
				t.Fatalf("tried again too early after attempt %d", i+1)
			}
			env.Clock.Advance(backOff[i]*2/5 + time.Second)
		}
		f.deliver(0)
		if d := f.only(); d.State != Dead || d.Attempts != len(backOff)+1 || d.Text == "" { // kept for SendAgain
			t.Errorf("at last: %+v", d)
		}
		f.mail.fail = nil
		env.Clock.Advance(100 * time.Hour)
		f.deliver(0)
		if strings.Contains(f.log.String(), "somchai") || !strings.Contains(f.log.String(), "level=ERROR") {
			t.Errorf("log: %s", f.log)
		}
	})
}

func TestLateSuccess(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.mail.fail = errors.New("down")
		f.queue(message(Email))
		f.deliver(0)
		f.mail.fail = nil
		env.Clock.Advance(12 * time.Second)
		f.deliver(1)
		if d := f.only(); d.State != Sent || d.Attempts != 2 || d.LastError != "" || d.Text != "" {
			t.Errorf("%+v", d)
		}
	})
}

func TestRefusedIsDeadAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.mail.fail = fmt.Errorf("no such mailbox: %w", ErrRefused)
		f.queue(message(Email))
		f.deliver(0)
		if d := f.only(); d.State != Dead || d.Attempts != 1 || d.LastError == "" || d.Text == "" { // kept for SendAgain
			t.Errorf("%+v", d)
		}
	})
}

func TestExpiredIsNotSent(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		m := message(SMS)
		m.ExpiresAt = storetest.Start.Add(5 * time.Minute)
		f.queue(m)
		env.Clock.Advance(5 * time.Minute)
		f.deliver(0)
		if d := f.only(); d.State != Dead || d.LastError != "expired" || d.Text != "" || len(f.sms.taken) != 0 {
			t.Errorf("%+v, taken %v", d, f.sms.taken)
		}
	})
}

func TestNoAttemptAfterExpiry(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.sms.fail = errors.New("down")
		m := message(SMS)
		m.ExpiresAt = storetest.Start.Add(5 * time.Second) // sooner than the first retry
		f.queue(m)
		f.deliver(0)
		if d := f.only(); d.State != Dead || d.LastError != "down" || d.Text != "" {
			t.Errorf("%+v", d)
		}
	})
}

// A message that cannot be opened is given up, and holds up none that come after it.
func TestUnreadableIsGivenUp(t *testing.T) {
	for what, alter := range map[string]string{
		"body":    "body_sealed = to_sealed",
		"no body": "body_sealed = NULL",
		"address": "to_sealed = body_sealed",
	} {
		t.Run(what, func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
				f := newOffice(t, env, true)
				f.queue(message(Email))
				altered := f.only().ID
				err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Exec(t.Context(), "UPDATE messages SET "+alter)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				env.Clock.Advance(time.Second)
				f.queue(message(Email))
				f.deliver(1)
				f.deliver(0)
				list, err := f.List(t.Context(), 10)
				if err != nil || len(list) != 2 {
					t.Fatalf("%+v, %v", list, err)
				}
				if d := list[0]; d.State != Sent || d.Text == "" {
					t.Errorf("the one after it: %+v", d)
				}
				if d := list[1]; d.ID != altered || d.State != Dead || d.LastError != "cannot be opened" || d.Text != "" || d.Attempts != 1 {
					t.Errorf("the altered one: %+v", d)
				}
				if !strings.Contains(f.log.String(), "given up") || !strings.Contains(f.log.String(), altered) {
					t.Errorf("log: %s", f.log)
				}
			})
		})
	}
}

func TestListGoesOnAfterAnUnreadableMessage(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.queue(message(Email))
		other, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		f.Ring = other
		env.Clock.Advance(time.Second)
		f.queue(message(Email))
		list, err := f.List(t.Context(), 10)
		if err != nil || len(list) != 2 || list[0].Text == "" || list[1].Text != "" || list[1].To != "" || list[1].LastError != "cannot be opened" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestSweepDeletesOldMessagesThatAreDone(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, true)
		f.queue(message(Email)) // sent
		f.deliver(1)
		f.sms.fail = fmt.Errorf("no: %w", ErrRefused)
		f.queue(message(SMS)) // dead
		f.deliver(0)
		f.mail.fail = errors.New("down")
		f.queue(message(Email)) // waits
		waiting := f.newest().ID
		sweep := func(want int64) {
			t.Helper()
			if n, err := f.Sweep(t.Context()); n != want || err != nil {
				t.Fatalf("swept %d, want %d: %v", n, want, err)
			}
		}
		env.Clock.Advance(90*24*time.Hour - time.Second)
		sweep(0)
		env.Clock.Advance(time.Second)
		sweep(2)
		sweep(0)
		if d := f.only(); d.ID != waiting {
			t.Errorf("kept: %+v", d)
		}
	})
}

func TestTwoProcessesSendEachOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		const messages = 40
		for range messages {
			f.queue(message(Email))
		}
		other, err := store.Open(t.Context(), store.Options{URL: env.URL, Clock: env.Clock})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		options := f.Options
		options.DB = other
		second, err := NewOutbox(options)
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for _, o := range []*Outbox{f.Outbox, f.Outbox, second, second} {
			wait.Go(func() {
				if _, err := o.Deliver(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		f.deliver(0)
		seen := make(map[string]int)
		for _, p := range f.mail.taken {
			seen[p.ID]++
		}
		if len(seen) != messages || len(f.mail.taken) != messages {
			t.Errorf("%d parcels of %d messages", len(f.mail.taken), len(seen))
		}
	})
}

func TestALeaseKeepsOthersAway(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.queue(message(Email))
		first, err := f.take(t.Context(), Email)
		if err != nil || first == nil {
			t.Fatal(first, err)
		}
		env.Clock.Advance(lease - time.Second)
		f.deliver(0)
		env.Clock.Advance(time.Second)
		f.deliver(1) // the first is taken for dead
		if f.mail.taken[0].ID != first.parcel.ID {
			t.Error("sent with another ID")
		}
		// The first was only slow: what it notes changes nothing any more.
		f.mail.fail = errors.New("too late")
		if ok, err := f.attempt(t.Context(), Email, first); ok || err != nil {
			t.Errorf("%v %v", ok, err)
		}
		if d := f.only(); d.State != Sent || d.Attempts != 2 || d.LastError != "" {
			t.Errorf("%+v", d)
		}
	})
}

// TestKilledBetweenSendingAndNoting has a process of its own killed right after the parcel was handed over.
func TestKilledBetweenSendingAndNoting(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { killed(t, env, false) })
}

// TestKilledWhileSendingAgain does the same to a process that sends what had been given up.
func TestKilledWhileSendingAgain(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { killed(t, env, true) })
}

func killed(t *testing.T, env *storetest.Env, givenUp bool) {
	t.Helper()
	dir := t.TempDir()
	keys, path := filepath.Join(dir, "keys.json"), filepath.Join(dir, "mail.jsonl")
	ring, err := seal.Load(keys, true)
	if err != nil {
		t.Fatal(err)
	}
	file, err := NewFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := newOffice(t, env, false)
	f.Ring, f.Senders = ring, map[Channel]Sender{Email: file, SMS: file}
	f.queue(message(Email))
	again := ""
	if givenUp {
		f.Senders = map[Channel]Sender{Email: &outside{fail: ErrRefused}, SMS: file}
		f.deliver(0)
		f.Senders = map[Channel]Sender{Email: file, SMS: file}
		again = f.only().ID
	}

	child := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	child.Env = append(os.Environ(), "SITTHI_TEST_CHILD="+strings.Join([]string{env.URL, keys, path, again}, "\n"))
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v: %s", err, out)
	}
	if d := f.only(); d.State != Waiting || d.Attempts != 1 {
		t.Errorf("after the kill: %+v", d)
	}
	f.deliver(0)
	env.Clock.Advance(lease)
	f.deliver(1)
	if d := f.only(); d.State != Sent || d.Attempts != 2 {
		t.Errorf("after the lease: %+v", d)
	}

	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for scan := bufio.NewScanner(bytes.NewReader(lines)); scan.Scan(); {
		var line struct{ ID string }
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, line.ID)
	}
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("sent as %v", ids)
	}
}

// killing is a sender after whose success the process is no more.
type killing struct{ Sender }

func (k killing) Send(ctx context.Context, p Parcel) error {
	if err := k.Sender.Send(ctx, p); err != nil {
		return err
	}
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// TestKilledChild is the process that they start; by itself it does nothing.
func TestKilledChild(t *testing.T) {
	given := strings.Split(os.Getenv("SITTHI_TEST_CHILD"), "\n")
	if len(given) != 4 {
		return
	}
	db, err := store.Open(t.Context(), store.Options{URL: given[0], Clock: fixed{}})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Load(given[1], false)
	if err != nil {
		t.Fatal(err)
	}
	file, err := NewFile(given[2])
	if err != nil {
		t.Fatal(err)
	}
	o, err := NewOutbox(Options{DB: db, Ring: ring, Log: slog.Default(), Senders: map[Channel]Sender{Email: killing{file}, SMS: file}})
	if err != nil {
		t.Fatal(err)
	}
	if given[3] != "" {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := o.SendAgain(t.Context(), tx, given[3])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

type fixed struct{}

func (fixed) Now() time.Time { return storetest.Start }

// run starts Run; the answer stops it and waits for its end.
func (f *office) run() (stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := f.Run(ctx); err != nil {
			f.t.Error(err)
		}
	})
	return func() {
		cancel()
		wait.Wait()
	}
}

// within waits for something that comes much sooner than the next poll would bring it.
func within(t *testing.T, what string, came <-chan struct{}) {
	t.Helper()
	select {
	case <-came:
	case <-time.After(poll * 3 / 4):
		t.Fatalf("%s did not come", what)
	}
}

func TestRunWakesAtCommit(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.mail.came, f.sms.came = make(chan struct{}, 9), make(chan struct{}, 9)
		stop := f.run()
		defer stop()
		for _, came := range []chan struct{}{f.mail.came, f.sms.came, f.mail.came} {
			if came == f.mail.came {
				f.queue(message(Email))
			} else {
				f.queue(message(SMS))
			}
			within(t, "the parcel", came)
		}
	})
}

func TestRunFindsWhatNobodyToldItOf(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.mail.came = make(chan struct{}, 9)
		stop := f.run()
		defer stop()
		another := newOffice(t, env, false) // as the command line beside the server
		another.Ring = f.Ring
		another.queue(message(Email))
		select {
		case <-f.mail.came:
		case <-time.After(3 * poll):
			t.Error("the parcel did not come")
		}
	})
}

func TestHangingMailHoldsUpNoSMS(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.mail.came, f.mail.hold, f.sms.came = make(chan struct{}, 9), make(chan struct{}), make(chan struct{}, 9)
		stop := f.run()
		for range lanes {
			f.queue(message(Email))
			within(t, "the mail that hangs", f.mail.came)
		}
		f.queue(message(SMS))
		within(t, "the SMS", f.sms.came)

		// A parcel on its way is finished, and noted, before Run ends.
		stopped := make(chan struct{})
		go func() {
			stop()
			close(stopped)
		}()
		close(f.mail.hold)
		within(t, "the end", stopped)
		backlog, err := f.Backlog(t.Context())
		if err != nil || backlog[0].Waiting != 0 || backlog[1].Waiting != 0 {
			t.Errorf("%+v, %v", backlog, err)
		}
	})
}

func TestBacklog(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.mail.fail = ErrRefused
		f.queue(message(Email))
		f.deliver(0)
		f.mail.fail = errors.New("down")
		env.Clock.Advance(time.Hour)
		f.queue(message(Email))
		env.Clock.Advance(time.Hour)
		f.queue(message(Email))
		f.queue(message(SMS))
		f.deliver(1)
		got, err := f.Backlog(t.Context())
		if err != nil || len(got) != 2 || got[1] != (Backlog{Channel: SMS}) ||
			got[0].Channel != Email || got[0].Waiting != 2 || got[0].Dead != 1 || !got[0].Oldest.Equal(storetest.Start.Add(time.Hour)) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestListIsNewestFirst(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		for i := range 3 {
			m := message(Email)
			m.To = fmt.Sprintf("n%d@example.go.th", i)
			f.queue(m)
			env.Clock.Advance(time.Second)
		}
		list, err := f.List(t.Context(), 2)
		if err != nil || len(list) != 2 || list[0].To != "n2@example.go.th" || list[1].To != "n1@example.go.th" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestNewOutboxNeedsASenderForEachChannel(t *testing.T) {
	if _, err := NewOutbox(Options{Senders: map[Channel]Sender{Email: Nowhere{}}}); err == nil || !strings.Contains(err.Error(), "sms") {
		t.Errorf("got %v", err)
	}
}

func TestNextPause(t *testing.T) {
	for attempts := 1; attempts <= len(backOff); attempts++ {
		usual := backOff[attempts-1]
		for range 100 {
			pause, again := nextPause(attempts)
			if !again || pause < usual*4/5 || pause >= usual*6/5 {
				t.Fatalf("after %d: %v, %v", attempts, pause, again)
			}
		}
	}
	if _, again := nextPause(len(backOff) + 1); again {
		t.Error("it never ends")
	}
}

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		"550 no mailbox <a.b@example.go.th>": "550 no mailbox <‹…›>",
		"to +66812345678 failed":             "to ‹…› failed",
		"to 081-234-5678 failed":             "to ‹…› failed",
		"dial tcp 192.0.2.1:587: timeout":    "dial tcp 192.0.2.1:587: timeout",
		"answered 503":                       "answered 503",
		strings.Repeat("ก", 400):             strings.Repeat("ก", 300) + "…",
	} {
		if got := scrub(in); got != want {
			t.Errorf("%q = %q, want %q", in, got, want)
		}
	}
}
