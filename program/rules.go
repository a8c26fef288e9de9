package program

import (
	"slices"
	"strings"
	"time"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
)

// Action is something that programs ask about, under the code they know it by.
type Action struct {
	Code string
	Do   grant.Action
}

// Actions lists what programs can ask about: to act at each level, and to be head of a unit.
var Actions = actions()

func actions() (list []Action) {
	for _, row := range grant.Levels {
		list = append(list, Action{row.Code, row.Level.Do()})
	}
	return append(list, Action{"administer", grant.Administer})
}

// The most characters that a name and a reason may have.
const (
	MostName   = 100
	MostReason = 500
)

// check brings an order into the form that is kept, or says what is wrong with it.
func (o Order) check(now time.Time) (Order, error) {
	var c problem.Check
	name, err := thai.CleanLine(o.Name, MostName)
	switch {
	case err != nil:
		c.Fail("name", "program.problem.long", "most", MostName)
	case name == "":
		c.Fail("name", "program.problem.name")
	}
	person.CheckText(&c, "name", name)
	o.Name = name
	o.Scope.Units = choice(o.Scope.Units)
	o.Scope.Actions = choice(o.Scope.Actions)
	switch {
	case o.Scope.AllActions:
		o.Scope.Actions = nil
	case len(o.Scope.Actions) == 0:
		c.Fail("actions", "program.problem.actions")
	}
	for _, code := range o.Scope.Actions {
		if !slices.ContainsFunc(Actions, func(a Action) bool { return a.Code == code }) {
			c.Fail("actions", "program.problem.action", "code", code)
		}
	}
	switch {
	case o.Scope.AllUnits:
		o.Scope.Units = nil
	case len(o.Scope.Units) == 0:
		c.Fail("units", "program.problem.units")
	}
	if !o.LastDay.IsZero() && !o.LastDay.EndExclusive().After(now) {
		c.Fail("until", "program.problem.past")
	}
	return o, c.Err()
}

// choice sorts what was chosen, each once.
func choice(codes []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(codes)))
}

func checkReason(reason string) (string, error) {
	var c problem.Check
	reason, err := thai.CleanLine(reason, MostReason)
	switch {
	case err != nil:
		c.Fail("reason", "program.problem.long", "most", MostReason)
	case reason == "":
		c.Fail("reason", "program.problem.reason")
	}
	person.CheckText(&c, "reason", reason)
	return reason, c.Err()
}

// everything stands for all units or all actions where a list would be. An empty list is nothing.
const everything = "*"

func (s Scope) units() string   { return listed(s.AllUnits, s.Units) }
func (s Scope) actions() string { return listed(s.AllActions, s.Actions) }

func listed(all bool, codes []string) string {
	if all {
		return everything
	}
	return strings.Join(codes, " ")
}

func unlisted(text string) (all bool, codes []string) {
	if text == everything {
		return true, nil
	}
	return false, strings.Fields(text)
}
