// Package thaid asks ThaID, the digital identity of the Department of Provincial Administration (กรมการปกครอง), who somebody is: it is an OpenID Connect client that keeps nothing.
package thaid

import (
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"sitthi/internal/clock"
)

// Source is where ThaID says who the person is.
type Source string

// The sources. Whichever it is, the ID token is verified first: it alone says that the answer is to our question.
const (
	FromIDToken  Source = "id-token" // in the ID token itself
	FromToken    Source = "token"    // beside it, in the answer of the token endpoint
	FromUserInfo Source = "userinfo" // at the userinfo endpoint, of the same subject as the ID token
)

// Claims are the names under which ThaID tells of a person.
type Claims struct {
	CitizenID, GivenName, FamilyName string
}

// Endpoints are the addresses of ThaID. Where Auth, Token and Keys are empty they are discovered, at the first sign-in
// and not before: that ThaID is away does not keep this program from starting.
type Endpoints struct {
	Auth, Token, Keys, UserInfo string
}

// Options are what was agreed with ThaID. Algorithms, Scopes, Claims and Source left empty are those of Defaults.
type Options struct {
	Issuer       string
	Endpoints    Endpoints
	ClientID     string
	ClientSecret string
	// SecretInBody sends the client's secret in the form instead of the header.
	SecretInBody bool
	RedirectURL  string
	Scopes       []string
	Claims       Claims
	Source       Source
	Algorithms   []string // that an ID token may be signed with
	Clock        clock.Clock
	// Roots are the authorities that certificates are checked against; nil means those of the machine.
	Roots *x509.CertPool
}

// The bounds of one act: all that it asks ThaID together, and each answer.
const (
	patience    = 3 * time.Second // trust.md 26
	mostAnswer  = 64 << 10
	longestCode = 4 << 10
)

// Defaults are what ThaID is asked for when nothing else is said.
func Defaults() Options {
	return Options{
		Scopes:     []string{oidc.ScopeOpenID, "pid", "name", "given_name", "family_name"},
		Claims:     Claims{CitizenID: "pid", GivenName: "given_name", FamilyName: "family_name"},
		Source:     FromIDToken,
		Algorithms: []string{oidc.RS256, oidc.PS256, oidc.ES256},
	}
}

// signatures are the algorithms that can be allowed: those with a public key. With a shared secret, or "none", whoever
// knows the client's secret, or nobody at all, would have signed.
var signatures = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

var (
	// ErrAway says that ThaID did not answer, not in time, or that it could not answer.
	ErrAway = errors.New("ThaID did not answer")
	// ErrRefused says that the person said no at ThaID, or broke off.
	ErrRefused = errors.New("the person did not agree")
	// ErrUnproved says that what ThaID answered proves nobody.
	ErrUnproved = errors.New("the answer proves nobody")
)

// Client asks ThaID. It is safe for concurrent use.
type Client struct {
	o        Options
	http     *http.Client
	provider atomic.Pointer[provider]

	away, unproved atomic.Uint64
}

