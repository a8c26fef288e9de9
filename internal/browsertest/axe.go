package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axeSource is axe-core as npm brought it.
var axeSource = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("axe-core is missing, run make assets: %w", err)
	}
	return string(source), nil
})

// axeRun asks for WCAG 2.2 AA, all it builds on, and axe's best practices.
// target-size is off in axe unless named.
const axeRun = `axe.run(document, {
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	rules: {"target-size": {enabled: true}},
	resultTypes: ["violations"],
}).then(r => r.violations.map(v => ({
	id: v.id, help: v.help, impact: v.impact, nodes: v.nodes.map(n => ({html: n.html, why: n.failureSummary})),
})))`

// Axe fails when axe-core finds a violation of WCAG 2.2 AA or of its best
// practices on the page as it stands, in this window size and colour scheme.
func (b *Browser) Axe() {
	b.t.Helper()
	violations, err := run(b, loadLimit, b.axe)
	if err != nil {
		b.fail("Axe(): %v", err)
	}
	if len(violations) == 0 {
		return
	}
	var s strings.Builder
	for _, v := range violations {
		fmt.Fprintf(&s, "\n%s (%s): %s", v.ID, v.Impact, v.Help)
		for _, node := range v.Nodes {
			fmt.Fprintf(&s, "\n    %.300s\n        %s", node.HTML, strings.ReplaceAll(node.Why, "\n", "\n        "))
		}
	}
	b.fail("Axe(): %d violations:%s", len(violations), s.String())
}

type violation struct {
	ID, Help, Impact string
	Nodes            []struct{ HTML, Why string }
}

// axe runs axe-core in a JavaScript world apart from the page's own, where
// neither the page's policy nor its scripts reach. Its promises need scripts to
// be allowed; those of a page that loaded without stay dead.
func (b *Browser) axe(ctx context.Context, tab *chromedp.Target) (found []violation, err error) {
	source, err := axeSource()
	if err != nil {
		return nil, err
	}
	if b.opts.NoJS {
		allow := func(yes bool) error {
			return call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !yes})
		}
		if err := allow(true); err != nil {
			return nil, err
		}
		defer func() {
			if off := allow(false); err == nil {
				err = off
			}
		}()
	}
	frames, err := cdp.Call(ctx, tab, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	world, err := cdp.Call(ctx, tab, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{
		FrameID: frames.FrameTree.Frame.ID, WorldName: "axe",
	})
	if err != nil {
		return nil, err
	}
	answer, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{
		Expression: source + ";\n" + axeRun, ContextID: world.ExecutionContextID,
		AwaitPromise: new(true), ReturnByValue: new(true),
	})
	if err != nil {
		return nil, err
	}
	if wrong := answer.ExceptionDetails; wrong != nil {
		return nil, fmt.Errorf("run axe-core: %s", wrong.Exception.Description)
	}
	if err := json.Unmarshal(answer.Result.Value, &found); err != nil {
		return nil, fmt.Errorf("read axe-core's findings: %w", err)
	}
	return found, nil
}
