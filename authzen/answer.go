package authzen

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/person"
)

// reason says in one word why an answer is what it is: one of the book's, or one of the door's own.
type reason string

// The door's own reasons: what it was asked about is not known here, or not the caller's to ask about.
const (
	unknownSubject  reason = "unknown_subject"
	unknownAction   reason = "unknown_action"
	unknownResource reason = "unknown_resource"
	outOfScope      reason = "out_of_scope"
)

// words say each reason in a sentence that an officer understands (reason_user).
var words = map[reason]locale.Name{
	reason(grant.Permitted):  {TH: "มีสิทธิ์ดำเนินการ", EN: "The officer holds the right."},
	reason(grant.NoRight):    {TH: "ไม่มีสิทธิ์นี้ในหน่วยงานนี้", EN: "The officer holds no such right here."},
	reason(grant.OtherGroup): {TH: "มีสิทธิ์เฉพาะในกลุ่มอื่นของหน่วยงานนี้", EN: "The officer's right is for another group of this unit."},
	reason(grant.OtherLevel): {TH: "มีสิทธิ์ในหน่วยงานนี้ แต่เป็นสิทธิ์ในขั้นตอนอื่น", EN: "The officer's right here is for another step."},
	reason(grant.NotYet):     {TH: "ยังไม่ถึงวันเริ่มต้นของสิทธิ์", EN: "The right has yet to begin."},
	reason(grant.Ended):      {TH: "สิทธิ์สิ้นสุดแล้ว", EN: "The right has ended."},

	reason(grant.NoAccount):      {TH: "ยังไม่มีบัญชีผู้ใช้", EN: "The officer has no account."},
	reason(grant.AccountOff):     {TH: "บัญชีผู้ใช้ถูกปิดใช้งาน", EN: "The officer's account is switched off."},
	reason(grant.Locked):         {TH: "บัญชีผู้ใช้ถูกล็อกเพราะไม่ได้เข้าสู่ระบบเกินกำหนด", EN: "The officer's account is locked for want of a sign-in."},
	reason(grant.AccountUnknown): {TH: "ไม่มีบันทึกว่าบัญชีผู้ใช้เปิดใช้งานอยู่ในเวลานั้นหรือไม่", EN: "No record tells whether the officer's account was switched on then."},
	reason(grant.NotConfirmed):   {TH: "หัวหน้าหน่วยงานยังไม่ได้ยืนยันตัวบุคคล", EN: "No head of the unit has confirmed who the officer is."},
	reason(grant.NotSeconded):    {TH: "ยังไม่ได้รับการยืนยันจากบุคคลที่สอง", EN: "No second person has confirmed it."},

	unknownSubject:  {TH: "ไม่พบเจ้าหน้าที่รายนี้ในระบบ", EN: "Sitthi knows no such officer."},
	unknownAction:   {TH: "ไม่รู้จักการดำเนินการนี้", EN: "Sitthi knows no such action."},
	unknownResource: {TH: "ไม่พบหน่วยงานหรือกลุ่มนี้ในระบบ", EN: "Sitthi knows no such unit or group."},
	outOfScope:      {TH: "โทเค็นของระบบนี้ไม่ครอบคลุมหน่วยงานหรือการดำเนินการที่ถาม", EN: "This program's token does not cover the unit or action."},
}

// verdict is the answer to one question.
type verdict struct {
	allowed bool
	reason  reason
	grant   string    // the right or appointment that the reason speaks of; "" for none
	person  person.ID // the subject; "" when nobody was looked for or found
	// conditions is the array of all conditions, when they were asked for.
	conditions []byte
}

// sentences makes the members of an answer's context that depend on the reason alone, ready to be sent.
func sentences() (map[reason]string, error) {
	ready := make(map[reason]string, len(words))
	for r, name := range words {
		var told struct {
			Reason reason `json:"reason"`
			User   struct {
				TH string `json:"th"`
				EN string `json:"en"`
			} `json:"reason_user"`
		}
		told.Reason, told.User.TH, told.User.EN = r, name.TH, name.EN
		text, err := json.Marshal(told)
		if err != nil {
			return nil, fmt.Errorf("write reason %s: %w", r, err)
		}
		ready[r] = strings.Trim(string(text), "{}") + "}"
	}
	return ready, nil
}

// append adds the answer to out. Ids and codes need no quoting: they hold letters, digits and hyphens.
func (v *verdict) append(out []byte, sentences map[reason]string) []byte {
	out = append(out, `{"decision":`...)
	out = strconv.AppendBool(out, v.allowed)
	out = append(out, `,"context":{`...)
	out = append(out, sentences[v.reason]...)
	if v.grant != "" {
		out = append(out, `,"grant":"`...)
		out = append(out, v.grant...)
		out = append(out, '"')
	}
	if v.person != "" {
		out = append(out, `,"person":"`...)
		out = append(out, v.person...)
		out = append(out, '"')
	}
	if v.conditions != nil {
		out = append(out, `,"conditions":`...)
		out = append(out, v.conditions...)
	}
	return append(out, "}}"...)
}

// reasonOf is the book's reason in the words of the specification, which calls a place a resource.
func reasonOf(r grant.Reason) reason {
	if r == grant.UnknownPlace {
		return unknownResource
	}
	return reason(r)
}

// condition is one condition of an answer as programs are told it. What people wrote about an act is not in it: nobody
// knows what that holds.
type condition struct {
	Code   grant.Code `json:"condition"`
	Met    grant.Met  `json:"met"`
	Reason reason     `json:"reason"`
	Deed   *deedTold  `json:"deed,omitempty"`
	From   time.Time  `json:"from,omitzero"`
	Until  time.Time  `json:"until,omitzero"` // exclusive
}

// deedTold is the act behind a condition as programs are told it.
type deedTold struct {
	Act         string    `json:"act,omitempty"`
	By          string    `json:"by,omitempty"`
	At          time.Time `json:"at,omitzero"`
	Order       string    `json:"order_number,omitempty"`
	Grant       string    `json:"grant,omitempty"`
	Appointment string    `json:"appointment,omitempty"`
}

// tell writes the conditions of an explanation.
func tell(e grant.Explanation) ([]byte, error) {
	list := make([]condition, len(e.Conditions))
	for i, c := range e.Conditions {
		list[i] = condition{Code: c.Code, Met: c.Met, Reason: reasonOf(c.Reason), From: c.From, Until: c.Until}
		if c.Deed != (grant.Deed{}) {
			list[i].Deed = &deedTold{c.Deed.Act, c.Deed.By, c.Deed.At, c.Deed.Order, c.Deed.Grant.String(), c.Deed.Post.String()}
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("write conditions: %w", err)
	}
	return text, nil
}
