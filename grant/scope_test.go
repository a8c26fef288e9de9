package grant

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// unscoped are the methods of a Book that need no boundary between units, each with why.
var unscoped = map[string]string{
	"Age": "tells a duration", "Loaded": "tells a state", "Load": "reads into memory", "CatchUp": "reads into memory", "Follow": "reads into memory",
	"Moved": "notes a change inside an act", "Registered": "a hook inside a registration", "InstallAdministrator": "from the terminal alone",
	"InstallRegistering": "from the terminal alone", "MayInstall": "from the terminal alone",
	"Allows": "is the rule itself", "Require": "is the rule itself", "RequireAdministrator": "is the rule itself", "Posts": "is the rule itself",
	"TurnAway": "records a refusal",
	"Closed":   "a hook inside the closing of one's own account", "Relocated": "a hook inside a change of one's own office",
	"Identified": "a hook inside a sign-in by ThaID",
	"Leaving":    "tells a person of his own rights alone", "RemindEnding": "tells those who may know",
	"Asked":        "a hook inside a request",
	"RequireAgent": "is the rule itself", "HelpsAs": "is the rule itself", "Privileged": "is the rule itself", "HeadOf": "is the rule itself",
	"TellHeads": "tells those who may know", "TellCentre": "tells those who may know",
	"TellBrought": "likewise", "BringRights": "inside an act that two administrators were asked for", "BringChanges": "likewise", "BringHeads": "likewise", "BringHeadChanges": "likewise",
	"MovedAll": "notes changes inside an act", "PlaceFault": "tells of no person", "RequireHead": "is the rule itself", "RequireReader": "is the rule itself",
	"Answer": "is the rule itself", "AnswerAt": "is the rule itself", "Who": "is the rule itself", "Where": "is the rule itself", "May": "is the rule itself",
	"WhoAt": "is the rule itself", "WhereAt": "is the rule itself", "MayAt": "is the rule itself",
	"Explain": "for doors that have checked the scope: Why is for people", "Places": "lists the units, which everybody may know",
}

