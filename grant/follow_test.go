package grant

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

const writers = 16

// together runs f as writers that start at once.
func together(f func(writer int)) {
	var wait sync.WaitGroup
	begin := make(chan struct{})
	for i := range writers {
		wait.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wait.Wait()
}

func TestWriters(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()

		t.Run("the same right, from one form or many", func(t *testing.T) {
			for _, form := range []string{"", store.NewID()} {
				who := k.officer(t, "TH-12")
				var given, conflicts, ids sync.Map
				together(func(i int) {
					o := to(who, "TH-12", Consider)
					o.Form = form
					switch g, err := k.book.Give(ctx, k.chief12, o); {
					case err == nil:
						given.Store(i, true)
						ids.Store(g.ID, true)
					case errors.Is(err, problem.Conflict):
						conflicts.Store(i, true)
					default:
						t.Error(err)
					}
				})
				want := 1
				if form != "" {
					want = writers // each is told of the one grant
				}
				if size(&given) != want || size(&ids) != 1 || size(&given)+size(&conflicts) != writers {
					t.Errorf("form %q: %d given, %d conflicts, %d grants", form, size(&given), size(&conflicts), size(&ids))
				}
				if n := k.count(t, `SELECT count(*) FROM grants WHERE person_id = $1`, who); n != 1 || k.told(t, who) != "grant.given" {
					t.Errorf("form %q: %d grants, told %s", form, n, k.told(t, who))
				}
			}
		})

		t.Run("different rights", func(t *testing.T) {
			const each = 4
			staff := make([]person.ID, writers)
			for i := range staff {
				staff[i] = k.officer(t, []string{"TH-12", "TH-13"}[i%2])
			}
			before := k.count(t, `SELECT count(*) FROM grants`)
			together(func(i int) {
				unit, chief := "TH-12", k.chief12
				if i%2 == 1 {
					unit, chief = "TH-13", k.chief13
				}
				for n := range each {
					o := to(staff[i], unit, []Level{Consider, Approve}[n%2])
					o.From = today.AddDays(1)
					g, err := k.book.Give(ctx, chief, o)
					if err == nil && n < each-2 {
						_, err = k.book.Revoke(ctx, chief, g.ID, Ending{Reason: "x", LeavesNone: true})
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
			if n := k.count(t, `SELECT count(*) FROM grants`); n != before+writers*each {
				t.Errorf("%d grants came of %d acts", n-before, writers*each)
			}
			if n := k.count(t, `SELECT count(*) FROM audit_entries WHERE act = 'grant.give' AND outcome = 'done'`); n != k.count(t, `SELECT count(*) FROM grants`) {
				t.Errorf("%d grants are recorded", n)
			}
			k.at(t, today.AddDays(1).StartOfDay())
			for i, who := range staff {
				unit := []string{"TH-12", "TH-13"}[i%2]
				if !k.may(t, who, Consider, unit) || !k.may(t, who, Approve, unit) {
					t.Errorf("the rights of writer %d were lost", i)
				}
			}
		})

		t.Run("the last two administrators", func(t *testing.T) {
			var ended atomic.Int64
			together(func(i int) {
				var id string
				err := k.DB.Read(ctx, func(tx *store.Tx) error {
					return tx.QueryRow(ctx, `SELECT id FROM appointments WHERE person_id = $1 AND post = 'administrator'`, k.admins[i%3]).Scan(&id)
				})
				if err == nil {
					_, err = k.book.EndAppointment(ctx, k.admins[(i+1)%3], id, Ending{Reason: "พร้อมกัน"})
				}
				if err == nil {
					ended.Add(1)
				} else if !errors.Is(err, problem.Conflict) && !errors.Is(err, problem.Denied) {
					t.Error(err)
				}
			})
			if ended.Load() != 1 {
				t.Errorf("%d of three posts ended", ended.Load())
			}
		})
	})
}

func size(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

// TestMemory holds the answers from memory against those of the database, after random acts, for all persons, places
// and moments; and what follows every change against what is loaded afresh.
func TestMemory(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		second := k.newBook(k.DB) // as another process: it follows, and does nothing itself
		if err := second.Load(ctx); err != nil {
			t.Fatal(err)
		}
		heads := map[string]person.ID{"TH-12": k.chief12, "TH-13": k.chief13, "IWM": k.iwm}
		places := []Place{{"TH-12", ""}, {"TH-13", ""}, {"IWM", ""}, {"IWM", "G1"}, {"IWM", "G2"}, {"IWM", "G9"}, {"TH-99", ""}, {"", ""}}
		began := k.Clock.Now()
		rounds(t, 30)
		rapid.Check(t, func(r *rapid.T) {
			defer k.Clock.Set(began)
			ids := make([]thai.CitizenID, 3)
			people := make([]person.ID, len(ids))
			for i := range ids {
				ids[i] = k.citizen(t)
			}
			moments := []time.Time{}
			var grants, proposed []Grant
			var appointments []Appointment
			day := func(label string) thai.Date {
				n := rapid.IntRange(-1, 3).Draw(r, label)
				if n < 0 {
					return thai.Date{}
				}
				return thai.DateOf(k.Clock.Now()).AddDays(n)
			}
			// Whether an act is allowed is not the question here: a refused one changes nothing, which is held against both.
			acts := map[string]func(r *rapid.T){
				"give": func(r *rapid.T) {
					at := rapid.SampledFrom(places[:5]).Draw(r, "place")
					o := to("", at.Unit, rapid.SampledFrom([]Level{Consider, Review, Approve}).Draw(r, "level"))
					o.Team, o.Citizen = at.Team, rapid.SampledFrom(ids).Draw(r, "who")
					o.From, o.LastDay = day("from"), day("last day")
					if g, err := k.book.Give(ctx, heads[at.Unit], o); err == nil {
						grants = append(grants, g)
						moments = append(moments, g.From, g.Until)
					}
				},
				"register": func(r *rapid.T) {
					if i := rapid.IntRange(0, len(ids)-1).Draw(r, "who"); people[i] == "" {
						people[i] = k.register(t, ids[i], officer.Account{Unit: rapid.SampledFrom([]string{"TH-12", "IWM"}).Draw(r, "unit")})
					}
				},
				"identify": func(r *rapid.T) {
					unit := rapid.SampledFrom([]string{"TH-12", "TH-13", "IWM"}).Draw(r, "unit")
					yes := rapid.Bool().Draw(r, "yes")
					who := people[rapid.IntRange(0, len(ids)-1).Draw(r, "who")]
					refusal(t, k.book.Identify(ctx, heads[unit], who, unit, yes, "x"))
				},
				"revoke": func(r *rapid.T) {
					if len(grants) > 0 {
						g := rapid.SampledFrom(grants).Draw(r, "grant")
						_, err := k.book.Revoke(ctx, heads[g.Unit], g.ID, Ending{Reason: "x", LeavesNone: true})
						refusal(t, err)
					}
				},
				"change": func(r *rapid.T) {
					if len(grants) > 0 {
						g := rapid.SampledFrom(grants).Draw(r, "grant")
						if g, err := k.book.Change(ctx, heads[g.Unit], g.ID, k.see(t, g.ID).Version, Change{LastDay: day("last day")}); err == nil {
							moments = append(moments, g.Until)
						}
					}
				},
				"appoint": func(r *rapid.T) {
					who := people[rapid.IntRange(0, len(ids)-1).Draw(r, "who")]
					o := AppointmentOrder{Post: Head, Kind: Acting, Unit: "TH-13", Person: who, OrderNumber: "1", From: day("from"), LastDay: day("last day")}
					if a, err := k.book.Propose(ctx, k.admins[0], o); err == nil {
						if a, err = k.book.ConfirmAppointment(ctx, k.admins[1], a.ID); err != nil {
							refusal(t, err)
							return
						}
						appointments = append(appointments, a)
						moments = append(moments, a.From, a.Until)
					}
				},
				"propose for a head": func(r *rapid.T) {
					o := to(heads["TH-12"], "TH-12", rapid.SampledFrom([]Level{Consider, Approve}).Draw(r, "level"))
					o.LastDay = day("last day")
					if g, err := k.book.Give(ctx, k.admins[0], o); err == nil {
						grants, proposed = append(grants, g), append(proposed, g)
					}
				},
				"decide on a head": func(r *rapid.T) {
					if len(proposed) > 0 {
						_, err := k.book.Second(ctx, k.admins[1], rapid.SampledFrom(proposed).Draw(r, "grant").ID, rapid.Bool().Draw(r, "yes"), "x")
						refusal(t, err)
					}
				},
				"end appointment": func(r *rapid.T) {
					if len(appointments) > 0 {
						_, err := k.book.EndAppointment(ctx, k.admins[0], rapid.SampledFrom(appointments).Draw(r, "appointment").ID, Ending{Reason: "x", LeavesNone: true})
						refusal(t, err)
					}
				},
				"switch off": func(r *rapid.T) {
					who := people[rapid.IntRange(0, len(ids)-1).Draw(r, "who")]
					if who == "" {
						return
					}
					state := rapid.SampledFrom([]officer.State{officer.Active, officer.Disabled}).Draw(r, "state")
					k.write(t, func(tx *store.Tx) error {
						if _, err := tx.Exec(ctx, `UPDATE accounts SET state = $1 WHERE person_id = $2`, state, who); err != nil {
							return err
						}
						return k.book.Moved(ctx, tx, who)
					})
				},
				"time": func(r *rapid.T) {
					k.Clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(r, "hours")) * time.Hour)
				},
			}
			names := []string{"give", "give", "give", "register", "register", "identify", "revoke", "change", "appoint", "propose for a head", "decide on a head", "decide on a head", "end appointment", "switch off", "time"}
			for range rapid.IntRange(3, 10).Draw(r, "acts") {
				acts[rapid.SampledFrom(names).Draw(r, "act")](r)
				for _, head := range heads {
					if _, err := k.book.Overview(ctx, head); err != nil {
						r.Fatal(err)
					}
				}
			}

			if err := second.CatchUp(ctx); err != nil {
				r.Fatal(err)
			}
			fresh := k.newBook(k.DB)
			if err := fresh.Load(ctx); err != nil {
				r.Fatal(err)
			}
			for _, head := range heads { // the figures that are kept, against those counted anew
				kept, err := k.book.Overview(ctx, head)
				if err != nil {
					r.Fatal(err)
				}
				if anew, err := fresh.Overview(ctx, head); err != nil || !reflect.DeepEqual(kept, anew) {
					r.Fatalf("the figures are %+v, counted anew %+v, %v", kept, anew, err)
				}
			}
			now := k.Clock.Now()
			try := []time.Time{now, now.Add(time.Microsecond), now.AddDate(0, 0, 400)}
			for _, m := range moments {
				if m.After(now) {
					try = append(try, m, m.Add(-time.Microsecond))
				}
			}
			slices.SortFunc(try, time.Time.Compare)
			for _, moment := range slices.Compact(try) {
				k.Clock.Set(moment)
				k.read(t, func(tx *store.Tx) error {
					for _, who := range people {
						posts := k.book.Posts(who)
						heads, err := k.book.headOf(ctx, tx, who)
						if err != nil {
							return err
						}
						if !slices.Equal(posts.Heads, heads) || !slices.Equal(second.Posts(who).Heads, heads) || !slices.Equal(fresh.Posts(who).Heads, heads) {
							r.Fatalf("at %s %s is head of %v by memory, %v by the other, %v afresh, %v by the database", moment, who, posts.Heads, second.Posts(who).Heads, fresh.Posts(who).Heads, heads)
						}
						for _, at := range places {
							for _, row := range Levels {
								err := k.book.Require(ctx, tx, who, row.Level, at)
								if err != nil && !errors.Is(err, problem.Denied) {
									return err
								}
								do, want := row.Level.Do(), err == nil
								if got, other, loaded := k.book.Allows(who, do, at), second.Allows(who, do, at), fresh.Allows(who, do, at); got != want || other != want || loaded != want {
									r.Fatalf("at %s may %s %s in %v: memory %v, another process %v, afresh %v, database %v", moment, who, row.Code, at, got, other, loaded, want)
								}
							}
						}
					}
					return nil
				})
			}
		})
	})
}

