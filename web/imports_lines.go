package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/legacy"
	"sitthi/person"
	"sitthi/web/views"
)

// lineFilter reads which rows of an import are asked for; what is unknown is left out.
func lineFilter(q url.Values) (f legacy.LineFilter, kept url.Values) {
	kept = url.Values{}
	keep := func(name string, known bool) string {
		value := q.Get(name)
		if value == "" || !known {
			return ""
		}
		kept.Set(name, value)
		return value
	}
	f.Result = legacy.Result(keep("result", slices.Contains(legacy.Results, legacy.Result(q.Get("result")))))
	f.Kind = legacy.Kind(keep("kind", slices.Contains(legacy.Kinds, legacy.Kind(q.Get("kind")))))
	f.Reason = keep("reason", strings.HasPrefix(q.Get("reason"), "legacy.reason.") && len(q.Get("reason")) < 80)
	f.Aside = keep("aside", q.Get("aside") == "yes") != ""
	return f, kept
}

func (s *Server) importLines(w http.ResponseWriter, r *http.Request, v *Visit) error {
	id := r.PathValue("import")
	sight, err := s.Legacy.Import(r.Context(), v.Session.Person, id)
	if err != nil {
		return err
	}
	filter, query := lineFilter(r.URL.Query())
	if after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64); err == nil { // anything else is the first page
		filter.After = after
	}
	lines, next, err := s.Legacy.Lines(r.Context(), v.Session.Person, id, filter)
	if err != nil {
		return err
	}
	places, err := s.placesOf(r)
	if err != nil {
		return err
	}
	path := importPath(id) + "/lines"
	p := v.Page("imports.lines")
	p.Subtitle = sight.Source + " · " + sight.FileName
	p.Crumbs = importCrumbs(v, toImports(v), views.Crumb{Label: sight.Source, Href: importPath(id)})
	page := views.ImportLinesPage{Path: path, Result: string(filter.Result), Kind: string(filter.Kind), Reason: filter.Reason, Aside: filter.Aside,
		ExportXLSX: importPath(id) + "/export/xlsx?" + query.Encode(), ExportCSV: importPath(id) + "/export/csv?" + query.Encode()}
	for _, result := range legacy.Results {
		page.Results = append(page.Results, views.Option{Value: string(result), Label: v.T("imports.result_" + string(result))})
	}
	for _, kind := range legacy.Kinds {
		page.Kinds = append(page.Kinds, views.Option{Value: string(kind), Label: v.T("imports.kind_" + string(kind))})
	}
	seen := map[string]bool{}
	for _, c := range sight.Reasons {
		if c.Reason != "" && !seen[c.Reason] {
			seen[c.Reason] = true
			page.Reasons = append(page.Reasons, views.Option{Value: c.Reason, Label: v.text(c.Reason, anyOf(v))})
		}
	}
	for _, line := range lines {
		page.Lines = append(page.Lines, importLineOf(v, path, line, places))
	}
	if filter.After > 0 {
		page.First = path + "?" + query.Encode()
	}
	if next > 0 {
		query.Set("after", strconv.FormatInt(next, 10))
		page.Next = path + "?" + query.Encode()
	}
	return s.show(w, r, v, http.StatusOK, p, views.ImportLines(p, page))
}

// placesOf are the names of the units by code.
func (s *Server) placesOf(r *http.Request) (map[string]locale.Name, error) {
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return nil, err
	}
	names := make(map[string]locale.Name, len(units))
	for _, u := range units {
		names[u.Code] = u.Short
	}
	return names, nil
}

// importLineOf is one row of a file in a list.
func importLineOf(v *Visit, path string, l legacy.Line, places map[string]locale.Name) views.ImportLine {
	number := strconv.FormatInt(l.Line, 10)
	one := views.ImportLine{
		Line: number, Kind: v.T("imports.kind_" + string(l.Kind)), RowID: l.RowID, Citizen: citizenOf(l), Name: nameOf(l), Place: placeOfLine(v, l, places),
		Result: v.T("imports.result_" + string(l.Result)), ResultKind: resultKinds[l.Result], Reason: wordsOf(v, l.Reason), Href: path + "/" + number,
	}
	if row := l.Level.Row(); row.Code != "" {
		one.Level = levelName(v, l.Level)
	}
	switch {
	case l.AsideBy != "":
		one.Result, one.ResultKind, one.Note = v.T("imports.aside"), views.BadgeOff, l.AsideReason
	case l.CorrectedBy != "":
		one.Note = v.T("imports.corrected")
	}
	return one
}