// New checks the options and makes the client; it does not connect yet.
func New(o Options) (*Client, error) {
	d := Defaults()
	o.Source = cmp.Or(o.Source, d.Source)
	o.Claims = Claims{
		CitizenID:  cmp.Or(o.Claims.CitizenID, d.Claims.CitizenID),
		GivenName:  cmp.Or(o.Claims.GivenName, d.Claims.GivenName),
		FamilyName: cmp.Or(o.Claims.FamilyName, d.Claims.FamilyName),
	}
	if len(o.Scopes) == 0 {
		o.Scopes = d.Scopes
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = d.Algorithms
	}
	e := o.Endpoints
	for _, address := range []string{o.Issuer, e.Auth, e.Token, e.Keys, e.UserInfo} {
		if address == "" && address != o.Issuer {
			continue
		}
		if err := checkAddress(address); err != nil {
			return nil, err
		}
	}
	known := e.Auth != "" && e.Token != "" && e.Keys != ""
	switch {
	case !known && e != (Endpoints{}):
		return nil, errors.New("ThaID: the addresses for auth, token and keys go together")
	case known && o.Source == FromUserInfo && e.UserInfo == "":
		return nil, errors.New("ThaID: the address of userinfo is missing")
	case o.ClientID == "" || o.ClientSecret == "":
		return nil, errors.New("ThaID: the client needs an id and a secret")
	case !slices.Contains(o.Scopes, oidc.ScopeOpenID):
		return nil, errors.New("ThaID: without the scope openid there is no ID token to verify")
	case !slices.Contains([]Source{FromIDToken, FromToken, FromUserInfo}, o.Source):
		return nil, fmt.Errorf("ThaID: %q is no source", o.Source)
	}
	for _, a := range o.Algorithms {
		if !slices.Contains(signatures, a) {
			return nil, fmt.Errorf("ThaID: %q is no signature with a public key", a)
		}
	}
	c := &Client{o: o, http: &http.Client{
		Timeout: patience + time.Second, // of what goes on when nobody waits any more
		Transport: bounded{&http.Transport{
			DialContext:         (&net.Dialer{Timeout: patience}).DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 4,
			IdleConnTimeout:     time.Minute,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if known {
		config := oidc.ProviderConfig{IssuerURL: o.Issuer, AuthURL: e.Auth, TokenURL: e.Token, JWKSURL: e.Keys, UserInfoURL: e.UserInfo}
		c.provider.Store(c.know(config.NewProvider(oidc.ClientContext(context.Background(), c.http)), e.Keys))
	}
	return c, nil
}

// checkAddress lets secrets travel encrypted, or within this machine.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("ThaID: %q is no address", address)
	}
	ip := net.ParseIP(u.Hostname())
	inside := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && inside) {
		return fmt.Errorf("ThaID: the address %q does not begin with https://", address)
	}
	return nil
}

// bounded cuts off answers that are too long, and takes one that says that the server failed for none.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 500 {
		return nil, errors.Join(fmt.Errorf("answered %d", response.StatusCode), response.Body.Close())
	}
	response.Body = http.MaxBytesReader(nil, response.Body, mostAnswer)
	return response, nil
}

// Failures answers how often since the program started ThaID did not answer, and how often its answer proved nobody.
func (c *Client) Failures() (away, unproved uint64) { return c.away.Load(), c.unproved.Load() }

// fail counts a failure, and tells a late answer, or one that is no answer, from one that proves nobody. What ThaID sent
// is not repeated: it may tell of a person, and errors are logged.
func (c *Client) fail(ctx context.Context, err error) error {
	var network *url.Error
	var refused *oauth2.RetrieveError
	switch {
	case errors.Is(err, ErrRefused):
		return err
	case errors.Is(err, ErrAway), ctx.Err() != nil, errors.As(err, &network):
		c.away.Add(1)
		return fmt.Errorf("ask ThaID: %w: %w", ErrAway, err)
	case errors.As(err, &refused):
		err = fmt.Errorf("the code was answered with %d %q", refused.Response.StatusCode, refused.ErrorCode)
	}
	c.unproved.Add(1)
	return fmt.Errorf("ask ThaID: %w: %w", ErrUnproved, err)
}

// provider is ThaID, once its addresses are known.
type provider struct {
	*oidc.Provider
	keys oidc.KeySet // read once, and again when a token names one that is not among them
}

func (c *Client) know(p *oidc.Provider, keys string) *provider {
	return &provider{p, oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), c.http), keys)}
}

// checked notes why a signature could not be checked: go-oidc tells no more than that.
type checked struct {
	oidc.KeySet
	err error
}

func (k *checked) VerifySignature(ctx context.Context, jwt string) (said []byte, err error) {
	said, k.err = k.KeySet.VerifySignature(ctx, jwt)
	return said, k.err
}

// find answers ThaID's addresses. As long as they could not be discovered, each sign-in tries once.
func (c *Client) find(ctx context.Context) (*provider, error) {
	if p := c.provider.Load(); p != nil {
		return p, nil
	}
	p, err := oidc.NewProvider(ctx, c.o.Issuer)
	if err != nil {
		return nil, err
	}
	var found struct {
		Keys string `json:"jwks_uri"`
	}
	if err := p.Claims(&found); err != nil {
		return nil, err
	}
	for _, address := range []string{p.Endpoint().AuthURL, p.Endpoint().TokenURL, found.Keys} {
		if err := checkAddress(address); err != nil {
			return nil, err
		}
	}
	if c.o.Source == FromUserInfo {
		if err := checkAddress(p.UserInfoEndpoint()); err != nil {
			return nil, err
		}
	}
	c.provider.CompareAndSwap(nil, c.know(p, found.Keys))
	return c.provider.Load(), nil
}

