package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/internal/clock"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/legacy"
	"sitthi/person"
	"sitthi/web/views"
)

const importsPath = "/admin/imports"

// importsRoutes bring the old system's officers, heads and rights in: upload, dry run, quarantine, sign-off by a second
// administrator, totals.
func (s *Server) importsRoutes() []Route {
	return []Route{
		{Pattern: "GET " + importsPath, Access: AuditorOrAdministrator, Handle: s.imports},
		{Pattern: "POST " + importsPath, Access: AdministratorOnly, Upload: true, Handle: s.uploadImport},
		{Pattern: "GET /admin/import-template/{format}", Access: AuditorOrAdministrator, Handle: s.importTemplate},
		{Pattern: "GET " + importsPath + "/{import}", Access: AuditorOrAdministrator, Handle: s.importPage},
		{Pattern: "POST " + importsPath + "/{import}/sign", Access: AdministratorOnly, StepUp: true, Handle: s.signImport},
		{Pattern: "GET " + importsPath + "/{import}/cancel", Access: AdministratorOnly, Handle: s.cancelForm},
		{Pattern: "POST " + importsPath + "/{import}/cancel", Access: AdministratorOnly, StepUp: true, Handle: s.cancelImport},
		{Pattern: "POST " + importsPath + "/{import}/recheck", Access: AdministratorOnly, StepUp: true, Handle: s.recheckImport},
		{Pattern: "GET " + importsPath + "/{import}/lines", Access: AuditorOrAdministrator, Handle: s.importLines},
		{Pattern: "GET " + importsPath + "/{import}/export/{format}", Access: AuditorOrAdministrator, Handle: s.exportImport},
		{Pattern: "GET " + importsPath + "/{import}/lines/{line}", Access: AuditorOrAdministrator, Handle: s.importLine},
		{Pattern: "POST " + importsPath + "/{import}/lines/{line}", Access: AdministratorOnly, StepUp: true, Handle: s.correctLine},
		{Pattern: "POST " + importsPath + "/{import}/lines/{line}/aside", Access: AdministratorOnly, StepUp: true, Handle: s.setLineAside},
		{Pattern: "POST " + importsPath + "/{import}/lines/{line}/back", Access: AdministratorOnly, StepUp: true, Handle: s.takeLineBack},
	}
}

func importPath(id string) string { return importsPath + "/" + url.PathEscape(id) }

func importCrumbs(v *Visit, more ...views.Crumb) []views.Crumb {
	var crumbs []views.Crumb
	if v.Posts.Administrator {
		crumbs = append(crumbs, views.Crumb{Label: v.T("layout.menu_admin"), Href: "/admin"})
	}
	return append(crumbs, more...)
}

func toImports(v *Visit) views.Crumb {
	return views.Crumb{Label: v.T("imports.title"), Href: importsPath}
}

// stateKindsOfImport are the badges of the states.
var stateKindsOfImport = map[legacy.State]views.BadgeKind{
	legacy.Checking: views.BadgeWaiting, legacy.Checked: views.BadgeWarn, legacy.Signed: views.BadgeWaiting,
	legacy.Committed: views.BadgeOK, legacy.Failed: views.BadgeDanger, legacy.Cancelled: views.BadgeOff,
}

// resultKinds are the badges of the results.
var resultKinds = map[legacy.Result]views.BadgeKind{
	legacy.New: views.BadgeOK, legacy.Same: views.BadgeOff, legacy.Changed: views.BadgeWarn,
	legacy.Conflict: views.BadgeDanger, legacy.Quarantined: views.BadgeDanger,
}

func (s *Server) imports(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showImports(w, r, v, http.StatusOK, "", nil)
}

