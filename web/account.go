package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sitthi/dossier"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/web/views"
)

const (
	profilePath = "/officer/profile"
	acceptPath  = "/officer/terms/accept"
	dataPath    = "/officer/profile/data"
	closePath   = "/officer/profile/close"
)

// accountRoutes are the pages on which an officer sees to his own account.
func (s *Server) accountRoutes() []Route {
	return []Route{
		{Pattern: "GET " + acceptPath, Access: SignedIn, Handle: s.newTerms},
		{Pattern: "POST " + acceptPath, Access: SignedIn, Handle: s.acceptTerms},
		{Pattern: "GET " + dataPath, Access: SignedIn, Handle: s.ownData},
		{Pattern: "POST " + dataPath, Access: SignedIn, StepUp: true, Handle: s.readOwnData},
		{Pattern: "GET " + closePath, Access: SignedIn, Handle: s.closeAccountForm},
		{Pattern: "POST " + closePath, Access: SignedIn, StepUp: true, Handle: s.closeAccount},
		{Pattern: "POST /officer/profile/notices", Access: SignedIn, Handle: s.setNotices},
		{Pattern: "GET /officer/profile/edit", Access: SignedIn, Handle: s.profileForm},
		{Pattern: "POST /officer/profile/edit", Access: SignedIn, StepUp: true, Handle: s.changeProfile},
		{Pattern: "GET /officer/profile/contact/{channel}", Access: SignedIn, Handle: s.contactForm},
		{Pattern: "POST /officer/profile/contact/{channel}", Access: SignedIn, StepUp: true, Handle: s.startContact},
		{Pattern: "GET /officer/profile/change/{change}", Access: SignedIn, Handle: s.contactStep},
		{Pattern: "POST /officer/profile/change/{change}", Access: SignedIn, StepUp: true, Handle: s.proveNewContact},
		{Pattern: "POST /officer/profile/change/{change}/resend", Access: SignedIn, Handle: s.resendNewContact},
	}
}

// profileCrumbs lead back to the profile.
func profileCrumbs(v *Visit) []views.Crumb {
	return []views.Crumb{{Label: v.T("officer.profile"), Href: profilePath}}
}

// profileForm is the form in which an officer changes what needs no code.
func (s *Server) profileForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	profile, err := s.Officers.Profile(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	a := profile.Account
	form := officer.ProfileForm{Position: a.Position, Unit: a.Unit, LineID: a.LineID, Version: a.Version}
	return s.showProfileForm(w, r, v, http.StatusOK, form, nil)
}

func (s *Server) showProfileForm(w http.ResponseWriter, r *http.Request, v *Visit, status int, form officer.ProfileForm, faults []views.FieldError) error {
	offices, err := s.offices(r, v)
	if err != nil {
		return err
	}
	p := v.Page("account.edit")
	p.Narrow, p.Problems, p.Crumbs = true, faults, profileCrumbs(v)
	return s.show(w, r, v, status, p, views.ProfileForm(p, form, v.Session.Account.Name(), offices))
}

// changeProfile keeps what the officer says about himself. Who was overtaken by another change sees his own words again,
// on top of the account as it is now.
func (s *Server) changeProfile(w http.ResponseWriter, r *http.Request, v *Visit) error {
	form := officer.ProfileForm{
		Position: r.PostForm.Get(officer.FieldPosition), Unit: r.PostForm.Get(officer.FieldUnit), LineID: r.PostForm.Get(officer.FieldLineID),
	}
	var err error
	if form.Version, err = strconv.ParseInt(r.PostForm.Get("version"), 10, 64); err != nil {
		return problem.New(problem.Invalid, "problem.form")
	}
	err = s.Officers.ChangeProfile(r.Context(), v.Session.Person, form)
	if errors.Is(err, problem.Conflict) {
		profile, lost := s.Officers.Profile(r.Context(), v.Session.Person)
		if lost != nil {
			return lost
		}
		form.Version = profile.Account.Version
		return s.showProfileForm(w, r, v, http.StatusConflict, form, []views.FieldError{{Text: v.Tell(err)}})
	}
	if err != nil {
		status, faults, ok := v.mend(w, err)
		if !ok {
			return err
		}
		return s.showProfileForm(w, r, v, status, form, faults)
	}
	notice := v.Notice(views.NoticeOK, "account.saved")
	if form.Unit != v.Session.Account.Unit {
		notice = v.Notice(views.NoticeOK, "account.saved_office")
	}
	return s.see(w, r, v, profilePath, notice)
}

