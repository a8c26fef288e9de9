package authzen

import (
	"context"
	"errors"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/person"
	"sitthi/program"
)

// evaluation answers one question (§6).
func (d *Door) evaluation(ctx context.Context, by asker, body, out []byte) ([]byte, error) {
	var t tuple
	if err := parse(body, &t); err != nil {
		return out, err
	}
	q, err := t.complete(alone)
	if err != nil {
		return out, err
	}
	v, err := d.decide(ctx, by, q)
	if err != nil {
		return out, err
	}
	return v.append(out, d.sentences), nil
}

// evaluations answers several questions at once (§7), or one, when the array of them is absent or empty.
func (d *Door) evaluations(ctx context.Context, by asker, body, out []byte) ([]byte, error) {
	var b batch
	if err := parse(body, &b); err != nil {
		return out, err
	}
	questions, ends, single, err := b.questions()
	if err != nil {
		return out, err
	}
	if !single {
		out = append(out, `{"evaluations":[`...)
	}
	for i, q := range questions {
		v, err := d.decide(ctx, by, q)
		if err != nil {
			return out, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = v.append(out, d.sentences)
		if ends.after(v.allowed) {
			break
		}
	}
	if !single {
		out = append(out, "]}"...)
	}
	return out, nil
}

// decide answers a question and notes the answer in the decision log.
func (d *Door) decide(ctx context.Context, by asker, q question) (verdict, error) {
	v, do, at, err := d.weigh(ctx, by, q)
	if err != nil {
		return verdict{}, err
	}
	d.note(by, program.Decision{
		Subject: v.person, Action: nameOf(do), Unit: at.Unit, Team: at.Team, Moment: q.at,
		Allowed: v.allowed, Reason: string(v.reason), Grant: v.grant,
	})
	return v, nil
}

// note adds what was answered to the decision log.
func (d *Door) note(by asker, a program.Decision) {
	a.At, a.Program, a.Request = d.Clock.Now(), by.ID, by.request
	d.Decisions.Note(a)
}

// weigh answers a question by the one rule of the book. What is not known, or not the caller's to ask about, is
// refused like anything else, with the reason. do and at are what was asked about, as far as it was understood.
func (d *Door) weigh(ctx context.Context, by asker, q question) (v verdict, do grant.Action, at grant.Place, err error) {
	do, at, why := d.place(by, q.action, q.resource)
	if why != "" {
		return verdict{reason: why}, do, at, nil
	}
	who, known, err := d.find(ctx, q.subject)
	if err != nil || !known {
		return verdict{reason: unknownSubject}, do, at, err
	}
	v, err = d.answer(ctx, who, do, at, q)
	return v, do, at, err
}

// answer asks the book: about the present its memory, about another moment or with all conditions the database.
func (d *Door) answer(ctx context.Context, who person.ID, do grant.Action, at grant.Place, q question) (v verdict, err error) {
	asked := grant.Question{Who: who, Do: do, At: at, Moment: q.at}
	var a grant.Answer
	switch {
	case q.explain:
		var e grant.Explanation
		e, err = d.Book.Explain(ctx, asked)
		if errors.Is(err, problem.NotFound) {
			return verdict{reason: unknownResource, person: who}, nil
		}
		if err == nil {
			v.conditions, err = tell(e)
		}
		a = e.Answer
	case q.at.IsZero():
		a = d.Book.Answer(who, do, at)
	default:
		a, err = d.Book.AnswerAt(ctx, asked)
	}
	v.allowed, v.reason, v.grant, v.person = a.Allowed, reasonOf(a.Reason), a.Grant.String(), who
	return v, err
}

// place understands an action and a resource, or answers why the program is told nothing about them.
func (d *Door) place(by asker, action string, resource thing) (do grant.Action, at grant.Place, why reason) {
	do, known := actionOf(action)
	if !known {
		return 0, grant.Place{}, unknownAction
	}
	at, known = placeOf(resource)
	switch {
	case !known || !d.exists(at):
		return do, grant.Place{}, unknownResource
	case !by.May(do, at.Unit):
		return do, at, outOfScope
	}
	return do, at, ""
}

// exists reports whether there is such a unit or group: what there is not must not get into the decision log, where
// any text could be somebody's name.
func (d *Door) exists(at grant.Place) bool {
	return d.Book.Answer("", grant.Administer, at).Reason != grant.UnknownPlace
}
