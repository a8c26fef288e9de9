package main

import (
	"context"
	"embed"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// demoFiles hold what the people of the demonstration are made of; all of it is made up.
//
//go:embed demodata
var demoFiles embed.FS

// How many of each the demonstration has, the fixed ones included.
const (
	demoOfficers = 3000
	demoGrants   = 5000
)

// figure is a made-up person.
type figure struct {
	id       person.ID
	citizen  string
	account  officer.Account // with an empty name when he is not registered
	newcomer bool            // registered in these days: no head has confirmed who he is
}

// workplace is a unit of the demonstration with its people.
type workplace struct {
	agency.Unit
	teams        []agency.Team
	head         *figure
	vacant       bool // the head has left, nobody came after him
	staff        []*figure
	unregistered []*figure
}

// Units of the demonstration that have something the matter, so that it can be seen how that looks.
var (
	demoVacant     = []string{"TH-58", "TH-85"} // without a head
	demoNoApprover = []string{"TH-48", "TH-93"} // nobody may approve
)

// demoSize is how many people a unit has, as parts of all: offices in the provinces with most factories have more.
func demoSize(u agency.Unit) int {
	switch {
	case u.Code == "TH-12":
		return 22
	case slices.Contains([]string{"TH-11", "TH-13", "TH-20", "TH-21", "TH-74"}, u.Code):
		return 16
	case slices.Contains([]string{"TH-14", "TH-19", "TH-24", "TH-25", "TH-30", "TH-70", "TH-73", "TH-90"}, u.Code):
		return 12
	case u.Code == agency.IWM:
		return 24
	case u.Kind == agency.Department:
		return 2
	case u.Kind == agency.Province:
		return 8
	}
	return 10
}

// shares splits a number into parts, one for each weight, that add up to it.
func shares(total int, weights []int) []int {
	all := 0
	for _, w := range weights {
		all += w
	}
	parts := make([]int, len(weights))
	sum, given := 0, 0
	for i, w := range weights {
		sum += w
		parts[i] = total*sum/all - given
		given += parts[i]
	}
	return parts
}

// names are what full names are drawn from.
type names struct {
	given, front, back []locale.Name
	used               map[string]bool
}

// draw answers a name that nobody had before, and how its letters read in a mailbox.
func (n *names) draw(r *rand.Rand) (given, family, mailbox string) {
	for {
		g, f, b := n.given[r.IntN(len(n.given))], n.front[r.IntN(len(n.front))], n.back[r.IntN(len(n.back))]
		given, family, mailbox = g.TH, f.TH+b.TH, g.EN+"."+f.EN+b.EN
		if !n.used[mailbox] {
			n.used[mailbox] = true
			return given, family, mailbox
		}
	}
}

// demoRecords reads one of the files without its heading.
func demoRecords(name string) ([][]string, error) {
	text, err := demoFiles.ReadFile("demodata/" + name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	records, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return records[1:], nil
}

func demoNames() (*names, error) {
	n := &names{used: map[string]bool{}}
	given, err := demoRecords("given_names.csv")
	if err != nil {
		return nil, err
	}
	for _, r := range given {
		n.given = append(n.given, locale.Name{TH: r[0], EN: r[1]})
	}
	family, err := demoRecords("family_names.csv")
	if err != nil {
		return nil, err
	}
	for _, r := range family {
		part := &n.front
		if r[0] == "back" {
			part = &n.back
		}
		*part = append(*part, locale.Name{TH: r[1], EN: r[2]})
	}
	return n, nil
}

// demoPositions lists the positions (ตำแหน่ง) of each kind of place, as often as they are found there.
func demoPositions() (map[string][]string, error) {
	records, err := demoRecords("positions.csv")
	if err != nil {
		return nil, err
	}
	positions := map[string][]string{}
	for _, r := range records {
		weight, err := strconv.Atoi(r[1])
		if err != nil {
			return nil, fmt.Errorf("read positions.csv: %w", err)
		}
		positions[r[0]] = append(positions[r[0]], slices.Repeat(r[2:3], weight)...)
	}
	return positions, nil
}

// crowd makes the people of the demonstration up.
type crowd struct {
	random    *rand.Rand
	names     *names
	positions map[string][]string
	today     thai.Date
	made      int
}

// newCrowd draws the same people every time: only their dates count from today.
func newCrowd(today thai.Date) (*crowd, error) {
	c := &crowd{random: rand.New(rand.NewPCG(2566, 11)), today: today}
	var err error
	if c.names, err = demoNames(); err != nil {
		return nil, err
	}
	for _, a := range demoAccounts {
		c.names.used[a.mailbox] = true
	}
	c.positions, err = demoPositions()
	return c, err
}

// citizen makes the next citizen ID: real enough to be typed, with a check digit that fits, and nobody's, since no
// province has the number 99. The fixed accounts have 00 where these have a district.
func (c *crowd) citizen() string {
	first := "1333335558"[c.random.IntN(10)]
	serial := c.made * 7919 % 10_000_000 // 7919 is prime, so no serial comes twice
	digits := fmt.Sprintf("%c99%02d%07d", first, 1+c.random.IntN(20), serial)
	for last := '0'; last <= '9'; last++ {
		if id := digits + string(last); thai.ValidCheckDigit(id) {
			return id
		}
	}
	panic("no digit checks " + digits) // one of the ten always does
}

// someone makes a person who is not registered.
func (c *crowd) someone() *figure {
	c.made++
	return &figure{citizen: c.citizen()}
}

// officer makes a registered person. Nothing is ever sent to his contacts: the demonstration sends nothing, nobody can
// own a name under .example (RFC 2606), and the numbers, for which Thailand has no such reserve, all lie in one block.
func (c *crowd) officer(u agency.Unit, position string, daysAgo int) *figure {
	f := c.someone()
	given, family, mailbox := c.names.draw(c.random)
	registered := c.ago(daysAgo)
	seen := c.ago(1 + c.random.IntN(min(daysAgo, 45)))
	if c.random.IntN(20) == 0 { // has not been here for long
		seen = c.ago(min(daysAgo, 61+c.random.IntN(140)))
	}
	if seen.Before(registered) {
		seen = registered
	}
	f.account = demoOfficer(given, family, mailbox, position, u, c.made)
	f.account.TermsAt, f.account.RegisteredAt, f.account.LastSignIn = registered, registered, seen
	f.account.EmailProvedAt, f.account.PhoneProvedAt = registered, registered
	return f
}

// demoOfficer is what every registered person of the demonstration says about himself; number makes the phone his own.
func demoOfficer(given, family, mailbox, position string, u agency.Unit, number int) officer.Account {
	host := "diw"
	if u.Kind == agency.Province {
		host = "industry"
	}
	return officer.Account{
		GivenName: given, FamilyName: family, Position: position, Unit: u.Code, LineID: mailbox,
		Email: thai.Email(mailbox + "@" + host + ".demo.example"), Phone: thai.Mobile(fmt.Sprintf("+6690000%04d", number)),
		Language: locale.TH, State: officer.Active, TermsVersion: officer.TermsVersion,
	}
}

// ago is some moment in the office hours of an earlier day.
func (c *crowd) ago(days int) time.Time {
	return c.today.AddDays(-days).StartOfDay().Add(510*time.Minute + time.Duration(c.random.IntN(480*60))*time.Second).UTC()
}

// position draws a position: one of the higher ones for a senior, where the place has such.
func (c *crowd) position(u agency.Unit, senior bool) string {
	place := "centre"
	switch u.Kind {
	case agency.Province, agency.External:
		place = u.Kind
	}
	list := c.positions[place]
	for range 50 {
		if p := list[c.random.IntN(len(list))]; strings.HasSuffix(p, "พิเศษ") == senior {
			return p
		}
	}
	return list[0]
}

// headTitle is what the head of a unit is called.
func headTitle(u agency.Unit) string {
	switch u.Kind {
	case agency.Province:
		return "อุตสาหกรรมจังหวัด" + u.Short.TH
	case agency.Department:
		return "อธิบดี" + u.Name.TH
	case agency.Office:
		return "เลขานุการกรม"
	case agency.Group:
		return "หัวหน้า" + u.Name.TH
	case agency.External:
		return "ผู้อำนวยการฝ่ายสิ่งแวดล้อม"
	}
	return "ผู้อำนวยการ" + u.Name.TH
}

// seniors is how many of a unit's staff stand below the head and above the others.
func seniors(staff int) int { return max(2, staff/7) }

// people fills the units. The heads of fixed accounts are in their places already.
func (c *crowd) people(places []*workplace) {
	weights := make([]int, len(places))
	for i, w := range places {
		weights[i] = demoSize(w.Unit)
	}
	registered := 0
	for _, a := range demoAccounts {
		if a.registered() {
			registered++
		}
	}
	for i, n := range shares(demoOfficers-registered, weights) {
		w := places[i]
		w.vacant = slices.Contains(demoVacant, w.Code)
		if w.head == nil {
			w.head = c.officer(w.Unit, headTitle(w.Unit), 950+c.random.IntN(600))
			w.head.account.LastSignIn = c.today.AddDays(-1).StartOfDay().Add(9 * time.Hour).UTC() // a head comes often
			if w.vacant {
				w.head.account.State = officer.Disabled
			}
			n--
		}
		for j := range n {
			position := c.position(w.Unit, j < seniors(n))
			if j < len(w.teams) {
				position = "หัวหน้า" + w.teams[j].Name.TH
			}
			daysAgo := 450 + c.random.IntN(1050)
			newcomer := j >= n-max(1, n/12)
			if newcomer {
				daysAgo = 1
			}
			f := c.officer(w.Unit, position, daysAgo)
			f.newcomer = newcomer
			w.staff = append(w.staff, f)
		}
		if w.Considers {
			for range max(2, n/10) {
				w.unregistered = append(w.unregistered, c.someone())
			}
		}
	}
}

// register writes the people. All share one hash of the one password: 3,000 of their own would take minutes.
func register(ctx context.Context, h *house, tx *store.Tx, places []*workplace, hash string) error {
	for _, w := range places {
		for _, f := range slices.Concat([]*figure{w.head}, w.staff, w.unregistered) {
			if f.id != "" {
				continue // a fixed account
			}
			citizen, err := thai.ParseCitizenID(f.citizen)
			if err != nil {
				return fmt.Errorf("citizen ID of %s: %w", citizen, err)
			}
			if f.id, err = h.roll.Mention(ctx, tx, citizen); err != nil {
				return err
			}
			if f.account.GivenName == "" {
				continue
			}
			f.account.Person = f.id
			if err := officer.Create(ctx, tx, f.account, hash); err != nil {
				return err
			}
		}
	}
	return nil
}
