// Package browsertest drives Chromium through pages in the words a person reads on them.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// chromium is the one Chromium process of a test binary. Each Browser is a
// context of its own in it: no cookie or cache passes from one to another.
var chromium = sync.OnceValues(startChromium)

// errAbsent tells a machine without Chromium from a Chromium that fails.
var errAbsent = errors.New("no Chromium on this machine: apt-get install chromium")

// startChromium starts the process and returns the context under which
// browsers open. It ends with the test binary: the kernel kills Chromium when
// its parent dies, and reaper removes the profile folder then.
func startChromium() (context.Context, error) {
	var program string
	// The same names as scripts/setup-tests looks for.
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return nil, errAbsent
	}
	profile, err := os.MkdirTemp("", "sitthi-chromium-")
	if err != nil {
		return nil, fmt.Errorf("make Chromium profile: %w", err)
	}
	hold, err := reap(profile)
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.UserDataDir(profile),
		// Overlay scrollbars take no room, as on phones; the classic ones
		// would make the width of a page depend on its length.
		chromedp.Flag("hide-scrollbars", true),
	)
	if os.Geteuid() == 0 {
		// Chromium refuses its sandbox to root, which is who runs containers.
		options = append(options, chromedp.NoSandbox)
	}
	ctx, _ := chromedp.NewExecAllocator(context.Background(), options...)
	context.AfterFunc(ctx, func() { hold.Close() })
	ctx, _ = chromedp.NewContext(ctx)
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return ctx, nil
}

// reap leaves a small shell behind that removes dir once hold is closed, which
// the end of this process, in whatever way it comes, does too. The tries give
// Chromium's own processes, which still write there, time to die.
func reap(dir string) (hold io.Closer, err error) {
	const script = `trap '' INT TERM HUP; cat >/dev/null
		for try in 1 2 3 4 5; do rm -rf "$1"; sleep 0.2; [ -e "$1" ] || break; done`
	shell := exec.Command("sh", "-c", script, "sh", dir)
	hold, err = shell.StdinPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("hold Chromium profile: %w", err)
	}
	return hold, nil
}

// start returns the context of the running Chromium. Without one it skips the
// test, or fails it in CI.
func start(t testing.TB) context.Context {
	t.Helper()
	ctx, err := chromium()
	if errors.Is(err, errAbsent) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// moduleRoot returns the folder of go.mod: tests run in their package's folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find module root: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("find module root: no go.mod above the working folder")
		}
		dir = up
	}
}