func (s *Server) showImports(w http.ResponseWriter, r *http.Request, v *Visit, status int, source string, problems []views.FieldError) error {
	list, err := s.Legacy.Imports(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	ids := make([]person.ID, len(list))
	for i, one := range list {
		ids[i] = one.UploadedBy
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, ids)
	if err != nil {
		return err
	}
	p := v.Page("imports.title")
	p.Subtitle, p.Path, p.Problems = v.T("imports.subtitle"), importsPath, problems
	p.Crumbs = importCrumbs(v)
	page := views.ImportsPage{Upload: v.Posts.Administrator, Source: source}
	for _, one := range list {
		row := views.ImportRow{
			Source: one.Source, File: one.FileName, When: moment(v, one.UploadedAt), By: names[one.UploadedBy], Href: importPath(one.ID),
			State: v.T("imports.state_" + string(one.State)), StateKind: stateKindsOfImport[one.State],
		}
		if one.Totals.Read > 0 {
			row.Rows, row.Quarantined = thousands(one.Totals.Read), thousands(one.Totals.Quarantined-one.Totals.Aside)
		}
		page.List = append(page.List, row)
	}
	for _, c := range legacy.Columns {
		column := views.ImportColumn{Header: c.Header.In(v.Lang), Help: v.T(c.Help()), Example: c.Example, Required: c.Required, Kinds: kindsOf(v, c.Kinds)}
		other := c.Header.EN
		if v.Lang == locale.EN {
			other = c.Header.TH
		}
		column.Other = strings.Join([]string{other, c.Name}, " · ")
		page.Columns = append(page.Columns, column)
	}
	return s.show(w, r, v, status, p, views.Imports(p, page))
}

func thousands(n int64) string { return views.Thousands(int(n)) }

func kindsOf(v *Visit, kinds []legacy.Kind) string {
	words := make([]string, len(kinds))
	for i, kind := range kinds {
		words[i] = v.T("imports.kind_" + string(kind))
	}
	return strings.Join(words, ", ")
}

// uploadTime is how long a file may be on its way: 32 MiB over a slow line.
const uploadTime = 10 * time.Minute

// longestField is how many bytes a field beside a file may have.
const longestField = 1 << 10

// uploadImport hands a file to the desk as it arrives: it is sealed there piece by piece, so that it never stands
// readable on a disk. The fields of the form come in their order, the source before the file.
func (s *Server) uploadImport(w http.ResponseWriter, r *http.Request, v *Visit) error {
	// The connection is the machine's affair, and so is its time. A handler that tests call has none.
	limits := http.NewResponseController(w)
	for _, set := range []func(time.Time) error{limits.SetReadDeadline, limits.SetWriteDeadline} {
		if err := set(clock.System{}.Now().Add(uploadTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return fmt.Errorf("wait for file: %w", err)
		}
	}
	// Somewhat more than a file may have, so that the desk says that it is too big, and in full.
	r.Body = http.MaxBytesReader(w, r.Body, s.Legacy.Limits.File+s.Legacy.Limits.File/2+(1<<20))
	parts, err := r.MultipartReader()
	if err != nil {
		return errFormType
	}
	up := legacy.Upload{}
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return s.showImports(w, r, v, http.StatusUnprocessableEntity, up.Source, []views.FieldError{{Field: "file", Text: v.T("imports.file_missing")}})
		case err != nil:
			return uploadFailed(err)
		case part.FormName() == "source":
			if up.Source, err = readField(part); err != nil {
				return err
			}
		case part.FormName() == "file" && part.FileName() != "":
			up.Name = part.FileName()
			return s.takeFile(w, r, v, up, part)
		}
	}
}

// readField reads a short field that came with a file.
func readField(part io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(part, longestField))
	if err != nil {
		return "", uploadFailed(err)
	}
	if !plain(string(text)) {
		return "", errForm
	}
	return string(text), nil
}

// uploadFailed tells a form that is too big from one that is broken.
func uploadFailed(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return err
	}
	return errForm
}

func (s *Server) takeFile(w http.ResponseWriter, r *http.Request, v *Visit, up legacy.Upload, file *multipart.Part) error {
	taken, err := s.Legacy.Upload(r.Context(), v.Session.Person, up, file)
	if lines, ok := v.Problems(err); ok {
		// Browsers show an answer only when all they sent was read.
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			s.Log.InfoContext(r.Context(), "rest of refused file not read", "why", err)
		}
		return s.showImports(w, r, v, http.StatusUnprocessableEntity, up.Source, lines)
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, importPath(taken.ID), v.Notice(views.NoticeOK, "imports.uploaded", "file", taken.FileName))
}

