package portal

import "sitthi/internal/locale"

// KO1 is the system of the menu that this program itself is: permits to take waste out of a factory (กอ.1).
const KO1 = "ko1"

// Menu is one group of the intranet's menu bar with its systems, of which there may be none.
type Menu struct {
	Code    string
	Name    locale.Name
	Systems []System
}

// System is one entry of the intranet's menu.
type System struct {
	Code    string
	Menu    string // code of its group
	Name    locale.Name
	Address string // https:// or http://, or a path of this site; "" while nobody has entered one
	Version int64  // goes up by one with every change
}

// Home is the group of the menu bar that leads to the first page.
const Home = "home"

// groups are the groups of the menu bar, in the manual's order.
var groups = [...]Menu{
	{Code: Home, Name: locale.Name{TH: "หน้าหลัก", EN: "Home"}},
	{Code: "permits", Name: locale.Name{TH: "ระบบงานอนุญาต", EN: "Permit systems"}},
	{Code: "reports", Name: locale.Name{TH: "ระบบการรายงาน", EN: "Reporting systems"}},
	{Code: "inspections", Name: locale.Name{TH: "ระบบสำรวจตรวจสอบ", EN: "Survey and inspection systems"}},
	{Code: "others", Name: locale.Name{TH: "ระบบงานอื่น ๆ", EN: "Other systems"}},
	{Code: "mail", Name: locale.Name{TH: "อีเมล กรอ.", EN: "DIW e-mail"}},
}

// menus puts the systems, which are in order, into their groups.
func menus(systems []System) []Menu {
	list := groups
	for i := range list {
		for _, s := range systems {
			if s.Menu == list[i].Code {
				list[i].Systems = append(list[i].Systems, s)
			}
		}
	}
	return list[:]
}
