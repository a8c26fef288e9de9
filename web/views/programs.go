package views

import (
	"net/url"
	"slices"
)

// DecisionsPage is the log of what programs were answered, as an auditor or administrator reads it.
type DecisionsPage struct {
	Path                      string
	Filters                   url.Values // those that are set
	Programs, Units, Outcomes []Option
	CitizenID                 string // what was typed to find a person
	// Set says which filters are set, each with a link to the log without it.
	Set     []SummaryRow
	Answers []DecisionRow
	// Older and Newest are addresses of other pages; empty when there is none.
	Older, Newest string
}

// choice is one box of Choices.
type choice struct {
	Option
	number int // among all of its name
	ticked bool
}

type choiceGroup struct {
	label   string
	choices []choice
}

func choiceGroups(options []Option, ticked []string) []choiceGroup {
	var out []choiceGroup
	n := 0
	for _, g := range groups(options) {
		group := choiceGroup{label: g.label}
		for _, o := range g.options {
			group.choices = append(group.choices, choice{o, n, slices.Contains(ticked, o.Value)})
			n++
		}
		out = append(out, group)
	}
	return out
}
