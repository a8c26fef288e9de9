package web

import (
	"net/http"

	"sitthi/web/views"
)

// linkRoutes are the page that the help desk's link to a new password opens. Showing it does nothing, for programs look
// into mail before people do; pressing its button binds the link to the browser and goes on to the new password.
func (s *Server) linkRoutes() []Route {
	return []Route{
		{Pattern: "GET /officer/passreset/link", Access: Open, Handle: s.showLink},
		{Pattern: "POST /officer/passreset/link", Access: Open, Handle: s.openLink},
	}
}

func (s *Server) showLink(w http.ResponseWriter, r *http.Request, v *Visit) error {
	p := v.Page("reset.link_title")
	p.Path, p.Narrow = "/officer/passreset/link", true // the token stands in no further address
	return s.show(w, r, v, http.StatusOK, p, views.ResetLink(p, r.URL.Query().Get("t")))
}

func (s *Server) openLink(w http.ResponseWriter, r *http.Request, v *Visit) error {
	reset, err := s.SignIn.OpenLink(r.Context(), r.PostForm.Get("t"), s.browser(w, r), v.Lang)
	if err != nil {
		return err
	}
	return s.see(w, r, v, "/officer/passreset/"+reset.ID, nil)
}
