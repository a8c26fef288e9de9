package inprocess

import (
	"testing"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"

	"sitthi/bench/world"
	"sitthi/grant"
)

// casbinModel is RBAC with domains as casbin's advice for many rules has it: a few roles that all domains share, and
// people linked to them in a domain. A domain is a unit or a group; what holds in a unit holds in its groups. The cheap
// comparison stands first.
const casbinModel = `
[request_definition]
r = sub, unit, dom, act

[policy_definition]
p = sub, act

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.act == p.act && (g(r.sub, p.sub, r.unit) || g(r.sub, p.sub, r.dom))
`

func newCasbin(b *testing.B, w *world.World) *casbin.CachedEnforcer {
	b.Helper()
	m, err := model.NewModelFromString(casbinModel)
	world.OK(b, err)
	e, err := casbin.NewCachedEnforcer(m)
	world.OK(b, err)
	for _, row := range grant.Levels {
		_, err := e.AddPolicy("may "+row.Code, row.Code)
		world.OK(b, err)
	}
	links := make([][]string, 0, len(w.Rights))
	for _, r := range w.Rights {
		links = append(links, []string{string(r.Who), "may " + r.Does, domain(r.At)})
	}
	_, err = e.AddGroupingPolicies(links)
	world.OK(b, err)
	return e
}

// domain is a place in one word, as AuthZEN names it.
func domain(at grant.Place) string {
	if at.Team == "" {
		return at.Unit
	}
	return at.Unit + "/" + at.Team
}

// casbinQuestion holds the values in the boxes that Enforce wants, so that boxing them is not measured.
func casbinQuestion(q world.Question) []any {
	return []any{string(q.Who), q.At.Unit, domain(q.At), q.Does}
}
