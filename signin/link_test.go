package signin_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/signin"
)

// link makes a link for somsak and answers its token.
func (o *office) link(t *testing.T, channel notify.Channel) string {
	t.Helper()
	var path string
	err := o.DB.Write(t.Context(), func(tx *store.Tx) (err error) {
		path, _, err = o.desk.NewLink(t.Context(), tx, o.who, channel)
		return err
	})
	token, found := strings.CutPrefix(path, signin.LinkPath+"?t=")
	if err != nil || !found || len(token) < 22 { // 22 letters of base64 hold 128 bits
		t.Fatalf("link %q, %v", path, err)
	}
	return token
}

// TestLink: the link of the help desk leads one browser to a new password, once, for as long as its channel allows.
func TestLink(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		ctx := t.Context()
		token := o.link(t, notify.Email)
		refused := func(what, token, browser string) {
			t.Helper()
			if _, err := o.desk.OpenLink(ctx, token, browser, locale.TH); !errors.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("no token", "", here)
		refused("half a token", token[:20], here)
		env.Clock.Advance(24*time.Hour - time.Second)
		first, err := o.desk.OpenLink(ctx, token, here, locale.TH)
		if err != nil || first.Step != signin.ResetPassword {
			t.Fatalf("the link leads to %q, %v", first.Step, err)
		}
		refused("another browser", token, "another browser")
		if _, err := o.desk.FinishReset(ctx, first.ID, "another browser", newPassword, newPassword); !errors.Is(err, problem.NotFound) {
			t.Errorf("the password from another browser: %v", err)
		}
		if _, err := o.desk.OpenLink(ctx, token, here, locale.TH); err != nil {
			t.Errorf("again in its own browser: %v", err)
		}
		if r, err := o.desk.FinishReset(ctx, first.ID, here, newPassword, newPassword); err != nil || r.Step != signin.ResetDone {
			t.Fatalf("setting the password leads to %q, %v", r.Step, err)
		}
		refused("once more", token, here)

		token = o.link(t, notify.SMS)
		env.Clock.Advance(10 * time.Minute)
		refused("after ten minutes", token, here)
		old := o.link(t, notify.Email)
		o.link(t, notify.Email)
		refused("the one before", old, here)
		token = o.link(t, notify.Email)
		o.set(t, "state = 'disabled'")
		refused("an account switched off", token, here)
		var kept int
		o.read(t, `SELECT count(*) FROM reset_links WHERE token_hash = $1 OR browser = $2`, []any{token, here}, &kept)
		if kept != 0 {
			t.Error("a token is kept as it is")
		}
	})
}

// TestLinkAtOnce: of sixteen browsers that open a link at the same moment one gets further.
func TestLinkAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		token := o.link(t, notify.Email)
		var group sync.WaitGroup
		var mu sync.Mutex
		opened := 0
		for i := range 16 {
			group.Go(func() {
				_, err := o.desk.OpenLink(t.Context(), token, strings.Repeat("b", i+1), locale.TH)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					opened++
				} else if !errors.Is(err, problem.NotFound) && !errors.Is(err, problem.Busy) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if opened != 1 {
			t.Errorf("%d browsers opened it", opened)
		}
	})
}
