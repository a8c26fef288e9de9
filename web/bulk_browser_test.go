package web

import (
	"fmt"
	"testing"

	"sitthi/grant"
	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
)

// kindsOfReader are the kinds of people a page is looked at as: in both languages, with and without scripts, on a phone.
var kindsOfReader = []struct {
	lang locale.Lang
	opts browsertest.Options
}{
	{locale.TH, browsertest.Options{}},
	{locale.EN, browsertest.Options{NoJS: true}},
	{locale.TH, browsertest.Options{Phone: true}},
	{locale.EN, browsertest.Options{Phone: true, Dark: true}},
}

// eachReader runs a test for every kind of reader: the first on both engines.
func eachReader(t *testing.T, test func(t *testing.T, k *kit, r readerOf)) {
	t.Helper()
	for i, one := range kindsOfReader {
		t.Run(fmt.Sprintf("%s-phone=%v-nojs=%v", one.lang, one.opts.Phone, one.opts.NoJS), func(t *testing.T) {
			run := func(t *testing.T, k *kit) {
				test(t, k, readerOf{lang: one.lang, opts: one.opts, name: fmt.Sprintf("%s-%d", one.lang, i)})
			}
			if i == 0 {
				storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { run(t, kitOn(t, env)) })
			} else {
				run(t, newKit(t))
			}
		})
	}
}

// readerOf is one kind of reader.
type readerOf struct {
	lang locale.Lang
	opts browsertest.Options
	name string
}

// say is a text in the reader's language; args are pairs of name and value.
func (r readerOf) say(t *testing.T, key string, args ...any) string {
	t.Helper()
	named := locale.Args{}
	for i := 0; i < len(args); i += 2 {
		named[args[i].(string)] = args[i+1]
	}
	return must(Texts())(t).Text(r.lang, key, named)
}

// enter signs somebody in, in a browser of the reader's kind.
func (r readerOf) enter(t *testing.T, k *kit, who, name string) *browsertest.Browser {
	t.Helper()
	b := browsertest.Open(t, k.url, r.opts)
	b.Go("/officer/login")
	if r.lang == locale.EN {
		b.In(".site-head").Press(map[bool]string{false: "English", true: "EN"}[r.opts.Phone])
	}
	k.signIn(t, b, r.lang, who)
	b.In(".site-head").See(name)
	return b
}

// look holds a page to what every page is held to, and leaves a picture of it.
func (r readerOf) look(b *browsertest.Browser, what string) {
	b.NoHorizontalScroll()
	b.Axe()
	b.Screenshot(what + "-" + r.name)
}

// A head pastes a column from Excel, looks at what becomes of each, confirms his own people and saves.
func TestGiveToManyInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		b := r.enter(t, k, chief12, "วิชัย")
		b.Go("/ko1/rights/consider")
		r.look(b, "bulk-grid")
		b.Click(r.say(t, "bulk.add"))
		b.See(r.say(t, "bulk.title"))
		r.look(b, "bulk-empty")
		b.Press(r.say(t, "bulk.check"))
		b.See(r.say(t, "grant.list_empty"))
		r.look(b, "bulk-nothing")
		b.Fill("[name=list]", pastedList)
		b.Fill("[name=last_day]", "30/9/2570")
		b.Press(r.say(t, "bulk.check"))
		b.See(r.say(t, "bulk.will_fault"), r.say(t, "bulk.will_confirm"), r.say(t, "bulk.will_other"), r.say(t, "bulk.will_wait"), "ปิติ ใจดี")
		r.look(b, "bulk-checked")
		b.Press(r.say(t, "bulk.tick_all"))
		b.Press(r.say(t, "bulk.give_and_ticked", "n", 2))
		b.See(r.say(t, "bulk.did_give"), r.say(t, "bulk.rest"))
		r.look(b, "bulk-rest")
		rest := b.Path()
		b.Back() // to the list as it was checked, and not to a page that the browser has lost
		b.See(r.say(t, "bulk.will_confirm"), r.say(t, "bulk.will_twice"))
		b.Go(rest)
		b.Reload()
		b.See(r.say(t, "bulk.did_give"), r.say(t, "bulk.rest"))
		if r.lang == locale.TH && !r.opts.Phone { // the other language shows the same list
			b.In(".site-head").Press("English")
			b.See("Given, and told so")
			b.In(".site-head").Press("ไทย")
			b.See(r.say(t, "bulk.did_give"))
		}
		b.Fill("[name=list]", considers3+"\n")
		b.Press(r.say(t, "bulk.check_again"))
		b.Check(r.say(t, "bulk.mean"))
		b.Press(r.say(t, "bulk.give_ticked"))
		b.See(r.say(t, "bulk.saved", "level", thaiOr(r.lang, "พิจารณา", "consider"), "n", 1))
		r.look(b, "bulk-done")
		b.Click(r.say(t, "bulk.to_grid"))
		b.In("#grid").See("มานะ", "ปิติ ใจดี", "อนุชา")
		if r.opts.Phone {
			return
		}
		b.See(thai.Date{Year: 2027, Month: 9, Day: 30}.Short(string(r.lang)))
	})
}

func thaiOr(lang locale.Lang, th, en string) string {
	if lang == locale.EN {
		return en
	}
	return th
}

// On the first day a head ticks his people in a list and confirms them.
func TestConfirmManyInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		for i, unit := range []string{"TH-12", "TH-12", "TH-13"} {
			citizen := someID(t, i)
			k.give(t, chief12, grant.Order{Unit: "TH-12", Level: grant.Consider, Citizen: k.citizen(t, citizen)})
			k.register(t, citizen, []string{"ปราณี", "มานี", "ปราณี"}[i], "มาใหม่", unit)
		}
		b := r.enter(t, k, chief12, "วิชัย")
		b.Go("/ko1/rights/waiting")
		b.See(r.say(t, "bulk.confirm_many"), r.say(t, "legacy.mark.same_name"))
		b.Press(r.say(t, "bulk.confirm_chosen"))
		b.See(r.say(t, "grant.nobody_chosen"))
		r.look(b, "waiting-nobody")
		b.Click(r.say(t, "bulk.choose_all"))
		r.look(b, "waiting-chosen")
		b.Press(r.say(t, "bulk.confirm_chosen"))
		b.See(r.say(t, "bulk.confirmed", "n", 2))
		r.look(b, "waiting-confirmed")
	})
}
