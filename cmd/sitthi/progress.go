package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// progress tells at the terminal how far a long piece of work is, every few seconds and at its end.
type progress struct {
	sh   *shell
	what string
	done atomic.Int64
	stop context.CancelFunc
	over chan struct{}
}

func newProgress(ctx context.Context, sh *shell, what string) *progress {
	ctx, stop := context.WithCancel(ctx)
	p := &progress{sh: sh, what: what, stop: stop, over: make(chan struct{})}
	go func() {
		defer close(p.over)
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				fmt.Fprintf(sh.err, "%d values %s …\n", p.done.Load(), what)
			}
		}
	}()
	return p
}

// add counts values that are done.
func (p *progress) add(values int) { p.done.Add(int64(values)) }

// end tells how many they were in all, unless what was kept of them is nothing because of the error; which it answers.
func (p *progress) end(lost error) error {
	p.stop()
	<-p.over
	if lost != nil {
		return lost
	}
	_, err := fmt.Fprintf(p.sh.out, "%d values %s\n", p.done.Load(), p.what)
	return err
}
