package web

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"sitthi/grant"
	"sitthi/internal/thai"
	"sitthi/web/views"
)

// telling is how many digits of a citizen ID say so much that they must not stand in an address: from twelve the
// thirteenth can be worked out, and ten leave a hundred people.
const telling = 10

// findInGrid takes the filters of a grid as a form and leads to the address that says the same without a citizen ID.
func (s *Server) findInGrid(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := levelOf(r)
	if err != nil {
		return err
	}
	if err := onlyHeads(v); err != nil {
		return err
	}
	path := rightsPath
	if level.Code != allLevels.Code {
		path += "/" + level.Code
	}
	_, query := readFilter(r.PostForm, level)
	query.Del(views.ParamPage) // of another search
	if query.Get(views.ParamSize) == strconv.Itoa(grant.Sizes[0]) {
		query.Del(views.ParamSize) // it goes without saying
	}
	to, err := s.withoutID(r, v, path, query)
	if err != nil {
		return err
	}
	if to == "" {
		for _, name := range []string{"citizen", views.ParamSearch} {
			if text := query.Get(name); text != "" {
				query.Set(name, untelling(text))
			}
		}
		to = path + "?" + query.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// untelling leaves so few digits of a text that it says nobody's citizen ID, whatever stands around them.
func untelling(text string) string {
	n := 0
	cut := func(r rune) rune {
		if unicode.IsDigit(r) {
			n++
		}
		if unicode.IsDigit(r) && n >= telling {
			return -1
		}
		return r
	}
	if digits, err := thai.FoldDigits(text); err == nil && len(digits) >= telling {
		return digits[:telling-1]
	}
	return strings.Map(cut, text)
}
