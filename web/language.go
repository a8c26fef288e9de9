package web

import (
	"net/http"

	"sitthi/internal/locale"
)

func (s *Server) languageRoutes() []Route {
	return []Route{{Pattern: "POST /language", Access: Open, Handle: s.switchLanguage}}
}

// language is what the reader has chosen, and Thai until then: the department's pages are Thai, whatever language a
// browser was installed in.
func (s *Server) language(r *http.Request) locale.Lang {
	return locale.Parse(s.cookie(r, languageCookie))
}

// switchLanguage remembers the language chosen in the header and comes back to the page it was chosen on.
func (s *Server) switchLanguage(w http.ResponseWriter, r *http.Request, v *Visit) error {
	lang := locale.Parse(r.PostForm.Get("lang"))
	s.setCookie(w, languageCookie, string(lang), lasting)
	return s.see(w, r, v, localPath(r.PostForm.Get("back"), "/"), nil)
}
