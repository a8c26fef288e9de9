package views

// DashboardPage shows how every unit stands.
type DashboardPage struct {
	Asking  *ButtonLinkParams // to locked officers who ask to be let in again
	Summary string            // what the figures above the tiles count
	Figures []Figure
	// Chosen says to which units the tiles are narrowed, and All leads back; empty when all are shown.
	Chosen string
	All    *ButtonLinkParams
	Groups []UnitGroup
}

// UnitGroup is the units of a region, or those of the centre.
type UnitGroup struct {
	Title string
	Note  string
	Wide  bool // names are long
	Tiles []UnitTile
}

// UnitTile is one unit: what it lacks, who holds its levels, and what comes up.
type UnitTile struct {
	ID     string
	Name   string
	Note   string // what it also stands for; mostly ""
	Href   string
	Bad    bool
	Lacks  []TileFigure
	Has    []TileFigure
	Coming []TileFigure
}

// TileFigure is one figure of a tile with the list behind it. Note says the value in full.
type TileFigure struct {
	Label string
	Value string
	Note  string
	Icon  IconName
	Bad   bool
	Href  string
}
