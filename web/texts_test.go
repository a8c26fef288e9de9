package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/officer"
)

// written is a form with texts that people write and that are kept in the clear.
type written struct {
	route string // as it is registered
	texts string // the names of the texts
	by    string // who may send the form
	line  string // path and, after a blank, the rest of what is filled in
}

// writings are all texts that people write. A field for text that stands on a page is here or among read, or
// TestEveryPageIsWellMade fails.
var writings = []written{
	{"POST /officer/register", "position line_id", "", "/officer/register citizen_id=1990000000060&phone=086-111-2233&given_name=x&family_name=x&unit=TH-12&email=x@industry.example.go.th&password=ฝนตกที่บางกรวยเมื่อคืน&password_again=ฝนตกที่บางกรวยเมื่อคืน&terms=" + officer.TermsVersion},
	{"POST /officer/help", "name position", "", "/officer/help kind=reset&citizen_id=3990000000228&unit=TH-12&email=x@industry.example.go.th"},
	{"POST /officer/profile/edit", "position line_id", considers, "/officer/profile/edit unit=TH-12&version={version}"},
	{"POST /officer/security/passkeys", "name", considers, "/officer/security/passkeys passkey={}&passkey_challenge=x"},

	{"POST /ko1/rights/{level}", "order_number note", chief12, "/ko1/rights/consider unit=TH-12&citizen=3990000000228&confirmed=yes&form={form}"},
	{"POST /ko1/rights/{level}/many", "order_number note", chief12, "/ko1/rights/consider/many unit=TH-12&list=3990000000228&form={form}"},
	{"POST /ko1/grants/{grant}/change", "order_number note", chief12, "/ko1/grants/{grant}/change version=1"},
	{"POST /ko1/grants/{grant}/end", "reason", chief12, "/ko1/grants/{grant}/end leaves_none=yes"},
	{"POST /ko1/rights/waiting/{unit}/{person}", "reason", chief12, "/ko1/rights/waiting/TH-12/{waiting} answer=no"},
	{"POST /ko1/people/{request}/refuse", "reason", chief12, "/ko1/people/{activation}/refuse"},
	{"POST /ko1/deputies/new", "order_number note", chief12, "/ko1/deputies/new unit=TH-12&citizen=3990000000201&last_day=30/9/2570"},
	{"POST /ko1/help/{plea}/refuse", "reason", chief12, "/ko1/help/{plea}/refuse"},

	{"POST /help/cases/{ticket}/{act}", "note", agent1, "/help/cases/{ticket}/note"},
	{"POST /help/cases/{ticket}/{act}", "reason", agent1, "/help/cases/{ticket}/stop"},
	{"POST /help/cases/{ticket}/account/{act}", "reason", agent1, "/help/cases/{ticket}/account/unmask"},

	{"POST /people/{person}/unmask", "reason", auditor, "/people/{person}/unmask"},
	{"POST /admin/appointments/new", "order_number note", admin1, "/admin/appointments/new unit=TH-13&post=head&kind=regular&citizen=3990000000236"},
	{"POST /admin/appointments/{appointment}/decline", "reason", admin1, "/admin/appointments/{appointment}/decline"},
	{"POST /admin/appointments/{appointment}/end", "reason", admin1, "/admin/appointments/{head}/end leaves_none=yes"},
	{"POST /admin/head-rights/new", "order_number note", admin1, "/admin/head-rights/new appointment={head}&level=consider&form={form}"},
	{"POST /admin/grants/{grant}/decline", "reason", admin2, "/admin/grants/{proposed}/decline"},
	{"POST /admin/units/new", "name_th name_en short_th short_en", admin1, "/admin/units/new kind=division&code=NEW"},
	{"POST /admin/units/{unit}/name", "name_th name_en short_th short_en", admin1, "/admin/units/TH-12/name version=1"},
	{"POST /admin/units/{unit}/teams/new", "name_th name_en", admin1, "/admin/units/IWM/teams/new code=G9"},
	{"POST /admin/units/{unit}/teams/{team}/name", "name_th name_en", admin1, "/admin/units/IWM/teams/G1/name version=1"},
	{"POST /admin/programs/new", "name", admin1, "/admin/programs/new which=all&actions=approve"},
	{"POST /admin/programs/{program}/revoke", "reason", admin1, "/admin/programs/{program}/revoke"},
	{"POST /admin/announcements/new", "title_th title_en body_th body_en", admin1, "/admin/announcements/new place=public&from=1/12/2569"},
	{"POST /admin/announcements/{id}", "title_th title_en body_th body_en", admin1, "/admin/announcements/{announcement} version=1&place=public&from=1/12/2569"},
	{"POST /admin/cutover/new", "note_th note_en", admin1, "/admin/cutover/new owner=old&day=1/1/2575&hour=00:00"},
	{"POST /admin/imports", "source", admin1, ""},
	{"POST /admin/imports/{import}/cancel", "reason", admin1, "/admin/imports/{import}/cancel version={import_version}"},
	{"POST /admin/imports/{import}/lines/{line}/aside", "reason", admin1, "/admin/imports/{import}/lines/{wrong}/aside"},
}

