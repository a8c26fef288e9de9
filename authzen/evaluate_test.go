package authzen

import (
	"net/http"
	"testing"
)

// TestEvaluation asks the questions that officers' programs ask, by every spelling that is understood.
func TestEvaluation(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		for _, c := range []struct {
			what, subject, action, kind, resource string
			want                                  bool
			reason                                string
		}{
			{"his own right", considers, "consider", "unit", "TH-12", true, "permitted"},
			{"by person id", string(k.who[considers]), "consider", "unit", "TH-12", true, "permitted"},
			{"a citizen ID with dashes", "3-9900-00000-20-1", "consider", "unit", "TH-12", true, "permitted"},
			{"a citizen ID in Thai digits", "๓๙๙๐๐๐๐๐๐๐๒๐๑", "consider", "unit", "TH-12", true, "permitted"},
			{"another spelling of the unit", considers, "consider", "unit", "P12", true, "permitted"},
			{"a right of one group, there", inTeam, "consider", "group", "IWM/G1", true, "permitted"},
			{"a right of one group, in another", inTeam, "consider", "group", "IWM/G2", false, "other_group"},
			{"a right of one group, in the whole division", inTeam, "consider", "unit", "IWM", false, "other_group"},
			{"a right of the whole division, in a group", inAll, "consider", "group", "IWM/G2", true, "permitted"},
			{"Bangkok's division by the name of the province", inAll, "consider", "unit", "TH-10", true, "permitted"},
			{"the head", chief12, "administer", "unit", "TH-12", true, "permitted"},
			{"the head of a division, in a group", director, "administer", "group", "IWM/G1", true, "permitted"},
			{"the head has no level", chief12, "approve", "unit", "TH-12", false, "other_level"},
			{"another level", considers, "approve", "unit", "TH-12", false, "other_level"},
			{"another unit", considers, "consider", "unit", "TH-13", false, "no_right"},
			{"no right at all", without, "consider", "unit", "TH-12", false, "no_right"},
			{"nobody", stranger, "consider", "unit", "TH-12", false, "unknown_subject"},
			{"no citizen ID", "สมชาย", "consider", "unit", "TH-12", false, "unknown_subject"},
			{"a blank", " ", "consider", "unit", "TH-12", false, "unknown_subject"},
			{"nobody's person id", "0192f3a1-7b1c-7def-8a90-123456789012", "consider", "unit", "TH-12", false, "unknown_subject"},
			{"no such action", considers, "delete", "unit", "TH-12", false, "unknown_action"},
			{"an action in capitals", considers, "Consider", "unit", "TH-12", false, "unknown_action"},
			{"no such unit", considers, "consider", "unit", "TH-99", false, "unknown_resource"},
			{"no such type", considers, "consider", "province", "TH-12", false, "unknown_resource"},
			{"no such group", inAll, "consider", "group", "IWM/G9", false, "unknown_resource"},
			{"a group without its unit", inAll, "consider", "group", "G1", false, "unknown_resource"},
			{"a NUL", considers, "consider", "unit", "TH-12\x00", false, "unknown_resource"},
		} {
			got := k.post(t, evaluationPath, asks(c.subject, c.action, c.kind, c.resource))
			if got.status != http.StatusOK || got.at("decision") != c.want || got.at("context.reason") != c.reason {
				t.Errorf("%s: %d %s, want %v because of %s", c.what, got.status, got.body, c.want, c.reason)
			}
			for _, lang := range []string{"th", "en"} {
				if words, ok := got.at("context.reason_user." + lang).(string); !ok || words == "" {
					t.Errorf("%s: no words in %s: %s", c.what, lang, got.body)
				}
			}
		}
	})
}
