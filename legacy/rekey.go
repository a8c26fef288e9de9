package legacy

import (
	"strconv"

	"sitthi/internal/seal"
	"sitthi/person"
)

// The places that files and rows are sealed for.
const (
	piecePlaces     = "legacy.file"
	rowPlaces       = "legacy.row"
	correctedPlaces = "legacy.corrected"
	factsPlaces     = "legacy.facts"
)

func numbered(place, id string, number int64) string {
	return place + "/" + id + "/" + strconv.FormatInt(number, 10)
}

// Sealed is what this package seals, for whoever seals it anew.
var Sealed = []seal.Field{
	{Table: "legacy_files", Column: "sealed", Key: []string{"import_id", "number"}, Place: piecePlaces},
	{Table: "legacy_rows", Column: "original_sealed", Key: rowKey, Place: rowPlaces},
	{Table: "legacy_rows", Column: "corrected_sealed", Key: rowKey, Place: correctedPlaces},
	{Table: "legacy_rows", Column: "facts_sealed", Key: rowKey, Place: factsPlaces},
	{Table: "legacy_rows", Column: "citizen_sealed", Key: rowKey, Place: person.Sealed[0].Place, Of: []string{"person_id"}},
}

var rowKey = []string{"import_id", "line"}
