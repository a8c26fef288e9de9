package thaid_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/thaidtest"
	"sitthi/thaid"
)

var (
	now     = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	somsri  = thaidtest.Claims{"pid": "3990000000503", "given_name": "สมศรี", "family_name": "ดีงาม"}
	somsris = thaid.Person{CitizenID: "3990000000503", GivenName: "สมศรี", FamilyName: "ดีงาม"}
)

func question() thaid.Question {
	return thaid.Question{State: strings.Repeat("s", 43), Nonce: strings.Repeat("n", 43), Verifier: strings.Repeat("v", 43)}
}

// ask goes to the fake and back.
func ask(t *testing.T, f *thaidtest.Fake, c *thaid.Client, who thaidtest.Claims) (thaid.Person, error) {
	t.Helper()
	address, err := c.Address(t.Context(), question())
	if err != nil {
		t.Fatal(err)
	}
	return c.Redeem(t.Context(), f.Agree(t, address, who), question())
}

func TestRedeem(t *testing.T) {
	f := thaidtest.New(t, clock.NewManual(now))
	for name, change := range map[string]func(*thaid.Options){
		"discovered":       nil,
		"addresses known":  func(o *thaid.Options) { o.Endpoints = f.Known() },
		"beside the token": func(o *thaid.Options) { o.Source = thaid.FromToken },
		"userinfo":         func(o *thaid.Options) { o.Source = thaid.FromUserInfo },
		"secret in body":   func(o *thaid.Options) { o.SecretInBody = true },
	} {
		t.Run(name, func(t *testing.T) {
			if who, err := ask(t, f, f.Client(t, change), somsri); err != nil || who != somsris {
				t.Errorf("ThaID tells of %+v, %v", who, err)
			}
		})
	}
	other := f.Client(t, func(o *thaid.Options) {
		o.Claims = thaid.Claims{CitizenID: "citizen", GivenName: "first", FamilyName: "last"}
	})
	who, err := ask(t, f, other, thaidtest.Claims{"citizen": " 3990000000503 ", "first": "สมศรี", "last": "ดีงาม", "pid": "1"})
	if err != nil || who != somsris {
		t.Errorf("by other names ThaID tells of %+v, %v", who, err)
	}
	if who, err := ask(t, f, f.Client(t, nil), thaidtest.Claims{"pid": 3990000000503}); err != nil || who != (thaid.Person{}) {
		t.Errorf("what is no text is taken as %+v, %v", who, err)
	}
}

func TestRedeemRefusesWhatProvesNobody(t *testing.T) {
	const hour = time.Hour
	set := func(name string, value any) func(*thaidtest.Fake) {
		return func(f *thaidtest.Fake) { f.Spoil = func(c thaidtest.Claims) { c[name] = value } }
	}
	sign := func(sign func(thaidtest.Claims) string) func(*thaidtest.Fake) {
		return func(f *thaidtest.Fake) { f.Sign = sign }
	}
	secret := func(c thaidtest.Claims) string {
		head := thaidtest.Claims{"alg": "HS256"}
		said := thaidtest.Unsigned(head, c, nil)
		mac := hmac.New(sha256.New, []byte(thaidtest.ClientSecret))
		mac.Write([]byte(strings.TrimSuffix(said, ".")))
		return thaidtest.Unsigned(head, c, mac.Sum(nil))
	}
	for name, spoil := range map[string]func(*thaidtest.Fake){
		"another nonce":             set("nonce", strings.Repeat("x", 43)),
		"no nonce":                  set("nonce", nil),
		"another audience":          set("aud", "somebody else"),
		"given to another client":   set("azp", "somebody else"),
		"several audiences, no azp": set("aud", []string{thaidtest.ClientID, "somebody else"}),
		"another issuer":            set("iss", "https://thaid.example"),
		"over":                      set("exp", now.Add(-time.Second).Unix()),
		"not yet":                   set("nbf", now.Add(hour).Unix()),
		"of another access token":   set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"alg none":                  sign(func(c thaidtest.Claims) string { return thaidtest.Unsigned(thaidtest.Claims{"alg": "none"}, c, nil) }),
		"alg NONE": sign(func(c thaidtest.Claims) string {
			return thaidtest.Unsigned(thaidtest.Claims{"alg": "NONE"}, c, []byte("x"))
		}),
		"signed with the shared secret": sign(secret),
		"no signature": sign(func(c thaidtest.Claims) string {
			return thaidtest.Unsigned(thaidtest.Claims{"alg": "RS256", "kid": "1"}, c, nil)
		}),
		"no token":                sign(func(thaidtest.Claims) string { return "" }),
		"junk":                    sign(func(thaidtest.Claims) string { return "a.b.c" }),
		"signed with another key": func(f *thaidtest.Fake) { f.Sign = f.SignedByAnother },
		"an answer without end": func(f *thaidtest.Fake) {
			f.Token = func(w http.ResponseWriter, _ *http.Request) {
				for range 100 {
					w.Write([]byte(strings.Repeat(" ", 1<<10)))
				}
			}
		},
		"no answer of the protocol": func(f *thaidtest.Fake) {
			f.Token = func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }
		},
		"a redirect": func(f *thaidtest.Fake) {
			f.Token = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, f.URL+"/userinfo", http.StatusTemporaryRedirect)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := thaidtest.New(t, clock.NewManual(now))
			spoil(f)
			c := f.Client(t, nil)
			who, err := ask(t, f, c, somsri)
			if !errors.Is(err, thaid.ErrUnproved) || who != (thaid.Person{}) {
				t.Errorf("it proves %+v, %v", who, err)
			}
			if err != nil && strings.Contains(err.Error(), "3990000000503") {
				t.Errorf("the error tells of the person: %v", err)
			}
			if away, unproved := c.Failures(); away != 0 || unproved != 1 {
				t.Errorf("counted: %d away, %d unproved", away, unproved)
			}
		})
	}
}