// citizenOf is the citizen ID of a row, masked; what is none stands as it was written.
func citizenOf(l legacy.Line) string {
	if l.Citizen.IsZero() {
		return l.Fields["citizen_id"]
	}
	return l.Citizen.Mask()
}

func nameOf(l legacy.Line) string {
	return strings.TrimSpace(l.Fields["given_name"] + " " + l.Fields["family_name"])
}

func placeOfLine(v *Visit, l legacy.Line, places map[string]locale.Name) string {
	place := l.Fields["unit"]
	if name, ok := places[l.Unit]; ok {
		place = name.In(v.Lang)
	}
	if l.Team != "" {
		place += " · " + l.Team
	}
	return place
}

// lineNumber is the line of an address; anything that is no number is an absent row.
func lineNumber(r *http.Request) (int64, error) {
	line, err := strconv.ParseInt(r.PathValue("line"), 10, 64)
	if err != nil {
		return 0, problem.New(problem.NotFound, "legacy.row_unknown")
	}
	return line, nil
}

func (s *Server) importLine(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showLine(w, r, v, http.StatusOK, nil, nil)
}

// showLine shows one row; typed is what was typed into its form, with what is wrong with it.
func (s *Server) showLine(w http.ResponseWriter, r *http.Request, v *Visit, status int, typed url.Values, problems []views.FieldError) error {
	id := r.PathValue("import")
	number, err := lineNumber(r)
	if err != nil {
		return err
	}
	sight, err := s.Legacy.Import(r.Context(), v.Session.Person, id)
	if err != nil {
		return err
	}
	line, err := s.Legacy.Line(r.Context(), v.Session.Person, id, number)
	if err != nil {
		return err
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, []person.ID{line.CorrectedBy, line.AsideBy})
	if err != nil {
		return err
	}
	path := importPath(id) + "/lines/" + strconv.FormatInt(number, 10)
	p := v.Page("imports.line", "line", number)
	p.Path, p.Problems = path, problems
	p.Subtitle = sight.Source + " · " + sight.FileName
	p.Crumbs = importCrumbs(v, toImports(v), views.Crumb{Label: sight.Source, Href: importPath(id)},
		views.Crumb{Label: v.T("imports.quarantine"), Href: importPath(id) + "/lines?result=quarantined"})
	page := views.ImportLinePage{
		Path: path, Result: v.T("imports.result_" + string(line.Result)), Reason: wordsOf(v, line.Reason),
		Aside: line.AsideReason, AsideText: typed.Get("reason"), AsideOpen: typed.Has("reason"),
		Correct: v.Posts.Administrator && line.Result == legacy.Quarantined && !sight.Wiped,
	}
	if line.CorrectedBy != "" {
		page.Facts = append(page.Facts, views.SummaryRow{Term: v.T("imports.corrected_by"), Value: v.T("imports.who_when", "who", names[line.CorrectedBy], "at", moment(v, line.CorrectedAt))})
	}
	if line.AsideBy != "" {
		page.Facts = append(page.Facts, views.SummaryRow{Term: v.T("imports.aside_by"), Value: names[line.AsideBy]}, views.SummaryRow{Term: v.T("rights.reason"), Value: line.AsideReason})
	}
	for _, c := range legacy.Columns {
		field := views.ImportField{Name: c.Name, Label: c.Header.In(v.Lang), Help: v.T(c.Help()), Original: line.Original[c.Name], Value: line.Fields[c.Name]}
		if typed.Has(c.Name) {
			field.Value = typed.Get(c.Name)
		}
		if !slices.Contains(c.Kinds, line.Kind) && field.Value == "" && field.Original == "" {
			continue
		}
		page.Cells = append(page.Cells, field)
	}
	return s.show(w, r, v, status, p, views.ImportLineSight(p, page))
}