// contactChannels are the contacts that can be changed, as they stand in addresses.
var contactChannels = map[string]notify.Channel{"email": notify.Email, "phone": notify.SMS}

// channelOf reads which contact an address is about.
func channelOf(r *http.Request) (notify.Channel, error) {
	channel, ok := contactChannels[r.PathValue("channel")]
	if !ok {
		return "", problem.New(problem.NotFound, "problem.notfound")
	}
	return channel, nil
}

// owner is who changes a contact here. Without a browser token there is no change in this browser to be found.
func (s *Server) owner(r *http.Request, v *Visit) officer.Owner {
	return officer.Owner{Person: v.Session.Person, Session: v.Session.ID, Browser: s.cookie(r, browserCookie)}
}

func (s *Server) contactForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	channel, err := channelOf(r)
	if err != nil {
		return err
	}
	return s.showContactForm(w, r, v, http.StatusOK, channel, "", nil)
}

func (s *Server) showContactForm(w http.ResponseWriter, r *http.Request, v *Visit, status int, channel notify.Channel, typed string, faults []views.FieldError) error {
	p := v.Page("account.change_" + officer.ContactField(channel))
	p.Narrow, p.Problems, p.Crumbs = true, faults, profileCrumbs(v)
	return s.show(w, r, v, status, p, views.ContactForm(p, channel, v.Session.Account, typed))
}

// startContact sends a code to the new contact.
func (s *Server) startContact(w http.ResponseWriter, r *http.Request, v *Visit) error {
	channel, err := channelOf(r)
	if err != nil {
		return err
	}
	typed := r.PostForm.Get(officer.ContactField(channel))
	by := s.owner(r, v)
	by.Browser = s.browser(w, r)
	change, err := s.Officers.StartContact(r.Context(), by, channel, typed)
	if err == nil {
		return s.see(w, r, v, contactPath(change.ID), nil)
	}
	status, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	return s.showContactForm(w, r, v, status, channel, typed, faults)
}

func contactPath(id string) string { return "/officer/profile/change/" + id }

// contactStep asks for the code that was sent to the new contact.
func (s *Server) contactStep(w http.ResponseWriter, r *http.Request, v *Visit) error {
	change, err := s.Officers.ContactChange(r.Context(), s.owner(r, v), r.PathValue("change"))
	if err != nil {
		return err
	}
	return s.showContactStep(w, r, v, http.StatusOK, change, "", nil)
}

func (s *Server) showContactStep(w http.ResponseWriter, r *http.Request, v *Visit, status int, change officer.ContactChange, code string, faults []views.FieldError) error {
	if change.Done {
		return s.see(w, r, v, profilePath, nil)
	}
	p := v.Page("account.change_" + officer.ContactField(change.Channel))
	p.Narrow, p.Problems, p.Crumbs = true, faults, profileCrumbs(v)
	return s.show(w, r, v, status, p, views.ContactCode(p, change, code))
}

// proveNewContact takes the code.
func (s *Server) proveNewContact(w http.ResponseWriter, r *http.Request, v *Visit) error {
	code := r.PostForm.Get(officer.FieldCode)
	change, err := s.Officers.ProveContact(r.Context(), s.owner(r, v), r.PathValue("change"), code)
	if err == nil {
		return s.see(w, r, v, profilePath, v.Notice(views.NoticeOK, "account.changed_"+officer.ContactField(change.Channel)))
	}
	return s.contactAgain(w, r, v, code, err)
}

// resendNewContact sends another code.
func (s *Server) resendNewContact(w http.ResponseWriter, r *http.Request, v *Visit) error {
	change, err := s.Officers.ResendContact(r.Context(), s.owner(r, v), r.PathValue("change"))
	if err == nil {
		return s.see(w, r, v, contactPath(change.ID), v.Notice(views.NoticeOK, "officer.code_sent_again"))
	}
	return s.contactAgain(w, r, v, "", err)
}

// contactAgain shows the step again with what is wrong and what was typed.
func (s *Server) contactAgain(w http.ResponseWriter, r *http.Request, v *Visit, code string, err error) error {
	status, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	change, lost := s.Officers.ContactChange(r.Context(), s.owner(r, v), r.PathValue("change"))
	if lost != nil {
		return lost
	}
	return s.showContactStep(w, r, v, status, change, code, faults)
}

