package helpdesk_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"sitthi/helpdesk"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
)

// TestStrangersCanNotTellWhoHasAnAccount is guarantee P5 at the help desk: a request, its code and a wrong try cost the
// same statements and no password hash, and answer alike, for a citizen ID with an account, without one, and with one
// whose contacts prove nobody.
func TestStrangersCanNotTellWhoHasAnAccount(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		statements := func() int64 { return 0 } // SQLite has no wire to listen on; the code is the same
		desk := o.desk
		if o.DB.Engine() == store.Postgres {
			over := o.desk.Options
			over.DB, statements = storetest.Listen(t, o.Env)
			desk = helpdesk.NewDesk(over)
		}
		type cost struct {
			statements int64
			told       int
			answer     string
		}
		for _, channel := range []notify.Channel{notify.Email, notify.SMS} {
			costs := map[string]cost{}
			for range 2 { // in the first round, connections prepare their statements
				for _, citizen := range []string{somying, silent, approver, stranger} {
					o.Clock.Advance(25 * time.Hour)
					was, told, hashed := statements(), len(o.messages(t, "help.received")), allocated()
					f := form(citizen, helpdesk.Reset)
					f.Email = "asks@mail.example.com"
					r := must(desk.Send(from(t), f, here))(t)
					sent := must(desk.SendCode(from(t), r.ID, here, channel))(t)
					_, wrong := desk.Prove(from(t), r.ID, here, "0000000")
					stands := must(desk.Request(from(t), r.ID, here))(t)
					if !errors.Is(wrong, problem.Invalid) || len(sent.Reference) != 4 {
						t.Fatalf("%s: %+v, %v", citizen, sent, wrong)
					}
					if hashed = allocated() - hashed; hashed > hashSize {
						t.Errorf("%s: %d bytes were filled: a password was hashed", citizen, hashed)
					}
					costs[citizen] = cost{statements() - was, len(o.messages(t, "help.received")) - told,
						strings.Join([]string{string(sent.Stage), string(sent.SentBy), key(wrong), string(stands.Stage)}, "|")}
				}
			}
			for citizen, c := range costs {
				if c != costs[stranger] {
					t.Errorf("by %s: %s %+v, a stranger %+v", channel, citizen, c, costs[stranger])
				}
			}
			if o.DB.Engine() == store.Postgres && costs[stranger].statements == 0 {
				t.Error("no statement was counted")
			}
		}
	})
}

// allocated answers how many bytes the program has asked for so far.
func allocated() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

// hashSize is less than what one password hash fills; nothing else here comes near.
const hashSize = 16 << 20
