package main

import (
	"cmp"
	"net/url"
	"strings"

	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/thaid"
	"sitthi/web"
)

// thaidClient makes the client of ThaID that the settings describe; nil where there is none. public is the address that
// people type.
func thaidClient(c *config.ThaID, secrets config.Secrets, clk clock.Clock, public *url.URL) (*thaid.Client, error) {
	if !c.Enabled() {
		return nil, nil
	}
	secret, err := c.Secret(secrets)
	if err != nil {
		return nil, err
	}
	address := func(u *url.URL) string { return cmp.Or(u, new(url.URL)).String() }
	client, err := thaid.New(thaid.Options{
		Issuer:    c.Issuer.String(),
		Endpoints: thaid.Endpoints{Auth: address(c.AuthURL), Token: address(c.TokenURL), Keys: address(c.KeysURL), UserInfo: address(c.UserInfoURL)},
		ClientID:  c.ClientID, ClientSecret: secret, SecretInBody: c.SecretIn == "body",
		RedirectURL: strings.TrimSuffix(public.String(), "/") + web.ThaIDCallback,
		Scopes:      c.Scopes, Source: thaid.Source(c.Source), Algorithms: c.Algorithms, Clock: clk,
		Claims: thaid.Claims{CitizenID: c.ClaimPID, GivenName: c.ClaimGiven, FamilyName: c.ClaimFamily},
	})
	if err != nil {
		return nil, config.Wrong("thaid-issuer", "%w", err)
	}
	return client, nil
}
