package inprocess

import (
	"fmt"
	"testing"

	"github.com/cedar-policy/cedar-go"

	"sitthi/bench/world"
	"sitthi/grant"
)

// newCedar has one policy for each level and the people in roles, as Cedar's documentation models RBAC: the role of a
// level in a place is an entity that its holders are members of, and who has the role of a unit has those of its groups.
// cedar-go looks at every policy for every question, so there are as few as can be.
func newCedar(b *testing.B, w *world.World) (*cedar.PolicySet, cedar.EntityMap) {
	b.Helper()
	policies := cedar.NewPolicySet()
	for _, row := range grant.Levels {
		var p cedar.Policy
		world.OK(b, p.UnmarshalCedar(fmt.Appendf(nil, `permit (principal, action == Action::%q, resource) when { principal in resource.%s };`, row.Code, row.Code)))
		policies.Add(cedar.PolicyID(row.Code), &p)
	}
	entities := cedar.EntityMap{}
	place := func(at grant.Place) {
		roles := cedar.RecordMap{}
		for _, row := range grant.Levels {
			role := cedarRole(at, row.Code)
			roles[cedar.String(row.Code)] = role
			entities[role] = cedar.Entity{UID: role}
		}
		uid := cedar.NewEntityUID("Place", cedar.String(domain(at)))
		entities[uid] = cedar.Entity{UID: uid, Attributes: cedar.NewRecord(roles)}
	}
	for _, unit := range w.Units {
		place(grant.Place{Unit: unit})
		groups := w.Groups[unit]
		for _, group := range groups {
			place(grant.Place{Unit: unit, Team: group})
		}
		for _, row := range grant.Levels {
			var above []cedar.EntityUID
			for _, group := range groups {
				above = append(above, cedarRole(grant.Place{Unit: unit, Team: group}, row.Code))
			}
			role := cedarRole(grant.Place{Unit: unit}, row.Code)
			entities[role] = cedar.Entity{UID: role, Parents: cedar.NewEntityUIDSet(above...)}
		}
	}
	roles := map[cedar.EntityUID][]cedar.EntityUID{}
	for _, r := range w.Rights {
		who := cedar.NewEntityUID("Officer", cedar.String(r.Who))
		roles[who] = append(roles[who], cedarRole(r.At, r.Does))
	}
	for who, list := range roles {
		entities[who] = cedar.Entity{UID: who, Parents: cedar.NewEntityUIDSet(list...)}
	}
	return policies, entities
}

func cedarRole(at grant.Place, does string) cedar.EntityUID {
	return cedar.NewEntityUID("Role", cedar.String(domain(at)+" "+does))
}

func cedarQuestion(q world.Question) cedar.Request {
	return cedar.Request{
		Principal: cedar.NewEntityUID("Officer", cedar.String(q.Who)),
		Action:    cedar.NewEntityUID("Action", cedar.String(q.Does)),
		Resource:  cedar.NewEntityUID("Place", cedar.String(domain(q.At))),
	}
}
