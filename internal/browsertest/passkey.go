package browsertest

import (
	"context"
	"errors"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Authenticator gives the window a device that makes and uses passkeys, whose owner touches it at once.
func (b *Browser) Authenticator() {
	b.t.Helper()
	err := b.do(patience, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		return chromedp.Void{}, errors.Join(
			call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}),
			addAuthenticator(ctx, tab),
		)
	})
	if err != nil {
		b.fail("Authenticator(): %v", err)
	}
}

func addAuthenticator(ctx context.Context, tab *chromedp.Target) error {
	_, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true,
			AutomaticPresenceSimulation: true,
		},
	})
	return err
}
