package thai

import (
	"errors"
	"log/slog"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ErrEmail is the failure of ParseEmail for what is not one bare address.
var ErrEmail = errors.New("not an e-mail address")

// Email is an e-mail address in the one form in which addresses are stored and
// compared: lower case throughout, the domain in ASCII (xn--… where it is an
// internationalised one such as .ไทย). ParseEmail makes it.
type Email string

// The limits of RFC 5321, 4.5.3.1, in bytes.
const (
	maxLocalPart = 64
	maxEmail     = 254
)

// domains is what browsers apply to a domain somebody typed, held to the rules
// for host names.
var domains = idna.New(
	idna.MapForLookup(),
	idna.BidiRule(),
	idna.StrictDomainName(true),
	idna.VerifyDNSLength(true),
)

// ParseEmail reads one bare address, name@host.domain, without a display name,
// quotes or comments, and lowers its case: mail hosts treat A@ and a@ alike,
// and so must the rule that an address is used once. It fails with ErrEmpty or
// ErrEmail. Whether somebody reads mail there, only a code sent there proves.
func ParseEmail(s string) (Email, error) {
	s = strings.TrimSpace(stripInvisible(s))
	if s == "" {
		return "", ErrEmpty
	}
	local, domain, found := strings.Cut(s, "@")
	// What is too long stops here: punycode takes the square of the length.
	if !found || !isLocalPart(local) || utf8.RuneCountInString(s) > maxEmail {
		return "", ErrEmail
	}
	domain, err := domains.ToASCII(domain)
	if err != nil || !isMailDomain(domain) {
		return "", ErrEmail
	}
	email := strings.ToLower(local) + "@" + domain
	if len(email) > maxEmail {
		return "", ErrEmail
	}
	return Email(email), nil
}

// Mask returns enough of the address to know one's own: s•••@example.go.th.
func (e Email) Mask() string {
	local, domain, ok := strings.Cut(string(e), "@")
	if !ok {
		return ""
	}
	if len(local) == 1 {
		local = "" // Its first letter would be all of it.
	}
	return local[:min(len(local), 1)] + "•••@" + domain
}

// LogValue is Mask, since logs hold no personal data.
func (e Email) LogValue() slog.Value { return slog.StringValue(e.Mask()) }

// isLocalPart accepts the dot-atom of RFC 5322, 3.2.3, the only form of a name
// before the @ that is in use.
func isLocalPart(s string) bool {
	if len(s) > maxLocalPart {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for _, r := range atom {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || isDigit(r)
			if !letter && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) {
				return false
			}
		}
	}
	return true
}

// isMailDomain wants a dot and a last label that is not a number, which keeps
// out bare hosts and IP addresses.
func isMailDomain(ascii string) bool {
	i := strings.LastIndexByte(ascii, '.')
	if i < 0 {
		return false
	}
	top := ascii[i+1:]
	return top != "" && strings.Trim(top, "0123456789") != ""
}
