package notify

import (
	"fmt"
	"slices"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/thai"
)

// Channels lists all channels that messages go by.
func Channels() []Channel { return slices.Clone(channels[:]) }

// examples are a made-up argument of each name, long ones among them: for showing and for testing what messages look like.
var examples = locale.Args{
	"code": "012345", "reference": "KTXB", "minutes": 5, "n": 15,
	"name": "สมชาย ใจดีเจริญทรัพย์", "position": "นักวิชาการอุตสาหกรรมชำนาญการ",
	"unit":     locale.Name{TH: "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", EN: "Nonthaburi Provincial Industry Office"},
	"old_unit": locale.Name{TH: "สำนักงานอุตสาหกรรมจังหวัดปทุมธานี", EN: "Pathum Thani Provincial Industry Office"},
	"channel":  locale.Name{TH: "เบอร์โทรศัพท์มือถือ", EN: "mobile number"}, "contact": "08X-XXX-5678",
	"level": locale.Name{TH: "พิจารณา", EN: "Consider"},
	"post":  locale.Name{TH: "รักษาราชการแทนหัวหน้าหน่วยงาน", EN: "acting head of unit"},
	"from":  thai.Date{Year: 2026, Month: time.October, Day: 1}, "until": thai.Date{Year: 2027, Month: time.September, Day: 30},
	"reason": "ลาออกจากราชการแล้ว ตั้งแต่วันที่ 1 ตุลาคม 2569",
	"link":   "https://sitthi.example.go.th/my/rights", "receipt": "KRMW-4729",
}

// Example writes a message of a purpose as it would go out, with made-up values; an SMS has no subject.
func Example(purpose string, c Channel, lang locale.Lang) (subject, text string, err error) {
	t, ok := find(purpose)
	if !ok {
		return "", "", fmt.Errorf("no template %q", purpose)
	}
	args := make(locale.Args, len(t.Args))
	for _, name := range t.Args {
		args[name] = examples[name]
	}
	return render(Message{Channel: c, Purpose: purpose, Lang: lang, Args: args})
}
