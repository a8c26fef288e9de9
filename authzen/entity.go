package authzen

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/program"
)

// The types of subjects and resources that Sitthi knows.
const (
	officerType = "officer" // by citizen ID or person id
	unitType    = "unit"    // by code
	groupType   = "group"   // by code of the unit, a slash and code of the group
)

// actionOf answers what an action's name stands for.
func actionOf(name string) (grant.Action, bool) {
	for _, a := range program.Actions {
		if a.Code == name {
			return a.Do, true
		}
	}
	return 0, false
}

// nameOf is the name of an action; "" for one that programs can not ask about.
func nameOf(do grant.Action) string {
	for _, a := range program.Actions {
		if a.Do == do {
			return a.Code
		}
	}
	return ""
}

// placeOf answers which place a resource would stand for; false for what can be none.
func placeOf(resource thing) (at grant.Place, ok bool) {
	switch resource.kind {
	case unitType:
		at.Unit = agency.Alias(resource.id)
		return at, mayBeCode(at.Unit)
	case groupType:
		unit, team, found := strings.Cut(resource.id, "/")
		at = grant.Place{Unit: agency.Alias(unit), Team: strings.ToUpper(strings.TrimSpace(team))}
		return at, found && mayBeCode(at.Unit) && mayBeCode(at.Team)
	}
	return grant.Place{}, false
}

// longestCode is how long a code of a unit or group can be (package agency).
const longestCode = 12

// mayBeCode reports whether a text has the form of a code.
func mayBeCode(s string) bool {
	if s == "" || len(s) > longestCode || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// resourceOf writes a place as the id of a resource.
func resourceOf(at grant.Place) thing {
	if at.Team == "" {
		return thing{unitType, at.Unit}
	}
	return thing{groupType, at.Unit + "/" + at.Team}
}

// mayBePersonal reports whether a text has the look of a citizen ID, or holds one.
func mayBePersonal(text string) bool {
	_, err := thai.Digits13(text)
	return err == nil || thai.HoldsCitizenID(text)
}

// uuidLength is how long a person id is.
const uuidLength = 36

// find answers the person that a subject stands for, and whether there is one.
func (d *Door) find(ctx context.Context, subject thing) (person.ID, bool, error) {
	if subject.kind != officerType {
		return "", false, nil
	}
	if len(subject.id) == uuidLength && uuid.Validate(subject.id) == nil {
		who := person.ID(strings.ToLower(subject.id))
		known, err := d.People.Known(ctx, who)
		if !known {
			who = ""
		}
		return who, known, err
	}
	citizen, err := thai.ParseCitizenID(subject.id)
	if err != nil && !errors.Is(err, thai.ErrCheckDigit) { // a setting may have let such an ID in
		return "", false, nil
	}
	return d.People.Find(ctx, citizen)
}
