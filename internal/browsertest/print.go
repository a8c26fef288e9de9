package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"regexp"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// sheet begins each page of a PDF that Chromium makes.
var sheet = regexp.MustCompile(`/Type /Page\b`)

// Print prints the page as the browser's own command would, answers how many sheets it takes, and saves them as
// name.pdf into the folder that SITTHI_SCREENSHOTS names.
func (b *Browser) Print(name string) (sheets int) {
	b.t.Helper()
	pdf, err := run(b, loadLimit, func(ctx context.Context, tab *chromedp.Target) ([]byte, error) {
		printed, err := cdp.Call(ctx, tab, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true), PrintBackground: new(false)})
		return printed.Data, err
	})
	if dir := os.Getenv("SITTHI_SCREENSHOTS"); err == nil && dir != "" {
		if err = os.MkdirAll(dir, 0o755); err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o644)
		}
	}
	if err != nil {
		b.fail("Print(%q): %v", name, err)
	}
	return len(sheet.FindAll(pdf, -1))
}