// TestScope tries every method of the book across the border of a unit: a chief of TH-13 sees and changes nothing of
// TH-12, and what is there answers like what is not.
func TestScope(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		holder := k.register(t, k.citizen(t), officer.Account{Unit: "TH-12", GivenName: "ปิ่นแก้ว", FamilyName: "รอดีพิเศษ"})
		live := k.give(t, k.chief12, to(holder, "TH-12", Consider))
		ended := k.revoke(t, k.chief12, k.give(t, k.chief12, to(holder, "TH-12", Approve)))
		pendingID := k.citizen(t)
		pending := k.give(t, k.chief12, Order{Unit: "TH-12", Level: Approve, Citizen: pendingID})
		k.register(t, pendingID, officer.Account{Unit: "TH-12", GivenName: "รอ", FamilyName: "รอดีพิเศษ"})
		request := store.NewID()
		k.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO activations (id, person_id, browser, unit, asked_at, created_at, expires_at) VALUES ($1, $2, '', 'TH-12', $3, $3, $3)`,
				request, holder, store.Us(tx.Now))
			return err
		})
		second := k.give(t, k.admins[0], to(k.chief12, "TH-12", Approve))
		proposal, err := k.book.Propose(ctx, k.admins[0], AppointmentOrder{Post: Head, Kind: Regular, Unit: "TH-12", Person: holder, OrderNumber: "1"})
		if err != nil {
			t.Fatal(err)
		}
		own := k.officer(t, "TH-13")
		k.give(t, k.chief13, to(own, "TH-13", Consider))
		var holderID thai.CitizenID
		k.read(t, func(tx *store.Tx) (err error) {
			holderID, err = k.roll.CitizenID(ctx, tx, holder)
			return err
		})
		absent := store.NewID()

		// state is all that an act of a stranger must leave as it is.
		state := func() []Row {
			return k.each(t, k.admins[0], Filter{State: "all", Unit: "TH-12"})
		}
		before := state()

		// Each try answers what the method gave away, and its error. there is what exists in TH-12, the other is not there.
		type try func(by person.ID, there bool) (given any, err error)
		pick := func(there bool, id string) string {
			if there {
				return id
			}
			return absent
		}
		unit := func(there bool) string {
			if there {
				return "TH-12"
			}
			return "TH-99"
		}
		tries := map[string]try{
			"Give": func(by person.ID, there bool) (any, error) {
				return k.book.Give(ctx, by, to(person.ID(pick(there, string(holder))), unit(there), Approve))
			},
			"Revoke": func(by person.ID, there bool) (any, error) {
				return k.book.Revoke(ctx, by, pick(there, live.ID), Ending{Reason: "x", LeavesNone: true})
			},
			"Change": func(by person.ID, there bool) (any, error) {
				return k.book.Change(ctx, by, pick(there, live.ID), live.Version, Change{Note: "x"})
			},
			"Again": func(by person.ID, there bool) (any, error) { return k.book.Again(ctx, by, pick(there, ended.ID), "") },
			"Identify": func(by person.ID, there bool) (any, error) {
				return nil, k.book.Identify(ctx, by, person.ID(pick(there, string(pending.Person))), unit(there), true, "")
			},
			"Second": func(by person.ID, there bool) (any, error) {
				return k.book.Second(ctx, by, pick(there, second.ID), true, "")
			},
			"Propose": func(by person.ID, there bool) (any, error) {
				return k.book.Propose(ctx, by, AppointmentOrder{Post: Head, Kind: Acting, Unit: unit(there), Person: person.ID(pick(there, string(own))), OrderNumber: "1", LastDay: today})
			},
			"ConfirmAppointment": func(by person.ID, there bool) (any, error) {
				return k.book.ConfirmAppointment(ctx, by, pick(there, proposal.ID))
			},
			"DeclineAppointment": func(by person.ID, there bool) (any, error) {
				return k.book.DeclineAppointment(ctx, by, pick(there, proposal.ID), "x")
			},
			"EndAppointment": func(by person.ID, there bool) (any, error) {
				return k.book.EndAppointment(ctx, by, pick(there, proposal.ID), Ending{Reason: "x", LeavesNone: true})
			},
			"Grid": func(by person.ID, there bool) (any, error) {
				p, err := k.book.Grid(ctx, by, Filter{Unit: unit(there), State: "all", Search: "รอดี"})
				return p.Rows, err
			},
			"Sheet": func(by person.ID, there bool) (any, error) {
				sheet, err := k.book.Sheet(ctx, by, Filter{Unit: unit(there), State: "all", Search: "รอดี"})
				return sheet.Page.Rows, err
			},
			"Each": func(by person.ID, there bool) (any, error) {
				var rows []Row
				err := k.book.Each(ctx, by, Filter{Unit: unit(there), State: "all"}, func(r Row) error { rows = append(rows, r); return nil })
				return rows, err
			},
			"Export": func(by person.ID, there bool) (any, error) {
				return k.book.Export(ctx, by, Filter{Unit: unit(there), State: "all"}, "csv")
			},
			"Whose": func(by person.ID, there bool) (any, error) {
				id := holderID
				if !there {
					id = citizen(t, 999_999)
				}
				who, ok, err := k.book.Whose(ctx, by, id)
				if ok {
					t.Error("Whose finds a person of another unit")
				}
				return who, err
			},
			"LookUp": func(by person.ID, there bool) (any, error) { return k.book.LookUp(ctx, by, unit(there), holderID) },
			"Show": func(by person.ID, there bool) (any, error) {
				return k.book.Show(ctx, by, unit(there), person.ID(pick(there, string(holder))))
			},
			"People":     func(by person.ID, there bool) (any, error) { return k.book.People(ctx, by, unit(there)) },
			"WaitingFor": func(by person.ID, there bool) (any, error) { return k.book.WaitingFor(ctx, by) },
			"See":        func(by person.ID, there bool) (any, error) { return k.book.See(ctx, by, pick(there, live.ID)) },
			"Mine":       func(by person.ID, there bool) (any, error) { return k.book.Mine(ctx, by) },
			"StoryOf": func(by person.ID, there bool) (any, error) {
				return k.book.StoryOf(ctx, by, unit(there), person.ID(pick(there, string(holder))), "")
			},
			"History": func(by person.ID, there bool) (any, error) {
				return k.book.History(ctx, by, unit(there), "")
			},
			"Log": func(by person.ID, there bool) (any, error) {
				entries, _, err := k.book.Log(ctx, by, audit.Query{Unit: unit(there)})
				return entries, err
			},
			"PersonOf": func(by person.ID, there bool) (any, error) { return k.book.PersonOf(ctx, by, holderID) },
			"Unmask": func(by person.ID, there bool) (any, error) {
				return k.book.Unmask(ctx, by, person.ID(pick(there, string(holder))), "x")
			},
			"Names": func(by person.ID, there bool) (any, error) {
				return k.book.Names(ctx, by, []person.ID{person.ID(pick(there, string(holder)))})
			},
			"Why": func(by person.ID, there bool) (any, error) {
				e, err := k.book.Why(ctx, by, Question{Who: person.ID(pick(there, string(holder))), Do: DoConsider, At: Place{Unit: unit(there)}})
				return e.Conditions, err
			},
			"Sought": func(by person.ID, there bool) (any, error) { return k.book.Sought(ctx, by, unit(there), holderID) },
			"AsOf":   func(by person.ID, there bool) (any, error) { return k.book.AsOf(ctx, by, unit(there), today) },
			"ExportAsOf": func(by person.ID, there bool) (any, error) {
				return k.book.ExportAsOf(ctx, by, unit(there), today, "xlsx")
			},
			"CheckList": func(by person.ID, there bool) (any, error) {
				return k.book.CheckList(ctx, by, ListOrder{Unit: unit(there), Level: Approve, Citizens: []thai.CitizenID{holderID}})
			},
			"GiveList": func(by person.ID, there bool) (any, error) {
				return k.book.GiveList(ctx, by, ListOrder{Unit: unit(there), Level: Approve, Citizens: []thai.CitizenID{holderID}, Form: store.NewID()})
			},
			"IdentifyMany": func(by person.ID, there bool) (any, error) {
				left, err := k.book.IdentifyMany(ctx, by, []Named{{Person: person.ID(pick(there, string(pending.Person))), Unit: unit(there)}})
				return len(left), err
			},
			"Asking":      func(by person.ID, there bool) (any, error) { return k.book.Asking(ctx, by) },
			"Attendances": func(by person.ID, there bool) (any, error) { return k.book.Attendances(ctx, by, AttendanceFilter{}) },
			"Activation":  func(by person.ID, there bool) (any, error) { return k.book.Activation(ctx, by, pick(there, request)) },
			"Activate": func(by person.ID, there bool) (any, error) {
				_, err := k.book.Activate(ctx, by, pick(there, request), Decision{Confirmed: true})
				return nil, err
			},
			"Picture":  func(by person.ID, there bool) (any, error) { return k.book.Picture(ctx, by) },
			"Overview": func(by person.ID, there bool) (any, error) { return k.book.Overview(ctx, by) },
			"Choices":  func(by person.ID, there bool) (any, error) { return k.book.Choices(ctx, by) },
			"Appointments": func(by person.ID, there bool) (any, error) {
				return k.book.Appointments(ctx, by, AppointmentFilter{Unit: unit(there), All: true})
			},
			"Appointment": func(by person.ID, there bool) (any, error) {
				return k.book.Appointment(ctx, by, pick(there, proposal.ID))
			},
		}
		book := reflect.TypeFor[*Book]()
		for i := range book.NumMethod() {
			name := book.Method(i).Name
			if (tries[name] == nil) == (unscoped[name] == "") {
				t.Errorf("%s: a method of the book is either tried here or says why not", name)
			}
		}
		nobody := k.officer(t, "TH-12") // of the unit itself, without any post
		for _, name := range slices.Sorted(maps.Keys(tries)) {
			for _, by := range []person.ID{k.chief13, nobody, own, ""} {
				got, err := tries[name](by, true)
				none, same := tries[name](by, false)
				if key(err) != key(same) {
					t.Errorf("%s: what is there answers %v, what is not %v", name, err, same)
				}
				if err != nil && !errors.Is(err, problem.Denied) && !errors.Is(err, problem.NotFound) {
					t.Errorf("%s: %v", name, err)
				}
				for _, what := range []any{got, none} {
					if text := visible(what); strings.Contains(text, "TH-12") || strings.Contains(text, "รอดีพิเศษ") || strings.Contains(text, string(holder)) ||
						strings.Contains(text, holderID.Digits()) || strings.Contains(text, live.ID) {
						if by != nobody || name != "Mine" {
							t.Errorf("%s gives away %s", name, text)
						}
					}
				}
			}
		}
		after := state()
		if visible(before) != visible(after) || k.see(t, pending.ID).State != StateWaiting || k.see(t, second.ID).State != StateSecond {
			t.Errorf("a stranger changed something:\n%s\n%s", visible(before), visible(after))
		}
		var a Appointment
		k.read(t, func(tx *store.Tx) (err error) {
			a, err = findAppointment(ctx, tx, proposal.ID)
			return err
		})
		if !a.ConfirmedAt.IsZero() || !a.ClosedAt.IsZero() {
			t.Error("a stranger decided an appointment")
		}

		// Administrators and auditors see, and change nothing but what is theirs to change.
		for _, by := range []person.ID{k.admins[2], k.auditor} {
			for _, name := range []string{"Give", "Revoke", "Change", "Again", "Identify", "People", "WaitingFor"} {
				if _, err := tries[name](by, true); !errors.Is(err, problem.Denied) && !errors.Is(err, problem.NotFound) {
					t.Errorf("%s by who is no head: %v", name, err)
				}
			}
			for _, name := range []string{"Grid", "Sheet", "Each", "Export", "See", "StoryOf", "History", "Log", "PersonOf", "Unmask", "Overview", "Choices", "Appointments", "Appointment"} {
				if _, err := tries[name](by, true); err != nil {
					t.Errorf("%s by who reads everything: %v", name, err)
				}
			}
		}
	})
}

// key is what a person is told of a failure.
func key(err error) string {
	var p *problem.Problem
	if errors.As(err, &p) {
		return string(p.Kind) + " " + p.Key
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// visible writes out all that can be read of a value, citizen IDs whole.
func visible(v any) string {
	var b strings.Builder
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		if !v.IsValid() {
			return
		}
		if id, ok := v.Interface().(thai.CitizenID); ok {
			b.WriteString(id.Digits() + " ")
			return
		}
		if at, ok := v.Interface().(time.Time); ok {
			b.WriteString(at.String() + " ")
			return
		}
		switch v.Kind() {
		case reflect.String:
			b.WriteString(v.String() + " ")
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for iter := v.MapRange(); iter.Next(); {
				walk(iter.Key())
				walk(iter.Value())
			}
		case reflect.Interface, reflect.Pointer:
			walk(v.Elem())
		}
	}
	walk(reflect.ValueOf(v))
	return b.String()
}

func TestLookUp(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		look := func(t *testing.T, by person.ID, unit string, id thai.CitizenID) Found {
			t.Helper()
			found, err := k.book.LookUp(ctx, by, unit, id)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		id := k.citizen(t)
		who := k.register(t, id, officer.Account{Unit: "TH-12", GivenName: "ปิ่นแก้ว", FamilyName: "รอดี"})

		t.Run("in the own office", func(t *testing.T) {
			f := look(t, k.chief12, "TH-12", id)
			if f.Person != who || !f.Registered || f.Masked || f.Name != "ปิ่นแก้ว รอดี" || !strings.Contains(f.Email, "@") || f.Identified || f.HomeUnit != "TH-12" {
				t.Errorf("found %+v", f)
			}
			if e := k.recorded(t, audit.Query{Actor: string(k.chief12)}); e.Name != "person.look_up" || e.Subject != string(who) || e.Unit != "TH-12" {
				t.Errorf("recorded as %+v", e)
			}
			k.give(t, k.chief12, to(who, "TH-12", Consider))
			if !look(t, k.chief12, "TH-12", id).Identified || look(t, k.chief13, "TH-13", id).Identified {
				t.Error("the word of a unit is not that unit's")
			}
			var own thai.CitizenID
			k.read(t, func(tx *store.Tx) (err error) {
				own, err = k.roll.CitizenID(ctx, tx, k.chief12)
				return err
			})
			if f := look(t, k.chief12, "TH-12", own); !f.Self || !f.HeadHere {
				t.Errorf("himself: %+v", f)
			}
		})

		t.Run("elsewhere only a hint", func(t *testing.T) {
			for by, unit := range map[person.ID]string{k.chief13: "TH-13", k.admins[0]: "TH-12"} {
				f := look(t, by, unit, id)
				if !f.Masked || f.Name != "ปิ่นแก้ว ร•••" && f.Name != "ปิ่นแก้ว รอ•••" || strings.Contains(visible(f), "รอดี") ||
					strings.Contains(f.Email, "000000") || strings.Contains(f.Phone, "5678") && strings.Contains(f.Phone, "1234") {
					t.Errorf("found %+v", f)
				}
			}
		})

		t.Run("nobody", func(t *testing.T) {
			if f := look(t, k.chief12, "TH-12", k.citizen(t)); f != (Found{}) {
				t.Errorf("found %+v", f)
			}
			// Whom another unit named, without an account, is nobody here.
			named := k.citizen(t)
			k.give(t, k.chief13, Order{Unit: "TH-13", Level: Consider, Citizen: named})
			if f := look(t, k.chief12, "TH-12", named); f != (Found{}) {
				t.Errorf("TH-12 learns that another unit named somebody: %+v", f)
			}
			_, err := k.book.LookUp(ctx, k.chief13, "TH-12", id)
			k.refused(t, err, problem.Denied, "grant.denied_not_head", k.chief13)
		})

		t.Run("not too often", func(t *testing.T) {
			unit, chief := k.province(t)
			for range lookups.Burst {
				look(t, chief, unit, id)
			}
			before := k.count(t, `SELECT count(*) FROM audit_entries`)
			_, err := k.book.LookUp(ctx, chief, unit, id)
			var p *problem.Problem
			if !errors.As(err, &p) || p.Kind != problem.Busy || !p.TooMany || p.RetryAfter != lookups.Every {
				t.Fatalf("look %d: %v", lookups.Burst+1, err)
			}
			if k.count(t, `SELECT count(*) FROM audit_entries`) != before {
				t.Error("a look that was not had is recorded")
			}
			look(t, k.chief12, "TH-12", id) // others may
			k.at(t, env.Clock.Now().Add(lookups.Every))
			look(t, chief, unit, id)
			if _, err := k.book.LookUp(ctx, chief, unit, id); !errors.Is(err, problem.Busy) {
				t.Errorf("a second look after the wait for one: %v", err)
			}
		})

		t.Run("show and people", func(t *testing.T) {
			found, err := k.book.Show(ctx, k.chief12, "TH-12", who)
			if err != nil || found.Masked || found.Name != "ปิ่นแก้ว รอดี" {
				t.Errorf("%+v, %v", found, err)
			}
			_, err = k.book.Show(ctx, k.chief13, "TH-13", who)
			checkProblem(t, err, problem.NotFound, "problem.person_unknown")
			_, err = k.book.Show(ctx, k.chief13, "TH-13", person.ID(store.NewID()))
			checkProblem(t, err, problem.NotFound, "problem.person_unknown")
			k.give(t, k.chief13, to(who, "TH-13", Consider))
			if found, err = k.book.Show(ctx, k.chief13, "TH-13", who); err != nil || !found.Masked {
				t.Errorf("%+v, %v", found, err)
			}
			list, err := k.book.People(ctx, k.chief12, "TH-12")
			if err != nil || len(list) != 1 || list[0].Person != who || list[0].Name != "ปิ่นแก้ว รอดี" {
				t.Errorf("%+v, %v", list, err)
			}
		})
	})
}

func TestReading(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		id := k.citizen(t)
		who := k.register(t, id, officer.Account{Unit: "TH-12", GivenName: "ปิ่นแก้ว", FamilyName: "รอดี"})
		g := k.give(t, k.chief12, to(who, "TH-12", Consider))
		k.Clock.Advance(time.Second)
		ended := k.revoke(t, k.chief12, k.give(t, k.chief12, to(who, "TH-12", Approve)))
		k.Clock.Advance(time.Second)
		elsewhere := k.give(t, k.chief13, to(who, "TH-13", Consider))

		t.Run("see", func(t *testing.T) {
			s, err := k.book.See(ctx, k.chief12, g.ID)
			if err != nil || !s.Manages || s.Masked || s.Citizen != id || len(s.Versions) != 1 || s.Names[k.chief12] == "" || s.Left != 0 || s.LeavesNone {
				t.Errorf("%+v, %v", s, err)
			}
			for _, by := range []person.ID{k.chief13, who, "", k.iwm} {
				_, err := k.book.See(ctx, by, g.ID)
				checkProblem(t, err, problem.NotFound, "grant.not_found")
			}
			if s := k.see(t, g.ID); s.Manages || !s.Masked {
				t.Errorf("an administrator sees %+v", s)
			}
		})

		t.Run("mine", func(t *testing.T) {
			own, err := k.book.Mine(ctx, who)
			if err != nil || len(own.Appointments) != 0 || !slices.Equal(numbers(own.Rows), []int64{elsewhere.Number, ended.Number, g.Number}) ||
				own.Rows[0].State != StateActive || own.Rows[1].State != StateEnded || own.Givers[k.chief12] == "" || own.Givers[k.chief13] == "" {
				t.Errorf("%+v, %v", own, err)
			}
			own, err = k.book.Mine(ctx, k.chief12)
			if held := own.Appointments; err != nil || len(own.Rows) != 0 || len(held) != 1 || !held[0].Holds || held[0].Unit != "TH-12" || held[0].ProposedBy == "" {
				t.Errorf("%+v, %v", own, err)
			}
		})

		t.Run("story", func(t *testing.T) {
			st, err := k.book.StoryOf(ctx, k.chief12, "TH-12", who, "")
			if err != nil || st.Citizen != id || len(st.Rows) != 2 || st.Unit.Code != "TH-12" || st.Found.Name != "ปิ่นแก้ว รอดี" {
				t.Errorf("%+v, %v", st, err)
			}
			var acts []string
			for _, e := range st.Entries {
				acts = append(acts, e.Name)
				if e.Unit != "TH-12" || e.Subject != string(who) {
					t.Errorf("in the story stands %+v", e)
				}
			}
			if want := []string{"grant.revoke", "grant.give", "grant.give", "grant.confirm"}; !slices.Equal(acts, want) || st.Names[k.chief12] == "" {
				t.Errorf("the story is %v", acts)
			}
			_, err = k.book.StoryOf(ctx, k.chief13, "TH-12", who, "")
			checkProblem(t, err, problem.NotFound, "problem.person_unknown")
			pending := k.give(t, k.chief12, Order{Unit: "TH-12", Level: Approve, Citizen: k.citizen(t)})
			for by, masked := range map[person.ID]bool{k.chief12: false, k.admins[0]: true} {
				if st, err := k.book.StoryOf(ctx, by, "TH-12", pending.Person, ""); err != nil || st.Masked != masked || st.Rows[0].Masked != masked ||
					st.CitizenShown() != st.Rows[0].CitizenShown() {
					t.Errorf("the story of one who has not registered is masked: %v, %v", st.Masked, err)
				}
			}
			k.revoke(t, k.chief12, pending)
			stranger := k.officer(t, "TH-14")
			_, err = k.book.StoryOf(ctx, k.chief12, "TH-12", stranger, "")
			checkProblem(t, err, problem.NotFound, "problem.person_unknown")
		})

		t.Run("history and log", func(t *testing.T) {
			h, err := k.book.History(ctx, k.chief12, "TH-12", "")
			if err != nil || h.Unit.Code != "TH-12" || len(h.Entries) < 4 || h.Names[who] != "ปิ่นแก้ว รอดี" {
				t.Errorf("%v, %d, %v", h.Unit, len(h.Entries), err)
			}
			for _, e := range h.Entries {
				if e.Unit != "TH-12" {
					t.Errorf("in the history stands %+v", e)
				}
			}
			var seen []string
			next := ""
			for {
				page, more, err := k.book.Log(ctx, k.auditor, audit.Query{Limit: 7, Before: next})
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page {
					seen = append(seen, e.ID)
				}
				if next = more; next == "" {
					break
				}
			}
			if n := k.count(t, `SELECT count(*) FROM audit_entries`); len(seen) != n || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != n {
				t.Errorf("%d entries on the pages, %d in the log", len(seen), n)
			}
			_, _, err = k.book.Log(ctx, k.chief12, audit.Query{})
			checkProblem(t, err, problem.Denied, "grant.denied_not_reader")
		})

		t.Run("citizen ID to person and back", func(t *testing.T) {
			if got, err := k.book.PersonOf(ctx, k.auditor, id); err != nil || got != who {
				t.Errorf("%v, %v", got, err)
			}
			before := k.count(t, `SELECT count(*) FROM audit_entries WHERE act = 'person.look_up'`)
			_, err := k.book.PersonOf(ctx, k.auditor, k.citizen(t))
			checkProblem(t, err, problem.NotFound, "problem.person_unknown")
			if k.count(t, `SELECT count(*) FROM audit_entries WHERE act = 'person.look_up'`) != before+1 {
				t.Error("a number tried in vain is not recorded")
			}
			_, err = k.book.Unmask(ctx, k.auditor, who, " ")
			checkProblem(t, err, problem.Invalid, "grant.reason_missing")
			if got, err := k.book.Unmask(ctx, k.auditor, who, "ตรวจสอบเรื่องร้องเรียน"); err != nil || got != id {
				t.Errorf("%v, %v", got, err)
			}
			if e := k.recorded(t, audit.Query{Act: "person.unmask"}); e.Actor != string(k.auditor) || e.Subject != string(who) || e.Texts["reason"] == "" {
				t.Errorf("recorded as %+v", e)
			}
			_, err = k.book.Unmask(ctx, k.chief12, who, "อยากรู้")
			k.refused(t, err, problem.Denied, "grant.denied_not_reader", k.chief12)
			// A deputy of another office is near by his appointment, who got a right from elsewhere by the right.
			deputy, guest := k.officer(t, "TH-14"), k.officer(t, "TH-14")
			k.appoint(t, AppointmentOrder{Post: Head, Kind: Acting, Unit: "TH-12", Person: deputy, LastDay: today.AddDays(5)})
			k.revoke(t, k.chief12, k.give(t, k.chief12, to(guest, "TH-12", Consider)))
			asked := []person.ID{who, who, k.chief12, deputy, guest, k.chief13, k.admins[1], "nobody", ""}
			for by, n := range map[person.ID]int{k.auditor: 6, k.admins[0]: 6, k.chief12: 4, k.iwm: 0} {
				names, err := k.book.Names(ctx, by, asked)
				if err != nil || len(names) != n || n > 0 && names[who] != "ปิ่นแก้ว รอดี" {
					t.Errorf("%s learns %v, %v", by, names, err)
				}
				if names, err := k.book.Names(ctx, by, nil); err != nil || len(names) != 0 {
					t.Errorf("%v, %v", names, err)
				}
			}
			for _, by := range []person.ID{who, "", "nobody"} {
				names, err := k.book.Names(ctx, by, asked)
				if checkProblem(t, err, problem.Denied, "grant.denied_not_reader"); len(names) != 0 {
					t.Errorf("%s learns %v", by, names)
				}
			}
			if got, ok, err := k.book.Whose(ctx, k.chief12, id); err != nil || !ok || got != who {
				t.Errorf("%v, %v, %v", got, ok, err)
			}
			if got, ok, err := k.book.Whose(ctx, k.iwm, id); err != nil || ok || got != "" {
				t.Errorf("a stranger learns %v, %v, %v", got, ok, err)
			}
		})

		t.Run("overview and choices", func(t *testing.T) {
			waits := k.citizen(t)
			k.give(t, k.chief12, Order{Unit: "TH-12", Level: Approve, Citizen: waits})
			k.give(t, k.chief12, Order{Unit: "TH-12", Level: Approve, Citizen: k.citizen(t)})
			k.register(t, waits, officer.Account{Unit: "TH-12"})
			soon := to(k.officer(t, "TH-12"), "TH-12", Consider)
			soon.LastDay = today.AddDays(5)
			k.give(t, k.chief12, soon)
			o, err := k.book.Overview(ctx, k.chief12)
			if err != nil || len(o.Units) != 1 || o.Units[0].Unit.Code != "TH-12" || o.Units[0].Holders[Consider] != 2 || o.Units[0].Holders[Approve] != 0 ||
				o.Units[0].EndSoon != 1 || o.Waiting != 1 || len(o.Units[0].ByLevels) != 2 || o.Live[Consider] != 2 || o.Live[Approve] != 2 {
				t.Errorf("%+v, %v", o, err)
			}
			proposed := k.give(t, k.admins[0], to(k.chief12, "TH-12", Approve))
			if o, err := k.book.Overview(ctx, k.chief12); err != nil || o.Live[Approve] != 3 {
				t.Errorf("with a proposal: %v, %v", o.Live, err)
			}
			if _, err := k.book.Second(ctx, k.admins[1], proposed.ID, false, "ไม่มีคำสั่ง"); err != nil {
				t.Fatal(err)
			}
			if o, err := k.book.Overview(ctx, k.chief12); err != nil || o.Live[Approve] != 2 {
				t.Errorf("after the proposal was refused: %v, %v", o.Live, err)
			}
			if o, err := k.book.Overview(ctx, k.admins[0]); err != nil || len(o.Units) != 0 || !o.Scope.All {
				t.Errorf("%+v, %v", o, err)
			}
			_, err = k.book.Overview(ctx, who)
			checkProblem(t, err, problem.Denied, "grant.denied_not_reader")
			c, err := k.book.Choices(ctx, k.iwm)
			if err != nil || len(c.Units) != 1 || len(c.Teams["IWM"]) != 2 {
				t.Errorf("%+v, %v", c, err)
			}
			c, err = k.book.Choices(ctx, k.admins[0])
			if err != nil || len(c.Units) < 78 {
				t.Errorf("%d units, %v", len(c.Units), err)
			}
			waiting, err := k.book.WaitingFor(ctx, k.chief12)
			if err != nil || len(waiting) != 1 || waiting[0].Citizen != waits {
				t.Errorf("%+v, %v", waiting, err)
			}
			_, err = k.book.WaitingFor(ctx, k.admins[0])
			checkProblem(t, err, problem.Denied, "grant.denied_not_head")
		})

		t.Run("appointments", func(t *testing.T) {
			a, err := k.book.Propose(ctx, k.chief13, AppointmentOrder{Post: Head, Kind: Acting, Unit: "TH-13", Person: k.officer(t, "TH-13"), OrderNumber: "1", LastDay: today})
			if err != nil {
				t.Fatal(err)
			}
			k.give(t, k.admins[0], to(k.chief13, "TH-13", Approve))
			list, err := k.book.Appointments(ctx, k.chief13, AppointmentFilter{})
			if err != nil || list.Administrator || len(list.List) != 2 || list.List[0].ID != a.ID || !list.List[0].Own || list.List[0].Holds || !list.List[1].Holds || len(list.Seconds) != 0 {
				t.Errorf("%+v, %v", list, err)
			}
			list, err = k.book.Appointments(ctx, k.admins[1], AppointmentFilter{Post: Head, Unit: "TH-13"})
			if err != nil || !list.Administrator || len(list.List) != 2 || list.List[0].Own || len(list.Seconds) != 1 || !list.Seconds[0].Masked {
				t.Errorf("%+v, %v", list, err)
			}
			if _, err := k.book.DeclineAppointment(ctx, k.chief13, a.ID, ""); err != nil {
				t.Fatal(err)
			}
			list, err = k.book.Appointments(ctx, k.chief13, AppointmentFilter{})
			if err != nil || len(list.List) != 1 {
				t.Errorf("%+v, %v", list, err)
			}
			list, err = k.book.Appointments(ctx, k.chief13, AppointmentFilter{All: true})
			if err != nil || len(list.List) != 2 {
				t.Errorf("%+v, %v", list, err)
			}
			_, err = k.book.Appointments(ctx, who, AppointmentFilter{})
			checkProblem(t, err, problem.Denied, "grant.denied_not_reader")
		})

		t.Run("a context that ended", func(t *testing.T) {
			over, cancel := context.WithCancel(ctx)
			cancel()
			if _, err := k.book.Grid(over, k.chief12, Filter{}); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if _, err := k.book.Give(over, k.chief12, to(who, "TH-12", Approve)); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	})
}
