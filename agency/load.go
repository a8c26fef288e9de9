package agency

import (
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"

	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// The reference data; README.md says where it comes from.
var (
	//go:embed provinces.csv
	provincesCSV string
	//go:embed units.csv
	unitsCSV string
)

// Load brings in the provincial offices and the units at the centre. It may run at every start: it adds what is
// missing, brings up to date what nobody has changed by hand, and never touches what an administrator has changed.
// Sort keys are written anew where the library that makes them has changed.
func Load(ctx context.Context, tx *store.Tx) error {
	known, err := reference()
	if err != nil {
		return err
	}
	for _, u := range known {
		if err := loadUnit(ctx, tx, u); err != nil {
			return err
		}
	}
	units, err := selectUnits(ctx, tx)
	if err != nil {
		return err
	}
	for _, u := range units {
		if key := sortKey(u.Kind, u.Short); key != u.SortKey {
			if err := setUnitSortKey(ctx, tx, u.Code, key); err != nil {
				return err
			}
		}
	}
	teams, err := selectTeams(ctx, tx, "")
	if err != nil {
		return err
	}
	for _, t := range teams {
		if key := thai.SortKey(t.Name.TH); key != t.SortKey {
			if err := setTeamSortKey(ctx, tx, t, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// reference reads the embedded files into units as they are before anybody changes them.
func reference() ([]Unit, error) {
	centre, err := records("units.csv", unitsCSV)
	if err != nil {
		return nil, err
	}
	provinces, err := records("provinces.csv", provincesCSV)
	if err != nil {
		return nil, err
	}
	var units []Unit
	for _, r := range centre {
		name := locale.Name{TH: r["name_th"], EN: r["name_en"]}
		considers := r["considers_ko1_default"] == "1"
		units = append(units, Unit{
			Code: r["code"], Kind: r["kind"], Name: name, Short: name, Considers: considers,
			// A division has heads of group, who review; elsewhere level 2 starts switched off.
			UsesReview: considers && r["kind"] == Division,
		})
	}
	for _, r := range provinces {
		if r["diw_handled"] == "1" {
			continue // Bangkok has no provincial office; IWM acts for it.
		}
		units = append(units, Unit{
			Code: r["iso_3166_2"], Kind: Province, Region: r["region_code"], Considers: true,
			Name:  locale.Name{TH: r["office_name_th"], EN: r["name_en"] + " Provincial Industry Office"},
			Short: locale.Name{TH: r["name_th"], EN: r["name_en"]},
		})
	}
	for i := range units {
		units[i].Active, units[i].Version = true, 1
		units[i].SortKey = sortKey(units[i].Kind, units[i].Short)
	}
	return units, nil
}

// records reads a file of comma-separated values whose first line names the columns.
func records(name, text string) ([]map[string]string, error) {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var list []map[string]string
	for _, line := range lines[1:] {
		record := make(map[string]string, len(line))
		for i, column := range lines[0] {
			record[column] = line[i]
		}
		list = append(list, record)
	}
	return list, nil
}
