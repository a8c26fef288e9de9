package dossier

import (
	"bytes"
	"encoding/json"
	"time"
)

// MarshalJSON writes the dossier with its sections as lists of objects, moments by RFC 3339 in UTC.
func (f Dossier) MarshalJSON() ([]byte, error) {
	all := map[string]any{"person": f.Person, "citizen_id": f.CitizenID, "at": f.At.UTC().Format(time.RFC3339Nano)}
	for _, s := range f.Sections {
		records := make([]record, len(s.Records))
		for i, r := range s.Records {
			records[i] = r
		}
		all[s.Name] = records
	}
	return json.Marshal(all)
}

// record writes its fields in their order.
type record []Field

// MarshalJSON implements json.Marshaler.
func (r record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		value := f.Value
		if at, ok := value.(time.Time); ok {
			value = at.UTC().Format(time.RFC3339Nano)
		}
		name, err := json.Marshal(f.Name)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
