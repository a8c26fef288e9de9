package authzen

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/program"
)

// TestScope lets a program ask only about what its token covers.
func TestScope(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		as := []string{"Authorization", "Bearer " + k.narrow}
		for _, c := range []struct {
			what, body string
			want       bool
			reason     string
		}{
			{"within", asks(considers, "consider", "unit", "TH-12"), true, "permitted"},
			{"another action", asks(approves, "approve", "unit", "TH-12"), false, "out_of_scope"},
			{"another unit", asks(inAll, "consider", "unit", "IWM"), false, "out_of_scope"},
			{"a group of another unit", asks(inTeam, "consider", "group", "IWM/G1"), false, "out_of_scope"},
			{"another unit in the past", asks(inAll, "consider", "unit", "IWM", `,"context":{"at":"2026-11-01T00:00:00Z"}`), false, "out_of_scope"},
			{"another unit, explained", asks(inAll, "consider", "unit", "IWM", `,"context":{"explain":true}`), false, "out_of_scope"},
			{"whether somebody is known", asks(stranger, "consider", "unit", "IWM"), false, "out_of_scope"},
		} {
			r := k.post(t, evaluationPath, c.body, as...).wants(t, http.StatusOK)
			if r.at("decision") != c.want || r.at("context.reason") != c.reason || !c.want && (r.at("context.grant") != nil || r.at("context.person") != nil || r.at("context.conditions") != nil) {
				t.Errorf("%s: %s", c.what, r.body)
			}
		}
		for _, at := range []string{"", `,"context":{"at":"2026-11-23T03:00:00Z"}`} {
			for _, c := range []struct{ path, body, want string }{
				{subjectPath, `{"subject":{"type":"officer"},"action":{"name":"consider"},"resource":{"type":"unit","id":"TH-12"}`, string(k.who[considers])},
				{subjectPath, `{"subject":{"type":"officer"},"action":{"name":"approve"},"resource":{"type":"unit","id":"TH-12"}`, ""},
				{subjectPath, `{"subject":{"type":"officer"},"action":{"name":"consider"},"resource":{"type":"unit","id":"IWM"}`, ""},
				{resourcePath, `{"subject":{"type":"officer","id":"` + considers + `"},"action":{"name":"consider"},"resource":{"type":"unit"}`, "TH-12"},
				{resourcePath, `{"subject":{"type":"officer","id":"` + inAll + `"},"action":{"name":"consider"},"resource":{"type":"unit"}`, ""},
				{resourcePath, `{"subject":{"type":"officer","id":"` + inAll + `"},"action":{"name":"consider"},"resource":{"type":"group"}`, ""},
				{resourcePath, `{"subject":{"type":"officer","id":"` + approves + `"},"action":{"name":"approve"},"resource":{"type":"unit"}`, ""},
				{actionPath, `{"subject":{"type":"officer","id":"` + considers + `"},"resource":{"type":"unit","id":"TH-12"}`, "consider"},
				{actionPath, `{"subject":{"type":"officer","id":"` + approves + `"},"resource":{"type":"unit","id":"TH-12"}`, ""},
				{actionPath, `{"subject":{"type":"officer","id":"` + inAll + `"},"resource":{"type":"unit","id":"IWM"}`, ""},
			} {
				r := k.post(t, c.path, c.body+at+"}", as...).wants(t, http.StatusOK)
				if got := strings.Join(r.ids(), " "); got != c.want {
					t.Errorf("%s %s%s found %q, want %q", c.path, c.body, at, got, c.want)
				}
			}
		}
	})
}