// termsFirst leads who has not accepted the terms in force to them before anything opens that is not open to everyone.
func (s *Server) termsFirst(w http.ResponseWriter, r *http.Request, v *Visit, route Route) error {
	if v.Session == nil || route.Access == Open || route.Access == DemoOnly || strings.HasSuffix(route.Pattern, acceptPath) ||
		v.Session.Account.TermsVersion == s.Officers.TermsVersion() {
		return nil
	}
	if err := s.see(w, r, v, acceptPath+"?"+url.Values{"next": {v.path}}.Encode(), nil); err != nil {
		return err
	}
	return errAnswered
}

// newTerms shows the terms to who has accepted others.
func (s *Server) newTerms(w http.ResponseWriter, r *http.Request, v *Visit) error {
	next := nextPage(r.URL.Query().Get("next"))
	if v.Session.Account.TermsVersion == s.Officers.TermsVersion() { // accepted already, perhaps in another window
		return s.see(w, r, v, next, nil)
	}
	return s.showNewTerms(w, r, v, http.StatusOK, next, nil)
}

func (s *Server) showNewTerms(w http.ResponseWriter, r *http.Request, v *Visit, status int, next string, faults []views.FieldError) error {
	sections, err := s.Officers.Terms(v.Lang)
	if err != nil {
		return err
	}
	p := v.Page("account.terms")
	p.Subtitle = v.T("officer.terms_version", "version", s.Officers.TermsVersion())
	p.Narrow, p.Problems = true, faults
	return s.show(w, r, v, status, p, views.NewTerms(p, s.Officers.TermsVersion(), next, sections))
}

// acceptTerms keeps the version that was read, and goes on to where the reader was going.
func (s *Server) acceptTerms(w http.ResponseWriter, r *http.Request, v *Visit) error {
	next := nextPage(r.PostForm.Get("next"))
	err := s.Officers.AcceptTerms(r.Context(), v.Session.Person, r.PostForm.Get(officer.FieldTerms))
	if err == nil {
		return s.see(w, r, v, next, v.Notice(views.NoticeOK, "account.terms_accepted"))
	}
	status, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	return s.showNewTerms(w, r, v, status, next, faults)
}

// closeAccountForm shows what it brings with it to close the account.
func (s *Server) closeAccountForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showCloseAccount(w, r, v, http.StatusOK, false, nil)
}