// onLine answers an act on one row: back to the quarantine when it is done, the form again when it is not.
func (s *Server) onLine(w http.ResponseWriter, r *http.Request, v *Visit, notice string, act func(line int64) error) error {
	number, err := lineNumber(r)
	if err != nil {
		return err
	}
	err = act(number)
	if lines, ok := v.Problems(err); ok {
		return s.showLine(w, r, v, http.StatusUnprocessableEntity, r.PostForm, lines)
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, importPath(r.PathValue("import"))+"/lines?result=quarantined", v.Notice(views.NoticeOK, notice, "line", number))
}

func (s *Server) correctLine(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.onLine(w, r, v, "imports.line_corrected", func(line int64) error {
		fields := map[string]string{}
		for _, c := range legacy.Columns {
			if r.PostForm.Has(c.Name) {
				fields[c.Name] = r.PostForm.Get(c.Name)
			}
		}
		return s.Legacy.Correct(r.Context(), v.Session.Person, r.PathValue("import"), line, fields)
	})
}

func (s *Server) setLineAside(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.onLine(w, r, v, "imports.line_aside", func(line int64) error {
		var check problem.Check
		reason := readLine(&check, "reason", r.PostForm.Get("reason"), 500)
		if check.Failed() {
			return check.Err()
		}
		return s.Legacy.SetAside(r.Context(), v.Session.Person, r.PathValue("import"), line, reason)
	})
}

func (s *Server) takeLineBack(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.onLine(w, r, v, "imports.line_back", func(line int64) error {
		return s.Legacy.TakeBack(r.Context(), v.Session.Person, r.PathValue("import"), line)
	})
}

// exportImport answers with the result of every row of a filter as a file.
func (s *Server) exportImport(w http.ResponseWriter, r *http.Request, v *Visit) error {
	format := r.PathValue("format")
	draw, ok := map[string]func(table) ([]byte, error){"csv": table.csv, "xlsx": table.xlsx}[format]
	if !ok {
		return problem.New(problem.NotFound, "problem.notfound")
	}
	select {
	case exporting <- struct{}{}:
	default:
		return &problem.Problem{Kind: problem.Busy, Key: "rights.export_busy", RetryAfter: 10 * time.Second, TooMany: true}
	}
	file, err := func() ([]byte, error) {
		defer func() { <-exporting }()
		rows, err := s.exportedLines(r, v, format)
		if err != nil {
			return nil, err
		}
		return draw(table{head: exportedHead(v), widths: exportedWidths, numbers: 1, rows: slices.Values(rows)})
	}()
	if err != nil {
		return err
	}
	attachment(w, map[string]string{"csv": kindCSV, "xlsx": kindXLSX}[format], "import-"+thai.DateOf(v.Now).String()+"."+format)
	if _, err := w.Write(file); err != nil {
		return fmt.Errorf("send export: %w", err)
	}
	return nil
}

func exportedHead(v *Visit) []string {
	head := []string{v.T("bulk.line"), v.T("imports.result"), v.T("imports.reason"), v.T("imports.note")}
	for _, c := range legacy.Columns {
		head = append(head, c.Header.In(v.Lang))
	}
	return head
}

// exportedWidths are the widths of the first columns of a workbook.
var exportedWidths = []float64{8, 14, 60, 30, 12, 14, 28, 20, 10, 20, 20, 20, 30}

// exportedLines reads the rows of a filter, as corrected; citizen IDs are masked.
func (s *Server) exportedLines(r *http.Request, v *Visit, format string) ([][]string, error) {
	filter, _ := lineFilter(r.URL.Query())
	lines, err := s.Legacy.Export(r.Context(), v.Session.Person, r.PathValue("import"), filter, format)
	if err != nil {
		return nil, err
	}
	rows := make([][]string, len(lines))
	for i, l := range lines {
		one := importLineOf(v, "", l, nil)
		rows[i] = []string{one.Line, one.Result, one.Reason, one.Note}
		for _, c := range legacy.Columns {
			rows[i] = append(rows[i], l.Fields[c.Name])
		}
	}
	return rows, nil
}