// TestMoments asks about other moments: what was done later does not count, and the future is as things stand now.
func TestMoments(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		given := k.Clock.Now()
		k.later(t, 48*time.Hour)
		_, err := k.book.Revoke(t.Context(), k.who[chief12], k.rights[considers].ID, grant.Ending{Reason: "ย้าย", LeavesNone: true})
		check(t, err)
		k.later(t, 48*time.Hour)
		for moment, want := range map[string]struct {
			yes    bool
			reason string
		}{
			"": {false, "no_right"},
			given.Add(-time.Hour).Format(time.RFC3339):                      {false, "no_account"},
			given.Add(24 * time.Hour).In(thai.Bangkok).Format(time.RFC3339): {true, "permitted"},
			given.Add(72 * time.Hour).Format(time.RFC3339Nano):              {false, "ended"},
			"2027-01-01T00:00:00.5+07:00":                                   {false, "ended"},
		} {
			about := ""
			if moment != "" {
				about = `,"context":{"at":"` + moment + `"}`
			}
			r := k.post(t, evaluationPath, asks(considers, "consider", "unit", "TH-12", about)).wants(t, http.StatusOK)
			if r.at("decision") != want.yes || r.at("context.reason") != want.reason {
				t.Errorf("at %q: %s", moment, r.body)
			}
			search := k.post(t, subjectPath, `{"subject":{"type":"officer"},"action":{"name":"consider"},"resource":{"type":"unit","id":"TH-12"}`+about+`}`).wants(t, http.StatusOK)
			if slices.Contains(search.ids(), string(k.who[considers])) != want.yes {
				t.Errorf("at %q: found %v", moment, search.ids())
			}
			actions := k.post(t, actionPath, `{"subject":{"type":"officer","id":"`+considers+`"},"resource":{"type":"unit","id":"TH-12"}`+about+`}`).wants(t, http.StatusOK)
			if slices.Contains(actions.ids(), "consider") != want.yes {
				t.Errorf("at %q: may %v", moment, actions.ids())
			}
			units := k.post(t, resourcePath, `{"subject":{"type":"officer","id":"`+considers+`"},"action":{"name":"consider"},"resource":{"type":"unit"}`+about+`}`).wants(t, http.StatusOK)
			if slices.Contains(units.ids(), "TH-12") != want.yes {
				t.Errorf("at %q: may in %v", moment, units.ids())
			}
		}
		for _, at := range []string{`"tomorrow"`, `"2026-11-05"`, `"2026-11-05T09:00:00"`, `"2026-13-05T09:00:00Z"`, `"2026-11-05 09:00:00Z"`, `1762309200`, `""`, `"0001-01-01T00:00:00Z"`, `"0001-01-01T07:00:00+07:00"`, `"0000-12-31T17:00:00-07:00"`} {
			for path, body := range map[string]string{
				evaluationPath: asks(considers, "consider", "unit", "TH-12", `,"context":{"at":`+at+`}`),
				subjectPath:    `{"subject":{"type":"officer"},"action":{"name":"consider"},"resource":{"type":"unit","id":"TH-12"},"context":{"at":` + at + `}}`,
			} {
				k.post(t, path, body).wants(t, http.StatusBadRequest)
			}
		}
		k.post(t, evaluationPath, asks(considers, "consider", "unit", "TH-12", `,"context":{"explain":"yes"}`)).wants(t, http.StatusBadRequest)
	})
}

// TestExplain tells a program every condition, with person ids and without what people wrote.
func TestExplain(t *testing.T) {
	k := newKit(t)
	r := k.post(t, evaluationPath, asks(considers, "consider", "unit", "TH-12", `,"context":{"explain":true}`)).wants(t, http.StatusOK).
		says(t, "decision", true).says(t, "context.grant", k.rights[considers].ID).says(t, "context.person", string(k.who[considers]))
	given := false
	for i := range r.count("context.conditions") {
		at := fmt.Sprintf("context.conditions.%d.", i)
		r.says(t, at+"met", "yes").says(t, at+"reason", "permitted")
		given = given || r.at(at+"condition") == "right" && r.at(at+"deed.act") == "grant.give" && r.at(at+"deed.by") == string(k.who[chief12])
	}
	if !given {
		t.Errorf("who gave the right is not told: %s", r.body)
	}
	for _, secret := range []string{considers, "สมชาย", "ใจดี"} {
		if strings.Contains(r.body, secret) {
			t.Errorf("the answer tells %s: %s", secret, r.body)
		}
	}
	k.post(t, evaluationPath, asks(considers, "consider", "unit", "NONE", `,"context":{"explain":true}`)).wants(t, http.StatusOK).
		says(t, "decision", false).says(t, "context.reason", "unknown_resource")
	k.post(t, evaluationPath, asks(inTeam, "consider", "group", "IWM/G2", `,"context":{"explain":true}`)).wants(t, http.StatusOK).says(t, "decision", false)
}

