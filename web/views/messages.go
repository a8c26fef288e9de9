package views

import "net/url"

// MessagesPage is the list of messages, narrowed.
type MessagesPage struct {
	Path                       string
	Tabs                       []Tab
	Filters                    url.Values
	States, Channels, Purposes []Option
	Set                        []SummaryRow // the filters that are set
	Messages                   []MessageRow
	Newest, Older              string // addresses, "" where there is no such page
	Back                       string // where an act leads back to
}

// MessageRow is one message, in words for the reader.
type MessageRow struct {
	At, Title, Channel, To string
	State                  string
	Kind                   BadgeKind
	Facts                  []string
	Error                  string // why it failed last
	Again                  string // address that sends it again, "" where that can not be
	Why                    string // why not
}

// TemplateRow is one kind of message.
type TemplateRow struct {
	Purpose, Title, Href string
	Order, Kind, Note    string // which way it goes: its code, in words, and explained
	Channels             string
}

// TemplatePage is what messages of one kind look like.
type TemplatePage struct {
	Row      TemplateRow
	Examples []MessageExample
}

// MessageExample is a message with made-up values.
type MessageExample struct {
	Title   string
	Lang    string
	Subject string // "" but for e-mail
	Lines   []string
}
