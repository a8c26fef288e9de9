package config

import "net/url"

// ThaID is the client that was registered with the Department of Provincial Administration (กรมการปกครอง). Without an
// issuer nobody signs in by ThaID.
type ThaID struct {
	Issuer      *url.URL `name:"thaid-issuer" placeholder:"URL" group:"ThaID" help:"Issuer of ThaID, as it stands in its ID tokens. Without one nobody signs in by ThaID."`
	ClientID    string   `name:"thaid-client-id" placeholder:"ID" group:"ThaID" help:"Client that was registered for this installation."`
	SecretFile  string   `name:"thaid-client-secret-file" placeholder:"FILE" group:"ThaID" help:"File with its secret; also the systemd credential thaid-client-secret."`
	SecretIn    string   `name:"thaid-secret-in" default:"header" enum:"header,body" placeholder:"WHERE" group:"ThaID" help:"Where the secret is sent: header (HTTP Basic) or body (default header)."`
	AuthURL     *url.URL `name:"thaid-auth-url" placeholder:"URL" group:"ThaID" help:"Where people are sent to; with --thaid-token-url and --thaid-keys-url instead of discovery."`
	TokenURL    *url.URL `name:"thaid-token-url" placeholder:"URL" group:"ThaID" help:"Where codes are redeemed."`
	KeysURL     *url.URL `name:"thaid-keys-url" placeholder:"URL" group:"ThaID" help:"Where the keys are (JWKS) with which ID tokens are signed."`
	UserInfoURL *url.URL `name:"thaid-userinfo-url" placeholder:"URL" group:"ThaID" help:"Where it is told who signed in, with --thaid-source=userinfo."`
	Scopes      []string `name:"thaid-scopes" default:"openid,pid,name,given_name,family_name" placeholder:"SCOPE" group:"ThaID" help:"What is asked for (default openid,pid,name,given_name,family_name)."`
	Source      string   `name:"thaid-source" default:"id-token" enum:"id-token,token,userinfo" placeholder:"WHERE" group:"ThaID" help:"Where the person is told of: id-token, token (beside the ID token) or userinfo (default id-token)."`
	ClaimPID    string   `name:"thaid-claim-pid" default:"pid" placeholder:"NAME" group:"ThaID" help:"Name of the citizen ID there (default pid)."`
	ClaimGiven  string   `name:"thaid-claim-given-name" default:"given_name" placeholder:"NAME" group:"ThaID" help:"Name of the given name (default given_name)."`
	ClaimFamily string   `name:"thaid-claim-family-name" default:"family_name" placeholder:"NAME" group:"ThaID" help:"Name of the family name (default family_name)."`
	Algorithms  []string `name:"thaid-algorithms" default:"RS256,PS256,ES256" placeholder:"ALG" group:"ThaID" help:"Signatures that ID tokens may have (default RS256,PS256,ES256)."`
}

// Enabled reports whether officers sign in by ThaID.
func (t *ThaID) Enabled() bool { return t.Issuer != nil }

func (t *ThaID) check() error {
	switch {
	case t.Enabled() && t.ClientID == "":
		return Wrong("thaid-client-id", "is needed with --thaid-issuer")
	case !t.Enabled() && (t.ClientID != "" || t.SecretFile != "" || t.AuthURL != nil || t.TokenURL != nil || t.KeysURL != nil || t.UserInfoURL != nil):
		return Wrong("thaid-issuer", "is needed with the other settings of ThaID")
	}
	return nil
}

// Secret reads the secret of the client from its file.
func (t *ThaID) Secret(secrets Secrets) (string, error) {
	secret, err := secrets.Read("thaid-client-secret-file", t.SecretFile)
	if err == nil && secret == "" {
		err = Wrong("thaid-client-secret-file", "is needed with --thaid-issuer")
	}
	return secret, err
}