// TestDecisionLog finds every answer in the log of decisions, and nothing in it that a program made up.
func TestDecisionLog(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		const id = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
		at := `,"context":{"at":"2026-11-01T00:00:00Z"}`
		k.post(t, evaluationPath, asks(considers, "consider", "unit", "12"), "X-Request-ID", id)
		k.post(t, evaluationPath, asks(stranger, "approve", "group", "IWM/G1", at), "X-Request-ID", "case "+stranger+"/1")
		k.post(t, evaluationPath, asks(stranger, "สมชาย", "unit", "TH-12"))
		k.post(t, evaluationPath, asks(stranger, "consider", "unit", stranger))
		k.post(t, evaluationPath, asks(considers, "consider", "unit", "Somchai"))
		k.post(t, evaluationPath, asks(considers, "consider", "unit", "Somchai"), "Authorization", "Bearer "+k.narrow)
		k.post(t, actionPath, `{"subject":{"type":"officer","id":"`+considers+`"},"resource":{"type":"unit","id":"Somchai"}}`)
		k.post(t, evaluationPath, asks(inAll, "consider", "unit", "IWM"), "Authorization", "Bearer "+k.narrow)
		k.post(t, evaluationsPath, `{"evaluations":[`+asks(inAll, "consider", "group", "IWM/G2")+`,`+asks(inTeam, "consider", "group", "IWM/G2")+`]}`)
		k.post(t, subjectPath, `{"subject":{"type":"officer"},"action":{"name":"consider"},"resource":{"type":"unit","id":"TH-12"}}`)
		k.post(t, evaluationPath, "{") // no answer
		var got []string
		for _, d := range k.noted(t) {
			moment := ""
			if !d.Moment.IsZero() {
				moment = " at " + d.Moment.Format(time.DateOnly)
			}
			got = append(got, fmt.Sprintf("%s %s %s %s/%s%s: %v %s %s", d.Program, k.name(string(d.Subject)), d.Action, d.Unit, d.Team, moment, d.Allowed, d.Reason, k.name(d.Grant)))
			if !d.At.Equal(k.Clock.Now()) || d.Request == "" {
				t.Errorf("%+v", d)
			}
			if d.Action == "consider" && d.Unit == "TH-12" && d.Reason == "permitted" && d.Request != id {
				t.Errorf("the request is called %s", d.Request)
			}
			if strings.Contains(d.Request, stranger) {
				t.Errorf("a citizen ID got into the log as the name of a request: %s", d.Request)
			}
		}
		want := []string{
			"wide considers consider TH-12/: true permitted right of considers",
			"wide - approve IWM/G1 at 2026-11-01: false unknown_subject -",
			"wide -  /: false unknown_action -",
			"wide - consider /: false unknown_resource -",
			"wide - consider /: false unknown_resource -",
			"narrow - consider /: false unknown_resource -",
			"wide considers  /: false search -",
			"narrow - consider IWM/: false out_of_scope -",
			"wide inAll consider IWM/G2: true permitted right of inAll",
			"wide inTeam consider IWM/G2: false other_group right of inTeam",
			"wide - consider TH-12/: true search -",
		}
		for i, line := range got {
			for name, id := range map[string]string{"wide": k.wideID, "narrow": k.narrowID} {
				line = strings.Replace(line, id, name, 1)
			}
			got[i] = line
		}
		if !equalSets(got, want) {
			t.Errorf("the log holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// noted writes out what was noted, and reads it again.
func (k *kit) noted(t *testing.T) (list []program.Decision) {
	t.Helper()
	over, end := context.WithCancel(t.Context())
	end()
	check(t, k.decisions.Run(over)) // writes what waits
	check(t, k.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
		list, err = store.Rows(func(row store.Row) (d program.Decision, err error) {
			return d, row.Scan(store.At(&d.At), &d.Program, &d.Request, &d.Subject, &d.Action, &d.Unit, &d.Team, store.At(&d.Moment), &d.Allowed, &d.Reason, &d.Grant)
		})(tx.Query(t.Context(), `SELECT at, program_id, request, person_id, action, unit, team, moment, allowed, reason, grant_id FROM decisions`))
		return err
	}))
	return list
}

// name tells who or what an id is.
func (k *kit) name(id string) string {
	if id == "" {
		return "-"
	}
	for name, digits := range map[string]string{"considers": considers, "inAll": inAll, "inTeam": inTeam} {
		if string(k.who[digits]) == id {
			return name
		}
		if k.rights[digits].ID == id {
			return "right of " + name
		}
	}
	return id
}

// TestStaleMemory gives no answer when the memory may hold what was ended meanwhile.
func TestStaleMemory(t *testing.T) {
	k := newKit(t)
	mine := asks(considers, "consider", "unit", "TH-12")
	k.Clock.Advance(5 * time.Second)
	r := k.post(t, evaluationPath, mine).wants(t, http.StatusServiceUnavailable)
	if r.header.Get("Retry-After") == "" {
		t.Error("it is not told when to ask again")
	}
	check(t, k.book.CatchUp(t.Context()))
	k.post(t, evaluationPath, mine).wants(t, http.StatusServiceUnavailable)
	check(t, k.programs.CatchUp(t.Context()))
	k.post(t, evaluationPath, mine).wants(t, http.StatusOK)
}

// TestGone takes it for no fault of ours when a program does not wait for its answer.
func TestGone(t *testing.T) {
	k := newKit(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(gone, http.MethodPost, evaluationPath, strings.NewReader(asks(stranger, "consider", "unit", "TH-12")))
	r.Header.Set("Authorization", "Bearer "+k.token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	k.door.Handler().ServeHTTP(w, r)
	if w.Code != statusGone || strings.Contains(k.log.String(), "level=ERROR") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, k.log)
	}
}

// TestEnded shows that a right is gone with the next request once it was ended, and a token once it was revoked.
func TestEnded(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		mine := asks(considers, "consider", "unit", "TH-12")
		k.post(t, evaluationPath, mine).says(t, "decision", true)
		_, err := k.book.Revoke(t.Context(), k.who[chief12], k.rights[considers].ID, grant.Ending{Reason: "ย้าย", LeavesNone: true})
		check(t, err)
		k.post(t, evaluationPath, mine).says(t, "decision", false)
		check(t, k.programs.Revoke(t.Context(), string(k.who[admin1]), k.wideID, "เลิกใช้"))
		k.post(t, evaluationPath, mine).wants(t, http.StatusUnauthorized)
	})
}

