package authzen

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/decisiontable"
	"sitthi/internal/storetest"
	"sitthi/person"
)

// TestDecisions holds the door to the table of decisions that the rules and the pages are held to: each question by
// citizen ID, by person id and, all of them together, in batches; those about the present also without a moment.
func TestDecisions(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := emptyKit(t, env)
		table := decisiontable.Load(t, "../grant/testdata/decisions.csv")
		people := table.Play(t, decisiontable.World{
			DB: env.DB, Clock: env.Clock, Roll: k.roll, Book: k.book, Agencies: k.agencies, Admins: [2]person.ID{k.who[admin1], k.who[admin2]},
		})
		check(t, k.programs.CatchUp(t.Context()))

		var batch []string
		for _, q := range table.Questions {
			kind, place := unitType, q.At.Unit
			if q.At.Team != "" {
				kind, place = groupType, q.At.Unit+"/"+q.At.Team
			}
			at := `,"context":{"at":` + strconv.Quote(q.Moment.Format(time.RFC3339)) + `}`
			citizen := table.People[q.Person].Citizen.Dashed()
			batch = append(batch, asks(citizen, q.Action, kind, place, at))
			ask := func(what string, exact bool, body string) {
				t.Helper()
				r := k.post(t, evaluationPath, body)
				got, _ := r.at("context.reason").(string)
				if r.status != http.StatusOK || r.at("decision") != q.Want || exact && got != wanted(q, people[q.Person]) {
					t.Errorf("%s, %s: %d %s; want %v, %s", q, what, r.status, r.body, q.Want, q.Reason)
				}
			}
			ask("by citizen ID", true, asks(citizen, q.Action, kind, place, at))
			ask("with all conditions", true, asks(citizen, q.Action, kind, place, strings.Replace(at, "}", `,"explain":true}`, 1)))
			if who := people[q.Person]; who != "" {
				ask("by person id", true, asks(string(who), q.Action, kind, place, at))
			}
			if q.Moment.Equal(table.Now) {
				ask("of the present", false, asks(citizen, q.Action, kind, place))
			}
		}
		r := k.post(t, evaluationsPath, `{"evaluations":[`+strings.Join(batch, ",")+`]}`)
		for i, q := range table.Questions {
			list, _ := r.at("evaluations").([]any)
			if len(list) != len(table.Questions) {
				t.Fatalf("%d answers to %d questions: %s", len(list), len(table.Questions), r.body)
			}
			if one, _ := list[i].(map[string]any); one["decision"] != q.Want {
				t.Errorf("%s, in a batch: %v", q, one)
			}
		}
	})
}

// wanted is the reason of the table as the door gives it: a place that there is not is an unknown resource, and whom
// nobody ever named an unknown subject. Bangkok's own code stands for the division that acts for it.
func wanted(q decisiontable.Question, who person.ID) string {
	switch {
	case who == "":
		return string(unknownSubject)
	case agency.Alias(q.At.Unit) != q.At.Unit:
		return string(grant.NoRight)
	case q.Reason == grant.UnknownPlace:
		return string(unknownResource)
	}
	return string(q.Reason)
}
