package views

// OutboxMessage is one message of the demonstration, in words for the reader.
type OutboxMessage struct {
	Title string // channel, and the subject of an e-mail
	To    string
	At    string
	State string
	Kind  BadgeKind
	Lines []string
}