// TestFaults answers with a reference when the database fails, tells nothing more, and keeps personal data out of the
// program's log.
func TestFaults(t *testing.T) {
	k := newKit(t)
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `ALTER TABLE persons RENAME TO lost`)
		return err
	})
	r := k.post(t, evaluationPath, asks(stranger, "consider", "unit", "TH-12")).wants(t, http.StatusInternalServerError)
	if !strings.Contains(r.body, r.header.Get("X-Request-ID")) || strings.Contains(r.body, "sql") {
		t.Errorf("the answer is %q", r.body)
	}
	k.post(t, evaluationPath, `{"subject":{"type":"officer","id":"`+considers+`"}`)
	k.post(t, evaluationPath, asks(considers, "consider", "unit", "TH-12"), "Authorization", "Bearer wrong-"+considers, "X-Request-ID", considers)
	log := k.log.String()
	if !strings.Contains(log, "status=500") || !strings.Contains(log, "status=400") || !strings.Contains(log, "status=401") || !strings.Contains(log, "program="+k.wideID) {
		t.Errorf("the log lacks what was not answered:\n%s", log)
	}
	for _, secret := range []string{considers, stranger, k.token, "wrong-"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %s:\n%s", secret, log)
		}
	}
}

// TestMetrics counts requests by path and status.
func TestMetrics(t *testing.T) {
	k := newKit(t)
	k.post(t, evaluationPath, asks(considers, "consider", "unit", "TH-12"))
	k.post(t, evaluationPath, "{")
	w := httptest.NewRecorder()
	k.metrics.Handler(k.door.Log).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`sitthi_http_request_seconds_count{method="POST",route="POST /access/v1/evaluation",status="200"} 1`,
		`sitthi_http_request_seconds_count{method="POST",route="POST /access/v1/evaluation",status="400"} 1`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// TestWords has a sentence in both languages for every reason, and none without a reason.
func TestWords(t *testing.T) {
	for r, name := range words {
		if r == "" || name.TH == "" || name.EN == "" {
			t.Errorf("%s: %+v", r, name)
		}
	}
	for _, r := range []grant.Reason{
		grant.Permitted, grant.NoRight, grant.OtherGroup, grant.OtherLevel, grant.NotYet, grant.Ended, grant.NoAccount, grant.AccountOff,
		grant.AccountUnknown, grant.NotConfirmed, grant.NotSeconded, grant.UnknownPlace, grant.Locked,
	} {
		if _, ok := words[reasonOf(r)]; !ok {
			t.Errorf("no words for %s", r)
		}
	}
}

// FuzzRequests feeds the door what no program would send: it answers 200 with JSON or 400 with a sentence, and what
// it answers 200 to says no to everyone but who has the right.
func FuzzRequests(f *testing.F) {
	k := newKit(f)
	for _, body := range []string{
		asks(considers, "consider", "unit", "TH-12"), asks("๓๙๙๐๐๐๐๐๐๐๒๐๑", "consider", "group", "IWM/G1", `,"context":{"at":"2026-11-05T09:00:00+07:00","explain":true}`),
		`{"evaluations":[{},{"subject":{}},null],"options":{"evaluations_semantic":"deny_on_first_deny"},"action":{"name":"approve"}}`,
		`{"subject":{"type":"officer","id":[1]},"page":{"token":"AAAA","limit":1e3}}`, `{"a":{"a":{"a":[[[[]]]]}}}`, "\x00", `{"subject":{"type":"\ud83d"}}`,
	} {
		f.Add(body)
	}
	handler := k.door.Handler()
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{evaluationPath, evaluationsPath, subjectPath, resourcePath, actionPath} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+k.token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			switch w.Code {
			case http.StatusOK:
				var answer map[string]any
				if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
					t.Errorf("%s %q: %v\n%s", path, body, err, w.Body)
				}
			case http.StatusBadRequest:
				if strings.TrimSpace(w.Body.String()) == "" {
					t.Errorf("%s %q: no reason", path, body)
				}
			default:
				t.Errorf("%s %q: %d %s", path, body, w.Code, w.Body)
			}
		}
	})
}
