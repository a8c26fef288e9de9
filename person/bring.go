package person

import (
	"context"
	"fmt"
	"strconv"

	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// Newcomer is somebody on the way onto the roll among many others.
type Newcomer struct {
	Person  ID     // whom he becomes, unless the roll knows him already
	Index   string // as Roll.Index
	Citizen []byte // the citizen ID, sealed for that person
}

// Newcomer makes what Bring needs of somebody.
func (r *Roll) Newcomer(citizen thai.CitizenID) Newcomer {
	who := ID(store.NewID())
	return Newcomer{Person: who, Index: r.Index(citizen), Citizen: r.ring.Seal(place(who), []byte(citizen.Digits()))}
}

// Bring puts many persons on the roll at once and answers how many were new to it. The query gives the newcomers as
// rows of person_id, citizen_index and citizen_sealed; its arguments are $1 and on.
func (r *Roll) Bring(ctx context.Context, tx *store.Tx, query string, args ...any) (int64, error) {
	now := "CAST($" + strconv.Itoa(len(args)+1) + " AS BIGINT)"
	n, err := tx.Exec(ctx, `INSERT INTO persons (id, citizen_index, citizen_sealed, created_at)
		SELECT n.person_id, n.citizen_index, n.citizen_sealed, `+now+` FROM (`+query+`) n WHERE TRUE ON CONFLICT (citizen_index) DO NOTHING`, append(args[:len(args):len(args)], store.Us(tx.Now))...)
	if err != nil {
		return 0, fmt.Errorf("add persons: %w", err)
	}
	return n, nil
}
