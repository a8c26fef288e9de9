package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
)

// exportColumns head the columns of an export, as keys of texts.
var exportColumns = []string{
	"rights.number", "rights.unit", "rights.team", "rights.level", "rights.citizen", "rights.name", "rights.position", "rights.home",
	"rights.from", "rights.until", "rights.order", "rights.note", "rights.state",
}

// exportRow is one right as a line of an export. The citizen ID stands as the reader may see it: whole in his own
// units, masked elsewhere.
func exportRow(v *Visit, r grant.Row) []string {
	citizen := r.Citizen.Digits()
	if r.Masked {
		citizen = r.Citizen.Mask()
	}
	until := ""
	if last, ok := r.LastDay(); ok {
		until = last.Numeric(string(v.Lang))
	}
	return []string{
		strconv.FormatInt(r.Number, 10), r.UnitName.In(v.Lang), r.TeamName.In(v.Lang), levelName(v, r.Level), citizen, r.Name, r.Position, r.Home.In(v.Lang),
		thai.DateOf(r.From).Numeric(string(v.Lang)), until, r.OrderNumber, r.Note, v.T("rights.state_" + string(r.State)),
	}
}

// exported reads which rows an export holds: all that the grid's filter fits, on every page.
func (s *Server) exported(r *http.Request, v *Visit) (grant.LevelRow, grant.Filter, error) {
	level, err := levelOf(r)
	if err != nil {
		return level, grant.Filter{}, err
	}
	if err := onlyHeads(v); err != nil {
		return level, grant.Filter{}, err
	}
	f, query := readFilter(r.URL.Query(), level)
	if moved, err := s.withoutID(r, v, r.URL.Path, query); err != nil || moved != "" {
		if err == nil { // a whole ID was typed into the address by hand; the grid never makes such a link
			err = problem.New(problem.Invalid, "rights.export_by_id")
		}
		return level, f, err
	}
	return level, f, nil
}

// The media types of files that are downloaded.
const (
	kindCSV  = "text/csv; charset=utf-8"
	kindXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// attachment sets the headers of a download.
func attachment(w http.ResponseWriter, kind, name string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

func fileName(v *Visit, level grant.LevelRow, ending string) string {
	return "rights-" + level.Code + "-" + thai.DateOf(v.Now).String() + "." + ending
}

// exporting holds one token for each export under way. Each holds its rows in memory, and drawing a workbook takes a
// processor for seconds: beyond these, everyone else would wait.
var exporting = make(chan struct{}, 2)

// export answers with the rows of a filter as a file of a format, drawn by draw after the book has let go of them.
func (s *Server) export(w http.ResponseWriter, r *http.Request, v *Visit, format, kind string, draw func(*Visit, []grant.Row) ([]byte, error)) error {
	level, filter, err := s.exported(r, v)
	if err != nil {
		return err
	}
	select {
	case exporting <- struct{}{}:
	default:
		return &problem.Problem{Kind: problem.Busy, Key: "rights.export_busy", RetryAfter: 10 * time.Second, TooMany: true}
	}
	file, err := func() ([]byte, error) {
		defer func() { <-exporting }()
		rows, err := s.Book.Export(r.Context(), v.Session.Person, filter, format)
		if err != nil {
			return nil, err
		}
		return draw(v, rows)
	}()
	if err != nil {
		return err
	}
	attachment(w, kind, fileName(v, level, format))
	if _, err := w.Write(file); err != nil {
		return fmt.Errorf("send export: %w", err)
	}
	return nil
}

func (s *Server) exportCSV(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.export(w, r, v, "csv", kindCSV, drawCSV)
}

func (s *Server) exportXLSX(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.export(w, r, v, "xlsx", kindXLSX, drawXLSX)
}

func drawCSV(v *Visit, rows []grant.Row) ([]byte, error) { return tableOf(v, rows).csv() }

func drawXLSX(v *Visit, rows []grant.Row) ([]byte, error) { return tableOf(v, rows).xlsx() }

func tableOf(v *Visit, rows []grant.Row) table {
	t := table{widths: []float64{8, 28, 28, 14, 18, 30, 36, 28, 12, 12, 18, 30, 20}, numbers: 1}
	for _, key := range exportColumns {
		t.head = append(t.head, v.T(key))
	}
	t.rows = func(yield func([]string) bool) {
		for _, row := range rows {
			if !yield(exportRow(v, row)) {
				return
			}
		}
	}
	return t
}
