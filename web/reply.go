package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/a-h/templ"

	"sitthi/web/views"
)

// drawings are buffers for whole pages, which are large enough to be worth keeping.
var drawings = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// show answers with a page. It is drawn whole before a byte is sent, so that a fault in it becomes an error page
// and not half a page. A script that asked for a dialog gets the page without its frame, one that asked for a grid
// or looks a person up gets the body alone.
func (s *Server) show(w http.ResponseWriter, r *http.Request, v *Visit, status int, p views.Page, body templ.Component) error {
	p.Answer = r.Method == http.MethodPost
	out := drawings.Get().(*bytes.Buffer)
	defer drawings.Put(out)
	page, err := draw(r, v, p, body, out)
	if err != nil {
		return err
	}
	if v.notice != nil && p.Notice == v.notice || v.faults != nil && len(p.Problems) > 0 {
		s.dropCookie(w, noticeCookie)
	}
	w.Header().Add("Vary", "X-Fragment")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	w.WriteHeader(status)
	if _, err := w.Write(page); err != nil {
		return fmt.Errorf("send page: %w", err)
	}
	return nil
}

// draw draws a page or a part of one, in out, filled with the form that was kept for it.
func draw(r *http.Request, v *Visit, p views.Page, body templ.Component, out *bytes.Buffer) ([]byte, error) {
	if v.kept != nil {
		p.Notice = v.Notice(views.NoticeInfo, "web.form_kept")
	}
	page := views.Layout(p, body)
	switch v.Fragment {
	case "dialog":
		page = views.Dialog(p, body)
	case "grid", "lookup":
		page = body
	}
	out.Reset()
	if err := page.Render(r.Context(), out); err != nil {
		return nil, fmt.Errorf("draw page: %w", err)
	}
	if v.kept == nil {
		return out.Bytes(), nil
	}
	if filled, ok := pour(out.Bytes(), *v.kept); ok {
		return filled, nil
	}
	v.kept, p.Notice = nil, v.Notice(views.NoticeWarn, "web.form_gone")
	return draw(r, v, p, body, out)
}

// see answers an act that is done: it leads to another page of this site, where the notice (nil for none) is told
// once. Within a dialog the script is told where to go.
func (s *Server) see(w http.ResponseWriter, r *http.Request, v *Visit, path string, notice *views.Notice) error {
	if notice != nil {
		if err := s.leaveNotice(w, r, v, sealedNotice{Notice: *notice}); err != nil {
			return err
		}
	}
	if v.Fragment == "dialog" {
		w.Header().Set("X-Location", path)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// seeAgain leads back to the page of a form that was refused, which tells what is wrong and holds what was typed. An answer
// to the form itself has no address: Back and the other language would lose it.
func (s *Server) seeAgain(w http.ResponseWriter, r *http.Request, v *Visit, path string, faults []views.FieldError, typed url.Values) error {
	if err := s.leaveNotice(w, r, v, sealedNotice{Faults: faults, Typed: typed}); err != nil {
		return err
	}
	w.Header().Del("Retry-After") // the page says it; no browser is to wait with the page
	return s.see(w, r, v, path, nil)
}
