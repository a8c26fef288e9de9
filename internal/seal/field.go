package seal

// Field is a column of the database that holds sealed values: all that has to be known to seal them anew with a newer
// key. Each package that seals something lists its own.
type Field struct {
	Table, Column string
	// Key are the columns of the table's primary key.
	Key []string
	// Place binds a value to its row, as Seal and Open have it: this, and after a slash the values of the columns Of, or
	// of the Key when there are none, with slashes between.
	Place string
	Of    []string
}
