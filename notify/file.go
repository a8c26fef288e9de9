package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// File appends parcels to a file, one JSON object a line: for trials, and for a program beside this one that hands
// them on.
type File struct {
	path string
	mu   sync.Mutex
}

// NewFile makes the sender, and the file (mode 0600) so that a wrong path is told at once.
func NewFile(path string) (*File, error) {
	f := &File{path: path}
	return f, f.append(nil)
}

// Send implements Sender: it answers nil when the line is safely on the disk.
func (f *File) Send(_ context.Context, p Parcel) error {
	line, err := json.Marshal(struct {
		ID      string    `json:"id"`
		At      time.Time `json:"at"`
		To      string    `json:"to"`
		Subject string    `json:"subject,omitempty"`
		Text    string    `json:"text"`
	}{p.ID, p.At, p.To, p.Subject, p.Text})
	if err != nil {
		return fmt.Errorf("message file: %w", err)
	}
	return f.append(append(line, '\n'))
}

func (f *File) append(line []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("message file: %w", err)
	}
	_, err = file.Write(line)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("message file: %w", err)
	}
	return nil
}

// Nowhere takes every parcel and does nothing with it: in --demo messages are read at /demo/outbox.
type Nowhere struct{}

// Send implements Sender.
func (Nowhere) Send(context.Context, Parcel) error { return nil }
