package notify

import (
	"strings"
	"testing"

	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// TestIdleOutboxReadsNoOldMessages holds what every lane asks every two seconds to the index of waiting messages.
func TestIdleOutboxReadsNoOldMessages(t *testing.T) {
	env := storetest.SQLite(t)
	var plan []string
	err := env.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
		plan, err = store.Rows(func(row store.Row) (s string, err error) {
			var id, parent, unused int
			return s, row.Scan(&id, &parent, &unused, &s)
		})(tx.Query(t.Context(), "EXPLAIN QUERY PLAN "+dueQuery, "email", 0))
		return err
	})
	if err != nil || !strings.Contains(strings.Join(plan, "\n"), "messages USING INDEX messages_due (channel=? AND next_at<?)") {
		t.Errorf("plan %q, %v", plan, err)
	}
}
