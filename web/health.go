package web

import (
	"fmt"
	"net/http"
)

const (
	healthPath = "/healthz" // the program runs
	readyPath  = "/readyz"  // it can serve: the database is migrated, the rights are loaded
)

// quiet are the requests of probes and for files, which would drown the others in the log.
func quiet(pattern string) bool {
	switch pattern {
	case "GET " + healthPath, "GET " + readyPath, "GET " + staticPath:
		return true
	}
	return false
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) { s.plain(w, http.StatusOK, "ok") }

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.Ready(r.Context()); err != nil {
		s.Log.WarnContext(r.Context(), "not ready", "why", err)
		s.plain(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	s.plain(w, http.StatusOK, "ready")
}

func (s *Server) plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if _, err := fmt.Fprintln(w, text); err != nil {
		panic(http.ErrAbortHandler) // the asker has gone; let the connection go too
	}
}
