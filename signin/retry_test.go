package signin_test

import (
	"testing"

	"sitthi/audit"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/signin"
)

// loseEveryFirst has every transaction that writes to a table lose when it commits, and go through when it runs again: as
// if another had always been there first. Nothing in the program knows of it.
func (o *office) loseEveryFirst(t *testing.T) {
	t.Helper()
	o.write(t, func(tx *store.Tx) error {
		for _, statement := range []string{
			`CREATE SEQUENCE lost_commits`, // a sequence does not go back with the transaction
			`CREATE FUNCTION lose_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF current_setting('sitthi.counted', true) IS DISTINCT FROM 'yes' THEN
					PERFORM set_config('sitthi.counted', 'yes', true);
					IF nextval('lost_commits') % 2 = 1 THEN
						RAISE EXCEPTION 'lost' USING ERRCODE = '40001';
					END IF;
				END IF;
				RETURN NULL;
			END $$`,
			`DO $$ DECLARE one text; BEGIN
				FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
					EXECUTE format('CREATE CONSTRAINT TRIGGER lose_first AFTER INSERT OR UPDATE OR DELETE ON %I
						DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose_first()', one);
				END LOOP;
			END $$`,
		} {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// count answers how many rows a condition leaves, tables first.
func (o *office) count(t *testing.T, rows string) (n int) {
	t.Helper()
	o.read(t, `SELECT count(*) FROM `+rows, nil, &n)
	return n
}

// TestRetriedActsAreWholeAndSingle runs every act of signing in with each of its transactions lost at its first commit: what
// comes out is whole, serves, and was done once. On SQLite one writes at a time, so no commit is ever lost there.
func TestRetriedActsAreWholeAndSingle(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		if env.DB.Engine() != store.Postgres {
			return
		}
		o := open(t, env)
		ctx := t.Context()
		o.loseEveryFirst(t)
		lost := func() (n int) {
			o.read(t, `SELECT last_value FROM lost_commits`, nil, &n)
			return n
		}
		opens := func(name string, token string, sessions int) signin.Session {
			t.Helper()
			if token == "" {
				t.Fatalf("%s: no token", name)
			}
			s, err := o.desk.Session(ctx, token)
			if err != nil {
				t.Fatalf("%s: the token opens nothing: %v", name, err)
			}
			if n := o.count(t, "sessions WHERE ended_at IS NULL"); n != sessions {
				t.Errorf("%s: %d sessions are open, want %d", name, n, sessions)
			}
			return s
		}

		opened := o.enter(t, in())
		s := opens("SignIn", opened.Token, 1)
		if opened.DeviceToken == "" || o.count(t, "devices") != 1 {
			t.Errorf("SignIn: %d devices are known, its token %q", o.count(t, "devices"), opened.DeviceToken)
		}
		token, err := o.desk.StepUp(ctx, s, password)
		if err != nil {
			t.Fatal(err)
		}
		s = opens("StepUp", token, 1)

		secret, recovery := o.enrol(t, s)
		if len(recovery) == 0 || o.count(t, "recovery_codes") != len(recovery) {
			t.Errorf("ConfirmApp: %d codes shown, %d kept", len(recovery), o.count(t, "recovery_codes"))
		}
		flow := o.waits(t)
		opened, err = o.desk.SignInCode(ctx, flow, o.later(t, secret), atHere())
		if err != nil {
			t.Fatal(err)
		}
		s = opens("SignInCode", opened.Token, o.count(t, "sessions WHERE ended_at IS NULL"))
		if token, err = o.desk.StepUpCode(ctx, s, o.later(t, secret)); err != nil {
			t.Fatal(err)
		}
		opens("StepUpCode", token, o.count(t, "sessions WHERE ended_at IS NULL"))

		r := o.begin(t, somsak, notify.Email)
		if r, err = o.desk.ProveReset(ctx, r.ID, here, o.code(t, "reset.code")); err == nil {
			r, err = o.desk.ProveResetCode(ctx, r.ID, here, o.later(t, secret))
		}
		const another = "แดดออกที่บางกรวยเมื่อเช้านี้"
		if err == nil {
			r, err = o.desk.FinishReset(ctx, r.ID, here, another, another)
		}
		if err != nil || r.Step != signin.ResetDone {
			t.Fatalf("FinishReset: %+v, %v", r, err)
		}
		if n := o.count(t, "sessions WHERE ended_at IS NULL"); n != 0 {
			t.Errorf("FinishReset: %d sessions are still open", n)
		}

		env.Clock.Advance(officer.LockAfter)
		way := in()
		way.Password, way.Browser = another, lockBrowser
		locked := o.enter(t, way)
		locked, err = o.desk.SignInCode(ctx, locked.Flow, o.later(t, secret), way)
		if key(err) != "signin.problem.locked" || locked.Token != "" || locked.Activation == "" {
			t.Fatalf("SignInCode once locked: %+v, %v", locked, err)
		}
		a, err := o.desk.SendActivation(ctx, locked.Activation, lockBrowser, notify.Email)
		if err == nil {
			a, err = o.desk.ProveActivation(ctx, a.ID, lockBrowser, o.code(t, "activation.code"))
		}
		if err != nil || a.Step != signin.ActivationAsked || o.count(t, "activations WHERE asked_at IS NOT NULL") != 1 {
			t.Errorf("ProveActivation: %+v, %v", a, err)
		}

		sent := o.purposes(t)
		for purpose, want := range map[string]int{"reset.code": 1, "activation.code": 1, "signin.reset": 2} {
			if n := count(sent, purpose); n != want {
				t.Errorf("%s was sent %d times, want %d", purpose, n, want)
			}
		}
		done := map[string]int{}
		for _, e := range o.entries(t) {
			done[e.Name+" "+string(e.Outcome)]++
		}
		for act, want := range map[string]int{
			"signin.password": 2, "signin.open": 2, "signin.stepup": 2, "signin.app_begin": 1, "signin.app_add": 1,
			"signin.reset_factor": 1, "signin.reset_password": 1, "signin.locked": 1, "officer.ask_activation": 1,
		} {
			if n := done[act+" "+string(audit.Done)]; n != want {
				t.Errorf("%s is recorded %d times, want %d", act, n, want)
			}
		}
		if lost() < 20 {
			t.Errorf("only %d commits were counted: nothing was lost", lost())
		}
	})
}
