package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"sitthi/internal/problem"
	"sitthi/signin"
	"sitthi/web/views"
)

// passkeyRoutes are the addresses that passkeys need. Asking for something to sign is for web/static/js/passkey.js; what
// was signed comes with a form like any other.
func (s *Server) passkeyRoutes() []Route {
	return []Route{
		{Pattern: "POST /officer/passkey/ask", Access: Open, Handle: s.askPasskey},
		{Pattern: "POST /officer/login/passkey", Access: Open, Handle: s.signInPasskey},
		{Pattern: "POST " + securityPath + "/passkeys/begin", Access: SignedIn, StepUp: true, Handle: s.beginPasskey},
		{Pattern: "GET " + securityPath + "/passkeys/new", Access: SignedIn, Handle: s.passkeyForm},
		{Pattern: "POST " + securityPath + "/passkeys", Access: SignedIn, StepUp: true, Handle: s.addPasskey},
		{Pattern: "GET " + securityPath + "/passkeys/{passkey}/remove", Access: SignedIn, Handle: s.removePasskeyForm},
		{Pattern: "POST " + securityPath + "/passkeys/{passkey}/remove", Access: SignedIn, StepUp: true, Handle: s.removePasskey},
	}
}

// The fields in which a passkey's answer comes.
const (
	passkeyField   = "passkey"
	challengeField = "passkey_challenge"
)

// signed is the answer of a passkey in a form; ok is false when none is in it.
func signed(form map[string][]string, passkey, challenge string) (a signin.Signed, ok bool) {
	if list := form[passkey]; len(list) > 0 {
		a.Response = list[0]
	}
	if list := form[challenge]; len(list) > 0 {
		a.Challenge = list[0]
	}
	return a, a.Response != ""
}

// askPasskey answers with something to sign, for the purpose that a page names.
func (s *Server) askPasskey(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var c signin.Challenge
	var err error
	browser, of := s.browser(w, r), r.PostForm.Get("of")
	switch purpose := r.PostForm.Get("for"); {
	case purpose == "signin":
		c, err = s.SignIn.AskSignIn(r.Context(), browser)
	case purpose == "factor":
		c, err = s.SignIn.AskFactor(r.Context(), of, browser)
	case purpose == "reset":
		c, err = s.SignIn.AskReset(r.Context(), of, browser)
	case purpose == "stepup" && v.Session != nil:
		c, err = s.SignIn.AskStepUp(r.Context(), *v.Session, browser)
	case purpose == "new" && v.Session != nil:
		c, err = s.SignIn.AskNewPasskey(r.Context(), *v.Session, browser)
	default:
		return problem.New(problem.NotFound, "signin.problem.no_challenge")
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write challenge: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("send challenge: %w", err)
	}
	return nil
}

// signInPasskey opens the session of the owner of a passkey.
func (s *Server) signInPasskey(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.SignInPage{Next: nextPage(r.PostForm.Get("next"))}
	answer, _ := signed(r.PostForm, passkeyField, challengeField)
	opened, err := s.SignIn.SignInPasskey(r.Context(), answer, s.comes(r, v))
	if err == nil {
		return s.opened(w, r, v, opened, page.Next)
	}
	if errors.Is(err, problem.Locked) {
		return s.lockedOut(w, r, v, opened)
	}
	status, faults, ok := v.mend(w, err)
	if errors.Is(err, problem.NotFound) {
		status, faults, ok = http.StatusUnprocessableEntity, []views.FieldError{{Text: v.Tell(err)}}, true
	}
	if !ok {
		return err
	}
	return s.showSignIn(w, r, v, status, page, faults)
}

// beginPasskey asks for the proof first: what follows needs the hand on the device.
func (s *Server) beginPasskey(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.see(w, r, v, securityPath+"/passkeys/new", nil)
}

func (s *Server) passkeyForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showPasskeyForm(w, r, v, http.StatusOK, "", nil)
}

func (s *Server) showPasskeyForm(w http.ResponseWriter, r *http.Request, v *Visit, status int, name string, faults []views.FieldError) error {
	if !s.SignIn.Passkeys() {
		return s.see(w, r, v, securityPath, nil)
	}
	p := v.Page("security.passkey_title")
	p.Narrow, p.Problems = true, faults
	p.Crumbs = securityCrumbs(v)
	return s.show(w, r, v, status, p, views.PasskeyNew(p, name, s.guided(v)))
}

func (s *Server) addPasskey(w http.ResponseWriter, r *http.Request, v *Visit) error {
	name := r.PostForm.Get("name")
	answer, _ := signed(r.PostForm, passkeyField, challengeField)
	recovery, err := s.SignIn.AddPasskey(r.Context(), *v.Session, s.cookie(r, browserCookie), cmp.Or(name, v.T("security.passkey")), answer)
	if err == nil {
		return s.factorAdded(w, r, v, recovery, "security.passkey_added")
	}
	status, faults, ok := v.mend(w, err)
	if errors.Is(err, problem.NotFound) {
		status, faults, ok = http.StatusUnprocessableEntity, []views.FieldError{{Text: v.Tell(err)}}, true
	}
	if !ok {
		return err
	}
	return s.showPasskeyForm(w, r, v, status, name, faults)
}

func (s *Server) removePasskeyForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	factors, err := s.SignIn.Factors(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	for _, k := range factors.Passkeys {
		if k.ID == r.PathValue("passkey") {
			return s.showRemove(w, r, v, "security.passkey_remove_title", views.FactorRemovePage{
				Action: securityPath + "/passkeys/" + k.ID + "/remove", What: k.Name,
				Last: factors.App.IsZero() && len(factors.Passkeys) == 1,
			})
		}
	}
	return problem.New(problem.NotFound, "signin.problem.no_passkey")
}

func (s *Server) removePasskey(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.SignIn.RemovePasskey(r.Context(), *v.Session, r.PathValue("passkey"), s.needsFactor(v)); err != nil {
		return err
	}
	return s.see(w, r, v, securityPath, v.Notice(views.NoticeOK, "security.removed"))
}
