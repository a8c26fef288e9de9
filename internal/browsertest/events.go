package browsertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// events follows what a window reports: whether it is loading, and what went
// wrong in it.
type events struct {
	window context.Context

	mu      sync.Mutex
	loading bool
	wrong   []string
}

// note takes one event, in the order in which the window sends them. It runs
// between two messages of the window, so it only notes.
func (e *events) note(event any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch ev := event.(type) {
	case *page.EventFrameRequestedNavigation:
		if ev.Disposition == page.ClientNavigationDispositionCurrentTab {
			e.loading = true
		}
	case *page.EventFrameStartedLoading:
		e.loading = true
	case *page.EventFrameStoppedLoading:
		e.loading = false
	case *page.EventJavascriptDialogOpening:
		e.addf("native dialog: %s", ev.Message)
		// It stops the page until someone answers.
		go func() {
			ctx, cancel := context.WithTimeout(e.window, patience)
			defer cancel()
			if _, err := chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}); err != nil {
				e.mu.Lock()
				defer e.mu.Unlock()
				e.addf("answer native dialog: %v", err)
			}
		}()
	case *runtime.EventExceptionThrown:
		text := ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			text += " " + ev.ExceptionDetails.Exception.Description
		}
		e.addf("uncaught exception: %s (%s:%d)", text, ev.ExceptionDetails.URL, ev.ExceptionDetails.LineNumber+1)
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeAssert {
			text := ""
			for _, arg := range ev.Args {
				text += " " + string(arg.Value) + arg.Description
			}
			e.addf("console %s:%s", ev.Type, text)
		}
	case *log.EventEntryAdded:
		// What the network says is judged below: a page of status 422 is an
		// answer, a style sheet of status 404 is a fault.
		if ev.Entry.Level == log.EntryLevelError && ev.Entry.Source != log.EntrySourceNetwork {
			e.addf("%s: %s", ev.Entry.Source, ev.Entry.Text)
		}
	case *audits.EventIssueAdded:
		if csp := ev.Issue.Details.ContentSecurityPolicyIssueDetails; csp != nil {
			e.addf("Content-Security-Policy violated: %s blocks %s", csp.ViolatedDirective, orInline(csp.BlockedURL))
		}
	case *network.EventResponseReceived:
		if isPart(ev.Type) && ev.Response.Status >= 400 {
			e.addf("%s answered %d: %s", ev.Type, ev.Response.Status, ev.Response.URL)
		}
	case *network.EventLoadingFailed:
		if isPart(ev.Type) && !ev.Canceled {
			e.addf("%s did not load: %s", ev.Type, ev.ErrorText)
		}
	}
}

func (e *events) addf(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(e.wrong, line) {
		e.wrong = append(e.wrong, line)
	}
}

// faults returns what went wrong so far.
func (e *events) faults() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.wrong)
}

// settle waits for the page that the last act asked for, if it asked for one.
func (b *Browser) settle() error {
	// A page starts to load a moment after the click that asks for it.
	time.Sleep(pollEvery)
	for end := time.Now().Add(loadLimit); time.Now().Before(end); time.Sleep(pollEvery) {
		// The round trip brings the events that are on their way before it.
		if _, err := run(b, loadLimit, chromedp.Evaluate[int]("1")); err != nil {
			continue // the old page went away below the question
		}
		b.seen.mu.Lock()
		loading := b.seen.loading
		b.seen.mu.Unlock()
		if !loading {
			return nil
		}
	}
	return fmt.Errorf("page still loading after %v", loadLimit)
}

// isPart tells what a page is made of from pages themselves and from requests
// of scripts, which may be refused in the course of things.
func isPart(t network.ResourceType) bool {
	switch t {
	case network.ResourceTypeStylesheet, network.ResourceTypeScript, network.ResourceTypeFont,
		network.ResourceTypeImage, network.ResourceTypeMedia, network.ResourceTypeManifest:
		return true
	}
	return false
}

func orInline(url string) string {
	if url == "" {
		return "inline code"
	}
	return url
}
