package views

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// compounds are words that browsers break in the middle: their dictionaries know only the parts.
var compounds = []string{"ใช้งาน", "เจ้าหน้าที่", "หน่วยงาน"}

// heading writes a heading, or the words of a narrow cell, whose compounds stay whole at the end of a line.
func heading(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, whole.Replace(templ.EscapeString(text)))
		return err
	})
}

var whole = func() *strings.Replacer {
	var pairs []string
	for _, word := range compounds {
		pairs = append(pairs, word, `<span class="whole">`+word+`</span>`)
	}
	return strings.NewReplacer(pairs...)
}()