func (c *Client) config(p *provider) *oauth2.Config {
	config := &oauth2.Config{
		ClientID: c.o.ClientID, ClientSecret: c.o.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: c.o.RedirectURL, Scopes: c.o.Scopes,
	}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader // to find it out by trying would be a retry
	if c.o.SecretInBody {
		config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return config
}

// Question is what has to be remembered of a sign-in until ThaID has answered. State comes back with the answer, Nonce
// within the ID token; Verifier proves that who redeems the code is who asked.
type Question struct{ State, Nonce, Verifier string }

// Address answers where the browser is sent with a question. It fails with ErrAway when ThaID's addresses are not known
// and can not be discovered.
func (c *Client) Address(ctx context.Context, q Question) (string, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, c.http), patience)
	defer cancel()
	p, err := c.find(ctx)
	if err != nil {
		c.away.Add(1) // who is not found has proved nothing either
		return "", fmt.Errorf("find ThaID: %w: %w", ErrAway, err)
	}
	return c.config(p).AuthCodeURL(q.State, oidc.Nonce(q.Nonce), oauth2.S256ChallengeOption(q.Verifier)), nil
}

// Answer is what the browser brings back from ThaID. Issuer is "" where ThaID does not tell it (RFC 9207).
type Answer struct{ State, Code, Error, Issuer string }

// Person is who ThaID says that it was.
type Person struct {
	CitizenID             string // as ThaID writes it
	GivenName, FamilyName string // "" when not told
}

// Redeem answers who it was that came back, within three seconds in all, and asks nothing twice. The caller has found the
// question by the answer's state. It fails with ErrRefused
// when he did not agree, with ErrAway when ThaID does not answer in time, and with ErrUnproved when it takes the code for
// none, or its ID token is not signed by ThaID with an allowed algorithm, for another client, over, or the answer to
// another question.
func (c *Client) Redeem(ctx context.Context, a Answer, q Question) (Person, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, c.http), patience)
	defer cancel()
	p, err := c.redeem(ctx, a, q)
	if err != nil {
		return Person{}, c.fail(ctx, err)
	}
	return p, nil
}

func (c *Client) redeem(ctx context.Context, a Answer, q Question) (who Person, err error) {
	switch {
	case a.Issuer != "" && a.Issuer != c.o.Issuer:
		return who, errors.New("another issuer answers")
	case a.Error == "access_denied":
		return who, ErrRefused
	case a.Error == "temporarily_unavailable" || a.Error == "server_error":
		return who, ErrAway
	case a.Error != "" || a.Code == "" || len(a.Code) > longestCode:
		return who, errors.New("there is no code")
	}
	p, err := c.find(ctx)
	if err != nil {
		return who, err
	}
	token, err := c.config(p).Exchange(ctx, a.Code, oauth2.VerifierOption(q.Verifier))
	if err != nil {
		return who, err
	}
	raw, _ := token.Extra("id_token").(string)
	keys := &checked{KeySet: p.keys}
	id, err := oidc.NewVerifier(c.o.Issuer, keys, &oidc.Config{
		ClientID: c.o.ClientID, SupportedSigningAlgs: c.o.Algorithms, Now: c.o.Clock.Now,
	}).Verify(ctx, raw)
	if err != nil {
		return who, cmp.Or(keys.err, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(q.Nonce)) != 1 {
		return who, errors.New("the ID token answers another question")
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return who, err
	}
	// OpenID Connect Core 3.1.3.7: go-oidc looks whether we are among those the token is for, not whether we asked.
	if party, told := claims["azp"]; told && party != c.o.ClientID || !told && len(id.Audience) > 1 {
		return who, errors.New("the ID token was given to another client")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return who, err
		}
	}
	tell := func(name string) any { return claims[name] }
	switch c.o.Source {
	case FromToken:
		tell = token.Extra
	case FromUserInfo:
		info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
		var network *url.Error
		if err != nil && !errors.As(err, &network) {
			err = errors.New("userinfo told nothing") // the text would hold what it said
		}
		if err != nil {
			return who, err
		}
		if info.Subject != id.Subject {
			return who, errors.New("userinfo tells of somebody else")
		}
		claims = nil
		if err := info.Claims(&claims); err != nil {
			return who, err
		}
	}
	text := func(name string) string {
		s, _ := tell(name).(string)
		return strings.TrimSpace(s)
	}
	names := c.o.Claims
	return Person{CitizenID: text(names.CitizenID), GivenName: text(names.GivenName), FamilyName: text(names.FamilyName)}, nil
}
