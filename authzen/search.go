package authzen

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/grant"
	"sitthi/person"
	"sitthi/program"
)

// mostResults is how many results one answer to a search holds at most, and when no limit is given.
const mostResults = 1000

// searched is the reason under which a search stands in the decision log; whether it found anything stands for yes.
const searched = "search"

// span is the part of all results that is wanted: those behind one, up to a limit.
type span struct {
	after string
	limit int
	mark  [16]byte // of the question, which must stay the same from page to page (§8.2)
}

// span reads the page object of a search; the parts are all that the search depends on.
func (r *reading) span(p *page, parts ...string) span {
	s := span{limit: mostResults, mark: fingerprint(parts)}
	if p == nil {
		return s
	}
	if p.Limit != nil {
		s.limit = int(min(*p.Limit, mostResults))
	}
	if p.Token == nil || *p.Token == "" {
		return s
	}
	raw, err := base64.RawURLEncoding.DecodeString(*p.Token)
	if err != nil || len(raw) < len(s.mark) {
		r.fail("page.token", "is none that was given out")
		return s
	}
	limit, n := binary.Uvarint(raw[len(s.mark):])
	switch {
	case n <= 0 || limit > mostResults:
		r.fail("page.token", "is none that was given out")
		return s
	case !bytes.Equal(raw[:len(s.mark)], s.mark[:]), p.Limit != nil && s.limit != int(limit):
		r.fail("page.token", "belongs to another search: nothing but the token may change from page to page")
		return s
	}
	s.limit, s.after = int(limit), string(raw[len(s.mark)+n:])
	return s
}

// fingerprint stands for the parts of a question.
func fingerprint(parts []string) (mark [16]byte) {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write(binary.AppendUvarint(nil, uint64(len(part))))
		sum.Write([]byte(part))
	}
	copy(mark[:], sum.Sum(nil))
	return mark
}

// next is the token for what comes behind a result.
func (s span) next(last string) string {
	raw := binary.AppendUvarint(s.mark[:], uint64(s.limit))
	return base64.RawURLEncoding.EncodeToString(append(raw, last...))
}

// found is the answer to a search: the results that fit, and whether there are more.
type found[T any] struct {
	list   []T
	more   bool
	reason reason // why there are none, when that can be said
}

// cut keeps of a list what fits.
func cut[T any](list []T, limit int) found[T] {
	if len(list) > limit {
		return found[T]{list: list[:limit], more: true}
	}
	return found[T]{list: list}
}

// append adds the answer to out: id names a result for the token, write adds one.
func (f found[T]) append(out []byte, s span, sentences map[reason]string, id func(T) string, write func([]byte, T) []byte) []byte {
	out = append(out, `{"page":{"next_token":"`...)
	if f.more {
		last := s.after
		if len(f.list) > 0 {
			last = id(f.list[len(f.list)-1])
		}
		out = append(out, s.next(last)...)
	}
	out = append(out, `","count":`...)
	out = strconv.AppendInt(out, int64(len(f.list)), 10)
	out = append(out, '}')
	if f.reason != "" {
		out = append(out, `,"context":{`...)
		out = append(out, sentences[f.reason]...)
		out = append(out, '}')
	}
	out = append(out, `,"results":[`...)
	for i, result := range f.list {
		if i > 0 {
			out = append(out, ',')
		}
		out = write(out, result)
	}
	return append(out, "]}"...)
}

func appendThing(out []byte, t thing) []byte {
	out = append(out, `{"type":"`...)
	out = append(out, t.kind...)
	out = append(out, `","id":"`...)
	out = append(out, t.id...)
	return append(out, `"}`...)
}

// written is a moment in a fingerprint; "" for now.
func written(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339Nano)
}

// subjects answers who may do something somewhere (§8.4).
func (d *Door) subjects(ctx context.Context, by asker, body, out []byte) ([]byte, error) {
	var s subjectSearch
	if err := parse(body, &s); err != nil {
		return out, err
	}
	r := reading{item: alone}
	kind, action, resource, moment := r.sort(s.Subject, "subject"), r.deed(s.Action), r.entity(s.Resource, "resource"), r.moment(s.Context)
	part := r.span(s.Page, "subject", kind, action, resource.kind, resource.id, written(moment))
	if r.err != nil {
		return out, r.err
	}
	var f found[person.ID]
	do, at, why := d.place(by, action, resource)
	switch {
	case why != "":
		f.reason = why
	case kind != officerType:
		f.reason = unknownSubject
	case moment.IsZero():
		f = cut(d.Book.Who(do, at, person.ID(part.after), part.limit+1), part.limit)
	default:
		list, err := d.Book.WhoAt(ctx, do, at, moment, person.ID(part.after), part.limit+1)
		if err != nil {
			return out, err
		}
		f = cut(list, part.limit)
	}
	d.note(by, program.Decision{Action: nameOf(do), Unit: at.Unit, Team: at.Team, Moment: moment, Allowed: len(f.list) > 0, Reason: searched})
	return f.append(out, part, d.sentences, func(who person.ID) string { return string(who) },
		func(out []byte, who person.ID) []byte { return appendThing(out, thing{officerType, string(who)}) }), nil
}

