// Package thaidtest plays ThaID for tests: by a provider of its own whose answers can be spoiled one by one, and by npm oidc-provider.
package thaidtest

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/thaid"
)

// The client as the fake knows it.
const (
	ClientID     = "sitthi"
	ClientSecret = "a secret/of=the+client"
	RedirectURL  = "http://localhost/officer/thaid/callback"
)

// Claims are what a token says.
type Claims map[string]any

// Fake is ThaID. What is nil is done as it should be. The fields are set before anything is asked.
type Fake struct {
	URL   string
	Clock clock.Clock

	// Spoil changes what an ID token says, before it is signed.
	Spoil func(Claims)
	// Sign makes a token of what it says.
	Sign func(Claims) string
	// Token, Keys, UserInfo and Discovery answer in the place of the endpoints.
	Token, Keys, UserInfo, Discovery http.HandlerFunc
	// Redirect is where the client has people sent back to; RedirectURL when empty.
	Redirect string

	key *rsa.PrivateKey

	mu    sync.Mutex
	asked map[string]grant // by code
	told  []string
}

// grant is a code with what was asked, and who said yes.
type grant struct {
	question url.Values
	who      Claims
}

// New starts a fake for as long as the test runs.
func New(t testing.TB, c clock.Clock) *Fake {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f := &Fake{Clock: c, key: key, asked: map[string]grant{}}
	mux := http.NewServeMux()
	for path, route := range map[string]struct {
		spoilt *http.HandlerFunc
		sound  http.HandlerFunc
	}{
		"/.well-known/openid-configuration": {&f.Discovery, f.discover},
		"/keys":                             {&f.Keys, f.keys},
		"/token":                            {&f.Token, f.token},
		"/userinfo":                         {&f.UserInfo, f.userinfo},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if *route.spoilt != nil {
				(*route.spoilt)(w, r)
				return
			}
			route.sound(w, r)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// Options are those of a client that knows the fake.
func (f *Fake) Options() thaid.Options {
	return thaid.Options{Issuer: f.URL, ClientID: ClientID, ClientSecret: ClientSecret, RedirectURL: RedirectURL, Clock: f.Clock}
}

// Known are the fake's addresses, for a client that discovers none.
func (f *Fake) Known() thaid.Endpoints {
	return thaid.Endpoints{Auth: f.URL + "/auth", Token: f.URL + "/token", Keys: f.URL + "/keys", UserInfo: f.URL + "/userinfo"}
}

// Client makes a client of the fake.
func (f *Fake) Client(t testing.TB, change func(*thaid.Options)) *thaid.Client {
	t.Helper()
	o := f.Options()
	if change != nil {
		change(&o)
	}
	c, err := thaid.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Agree is what a person does at ThaID: he proves himself, and agrees. It answers what his browser brings back.
func (f *Fake) Agree(t testing.TB, address string, who Claims) thaid.Answer {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{"client_id": ClientID, "redirect_uri": cmp.Or(f.Redirect, RedirectURL), "response_type": "code", "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			t.Errorf("ThaID is asked with %s=%q", name, q.Get(name))
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 43 {
			t.Errorf("ThaID is asked with %s=%q", name, q.Get(name))
		}
	}
	code := rand.Text()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[code] = grant{q, who}
	f.told = append(f.told, q.Get("state"), q.Get("nonce"), code)
	return thaid.Answer{State: q.Get("state"), Code: code, Issuer: f.URL}
}

// Told is what passed between the fake and its clients and is for nobody else: states, nonces, codes, verifiers and tokens.
func (f *Fake) Told() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.told)
}

func (f *Fake) discover(w http.ResponseWriter, _ *http.Request) {
	say(w, Claims{
		"issuer": f.URL, "authorization_endpoint": f.URL + "/auth", "token_endpoint": f.URL + "/token", "jwks_uri": f.URL + "/keys",
		"userinfo_endpoint": f.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (f *Fake) keys(w http.ResponseWriter, _ *http.Request) {
	public := f.key.PublicKey
	say(w, Claims{"keys": []Claims{{
		"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
	}}})
}

// token redeems a code once, for the client that asked and has the verifier.
func (f *Fake) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	id, secret = cmp.Or(id, r.PostFormValue("client_id")), cmp.Or(secret, r.PostFormValue("client_secret"))
	if plain, err := url.QueryUnescape(secret); err == nil && r.Header.Get("Authorization") != "" {
		secret = plain // RFC 6749, 2.3.1
	}
	f.mu.Lock()
	g, ok := f.asked[r.PostFormValue("code")]
	delete(f.asked, r.PostFormValue("code"))
	f.mu.Unlock()
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || id != ClientID || secret != ClientSecret || g.question.Get("code_challenge") != encode(challenge[:]) ||
		r.PostFormValue("redirect_uri") != g.question.Get("redirect_uri") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		say(w, Claims{"error": "invalid_grant"})
		return
	}
	now := f.Clock.Now()
	claims := Claims{
		"iss": f.URL, "aud": ClientID, "sub": "subject", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "nonce": g.question.Get("nonce"),
	}
	answer := Claims{"token_type": "Bearer", "expires_in": 3600, "access_token": r.PostFormValue("code")}
	for name, value := range g.who {
		claims[name], answer[name] = value, value
	}
	f.mu.Lock()
	f.asked["access "+r.PostFormValue("code")] = g
	f.mu.Unlock()
	if f.Spoil != nil {
		f.Spoil(claims)
	}
	sign := f.Signed
	if f.Sign != nil {
		sign = f.Sign
	}
	token := sign(claims)
	f.mu.Lock()
	f.told = append(f.told, r.PostFormValue("code_verifier"), token)
	f.mu.Unlock()
	answer["id_token"] = token
	say(w, answer)
}

func (f *Fake) userinfo(w http.ResponseWriter, r *http.Request) {
	const bearer = "Bearer "
	f.mu.Lock()
	g, ok := f.asked["access "+r.Header.Get("Authorization")[min(len(bearer), len(r.Header.Get("Authorization"))):]]
	f.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims := Claims{"sub": "subject"}
	for name, value := range g.who {
		claims[name] = value
	}
	say(w, claims)
}

// Signed is the token that says the claims, signed by the fake as it should be.
func (f *Fake) Signed(c Claims) string { return signed(f.key, Claims{"alg": "RS256", "kid": "1"}, c) }

// SignedByAnother is a token signed with a key that the fake does not know, under the name of its own.
func (f *Fake) SignedByAnother(c Claims) string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return signed(key, Claims{"alg": "RS256", "kid": "1"}, c)
}

// Unsigned is a token with the head given and any signature.
func Unsigned(head, c Claims, signature []byte) string {
	return encode(text(head)) + "." + encode(text(c)) + "." + encode(signature)
}

func signed(key *rsa.PrivateKey, head, c Claims) string {
	said := encode(text(head)) + "." + encode(text(c))
	sum := sha256.Sum256([]byte(said))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return said + "." + encode(signature)
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func text(c Claims) []byte {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return raw
}

func say(w http.ResponseWriter, c Claims) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(text(c)) // a client that went away is not told
}

// Hang keeps whoever asks waiting until he gives up.
func Hang(_ http.ResponseWriter, r *http.Request) {
	// That the other side has gone is seen only once all it sent is read.
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		<-r.Context().Done()
	}
}

// Stall begins to answer, and then does as Hang.
func Stall(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	w.Write([]byte("{"))
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}