func TestRedeemUserinfoOfSomebodyElse(t *testing.T) {
	f := thaidtest.New(t, clock.NewManual(now))
	c := f.Client(t, func(o *thaid.Options) { o.Source = thaid.FromUserInfo })
	f.UserInfo = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"sub":"another","pid":"3990000000511"}`))
	}
	if who, err := ask(t, f, c, somsri); !errors.Is(err, thaid.ErrUnproved) {
		t.Errorf("it proves %+v, %v", who, err)
	}
	f.UserInfo = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		w.Write([]byte("3990000000511 is not for you"))
	}
	if _, err := ask(t, f, c, somsri); !errors.Is(err, thaid.ErrUnproved) || strings.Contains(err.Error(), "3990000000511") {
		t.Error(err)
	}
}

func TestRedeemIsForWhoAsked(t *testing.T) {
	f := thaidtest.New(t, clock.NewManual(now))
	c := f.Client(t, nil)
	address, err := c.Address(t.Context(), question())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*thaid.Answer, *thaid.Question){
		"another verifier": func(_ *thaid.Answer, q *thaid.Question) { q.Verifier = strings.Repeat("x", 43) },
		"another nonce":    func(_ *thaid.Answer, q *thaid.Question) { q.Nonce = strings.Repeat("x", 43) },
		"another code":     func(a *thaid.Answer, _ *thaid.Question) { a.Code = "x" },
		"no code":          func(a *thaid.Answer, _ *thaid.Question) { a.Code = "" },
		"a long code":      func(a *thaid.Answer, _ *thaid.Question) { a.Code = strings.Repeat("x", 5000) },
		"another issuer":   func(a *thaid.Answer, _ *thaid.Question) { a.Issuer = "https://thaid.example" },
		"an error":         func(a *thaid.Answer, _ *thaid.Question) { a.Error = "invalid_scope" },
	} {
		a, q := f.Agree(t, address, somsri), question()
		change(&a, &q)
		if who, err := c.Redeem(t.Context(), a, q); !errors.Is(err, thaid.ErrUnproved) {
			t.Errorf("%s proves %+v, %v", name, who, err)
		}
	}
	a := f.Agree(t, address, somsri)
	if _, err := c.Redeem(t.Context(), a, question()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Redeem(t.Context(), a, question()); !errors.Is(err, thaid.ErrUnproved) {
		t.Errorf("a code serves twice: %v", err)
	}
	if _, err := c.Redeem(t.Context(), thaid.Answer{Error: "access_denied"}, question()); !errors.Is(err, thaid.ErrRefused) {
		t.Errorf("who says no is told %v", err)
	}
}

// TestAway: what does not answer, or says that it can not, is away, and nothing is asked twice.
func TestAway(t *testing.T) {
	failing := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	for name, c := range map[string]struct {
		spoil    func(*thaidtest.Fake)
		redeemed bool // as far as the code
	}{
		"discovery fails": {func(f *thaidtest.Fake) { f.Discovery = failing }, false},
		"discovery hangs": {func(f *thaidtest.Fake) { f.Discovery = thaidtest.Hang }, false},
		"discovery elsewhere": {func(f *thaidtest.Fake) {
			f.Discovery = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Write([]byte(`{"issuer":"` + f.URL + `","authorization_endpoint":"http://thaid.example/","token_endpoint":"` + f.URL + `/token","jwks_uri":"` + f.URL + `/keys"}`))
			}
		}, false},
		"token fails":   {func(f *thaidtest.Fake) { f.Token = failing }, true},
		"token hangs":   {func(f *thaidtest.Fake) { f.Token = thaidtest.Hang }, true},
		"token stalls":  {func(f *thaidtest.Fake) { f.Token = thaidtest.Stall }, true},
		"keys fail":     {func(f *thaidtest.Fake) { f.Keys = failing }, true},
		"keys hang":     {func(f *thaidtest.Fake) { f.Keys = thaidtest.Hang }, true},
		"userinfo fail": {func(f *thaidtest.Fake) { f.UserInfo = failing }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := thaidtest.New(t, clock.NewManual(now))
			c.spoil(f)
			client := f.Client(t, func(o *thaid.Options) { o.Source = thaid.FromUserInfo })
			address, err := client.Address(t.Context(), question())
			if c.redeemed {
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.Redeem(t.Context(), f.Agree(t, address, somsri), question())
			}
			if !errors.Is(err, thaid.ErrAway) {
				t.Errorf("the answer is %v", err)
			}
			if away, unproved := client.Failures(); away != 1 || unproved != 0 {
				t.Errorf("counted: %d away, %d unproved", away, unproved)
			}
		})
	}
}

// TestComesBack: who was away is found at the next sign-in.
func TestComesBack(t *testing.T) {
	f := thaidtest.New(t, clock.NewManual(now))
	c := f.Client(t, nil)
	f.Discovery = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	if _, err := c.Address(t.Context(), question()); !errors.Is(err, thaid.ErrAway) {
		t.Fatal(err)
	}
	f.Discovery = nil
	if who, err := ask(t, f, c, somsri); err != nil || who != somsris {
		t.Errorf("ThaID tells of %+v, %v", who, err)
	}
}

func TestNewChecksOptions(t *testing.T) {
	sound := thaid.Options{Issuer: "https://thaid.example", ClientID: "sitthi", ClientSecret: "x", Clock: clock.System{}}
	if _, err := thaid.New(sound); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*thaid.Options){
		"no issuer":          func(o *thaid.Options) { o.Issuer = "" },
		"plain HTTP":         func(o *thaid.Options) { o.Issuer = "http://thaid.example" },
		"a password":         func(o *thaid.Options) { o.Issuer = "https://a:b@thaid.example" },
		"no client":          func(o *thaid.Options) { o.ClientID = "" },
		"no secret":          func(o *thaid.Options) { o.ClientSecret = "" },
		"one address of all": func(o *thaid.Options) { o.Endpoints.Auth = "https://thaid.example/auth" },
		"plain HTTP for the token": func(o *thaid.Options) {
			o.Endpoints = thaid.Endpoints{Auth: "https://thaid.example/a", Token: "http://thaid.example/t", Keys: "https://thaid.example/k"}
		},
		"no userinfo": func(o *thaid.Options) {
			o.Source = thaid.FromUserInfo
			o.Endpoints = thaid.Endpoints{Auth: "https://thaid.example/a", Token: "https://thaid.example/t", Keys: "https://thaid.example/k"}
		},
		"no openid":     func(o *thaid.Options) { o.Scopes = []string{"pid"} },
		"a source":      func(o *thaid.Options) { o.Source = "laser" },
		"alg none":      func(o *thaid.Options) { o.Algorithms = []string{"RS256", "none"} },
		"shared secret": func(o *thaid.Options) { o.Algorithms = []string{"HS256"} },
	} {
		o := sound
		change(&o)
		if _, err := thaid.New(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