// rounds sets how many random cases rapid tries, unless -rapid.checks says otherwise: each of these costs some
// fifty transactions. Under the race detector, with which each takes ten times as long, it tries a fifth of them: the
// cases are judged without it as well.
func rounds(t *testing.T, n int) {
	if racing {
		n /= 5
	}
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if given {
		return
	}
	was := flag.Lookup("rapid.checks").Value.String()
	for value, when := range map[string]func(func()){strconv.Itoa(n): func(f func()) { f() }, was: t.Cleanup} {
		when(func() {
			if err := flag.Lookup("rapid.checks").Value.Set(value); err != nil {
				t.Error(err)
			}
		})
	}
}

// refusal lets the failures pass that a person is told of.
func refusal(t testing.TB, err error) {
	t.Helper()
	var p *problem.Problem
	if err != nil && !errors.As(err, &p) {
		t.Fatal(err)
	}
}

// TestFollow gives and ends rights in one process and looks for them in another on the same database.
func TestFollow(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		db, err := store.Open(ctx, store.Options{URL: env.URL, Clock: env.Clock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		other := k.newBook(db)
		who := k.officer(t, "TH-12")
		at := Place{Unit: "TH-12"}
		if other.Loaded() || other.Allows(k.chief12, Administer, at) {
			t.Error("a book that has not been loaded allows something")
		}
		if err := other.CatchUp(ctx); err != nil || !other.Loaded() || !other.Allows(k.chief12, Administer, at) {
			t.Fatalf("after the first look: loaded %v, %v", other.Loaded(), err)
		}
		env.Clock.Advance(staleAfter)
		if other.Loaded() || other.Age() != staleAfter {
			t.Errorf("after %s without a look it is loaded, age %s", staleAfter, other.Age())
		}
		g := k.give(t, k.chief12, to(who, "TH-12", Consider))
		if other.Allows(who, DoConsider, at) {
			t.Error("the other process knows without looking")
		}
		if err := other.CatchUp(ctx); err != nil || !other.Allows(who, DoConsider, at) || !other.Loaded() {
			t.Fatalf("the other process looked and does not know: %v", err)
		}
		k.revoke(t, k.chief12, g)
		if err := other.CatchUp(ctx); err != nil || other.Allows(who, DoConsider, at) {
			t.Fatalf("the other process looked and still allows: %v", err)
		}

		following, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- other.Follow(following) }()
		// Often enough that a poll alone, once a second, would take longer than the whole lot.
		const changes = 8
		var slowest, total time.Duration
		for i := range changes {
			level := []Level{Consider, Approve}[i%2]
			g = k.give(t, k.chief12, to(who, "TH-12", level))
			for want := range 2 { // it is there, and it is gone
				start := time.Now()
				for other.Allows(who, level.Do(), at) != (want == 0) {
					if time.Since(start) > 5*time.Second {
						t.Fatalf("round %d: not followed within 5 s", i)
					}
					time.Sleep(time.Millisecond)
				}
				took := time.Since(start)
				slowest, total = max(slowest, took), total+took
				if want == 0 {
					k.revoke(t, k.chief12, g)
				}
			}
			if env.DB.Engine() == store.SQLite && i == 1 {
				break // there only the poll tells, once a second
			}
		}
		t.Logf("%s: followed after %s at most", env.DB.Engine(), slowest)
		if env.DB.Engine() == store.Postgres && total > changes*time.Second {
			t.Errorf("PostgreSQL's notices did not come: %s for %d changes", total, 2*changes)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}

		t.Run("an earlier state was restored", func(t *testing.T) {
			k.write(t, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE counters SET value = value - 1 WHERE name = 'rights'`)
				return err
			})
			if err := other.CatchUp(ctx); !errors.Is(err, errOlder) || other.Loaded() {
				t.Errorf("it did not notice: %v", err)
			}
			if err := other.CatchUp(ctx); err != nil || !other.Loaded() {
				t.Errorf("it did not read all again: %v", err)
			}
		})
	})
}

// deed is what a client does to one officer's right. Whether it was done is its output.
type deed struct {
	do    string // give, revoke, approve
	who   int
	grant string // that was given, or that was to end
}

// heldModel tells porcupine what may be answered: an approval commits exactly while a right is held, which its state
// names.
var heldModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[int][]porcupine.Operation{}
		for _, op := range history {
			who := op.Input.(deed).who
			parts[who] = append(parts[who], op)
		}
		var list [][]porcupine.Operation
		for _, part := range parts {
			list = append(list, part)
		}
		return list
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		held, d, done := state.(string), input.(deed), output.(bool)
		switch {
		case d.do == "give" && done:
			return held == "", d.grant
		case d.do == "give": // Conflict when one is held already
			return held != "", held
		case d.do == "revoke" && done:
			return held == d.grant, ""
		case d.do == "revoke": // Conflict when this one has ended already, whatever else is held
			return held != d.grant, held
		}
		return done == (held != ""), held
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v: %v", input, output) },
}

// approve is a decision that rests on a right, in the transaction that asked for the right.
func approve(ctx context.Context, tx *store.Tx, who person.ID) error {
	_, err := tx.Exec(ctx, `INSERT INTO approvals (id, person_id) VALUES ($1, $2)`, store.NewID(), who)
	return err
}

// TestNoApprovalAfterRevoke is guarantee P2: sixteen clients give and end rights and approve under them; in no
// history does an approval commit after the end of the right was answered, or fail while it held.
func TestNoApprovalAfterRevoke(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		k.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `CREATE TABLE approvals (id TEXT NOT NULL PRIMARY KEY, person_id TEXT NOT NULL)`)
			return err
		})
		t.Run("one that is under way", func(t *testing.T) {
			g := k.give(t, k.chief12, to(k.officer(t, "TH-12"), "TH-12", Approve))
			answered := make(chan error, 1)
			began, before := false, false
			err := k.DB.Write(ctx, func(tx *store.Tx) error {
				if err := k.book.Require(ctx, tx, g.Person, Approve, g.Scope()); err != nil {
					return err
				}
				if !began {
					began = true
					go func() {
						_, err := k.book.Revoke(ctx, k.chief12, g.ID, Ending{Reason: "x", LeavesNone: true})
						answered <- err
					}()
				}
				select {
				case err := <-answered:
					before = true
					answered <- err
				case <-time.After(200 * time.Millisecond):
				}
				return approve(ctx, tx, g.Person)
			})
			if err == nil && before {
				t.Error("an approval committed after the end of the right was answered")
			}
			if err != nil && (!before || !errors.Is(err, problem.Denied)) {
				t.Errorf("the approval came first and failed: %v", err)
			}
			if err := <-answered; err != nil || k.may(t, g.Person, Approve, "TH-12") {
				t.Errorf("the right did not end: %v", err)
			}
			k.write(t, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, `DELETE FROM approvals`)
				return err
			})
		})

		const deeds = 24
		staff := make([]person.ID, 4)
		current := make([]atomic.Pointer[Grant], len(staff))
		for i := range staff {
			staff[i] = k.officer(t, "TH-12")
		}
		at := Place{Unit: "TH-12"}
		var mu sync.Mutex
		var history []porcupine.Operation
		var approved, busy int
		began := time.Now()
		run := func(client int, d deed, f func(*deed) error) {
			call := time.Since(began).Nanoseconds()
			err := f(&d)
			op := porcupine.Operation{ClientId: client, Input: d, Call: call, Output: err == nil, Return: time.Since(began).Nanoseconds()}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, problem.Busy): // nothing was kept
				busy++
			case err == nil || errors.Is(err, problem.Denied) || errors.Is(err, problem.Conflict):
				history = append(history, op)
				if d.do == "approve" && err == nil {
					approved++
				}
			default:
				t.Error(err)
			}
		}
		together(func(client int) {
			r := rand.New(rand.NewPCG(2569, uint64(client)))
			for range deeds {
				i, pause := r.IntN(len(staff)), time.Duration(r.IntN(3))*time.Millisecond
				switch r.IntN(8) {
				case 0, 1:
					run(client, deed{do: "give", who: i}, func(d *deed) error {
						g, err := k.book.Give(ctx, k.chief12, to(staff[i], "TH-12", Approve))
						if err == nil {
							d.grant = g.ID
							current[i].Store(&g)
						}
						return err
					})
				case 2:
					if current[i].Load() == nil {
						continue
					}
					run(client, deed{do: "revoke", who: i, grant: current[i].Load().ID}, func(d *deed) error {
						_, err := k.book.Revoke(ctx, k.chief12, d.grant, Ending{Reason: "x", LeavesNone: true})
						return err
					})
				default:
					run(client, deed{do: "approve", who: i}, func(*deed) error {
						return k.DB.Write(ctx, func(tx *store.Tx) error {
							if err := k.book.Require(ctx, tx, staff[i], Approve, at); err != nil {
								return err
							}
							time.Sleep(pause) // the longer an approval is under way, the more often it meets an end
							return approve(ctx, tx, staff[i])
						})
					})
				}
			}
		})
		if n := k.count(t, `SELECT count(*) FROM approvals`); n != approved || n == 0 {
			t.Errorf("%d approvals were answered, %d are kept", approved, n)
		}
		result, info := porcupine.CheckOperationsVerbose(heldModel, history, 30*time.Second)
		if result != porcupine.Ok {
			path := t.ArtifactDir() + "/history.html"
			t.Errorf("the history of %d deeds is %s: %v (%s)", len(history), result, porcupine.VisualizePath(heldModel, info, path), path)
		}
		t.Logf("%d deeds, %d approvals, %d times busy, in %s", len(history), approved, busy, time.Since(began))
	})
}
