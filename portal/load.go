package portal

import (
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// systemsCSV holds the systems of the menu; README.md says where they come from.
//
//go:embed systems.csv
var systemsCSV string

// cutover is the notice of the change from the old system, word for word from the ministry's manual; heading and
// translation are ours. The manual does not say when the notice was put up: it is shown from one month before the
// old system closed to the day on which the data were transferred.
var cutover = Draft{
	Place: Public,
	From:  thai.Date{Year: 2023, Month: time.October, Day: 1},
	To:    thai.Date{Year: 2023, Month: time.November, Day: 5},
	Title: locale.Name{
		TH: "กำหนดการเปลี่ยนไปใช้ระบบอนุญาตกากอุตสาหกรรม (กอ.1)",
		EN: "Change to the industrial waste permit system (Ko.1)",
	},
	Body: locale.Name{
		TH: "กรมโรงงานอุตสาหกรรมจะให้บริการระบบจัดการวัสดุที่ไม่ใช้แล้ว (ระบบปัจจุบัน) ถึง วันที่ 31 ตุลาคม 2566 เวลา 23.59 น. " +
			"ให้เจ้าหน้าที่ผู้พิจารณาคำขอ พิจารณาคำขอในระบบจัดการวัสดุที่ไม่ใช้แล้ว ให้แล้วเสร็จภายใน วันที่ 4 พฤศจิกายน 2566 ภายในเวลา 16.30 น. " +
			"เพื่อให้ศูนย์เทคโนโลยีสารสนเทศและการสื่อสาร ถ่ายโอนข้อมูลใน วันที่ 5 พฤศจิกายน 2566 " +
			"ทั้งนี้ ให้พิจารณาคำขอตามระบบทะเบียนลูกค้ากระทรวงอุตสาหกรรม (i-Industry) ตั้งแต่วันที่ 1 พฤศจิกายน 2566",
		EN: "The Department of Industrial Works keeps the system for managing unused materials (the present system) open until " +
			"31 October 2023, 23:59. Officers who consider applications finish those in that system by 4 November 2023, 16:30, " +
			"so that the Information and Communication Technology Centre can transfer the data on 5 November 2023. " +
			"From 1 November 2023, applications are considered in the Ministry of Industry's customer registry system (i-Industry).",
	},
}

// Load brings in the systems of the menu and the notice of the cut-over. It may run at every start: it never touches
// what an administrator has changed.
func Load(ctx context.Context, tx *store.Tx) error {
	rows, err := csv.NewReader(strings.NewReader(systemsCSV)).ReadAll()
	if err != nil {
		return fmt.Errorf("read systems.csv: %w", err)
	}
	for _, r := range rows[1:] { // position, code, menu, name_th, name_en, address
		position, err := strconv.Atoi(r[0])
		if err != nil {
			return fmt.Errorf("read systems.csv: position of %s: %w", r[1], err)
		}
		s := System{Code: r[1], Menu: r[2], Name: locale.Name{TH: r[3], EN: r[4]}, Address: r[5]}
		if err := loadSystem(ctx, tx, position, s); err != nil {
			return err
		}
	}
	a := Announcement{ID: "cutover-2566", CreatedBy: audit.System, CreatedAt: tx.Now, Version: 1}
	a.fill(cutover)
	return insertAnnouncement(ctx, tx, a)
}
