package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/xuri/excelize/v2"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/web/views"
)

// asOf shows who could do what in a unit on a day (บัญชีสิทธิ์ ณ วันที่ …).
func (s *Server) asOf(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := onlyHeads(v); err != nil {
		return err
	}
	choices, err := s.Book.Choices(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	typed := r.URL.Query()
	p := v.Page("asof.title")
	p.Subtitle = v.T("asof.subtitle")
	p.Crumbs = rightsCrumbs(v, toRights(v))
	body := views.RosterPage{Action: asOfPath, Unit: typed.Get("unit"), Day: typed.Get("day")}
	for _, u := range choices.Units {
		body.Units = append(body.Units, views.Option{Value: u.Code, Label: u.Short.In(v.Lang)})
	}
	if body.Unit == "" && len(choices.Units) == 1 {
		body.Unit = choices.Units[0].Code
	}
	if body.Unit == "" {
		return s.show(w, r, v, http.StatusOK, p, views.Roster(p, body))
	}
	day, err := readAsOf(v, typed)
	if lines, ok := v.Problems(err); ok {
		p.Problems = lines
		return s.show(w, r, v, http.StatusUnprocessableEntity, p, views.Roster(p, body))
	}
	list, err := s.Book.AsOf(r.Context(), v.Session.Person, body.Unit, day)
	if err != nil {
		return err
	}
	s.fillRoster(v, &body, list)
	return s.show(w, r, v, http.StatusOK, p, views.Roster(p, body))
}

// readAsOf reads the day of a list; none is today.
func readAsOf(v *Visit, typed url.Values) (thai.Date, error) {
	var check problem.Check
	day := readDate(&check, "day", typed.Get("day"))
	if day.IsZero() {
		day = thai.DateOf(v.Now)
	}
	return day, check.Err()
}

// fillRoster puts a list into the reader's words.
func (s *Server) fillRoster(v *Visit, body *views.RosterPage, list grant.Roster) {
	body.Shown, body.Unit, body.Day = true, list.Unit.Code, list.Day.Numeric(string(v.Lang))
	body.Title, body.Office, body.Note = rosterTitle(v, list), list.Unit.Name.In(v.Lang), rosterNote(v, list)
	body.Empty = views.EmptyParams{Title: v.T("asof.none", "unit", list.Unit.Short), Text: v.T("asof.none_text"),
		Action: &views.ButtonLinkParams{Label: v.T("rights.history_of_unit"), Href: historyPath(list.Unit.Code), Icon: views.IconHistory}}
	body.Export = asOfPath + "/export.xlsx?" + url.Values{"unit": {list.Unit.Code}, "day": {body.Day}}.Encode()
	body.Count = v.T("asof.count", "n", len(list.Rights))
	body.Printed = v.T("asof.printed", "when", thai.Moment(list.Asked), "who", v.Session.Account.Name())
	for _, row := range append(list.Rights[:len(list.Rights):len(list.Rights)], list.Heads...) {
		title := groupTitle(v, list, row)
		if n := len(body.Groups); n == 0 || body.Groups[n-1].Title != title {
			body.Groups = append(body.Groups, views.RosterGroup{Title: title})
		}
		last := &body.Groups[len(body.Groups)-1]
		last.Rows = append(last.Rows, lineOf(v, list, row))
	}
	for _, head := range list.Heads {
		body.Head, body.HeadTitle = head.Name, headTitle(v, list.Unit, head.Kind)
	}
	if body.Head == "" {
		body.Head, body.HeadTitle = v.T("asof.nobody"), headName(v, list.Unit)
	}
}

// headTitle is how the head who signs is called.
func headTitle(v *Visit, u agency.Unit, kind grant.AppointmentKind) string {
	if kind == grant.Acting {
		return v.T("asof.acting", "head", headName(v, u))
	}
	return headName(v, u)
}

func rosterTitle(v *Visit, list grant.Roster) string {
	return v.T("asof.list", "day", list.Day)
}

// rosterNote says which moment of the day the list is for, and what it is made from.
func rosterNote(v *Visit, list grant.Roster) string {
	key := "asof.note_now"
	switch {
	case list.Moment.Before(list.Asked):
		key = "asof.note_past"
	case list.Moment.After(list.Asked):
		key = "asof.note_future"
	}
	return v.T(key, "day", list.Day, "when", thai.Moment(list.Asked))
}

func groupTitle(v *Visit, list grant.Roster, row grant.RosterRow) string {
	if row.Do == grant.Administer {
		return v.T("asof.heads")
	}
	title := v.T("asof.level", "level", levelName(v, grant.Level(row.Do)))
	switch {
	case row.Team != "":
		return title + " · " + row.TeamName.In(v.Lang)
	case list.Unit.HasTeams():
		return title + " · " + v.T("rights.whole_unit")
	}
	return title
}

func lineOf(v *Visit, list grant.Roster, row grant.RosterRow) views.RosterLine {
	l := views.RosterLine{
		Citizen: row.CitizenShown(), Name: row.Name, Position: row.Position, From: shortDate(v, thai.DateOf(row.From)), Until: untilWords(v, grant.Grant{Until: row.Until}),
		Order: row.Order, GivenBy: row.GivenBy, WhyNote: row.Name,
		Why: whyOf(row.Person, row.Do, grant.Place{Unit: list.Unit.Code, Team: row.Team}),
	}
	if row.Number > 0 {
		l.Number = strconv.FormatInt(row.Number, 10)
	}
	if list.Day != thai.DateOf(list.Asked) {
		l.Why += "&" + url.Values{"day": {list.Day.Numeric(string(v.Lang))}}.Encode()
	}
	return l
}

// asOfColumns head the columns of the file, as keys of texts.
var asOfColumns = []string{
	"asof.group", "rights.number", "rights.citizen", "rights.name", "rights.position", "rights.from", "rights.until", "rights.order", "asof.given_by",
}

// exportAsOf answers with the list as a workbook.
func (s *Server) exportAsOf(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := onlyHeads(v); err != nil {
		return err
	}
	day, err := readAsOf(v, r.URL.Query())
	if err != nil {
		return err
	}
	list, err := s.Book.ExportAsOf(r.Context(), v.Session.Person, r.URL.Query().Get("unit"), day, "xlsx")
	if err != nil {
		return err
	}
	file, err := drawRoster(v, list)
	if err != nil {
		return err
	}
	attachment(w, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "rights-"+list.Unit.Code+"-as-of-"+list.Day.String()+".xlsx")
	if _, err := w.Write(file); err != nil {
		return fmt.Errorf("send export: %w", err)
	}
	return nil
}

// drawRoster makes the workbook: office, day and moment above the rows, which are text.
func drawRoster(v *Visit, list grant.Roster) (drawn []byte, err error) {
	file := excelize.NewFile()
	defer func() {
		if closing := file.Close(); err == nil && closing != nil {
			err = fmt.Errorf("close export: %w", closing)
		}
	}()
	if err := fillRosterSheet(v, file, list); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	var out bytes.Buffer
	if err := file.Write(&out); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	return out.Bytes(), nil
}

func fillRosterSheet(v *Visit, file *excelize.File, list grant.Roster) error {
	stream, err := file.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	head, err := file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	text, err := file.NewStyle(&excelize.Style{CustomNumFmt: ptr("@")})
	if err != nil {
		return err
	}
	for i, width := range []float64{36, 8, 20, 28, 32, 14, 14, 24, 28} {
		if err := stream.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	n := 0
	add := func(style int, values ...string) error {
		n++
		cells := make([]any, len(values))
		for i, value := range values {
			cells[i] = excelize.Cell{StyleID: style, Value: value}
		}
		return stream.SetRow("A"+strconv.Itoa(n), cells)
	}
	columns := make([]string, len(asOfColumns))
	for i, key := range asOfColumns {
		columns[i] = v.T(key)
	}
	for _, line := range [][]string{{rosterTitle(v, list)}, {list.Unit.Name.In(v.Lang)}, {rosterNote(v, list)}, {}, columns} {
		if err := add(head, line...); err != nil {
			return err
		}
	}
	for _, row := range append(list.Rights[:len(list.Rights):len(list.Rights)], list.Heads...) {
		l := lineOf(v, list, row)
		citizen := row.Citizen.Digits()
		if row.Masked {
			citizen = row.Citizen.Mask()
		}
		until := ""
		if last, ok := row.LastDay(); ok {
			until = last.Numeric(string(v.Lang))
		}
		if err := add(text, groupTitle(v, list, row), l.Number, citizen, l.Name, l.Position, thai.DateOf(row.From).Numeric(string(v.Lang)), until, l.Order, l.GivenBy); err != nil {
			return err
		}
	}
	return stream.Flush()
}
