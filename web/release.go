//go:build !testhooks

package web

// hookRoutes are of the testhooks build alone.
func (s *Server) hookRoutes() []Route { return nil }