// resources answers where somebody may do something (§8.5): in which units as a whole, or in which groups.
func (d *Door) resources(ctx context.Context, by asker, body, out []byte) ([]byte, error) {
	var s resourceSearch
	if err := parse(body, &s); err != nil {
		return out, err
	}
	r := reading{item: alone}
	subject, action, kind, moment := r.entity(s.Subject, "subject"), r.deed(s.Action), r.sort(s.Resource, "resource"), r.moment(s.Context)
	part := r.span(s.Page, "resource", subject.kind, subject.id, action, kind, written(moment))
	if r.err != nil {
		return out, r.err
	}
	var f found[grant.Place]
	do, known := actionOf(action)
	who, met, err := d.find(ctx, subject)
	switch {
	case err != nil:
		return out, err
	case !known:
		f.reason = unknownAction
	case kind != unitType && kind != groupType:
		f.reason = unknownResource
	case !met:
		f.reason = unknownSubject
	default:
		list, err := d.where(ctx, who, do, moment)
		if err != nil {
			return out, err
		}
		f = cut(slices.DeleteFunc(list, func(at grant.Place) bool {
			return (at.Team != "") != (kind == groupType) || !by.May(do, at.Unit) || resourceOf(at).id <= part.after
		}), part.limit)
	}
	d.note(by, program.Decision{Subject: who, Action: nameOf(do), Moment: moment, Allowed: len(f.list) > 0, Reason: searched})
	return f.append(out, part, d.sentences, func(at grant.Place) string { return resourceOf(at).id },
		func(out []byte, at grant.Place) []byte { return appendThing(out, resourceOf(at)) }), nil
}

// where lists where somebody may do something, in the order of the resources' ids.
func (d *Door) where(ctx context.Context, who person.ID, do grant.Action, moment time.Time) (list []grant.Place, err error) {
	if moment.IsZero() {
		list = d.Book.Where(who, do)
	} else if list, err = d.Book.WhereAt(ctx, who, do, moment); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b grant.Place) int { return strings.Compare(resourceOf(a).id, resourceOf(b).id) })
	return list, nil
}

// actions answers what somebody may do somewhere (§8.6).
func (d *Door) actions(ctx context.Context, by asker, body, out []byte) ([]byte, error) {
	var s actionSearch
	if err := parse(body, &s); err != nil {
		return out, err
	}
	r := reading{item: alone}
	subject, resource, moment := r.entity(s.Subject, "subject"), r.entity(s.Resource, "resource"), r.moment(s.Context)
	part := r.span(s.Page, "action", subject.kind, subject.id, resource.kind, resource.id, written(moment))
	if r.err != nil {
		return out, r.err
	}
	var f found[string]
	at, known := placeOf(resource)
	if known = known && d.exists(at); !known {
		at = grant.Place{}
	}
	who, met, err := d.find(ctx, subject)
	switch {
	case err != nil:
		return out, err
	case !known:
		f.reason = unknownResource
	case !slices.ContainsFunc(program.Actions, func(a program.Action) bool { return by.May(a.Do, at.Unit) }):
		f.reason = outOfScope
	case !met:
		f.reason = unknownSubject
	default:
		list, err := d.may(ctx, who, at, moment)
		if err != nil {
			return out, err
		}
		var names []string
		for _, do := range list {
			if name := nameOf(do); name > part.after && by.May(do, at.Unit) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		f = cut(names, part.limit)
	}
	d.note(by, program.Decision{Subject: who, Unit: at.Unit, Team: at.Team, Moment: moment, Allowed: len(f.list) > 0, Reason: searched})
	return f.append(out, part, d.sentences, func(name string) string { return name },
		func(out []byte, name string) []byte {
			return append(append(append(out, `{"name":"`...), name...), `"}`...)
		}), nil
}

func (d *Door) may(ctx context.Context, who person.ID, at grant.Place, moment time.Time) ([]grant.Action, error) {
	if moment.IsZero() {
		return d.Book.May(who, at), nil
	}
	return d.Book.MayAt(ctx, who, at, moment)
}