func (s *Server) importTemplate(w http.ResponseWriter, r *http.Request, v *Visit) error {
	kind, ok := map[string]string{"xlsx": kindXLSX, "csv": kindCSV}[r.PathValue("format")]
	if !ok {
		return problem.New(problem.NotFound, "problem.notfound")
	}
	name, file, err := legacy.Template(r.PathValue("format"), v.Lang, func(key string) string { return v.T(key) })
	if err != nil {
		return err
	}
	attachment(w, kind, name)
	if _, err := w.Write(file); err != nil {
		return fmt.Errorf("send template: %w", err)
	}
	return nil
}

func (s *Server) importPage(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showImport(w, r, v, http.StatusOK, nil)
}

func (s *Server) showImport(w http.ResponseWriter, r *http.Request, v *Visit, status int, problems []views.FieldError) error {
	sight, err := s.Legacy.Import(r.Context(), v.Session.Person, r.PathValue("import"))
	if err != nil {
		return err
	}
	p := v.Page("imports.one", "source", sight.Source)
	p.Path, p.Problems = importPath(sight.ID), problems
	p.Subtitle = sight.FileName
	p.Crumbs = importCrumbs(v, toImports(v))
	page := importOf(v, sight)
	return s.show(w, r, v, status, p, views.ImportSight(p, page))
}

func importOf(v *Visit, sight legacy.Sight) views.ImportPage {
	path := importPath(sight.ID)
	resting := sight.State == legacy.Checked || sight.State == legacy.Committed
	page := views.ImportPage{
		Path: path, Version: strconv.FormatInt(sight.Version, 10),
		Fault: wordsOf(v, sight.Fault), Ignored: strings.Join(sight.Ignored, ", "),
		MayCancel:  v.Posts.Administrator && slices.Contains([]legacy.State{legacy.Checking, legacy.Checked, legacy.Failed}, sight.State),
		MayRecheck: v.Posts.Administrator && resting && !sight.Wiped, MaySee: sight.Totals.Read > 0,
	}
	if open := sight.Totals.Quarantined - sight.Totals.Aside; page.MayRecheck && open > 0 {
		page.Quarantine = v.T("imports.work_quarantine", "n", thousands(open))
	}
	page.Summary = importSummary(v, sight)
	switch sight.State {
	case legacy.Checking:
		percent := int64(100)
		if sight.Total > 0 {
			percent = min(100, sight.Read*100/sight.Total)
		}
		page.Progress = &views.ImportProgress{Label: v.T("imports.checking"), Percent: strconv.FormatInt(percent, 10), Text: v.T("imports.progress", "percent", percent, "lines", thousands(sight.Lines))}
	case legacy.Signed:
		page.Progress = &views.ImportProgress{Label: v.T("imports.writing"), Text: v.T("imports.writing_text")}
	}
	if sight.Totals.Read > 0 && sight.State != legacy.Checking {
		totals := totalsOf(v, v.T("imports.totals"), path, sight.Totals)
		page.Totals = &totals
		page.Reasons = reasonsOf(v, path, sight.Reasons)
	}
	if sight.State == legacy.Checked {
		switch {
		case !sight.MaySign:
			page.WhyNot = wordsOf(v, sight.WhyNot)
		case sight.Totals.New+sight.Totals.Changed == 0:
			page.WhyNot = v.T("legacy.nothing_to_write")
		default:
			page.Sign = v.T("imports.sign", "n", thousands(sight.Totals.New+sight.Totals.Changed))
		}
	}
	for _, c := range sight.Commits {
		title := v.T("imports.commit", "at", moment(v, c.At), "who", sight.Names[c.SignedBy])
		page.Commits = append(page.Commits, totalsOf(v, title, "", c.Totals))
	}
	return page
}