// read are the fields for text that hold no prose, by name: what is typed is read as something, and an ID is sealed.
var read = strings.Fields(`citizen citizen_id list number
	given_name family_name contact receipt code stepup_code address link
	from to last_day until day time hour`)

// checkText sees that somebody has said of a field for text whether a citizen ID may stand in it.
func (r *reader) checkText(d *doc, action, name string) {
	r.t.Helper()
	if slices.Contains(read, name) {
		return
	}
	u, err := url.Parse(action)
	if err != nil {
		return // checkLink tells
	}
	route := routeOf(r.t, r.site, http.MethodPost, u.Path)
	for _, w := range writings {
		if w.route == route && slices.Contains(strings.Fields(w.texts), name) {
			return
		}
	}
	d.fault("%s takes the text %q: say in writings or in read whether it may hold a citizen ID", route, name)
}

// TestNoTextTakesACitizenID writes a citizen ID into every text that people write. The page says in the reader's
// language what is wrong, with what was typed, and nothing is kept.
func TestNoTextTakesACitizenID(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		own := theirs(t, k)
		own["head"], own["proposed"] = k.appointmentOf(t, chief12).ID, k.rightForChief(t).ID
		own["version"] = formValue(t, k.as(t, considers).get("/officer/profile/edit"), "version")
		admin := k.as(t, admin1)
		own["import"] = strings.TrimPrefix(admin.upload("/admin/imports", "old", "1-9900-00000-05-1.csv", []byte(messyFile)).wants(http.StatusSeeOther).location, "/admin/imports/")
		k.work(t)
		own["import_version"] = formValue(t, admin.get("/admin/imports/"+own["import"]+"/cancel"), "version")
		_, own["wrong"], _ = strings.Cut(lineAddress.FindString(admin.get("/admin/imports/"+own["import"]+"/lines?result=quarantined").body), "/lines/")
		admin.get("/admin/imports/"+own["import"]).wants(http.StatusOK, "1-9900-XXXXX-XX-1.csv")
		check(t, k.help.Look(t.Context(), k.who[agent1], own["ticket"]))
		browsers := map[string]*browser{"": k.visitor(t)}
		for _, w := range writings {
			if browsers[w.by] == nil {
				browsers[w.by] = k.as(t, w.by)
			}
		}
		before := k.state(t)
		for i, lang := range locale.Langs {
			typed := []string{"แทน 1-9900-00000-05-1 ตามคำสั่ง", "1990000000051"}[i]
			told := k.server.catalog.Text(lang, "problem.holds_citizen", nil)
			for _, w := range writings {
				b := browsers[w.by].in(lang)
				if w.line == "" {
					b.upload("/admin/imports", typed, "rights.csv", []byte(messyFile)).wants(http.StatusUnprocessableEntity, told, typed)
					continue
				}
				path, rest, _ := strings.Cut(own.fill(w.line), " ")
				form := must(url.ParseQuery(rest))(t)
				form.Set("form", store.NewID())
				for _, name := range strings.Fields(w.texts) {
					form.Set(name, "x")
				}
				for _, name := range strings.Fields(w.texts) {
					form.Set(name, typed)
					a, status := b.do(http.MethodPost, path, form), http.StatusUnprocessableEntity
					if strings.HasSuffix(w.route, "/many") { // a list is kept sealed, with the IDs on it, and shown again
						a, status = a.follow(), http.StatusOK
					}
					if a.status != status || !strings.Contains(a.body, told) || !strings.Contains(a.body, typed) {
						t.Errorf("%s %s, %s: status %d\n%s", lang, w.route, name, a.status, a.text())
					}
					form.Set(name, "x")
				}
			}
		}
		for table, sum := range k.state(t) {
			if table != "drafts" && before[table] != sum {
				t.Errorf("%s changed", table)
			}
		}
		check(t, k.DB.Read(t.Context(), func(tx *store.Tx) error {
			var n int
			err := tx.QueryRow(t.Context(), `SELECT count(*) FROM audit_texts WHERE text LIKE '%1-9900-00000-05-1%' OR text LIKE '%1990000000051%'`).Scan(&n)
			if n > 0 {
				t.Errorf("%d texts of the log hold it", n)
			}
			return err
		}))
	})
}
