package views

// askingWords are the parts of a question, and what can stand in them.
var askingWords = []struct{ member, value, key string }{
	{"subject.type", "officer", "asking.word.officer"},
	{"subject.id", "1234567890121", "asking.word.subject"},
	{"action.name", "consider", "program.action.consider"},
	{"action.name", "review", "program.action.review"},
	{"action.name", "approve", "program.action.approve"},
	{"action.name", "administer", "program.action.administer"},
	{"resource.type, .id", "unit, TH-12", "asking.word.unit"},
	{"resource.type, .id", "group, IWM/PERMIT-1", "asking.word.group"},
	{"context.at", "2026-11-05T09:00:00+07:00", "asking.word.at"},
	{"context.explain", "true", "asking.word.explain"},
}

// askingStatuses are the HTTP statuses of answers.
var askingStatuses = []string{"200", "400", "401", "413", "415", "503"}
