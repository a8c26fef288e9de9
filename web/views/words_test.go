package views

import (
	"strings"
	"testing"
)

func TestHeading(t *testing.T) {
	for text, want := range map[string]string{
		"ข้อมูลการสมัครใช้งานระบบเจ้าหน้าที่": `ข้อมูลการสมัคร<span class="whole">ใช้งาน</span>ระบบ<span class="whole">เจ้าหน้าที่</span>`,
		"Rights":            "Rights",
		`<b>"ใช้งาน"</b> &`: `&lt;b&gt;&#34;<span class="whole">ใช้งาน</span>&#34;&lt;/b&gt; &amp;`,
	} {
		var got strings.Builder
		if err := heading(text).Render(t.Context(), &got); err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v", text, &got, err)
		}
	}
}
