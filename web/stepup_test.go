package web

import (
	"net/http"
	"strings"
	"testing"
)

// withoutProof are the forms of people who have signed in that do not ask for the password or the second factor again:
// they only look, keep something for oneself, take something from oneself, or let nobody in.
var withoutProof = []string{
	"POST /officer/profile/language", "POST /officer/profile/notices", "POST /officer/profile/change/{change}/resend", "POST /officer/terms/accept",
	"POST /officer/profile/sessions/end", "POST /officer/profile/sessions/{session}/end", "POST /officer/security/sessions/others",
	"POST /officer/security/devices/forget",
	"POST /ko1/people/find", "POST /ko1/rights/{level}/find", "POST /ko1/rights/{level}/person", "POST /ko1/rights/{level}/many", "POST /ko1/deputies/person",
	"POST /admin/appointments/person", "POST /admin/imports", "POST /admin/log", "POST /log/decisions", "POST /why",
	"POST /help/cases/{ticket}/{act}", "POST /ko1/help/{plea}/refuse",
}

// TestActsAskForAProof holds every form to asking for a proof within five minutes (trust.md 5), but for those above.
func TestActsAskForAProof(t *testing.T) {
	free := map[string]bool{}
	for _, pattern := range withoutProof {
		free[pattern] = true
	}
	for _, route := range newKit(t).server.Routes() {
		if !strings.HasPrefix(route.Pattern, http.MethodPost+" ") || route.Access == Open || route.Access == DemoOnly {
			continue
		}
		if route.StepUp == free[route.Pattern] {
			t.Errorf("%s: asks for a proof: %v", route.Pattern, route.StepUp)
		}
		delete(free, route.Pattern)
	}
	for pattern := range free {
		t.Errorf("%s is no form of people who have signed in", pattern)
	}
}