func (s *Server) showCloseAccount(w http.ResponseWriter, r *http.Request, v *Visit, status int, sure bool, faults []views.FieldError) error {
	leaving, err := s.Book.Leaving(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	page := views.ClosePage{Stays: leaving.LastAdministrators, Sure: sure}
	if leaving.Rights > 0 {
		page.Effects = append(page.Effects, v.T("account.close_rights", "n", leaving.Rights))
	}
	for _, u := range leaving.NoHead {
		page.Effects = append(page.Effects, v.T("account.close_no_head", "unit", u.Name))
	}
	for _, u := range leaving.NoApprover {
		page.Effects = append(page.Effects, v.T("account.close_no_approver", "unit", u.Name))
	}
	if page.Stays {
		faults = nil // there is nothing to tick; the page says why the account stays
	}
	p := v.Page("account.close")
	p.Narrow, p.Problems, p.Crumbs = true, faults, profileCrumbs(v)
	return s.show(w, r, v, status, p, views.CloseAccount(p, page))
}

// closeAccount closes the account, and with it every session.
func (s *Server) closeAccount(w http.ResponseWriter, r *http.Request, v *Visit) error {
	sure := r.PostForm.Get(officer.FieldKnow) != ""
	err := s.Officers.Close(r.Context(), v.Session.Person, sure)
	if err != nil {
		status, faults, ok := v.mend(w, err)
		if !ok {
			return err
		}
		return s.showCloseAccount(w, r, v, status, sure, faults)
	}
	s.dropCookie(w, sessionCookie)
	v.Session = nil
	return s.see(w, r, v, "/officer/login", v.Notice(views.NoticeOK, "account.closed"))
}

// ownData tells what an officer can have of his own data, and asks before it is read.
func (s *Server) ownData(w http.ResponseWriter, r *http.Request, v *Visit) error {
	p := v.Page("account.data")
	p.Narrow, p.Crumbs = true, profileCrumbs(v)
	return s.show(w, r, v, http.StatusOK, p, views.OwnData(p, nil))
}

// readOwnData hands out all that is stored about who asks: as a page, or as a file for other programs. It is recorded, so
// it is a POST.
func (s *Server) readOwnData(w http.ResponseWriter, r *http.Request, v *Visit) error {
	format := "page"
	if r.PostForm.Get("format") == "json" {
		format = "json"
	}
	file, err := s.Dossiers.Read(r.Context(), v.Session.Person, format)
	if err != nil {
		return err
	}
	if format == "json" {
		text, err := json.MarshalIndent(file, "", "  ")
		if err != nil {
			return fmt.Errorf("write own data: %w", err)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="sitthi-my-data.json"`)
		_, err = w.Write(text)
		return err
	}
	units, err := s.unitNames(r, v)
	if err != nil {
		return err
	}
	p := v.Page("account.data")
	p.Narrow, p.Crumbs = true, profileCrumbs(v)
	return s.show(w, r, v, http.StatusOK, p, views.OwnData(p, v.dossierSections(file, units)))
}

// mostRecords is how many records of one kind the page shows; the file holds all.
const mostRecords = 50

// dossierSections puts a dossier into words.
func (v *Visit) dossierSections(f dossier.Dossier, units map[string]string) []views.DossierSection {
	var list []views.DossierSection
	for _, s := range f.Sections {
		section := views.DossierSection{Title: v.T("account.section." + s.Name)}
		records := s.Records
		if len(records) > mostRecords {
			records, section.More = records[:mostRecords], v.T("account.data_more", "n", len(s.Records)-mostRecords)
		}
		for _, record := range records {
			var rows []views.SummaryRow
			if s.Name == "account" { // the one record of its kind
				rows = append(rows, views.SummaryRow{Term: v.T("officer.citizen_id"), Value: f.CitizenID})
			}
			for _, field := range record {
				rows = append(rows, views.SummaryRow{Term: v.T("account.field." + field.Name), Value: v.dossierValue(s.Name, field, units)})
			}
			section.Records = append(section.Records, rows)
		}
		list = append(list, section)
	}
	return list
}

// dossierValue is a fact as people read it. Codes of the program that have no word stand as they are stored.
func (v *Visit) dossierValue(section string, f dossier.Field, units map[string]string) string {
	text := fmt.Sprint(f.Value)
	switch value := f.Value.(type) {
	case time.Time:
		return v.moment(value)
	case int64:
		if f.Name == "level" {
			return grant.Level(value).Row().Name.In(v.Lang)
		}
	}
	switch f.Name {
	case "agent":
		return v.browserName(text)
	case "unit":
		return cmp.Or(units[text], text)
	case "phone":
		return thai.Mobile(text).National()
	case "purpose":
		return cmp.Or(notify.Title(text, v.Lang), text)
	}
	for _, key := range []string{
		"account.value." + section + "." + f.Name + "." + text, "account.value." + f.Name + "." + text,
		"log.act." + text, "appoint." + f.Name + "_" + text, "decision." + f.Name + "." + text, "program." + f.Name + "." + text,
	} {
		if v.server.catalog.Has(key) {
			return v.T(key)
		}
	}
	return text
}

// setNotices keeps by which channels the officer gets ordinary notices.
func (s *Server) setNotices(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var chosen []notify.Channel
	for _, c := range r.PostForm[officer.FieldNotices] {
		chosen = append(chosen, notify.Channel(c))
	}
	err := s.Officers.SetNotices(r.Context(), v.Session.Person, chosen)
	if lines, ok := v.Problems(err); ok {
		return s.showProfile(w, r, v, http.StatusUnprocessableEntity, chosen, lines)
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, profilePath+"#notices", v.Notice(views.NoticeOK, "account.notices_saved"))
}

// noticeOptions are the channels that an officer can choose, each with his contact.
func (v *Visit) noticeOptions(a officer.Account) []views.Option {
	contacts := map[notify.Channel]string{notify.Email: string(a.Email), notify.SMS: a.Phone.National()}
	var options []views.Option
	for _, c := range a.Proved() {
		options = append(options, views.Option{Value: string(c), Label: v.T("messages.channel."+string(c)) + " " + contacts[c]})
	}
	return options
}