func importSummary(v *Visit, sight legacy.Sight) []views.SummaryRow {
	rows := []views.SummaryRow{
		{Term: v.T("imports.state"), Body: views.Badge(stateKindsOfImport[sight.State], v.T("imports.state_"+string(sight.State)))},
		{Term: v.T("imports.source"), Value: sight.Source},
		{Term: v.T("imports.file"), Value: v.T("imports.file_is", "name", sight.FileName, "size", thousands(max(1, sight.Size>>10)))},
		{Term: v.T("imports.uploaded_by"), Value: v.T("imports.who_when", "who", sight.Names[sight.UploadedBy], "at", moment(v, sight.UploadedAt))},
	}
	var others []string
	for _, hand := range sight.Hands {
		if hand != sight.UploadedBy {
			others = append(others, sight.Names[hand])
		}
	}
	if len(others) > 0 {
		rows = append(rows, views.SummaryRow{Term: v.T("imports.corrected_by"), Value: strings.Join(others, ", ")})
	}
	if sight.SignedBy != "" {
		rows = append(rows, views.SummaryRow{Term: v.T("imports.signed_by"), Value: v.T("imports.who_when", "who", sight.Names[sight.SignedBy], "at", moment(v, sight.SignedAt))})
	}
	if !sight.CommittedAt.IsZero() {
		rows = append(rows, views.SummaryRow{Term: v.T("imports.committed_at"), Value: moment(v, sight.CommittedAt)})
	}
	if sight.State == legacy.Checked {
		rows = append(rows, views.SummaryRow{Term: v.T("imports.rests_until"), Value: v.T("imports.rests_until_text", "at", moment(v, sight.RestsUntil))})
	}
	switch sight.ClosedBy {
	case "":
	case audit.System:
		rows = append(rows, views.SummaryRow{Term: v.T("imports.cancelled_by"), Value: v.T("imports.expired_by", "at", moment(v, sight.ClosedAt))},
			views.SummaryRow{Term: v.T("rights.reason"), Value: v.T("imports.expired")})
	default:
		rows = append(rows, views.SummaryRow{Term: v.T("imports.cancelled_by"), Value: v.T("imports.who_when", "who", sight.Names[sight.ClosedBy], "at", moment(v, sight.ClosedAt))},
			views.SummaryRow{Term: v.T("rights.reason"), Value: sight.CloseReason})
	}
	return append(rows, views.SummaryRow{Term: v.T("imports.hash"), Value: sight.Hash})
}

// wordsOf is why something is as it is, in the reader's words; "" for nothing to say.
func wordsOf(v *Visit, words legacy.Words) string {
	if words.Key == "" {
		return ""
	}
	return v.text(words.Key, words.Args)
}

// anyOf stands for what differs from row to row where many rows are told of at once.
func anyOf(v *Visit) map[string]any {
	return map[string]any{"column": v.T("imports.any_column"), "value": "…", "line": "…", "count": "…", "most": "…", "unit": "…", "columns": "…"}
}

// reasonsOf tells how many rows have a result for a reason, those to be worked on first.
func reasonsOf(v *Visit, path string, counts []legacy.ReasonCount) []views.ImportReason {
	var list []views.ImportReason
	for _, result := range []legacy.Result{legacy.Quarantined, legacy.Conflict, legacy.Changed} {
		for _, c := range counts {
			if c.Result != result || c.Reason == "" {
				continue
			}
			query := url.Values{"result": {string(c.Result)}, "kind": {string(c.Kind)}, "reason": {c.Reason}}
			one := views.ImportReason{Result: v.T("imports.result_" + string(c.Result)), ResultKind: resultKinds[c.Result], Kind: v.T("imports.kind_" + string(c.Kind)),
				Reason: v.text(c.Reason, anyOf(v)), Lines: thousands(c.Lines)}
			if c.Aside {
				query.Set("aside", "yes")
				one.Result, one.ResultKind = v.T("imports.aside"), views.BadgeOff
			}
			one.Href = path + "/lines?" + query.Encode()
			list = append(list, one)
		}
	}
	return list
}

