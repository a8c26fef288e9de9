package web

import "slices"

// Routes lists every address of the door; what is not listed can not be reached.
func (s *Server) Routes() []Route {
	return slices.Concat(
		s.languageRoutes(),
		s.demoRoutes(),
		s.hookRoutes(),
		s.agencyRoutes(),
		s.dashboardRoutes(),
		s.portalRoutes(),
		s.cutoverRoutes(),
		s.officerRoutes(),
		s.accountRoutes(),
		s.securityRoutes(),
		s.passkeyRoutes(),
		s.resetRoutes(),
		s.linkRoutes(),
		s.helpRoutes(),
		s.casesRoutes(),
		s.lineRoutes(),
		s.thaidRoutes(),
		s.activationRoutes(),
		s.peopleRoutes(),
		s.rightsRoutes(),
		s.bulkRoutes(),
		s.importsRoutes(),
		s.storyRoutes(),
		s.logRoutes(),
		s.appointmentsRoutes(),
		s.whyRoutes(),
		s.programRoutes(),
		s.messagesRoutes(),
		s.decisionRoutes(),
		s.askingRoutes(),
	)
}
