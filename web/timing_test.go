package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/internal/store"
)

// The tests in this file are guarantee P5 at the door: who has not proved a contact cannot tell whether a citizen ID
// has an account, neither by what is answered nor by how long it takes. The distributions of the times are reported by
// `make bench`; what is tested here is that no answer comes without the work of the other.

// strangers are citizen IDs of every standing, the first without any.
var strangers = []struct{ standing, citizen string }{
	{"an unknown ID", "1990000000043"},
	{"an ID that only holds a pending right", unknown},
	{"an officer", without},
	{"a head", chief12},
	{"an administrator", admin2},
	{"an account that is switched off", considers3},
}

// wrongTries are all that a stranger can do with a citizen ID, each answer in turn.
var wrongTries = []struct {
	name string
	try  func(b *browser, citizen string) []*answer
}{
	{"registration", func(b *browser, citizen string) []*answer {
		form := newcomer(citizen, newMail, newPhone)
		sent := b.post("/officer/register", form...)
		page := sent.follow()
		path := "/officer/register/" + flowOf(b.t, page)
		early := b.post(path + "/resend")
		wrong := b.post(path, "step", "email", "code", "0000000")
		phone := b.post(path, "step", "phone", "code", "000000")
		mend := b.get("/officer/register?flow=" + flowOf(b.t, page))
		b.k.later(2 * time.Minute)
		again := b.post(path + "/resend")
		return []*answer{sent, page, early, wrong, phone, mend, again, again.follow(), b.post("/officer/register", form...)}
	}},
	{"a registration with faults", func(b *browser, citizen string) []*answer {
		return []*answer{b.post("/officer/register", with(newcomer(citizen, newMail, newPhone), "terms", "")...)}
	}},
	{"a registration from a dialog", func(b *browser, citizen string) []*answer {
		return []*answer{b.fragment("dialog").post("/officer/register", newcomer(citizen, newMail, newPhone)...)}
	}},
	{"a reset of the password", func(b *browser, citizen string) []*answer {
		var all []*answer
		for _, channel := range []string{"email", "sms"} {
			begun := b.post("/officer/passreset", "citizen_id", citizen)
			path := begun.location
			all = append(all, begun, begun.follow(), b.post(path+"/code", "code", "000000"), b.post(path+"/password", "password", "x", "password_again", "x"),
				b.post(path+"/send", "channel", channel), b.get(path), b.post(path+"/send", "channel", channel, "resend", "1"),
				b.post(path+"/code", "code", "0"), b.post(path+"/code", "code", "000000"), b.get(path+"?again"))
			b.k.later(2 * time.Minute)
			again := b.post(path+"/send", "channel", channel, "resend", "1")
			all = append(all, again, again.follow(), b.post(path+"/password", "password", "x", "password_again", "x"))
		}
		return all
	}},
	{"a request for help", func(b *browser, citizen string) []*answer {
		form := []string{"kind", "reset", "citizen_id", citizen, "name", "มาลี สุขใจ", "position", "นักวิชาการ", "unit", "TH-12", "email", newMail}
		faulty := b.post("/officer/help", with(form, "email", "")...)
		sent := b.post("/officer/help", form...)
		path := sent.location
		all := []*answer{faulty, sent, sent.follow(), b.post(path+"/code", "code", "000000")}
		for _, channel := range []string{"email", "sms"} {
			all = append(all, b.post(path+"/send", "channel", channel), b.get(path), b.post(path+"/send", "channel", channel),
				b.post(path+"/code", "code", "0"), b.post(path+"/code", "code", "000000"))
		}
		other := b.k.visitor(b.t)
		return append(all, other.get(path), b.post("/officer/help/status", "receipt", "BBBB-BBBB", "contact", newMail))
	}},
	{"sign-in until the throttle holds", func(b *browser, citizen string) []*answer {
		var all []*answer
		for range 7 {
			all = append(all, b.post("/officer/login", "citizen_id", citizen, "password", "not the password"))
		}
		return all
	}},
}

// TestStrangersLearnNothingFromAnswers compares status, headers and length of everything that is answered, and the
// messages that go out.
func TestStrangersLearnNothingFromAnswers(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		k.switchOff(t, considers3)
		for _, c := range wrongTries {
			var want []string
			for _, s := range strangers {
				k.later(24 * time.Hour) // the throttles are full again, those of the contacts too
				before := len(must(k.outbox.List(t.Context(), 1000))(t))
				var got []string
				for _, a := range c.try(k.visitor(t), s.citizen) {
					got = append(got, a.shape())
				}
				messages := must(k.outbox.List(t.Context(), 1000))(t)
				for _, m := range messages[:len(messages)-before] {
					if m.Purpose == "reset.code" || m.Purpose == "help.code" {
						continue // goes to who is there, which no stranger sees
					}
					got = append(got, fmt.Sprintf("%s %s to %s, %d bytes", m.Channel, m.Purpose, m.To, len(m.Text)))
				}
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s of %s is answered\n%s\n\nand of %s\n%s", c.name, s.standing, strings.Join(got, "\n"), strangers[0].standing, strings.Join(want, "\n"))
				}
			}
		}
	})
}

// shape is what a stranger can measure of an answer but for the time: status, headers, length.
func (a *answer) shape() string {
	lines := []string{fmt.Sprintf("%d, %d bytes", a.status, len(a.body))}
	for name, list := range a.header {
		switch name {
		case "Date":
			continue
		case "Set-Cookie", "Location", "X-Location": // hold tokens, each as long as another
			for _, value := range list {
				path, _, _ := strings.Cut(value, "=")
				lines = append(lines, fmt.Sprintf("%s: %.17s… of %d bytes", name, path, len(value)))
			}
		default:
			lines = append(lines, name+": "+strings.Join(list, ", "))
		}
	}
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n")
}

// switchOff disables an account.
func (k *kit) switchOff(t *testing.T, citizen string) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE accounts SET state = 'disabled' WHERE person_id = $1`, k.who[citizen])
		return err
	})
}
