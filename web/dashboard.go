package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/notify"
	"sitthi/web/views"
)

const dashboardPath = "/admin/overview"

func (s *Server) dashboardRoutes() []Route {
	return []Route{{Pattern: "GET " + dashboardPath, Access: AuditorOrAdministrator, Handle: s.dashboard}}
}

// lookout is one thing that the centre looks after in every unit: who is affected, and how its tile says so.
type lookout struct {
	code string // in the address
	name string // of the figure above the tiles
	bad  bool   // something is missing, and not only coming up
	in   func(grant.UnitPicture) bool
	tile func(grant.UnitPicture) views.TileFigure
}

// lookouts lists what the centre looks after, the gravest first.
func lookouts(v *Visit) []lookout {
	list := []lookout{{
		code: "head", name: v.T("dashboard.no_head"), bad: true,
		in: func(u grant.UnitPicture) bool { return u.Heads == 0 },
		tile: func(u grant.UnitPicture) views.TileFigure {
			key := "dashboard.no_head"
			if u.Unit.Kind == agency.Province {
				key = "dashboard.no_chief"
			}
			return views.TileFigure{Label: v.T(key), Icon: views.IconWarn, Bad: true, Href: appointmentsPath + "?" + url.Values{"unit": {u.Unit.Code}, "post": {string(grant.Head)}}.Encode()}
		},
	}}
	for _, row := range grant.Levels {
		list = append(list, lookout{
			code: row.Code, name: v.T("dashboard.no_level", "level", row.Name), bad: true,
			in: func(u grant.UnitPicture) bool { return slices.Contains(u.Lacks(), row) },
			tile: func(u grant.UnitPicture) views.TileFigure {
				return views.TileFigure{Label: v.T("dashboard.no_level", "level", row.Name), Icon: views.IconWarn, Bad: true, Href: rightsOfUnit("/"+row.Code, u.Unit, "")}
			},
		})
	}
	return append(list,
		lookout{
			code: "soon", name: v.T("rights.figure_soon", "n", grant.SoonDays),
			in: func(u grant.UnitPicture) bool { return u.EndSoon > 0 },
			tile: func(u grant.UnitPicture) views.TileFigure {
				return views.TileFigure{Label: v.T("dashboard.soon", "n", u.EndSoon), Icon: views.IconClock, Href: rightsOfUnit("", u.Unit, grant.StateSoon)}
			},
		},
		lookout{
			code: "waiting", name: v.T("rights.state_waiting"),
			in: func(u grant.UnitPicture) bool { return u.Waiting > 0 },
			tile: func(u grant.UnitPicture) views.TileFigure {
				return views.TileFigure{Label: v.T("dashboard.waiting", "n", u.Waiting), Icon: views.IconPerson, Href: rightsOfUnit("", u.Unit, grant.StateWaiting)}
			},
		})
}

// rightsOfUnit is the address of the grid of rights, or of one of its levels, narrowed to a unit and a state.
func rightsOfUnit(level string, u agency.Unit, state grant.State) string {
	q := url.Values{"unit": {u.Code}}
	if state != "" {
		q.Set("state", string(state))
	}
	return rightsPath + level + "?" + q.Encode()
}

// dashboard shows the centre how every unit stands, as tiles by region.
func (s *Server) dashboard(w http.ResponseWriter, r *http.Request, v *Visit) error {
	units, err := s.Book.Picture(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	looks := lookouts(v)
	only := r.URL.Query().Get("only")
	chosen := slices.IndexFunc(looks, func(l lookout) bool { return l.code == only })
	if only != "" && chosen < 0 {
		return problem.New(problem.NotFound, "problem.notfound")
	}
	p := v.Page("dashboard.title")
	p.Subtitle = v.T("dashboard.subtitle", "n", len(units))
	body := views.DashboardPage{Summary: v.T("dashboard.summary")}
	if body.Asking, err = s.askingAgain(r, v); err != nil {
		return err
	}
	for i, l := range looks {
		n := 0
		for _, u := range units {
			if l.in(u) {
				n++
			}
		}
		if l.code == grant.Review.Row().Code && n == 0 {
			continue // hardly a unit uses the level
		}
		f := views.Figure{Label: l.name, Value: v.T("dashboard.units", "n", n), Bad: l.bad && n > 0, Here: i == chosen}
		if n > 0 {
			f.Href = dashboardPath + "?only=" + l.code
		}
		body.Figures = append(body.Figures, f)
	}
	if v.Posts.Administrator {
		n, err := s.Outbox.GivenUp(r.Context())
		if err != nil {
			return err
		}
		body.Figures = append(body.Figures, views.Figure{
			Label: v.T("dashboard.messages"), Value: v.T("dashboard.messages_n", "n", n), Bad: n > 0, Href: addressOf(messagesPath, nil, messageState, string(notify.Dead)),
		})
	}
	if chosen >= 0 {
		body.Chosen = v.T("dashboard.chosen", "what", looks[chosen].name)
		body.All = &views.ButtonLinkParams{Label: v.T("dashboard.all", "n", len(units)), Href: dashboardPath}
	}
	for _, region := range append([]string{""}, agency.Regions[:]...) {
		group := views.UnitGroup{Title: v.T("dashboard.centre"), Wide: region == ""}
		if region != "" {
			group.Title = v.T("agency.region_" + region)
		}
		whole, all := 0, 0
		for _, u := range units {
			if u.Unit.Region != region {
				continue
			}
			all++
			tile := tileOf(v, u, looks)
			if !tile.Bad {
				whole++
			}
			if chosen < 0 || looks[chosen].in(u) {
				group.Tiles = append(group.Tiles, tile)
			}
		}
		group.Note = v.T("dashboard.whole", "n", whole, "all", all)
		if len(group.Tiles) > 0 {
			body.Groups = append(body.Groups, group)
		}
	}
	return s.show(w, r, v, http.StatusOK, p, views.Dashboard(p, body))
}

// tileOf is how one unit stands: what it lacks, who holds its levels, and what comes up.
func tileOf(v *Visit, u grant.UnitPicture, looks []lookout) views.UnitTile {
	tile := views.UnitTile{ID: "unit-" + u.Unit.Code, Name: u.Unit.Short.In(v.Lang), Href: rightsOfUnit("", u.Unit, "")}
	if u.Unit.Code == agency.IWM {
		tile.Note = v.T("dashboard.bangkok")
	}
	for _, l := range looks {
		switch {
		case !l.in(u):
		case l.bad:
			tile.Bad = true
			tile.Lacks = append(tile.Lacks, l.tile(u))
		default:
			tile.Coming = append(tile.Coming, l.tile(u))
		}
	}
	for _, row := range u.ByLevels {
		if n := u.Holders[row.Level]; n > 0 {
			tile.Has = append(tile.Has, views.TileFigure{Label: heading(row.Name.In(v.Lang)), Value: strconv.Itoa(n), Note: v.T("rights.persons", "n", n), Href: rightsOfUnit("/"+row.Code, u.Unit, "")})
		}
	}
	return tile
}