// totalsOf sets the figures of a dry run or a writing out so that they can be seen to balance; with a path each leads to
// the rows behind it.
func totalsOf(v *Visit, title, path string, t legacy.Totals) views.ImportTotals {
	out := views.ImportTotals{Title: title}
	cell := func(n int64, kind legacy.Kind, result legacy.Result) views.ImportCell {
		c := views.ImportCell{Value: thousands(n)}
		if path != "" && n > 0 {
			query := url.Values{}
			if kind != "" {
				query.Set("kind", string(kind))
			}
			if result != "" {
				query.Set("result", string(result))
			}
			c.Href = path + "/lines?" + query.Encode()
		}
		return c
	}
	for _, result := range legacy.Results {
		out.Heads = append(out.Heads, v.T("imports.result_"+string(result)))
	}
	for _, kind := range legacy.Kinds {
		row, sum := views.ImportTotal{Name: v.T("imports.kind_" + string(kind))}, int64(0)
		for i, result := range legacy.Results {
			row.Cells = append(row.Cells, cell(t.ByKind[kind][i], kind, result))
			sum += t.ByKind[kind][i]
		}
		row.Cells = append(row.Cells, cell(sum, kind, ""))
		out.Rows = append(out.Rows, row)
	}
	all := views.ImportTotal{Name: v.T("imports.all")}
	for i, n := range []int64{t.New, t.Same, t.Changed, t.Conflict, t.Quarantined} {
		all.Cells = append(all.Cells, cell(n, "", legacy.Results[i]))
	}
	all.Cells = append(all.Cells, cell(t.Read, "", ""))
	out.Rows = append(out.Rows, all)
	out.Kind, out.Balance = views.NoticeOK, v.T("imports.balanced", "n", thousands(t.Read))
	if !t.Balanced() {
		out.Kind, out.Balance = views.NoticeError, v.T("imports.unbalanced", "n", thousands(t.Read))
	}
	out.Further = []views.SummaryRow{
		{Term: v.T("imports.rights_in_file"), Value: thousands(t.RightsInFile)}, {Term: v.T("imports.rights_in_book"), Value: thousands(t.RightsInBook)},
		{Term: v.T("imports.set_aside_rows"), Value: thousands(t.Aside)}, {Term: v.T("imports.invited"), Value: thousands(t.Invited)},
	}
	return out
}

// versionOf reads which state of an import a form was made from.
func versionOf(r *http.Request) (int64, error) {
	version, err := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return 0, problem.New(problem.Conflict, "legacy.import_changed")
	}
	return version, nil
}

func (s *Server) signImport(w http.ResponseWriter, r *http.Request, v *Visit) error {
	version, err := versionOf(r)
	if err == nil {
		_, err = s.Legacy.Sign(r.Context(), v.Session.Person, r.PathValue("import"), version)
	}
	if errors.Is(err, problem.Conflict) {
		return s.showImport(w, r, v, http.StatusConflict, []views.FieldError{{Text: v.Tell(err)}})
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, importPath(r.PathValue("import")), v.Notice(views.NoticeOK, "imports.signed"))
}

func (s *Server) cancelForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	sight, err := s.Legacy.Import(r.Context(), v.Session.Person, r.PathValue("import"))
	if err != nil {
		return err
	}
	return s.showCancel(w, r, v, http.StatusOK, strconv.FormatInt(sight.Version, 10), "", nil)
}

func (s *Server) showCancel(w http.ResponseWriter, r *http.Request, v *Visit, status int, version, reason string, problems []views.FieldError) error {
	path := importPath(r.PathValue("import"))
	p := v.Page("imports.cancel")
	p.Narrow, p.Problems, p.Path = true, problems, path+"/cancel"
	p.Crumbs = importCrumbs(v, toImports(v))
	return s.show(w, r, v, status, p, views.CancelImport(p, path+"/cancel", path, version, reason))
}

func (s *Server) cancelImport(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var check problem.Check
	reason := readLine(&check, "reason", r.PostForm.Get("reason"), 500)
	version, err := versionOf(r)
	if err == nil {
		err = check.Err()
	}
	if err == nil {
		err = s.Legacy.Cancel(r.Context(), v.Session.Person, r.PathValue("import"), version, reason)
	}
	if lines, ok := v.Problems(err); ok {
		return s.showCancel(w, r, v, http.StatusUnprocessableEntity, r.PostForm.Get("version"), reason, lines)
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, importsPath, v.Notice(views.NoticeOK, "imports.cancelled"))
}

func (s *Server) recheckImport(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.Legacy.Recheck(r.Context(), v.Session.Person, r.PathValue("import")); err != nil {
		return err
	}
	return s.see(w, r, v, importPath(r.PathValue("import")), v.Notice(views.NoticeInfo, "imports.rechecking"))
}
