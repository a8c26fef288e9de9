package authzen

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// wants fails the test unless the reply has the status.
func (r reply) wants(t testing.TB, status int) reply {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d\n%s", r.status, status, r.body)
	}
	return r
}

// says fails the test unless the body holds the value under the path.
func (r reply) says(t testing.TB, path string, want any) reply {
	t.Helper()
	if got := r.at(path); got != want {
		t.Errorf("%s is %v, want %v\n%s", path, got, want, r.body)
	}
	return r
}

// TestSpecification holds the door to what the Authorization API 1.0 (final, January 2026) demands of a policy decision
// point: every MUST and REQUIRED, the SHOULDs that it follows, and the paragraph each stands in.
func TestSpecification(t *testing.T) {
	k := newKit(t)
	mine := asks(considers, "consider", "unit", "TH-12")
	search := func(path, body string) func(t *testing.T) reply {
		return func(t *testing.T) reply { return k.post(t, path, body).wants(t, http.StatusOK) }
	}
	subject, action, resource := `"subject":{"type":"officer","id":"`+considers+`"}`, `"action":{"name":"consider"}`, `"resource":{"type":"unit","id":"TH-12"}`
	body := func(members ...string) string { return "{" + strings.Join(members, ",") + "}" }
	bad := func(path string, bodies ...string) func(t *testing.T) {
		return func(t *testing.T) {
			for _, body := range bodies {
				if got := k.post(t, path, body); got.status != http.StatusBadRequest || len(strings.TrimSpace(got.body)) == 0 {
					t.Errorf("%s: %d %q", body, got.status, got.body)
				}
			}
		}
	}
	three := func(options string) string {
		return body(subject, action, `"evaluations":[{"resource":{"type":"unit","id":"TH-12"}},{"resource":{"type":"unit","id":"TH-13"}},{"resource":{"type":"unit","id":"TH-12"}}]`+options)
	}
	decisions := func(t *testing.T, r reply) string {
		t.Helper()
		var list []string
		for i := range r.wants(t, http.StatusOK).count("evaluations") {
			list = append(list, fmt.Sprint(r.at(fmt.Sprintf("evaluations.%d.decision", i))))
		}
		return strings.Join(list, " ")
	}
	semantic := func(name, want string) func(t *testing.T) {
		return func(t *testing.T) {
			if got := decisions(t, k.post(t, evaluationsPath, three(`,"options":{"evaluations_semantic":"`+name+`","another_option":"value"}`))); got != want {
				t.Errorf("%s answered %s, want %s", name, got, want)
			}
		}
	}
	pages := func(path, body string, limit int) (all []string, counts []int) {
		t.Helper()
		token := ""
		for range 20 {
			r := k.post(t, path, strings.TrimSuffix(body, "}")+fmt.Sprintf(`,"page":{"limit":%d,"token":%q}}`, limit, token)).wants(t, http.StatusOK)
			all, counts = append(all, r.ids()...), append(counts, len(r.ids()))
			token, _ = r.at("page.next_token").(string)
			if token == "" {
				return all, counts
			}
		}
		t.Fatal("the pages do not end")
		return nil, nil
	}
	whoConsiders := body(`"subject":{"type":"officer"}`, action, `"resource":{"type":"group","id":"IWM/G1"}`)

	for _, c := range []struct {
		section, must string
		test          func(t *testing.T)
	}{
		{"4", "endpoints SHOULD have v1 in them", func(t *testing.T) {
			r := k.send(t, http.MethodGet, metadataPath, "")
			for name, value := range r.json {
				if name != "policy_decision_point" && !strings.Contains(fmt.Sprint(value), "/v1/") {
					t.Errorf("%s: %v", name, value)
				}
			}
		}},
		{"5.1", "a subject has REQUIRED type and id, both strings", bad(evaluationPath,
			body(`"subject":{"id":"`+considers+`"}`, action, resource), body(`"subject":{"type":"officer"}`, action, resource),
			body(`"subject":{"type":"officer","id":3990000000201}`, action, resource), body(`"subject":{"type":null,"id":"1"}`, action, resource), body(`"subject":{"type":"officer","id":""}`, action, resource),
			body(`"subject":"officer"`, action, resource))},
		{"5.1", "properties are OPTIONAL and an object with values of any kind", func(t *testing.T) {
			k.post(t, evaluationPath, body(`"subject":{"type":"officer","id":"`+considers+`","properties":{"a":[1,{"b":null}],"c":true}}`,
				`"action":{"name":"consider","properties":{}}`, `"resource":{"type":"unit","id":"TH-12","properties":{"d":"e"}}`)).wants(t, 200).says(t, "decision", true)
			bad(evaluationPath, body(`"subject":{"type":"officer","id":"1","properties":"x"}`, action, resource),
				body(subject, `"action":{"name":"consider","properties":[]}`, resource), body(subject, action, `"resource":{"type":"unit","id":"TH-12","properties":7}`))(t)
		}},
		{"5.2", "a resource has REQUIRED type and id, both strings", bad(evaluationPath,
			body(subject, action, `"resource":{"id":"TH-12"}`), body(subject, action, `"resource":{"type":"unit"}`), body(subject, action, `"resource":{"type":"unit","id":12}`))},
		{"5.3", "an action has a REQUIRED name, a string", bad(evaluationPath,
			body(subject, `"action":{}`, resource), body(subject, `"action":{"name":1}`, resource), body(subject, `"action":"consider"`, resource))},
		{"5.4", "the context is an object", func(t *testing.T) {
			k.post(t, evaluationPath, body(subject, action, resource, `"context":{"time":"1985-10-26T01:22-07:00","schema":"https://schema.example.com"}`)).wants(t, 200).says(t, "decision", true)
			bad(evaluationPath, body(subject, action, resource, `"context":"now"`), body(subject, action, resource, `"context":[]`))(t)
		}},
		{"5.5", "an answer has a REQUIRED boolean decision; a context is an object", func(t *testing.T) {
			yes, no := k.post(t, evaluationPath, mine), k.post(t, evaluationPath, asks(without, "consider", "unit", "TH-12"))
			yes.wants(t, 200).says(t, "decision", true)
			no.wants(t, 200).says(t, "decision", false)
			if _, ok := yes.at("context").(map[string]any); !ok {
				t.Error(yes.body)
			}
		}},
		{"6.1", "subject, action and resource are REQUIRED, the context is not", func(t *testing.T) {
			k.post(t, evaluationPath, body(subject, action, resource)).wants(t, 200)
			bad(evaluationPath, body(action, resource), body(subject, resource), body(subject, action), `{}`, body(`"subject":null`, action, resource))(t)
		}},
		{"6.2", "the answer is a decision", func(t *testing.T) { k.post(t, evaluationPath, mine).wants(t, 200).says(t, "decision", true) }},
		{"7.1", "without evaluations, or with none in the array, it is a single evaluation", func(t *testing.T) {
			for _, more := range []string{"", `,"evaluations":[]`, `,"evaluations":null`} {
				r := k.post(t, evaluationsPath, asks(considers, "consider", "unit", "TH-12", more)).wants(t, 200).says(t, "decision", true)
				if r.count("evaluations") != -1 {
					t.Error(r.body)
				}
			}
			bad(evaluationsPath, body(subject, action), `{"evaluations":[]}`)(t)
		}},
		{"7.1", "evaluations is an array of objects", bad(evaluationsPath, `{"evaluations":{}}`, `{"evaluations":[1]}`, `{"evaluations":[null]}`)},
		{"7.1", "defaults MAY be left out when every evaluation is whole", func(t *testing.T) {
			if got := decisions(t, k.post(t, evaluationsPath, `{"evaluations":[`+mine+`,`+asks(without, "consider", "unit", "TH-12")+`]}`)); got != "true false" {
				t.Error(got)
			}
		}},
		{"7.1.1", "what an evaluation names overrides the default, as a whole", func(t *testing.T) {
			if got := decisions(t, k.post(t, evaluationsPath, body(subject, action, resource, `"context":{"explain":false}`,
				`"evaluations":[{},{"resource":{"type":"unit","id":"TH-13"}},{"action":{"name":"approve"}},{"action":{"name":"approve"},"subject":{"type":"officer","id":"`+approves+`"}}]`))); got != "true false false true" {
				t.Error(got)
			}
			bad(evaluationsPath, body(subject, action, resource, `"evaluations":[{"subject":{"id":"`+considers+`"}}]`))(t)
		}},
		{"7.1.1", "what an evaluation leaves out MUST be given beside the array", bad(evaluationsPath,
			body(subject, action, `"evaluations":[{"resource":{"type":"unit","id":"TH-12"}},{}]`), body(action, resource, `"evaluations":[{}]`), body(subject, resource, `"evaluations":[{}]`))},
		{"7.1.2", "options are an object; unknown ones are passed over", func(t *testing.T) {
			if got := decisions(t, k.post(t, evaluationsPath, three(`,"options":{"another_option":{"x":1}}`))); got != "true false true" {
				t.Error(got)
			}
			bad(evaluationsPath, three(`,"options":"execute_all"`))(t)
		}},
		{"7.1.2.1", "execute_all answers all in order", semantic("execute_all", "true false true")},
		{"7.1.2.1", "execute_all is the default", func(t *testing.T) {
			if got := decisions(t, k.post(t, evaluationsPath, three(""))); got != "true false true" {
				t.Error(got)
			}
		}},
		{"7.1.2.1", "deny_on_first_deny ends with the first denial", semantic("deny_on_first_deny", "true false")},
		{"7.1.2.1", "permit_on_first_permit ends with the first permission", semantic("permit_on_first_permit", "true")},
		{"7.1.2.1", "exactly one of the three values", bad(evaluationsPath, three(`,"options":{"evaluations_semantic":"all"}`), three(`,"options":{"evaluations_semantic":1}`))},
		{"7.2", "the answers stand in the order of the questions, and decision is left out", func(t *testing.T) {
			r := k.post(t, evaluationsPath, three("")).wants(t, 200)
			if r.count("evaluations") != 3 || r.at("decision") != nil {
				t.Error(r.body)
			}
		}},
		{"7.2.1", "what can not be decided is a false with its reason", func(t *testing.T) {
			k.post(t, evaluationsPath, body(subject, action, `"evaluations":[{"resource":{"type":"unit","id":"NONE"}},{"resource":{"type":"unit","id":"TH-12"}}]`)).
				wants(t, 200).says(t, "evaluations.0.decision", false).says(t, "evaluations.0.context.reason", "unknown_resource").says(t, "evaluations.1.decision", true)
		}},
		{"8.1", "what a search finds SHOULD be permitted when asked about, and is found across groups", func(t *testing.T) {
			r := search(subjectPath, whoConsiders)(t)
			if want := []string{string(k.who[inTeam]), string(k.who[inAll])}; !equalSets(r.ids(), want) {
				t.Errorf("found %v, want %v", r.ids(), want)
			}
			for _, id := range r.ids() {
				k.post(t, evaluationPath, asks(id, "consider", "group", "IWM/G1")).says(t, "decision", true)
			}
		}},
		{"8.2", "an answer that is not whole MUST have a page with a next_token that is not empty, the last an empty one", func(t *testing.T) {
			all, counts := pages(subjectPath, whoConsiders, 1)
			if !slices.Equal(counts, []int{1, 1}) || !equalSets(all, []string{string(k.who[inTeam]), string(k.who[inAll])}) {
				t.Errorf("pages of %v: %v", counts, all)
			}
			groups, counts := pages(resourcePath, `{"subject":{"type":"officer","id":"`+inAll+`"},"action":{"name":"consider"},"resource":{"type":"group"}}`, 1)
			if !slices.Equal(counts, []int{1, 1}) || !slices.Equal(groups, []string{"IWM/G1", "IWM/G2"}) {
				t.Errorf("pages of %v: %v", counts, groups)
			}
		}},
		{"8.2", "what changes from page to page SHOULD be an error", func(t *testing.T) {
			r := search(subjectPath, strings.TrimSuffix(whoConsiders, "}")+`,"page":{"limit":1}}`)(t)
			token := fmt.Sprint(r.at("page.next_token"))
			with := func(body, page string) string {
				return strings.TrimSuffix(body, "}") + `,"page":{"token":"` + token + `"` + page + `}}`
			}
			k.post(t, subjectPath, with(whoConsiders, "")).wants(t, 200)
			k.post(t, subjectPath, with(whoConsiders, `,"limit":1`)).wants(t, 200)
			bad(subjectPath, with(whoConsiders, `,"limit":2`), with(strings.Replace(whoConsiders, "IWM/G1", "IWM/G2", 1), ""),
				with(strings.Replace(whoConsiders, "consider", "approve", 1), ""), with(whoConsiders, `,"token":"x"`),
				strings.Replace(with(whoConsiders, ""), `"page"`, `"context":{"at":"2026-01-01T00:00:00Z"},"page"`, 1))(t)
			bad(actionPath, with(body(subject, resource), ""))(t)
		}},
		{"8.2.1", "limit is a non-negative integer, token a string; none is needed", func(t *testing.T) {
			page := func(page string) string { return strings.TrimSuffix(whoConsiders, "}") + `,"page":` + page + "}" }
			for _, p := range []string{`{}`, `{"limit":5}`, `{"limit":4000000000}`, `{"token":""}`, `{"properties":{"sort":"name"},"unknown":1}`, `null`} {
				if r := k.post(t, subjectPath, page(p)).wants(t, 200); len(r.ids()) != 2 {
					t.Errorf("%s: %s", p, r.body)
				}
			}
			if r := k.post(t, subjectPath, page(`{"limit":0}`)).wants(t, 200); len(r.ids()) != 0 || r.at("page.next_token") == "" {
				t.Error(r.body)
			}
			bad(subjectPath, page(`{"limit":-1}`), page(`{"limit":1.5}`), page(`{"limit":"5"}`), page(`{"token":5}`), page(`{"token":"%%"}`), page(`{"token":"AAAA"}`), page(`[]`))(t)
		}},
		{"8.2.2", "a page has a REQUIRED next_token, empty at the end, and the count of results", func(t *testing.T) {
			search(subjectPath, whoConsiders)(t).says(t, "page.next_token", "").says(t, "page.count", 2.0)
		}},
		{"8.3", "results are REQUIRED, also when there are none, behind the page", func(t *testing.T) {
			for path, body := range map[string]string{
				subjectPath:  body(`"subject":{"type":"officer"}`, `"action":{"name":"review"}`, resource),
				resourcePath: body(`"subject":{"type":"officer","id":"`+without+`"}`, action, `"resource":{"type":"unit"}`),
				actionPath:   body(`"subject":{"type":"officer","id":"`+without+`"}`, resource),
			} {
				r := search(path, body)(t)
				if r.count("results") != 0 || !strings.HasPrefix(r.body, `{"page":`) {
					t.Errorf("%s: %s", path, r.body)
				}
			}
		}},
		{"8.3", "results MUST be of the type that is searched for", func(t *testing.T) {
			search(subjectPath, whoConsiders)(t).says(t, "results.0.type", "officer")
			for kind, want := range map[string]string{"unit": "IWM", "group": "IWM/G1"} {
				r := search(resourcePath, `{"subject":{"type":"officer","id":"`+inAll+`"},"action":{"name":"consider"},"resource":{"type":"`+kind+`"}}`)(t)
				r.says(t, "results.0.type", kind).says(t, "results.0.id", want)
			}
			for path, body := range map[string]string{
				subjectPath:  strings.Replace(whoConsiders, "officer", "user", 1),
				resourcePath: body(subject, action, `"resource":{"type":"file"}`),
			} {
				if r := search(path, body)(t); r.count("results") != 0 {
					t.Errorf("%s: %s", path, r.body)
				}
			}
		}},
		{"8.4.1", "the subject MUST have a type; its id MUST be ignored; action and resource are REQUIRED", func(t *testing.T) {
			want := search(subjectPath, whoConsiders)(t).body
			for _, id := range []string{`"id":"` + without + `"`, `"id":7`, `"id":null`} {
				if got := search(subjectPath, strings.Replace(whoConsiders, `"type":"officer"`, `"type":"officer",`+id, 1))(t).body; got != want {
					t.Errorf("with %s: %s", id, got)
				}
			}
			bad(subjectPath, body(`"subject":{}`, action, resource), body(action, resource), body(`"subject":{"type":"officer"}`, resource),
				body(`"subject":{"type":"officer"}`, action), body(`"subject":{"type":"officer"}`, action, `"resource":{"type":"unit"}`))(t)
		}},
		{"8.5.1", "the resource MUST have a type; its id MUST be ignored; subject and action are REQUIRED", func(t *testing.T) {
			for _, id := range []string{"", `,"id":"TH-13"`, `,"id":[]`} {
				r := search(resourcePath, body(subject, action, `"resource":{"type":"unit"`+id+`}`))(t)
				if !slices.Equal(r.ids(), []string{"TH-12"}) {
					t.Errorf("with %s: %s", id, r.body)
				}
			}
			bad(resourcePath, body(subject, action, `"resource":{}`), body(subject, action), body(action, `"resource":{"type":"unit"}`),
				body(subject, `"resource":{"type":"unit"}`), body(`"subject":{"type":"officer"}`, action, `"resource":{"type":"unit"}`))(t)
		}},
		{"8.6.1", "subject and resource are REQUIRED, an action is left out", func(t *testing.T) {
			if r := search(actionPath, body(subject, resource))(t); !slices.Equal(r.ids(), []string{"consider"}) {
				t.Error(r.body)
			}
			if r := search(actionPath, body(`"subject":{"type":"officer","id":"`+chief12+`"}`, resource, `"action":{"name":"approve"}`))(t); !slices.Equal(r.ids(), []string{"administer"}) {
				t.Error(r.body)
			}
			bad(actionPath, body(subject), body(resource), body(`"subject":{"type":"officer"}`, resource), body(subject, `"resource":{"type":"unit"}`))(t)
		}},
		{"9.1.1", "REQUIRED: the identifier, an https URL without query or fragment, and the evaluation endpoint", func(t *testing.T) {
			k.send(t, http.MethodGet, metadataPath, "").wants(t, 200).says(t, "policy_decision_point", "https://sitthi.example.go.th").
				says(t, "access_evaluation_endpoint", "https://sitthi.example.go.th/access/v1/evaluation").
				says(t, "access_evaluations_endpoint", "https://sitthi.example.go.th/access/v1/evaluations").
				says(t, "search_subject_endpoint", "https://sitthi.example.go.th/access/v1/search/subject").
				says(t, "search_resource_endpoint", "https://sitthi.example.go.th/access/v1/search/resource").
				says(t, "search_action_endpoint", "https://sitthi.example.go.th/access/v1/search/action")
		}},
		{"9.2", "the metadata MUST be at /.well-known/authzen-configuration, by GET, without a token", func(t *testing.T) {
			k.send(t, http.MethodGet, metadataPath, "", "Authorization", "").wants(t, 200)
			k.send(t, http.MethodPost, metadataPath, "{}").wants(t, http.StatusMethodNotAllowed)
		}},
		{"9.2.2", "the metadata MUST be 200, application/json, an object without empty parameters", func(t *testing.T) {
			r := k.send(t, http.MethodGet, metadataPath, "").wants(t, 200)
			if r.header.Get("Content-Type") != "application/json" || len(r.json) == 0 {
				t.Error(r.header, r.body)
			}
			for name, value := range r.json {
				if text, ok := value.(string); !ok || text == "" {
					t.Errorf("%s: %v", name, value)
				}
			}
		}},
		{"9.2.3", "the identifier MUST be the one into which the well-known string was put", func(t *testing.T) {
			r := k.send(t, http.MethodGet, metadataPath, "")
			if r.at("policy_decision_point") != k.door.PublicURL.String() {
				t.Error(r.body)
			}
		}},
		{"10", "the HTTPS binding MUST be there", func(t *testing.T) {
			served := httptest.NewTLSServer(k.door.Handler())
			defer served.Close()
			r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, served.URL+evaluationPath, strings.NewReader(mine)))(t)
			r.Header.Set("Authorization", "Bearer "+k.token)
			r.Header.Set("Content-Type", "application/json")
			response := must(served.Client().Do(r))(t)
			defer response.Body.Close()
			if response.StatusCode != 200 || response.TLS.Version < tls.VersionTLS12 {
				t.Error(response.Status, must(io.ReadAll(response.Body))(t))
			}
		}},
		{"10.1", "requests are POST", func(t *testing.T) {
			for _, path := range []string{evaluationPath, evaluationsPath, subjectPath, resourcePath, actionPath} {
				for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions} {
					if r := k.send(t, method, path, ""); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "POST" {
						t.Errorf("%s %s: %d, allowed %q", method, path, r.status, r.header.Get("Allow"))
					}
				}
			}
		}},
		{"10.1", "requests MUST have the Content-Type application/json", func(t *testing.T) {
			for kind, want := range map[string]int{
				"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200,
				"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json; charset": 415,
			} {
				if r := k.post(t, evaluationPath, mine, "Content-Type", kind); r.status != want {
					t.Errorf("%q: %d", kind, r.status)
				}
			}
		}},
		{"10.1", "a successful answer is 200 with application/json", func(t *testing.T) {
			for path, body := range map[string]string{evaluationPath: mine, evaluationsPath: three(""), subjectPath: whoConsiders,
				resourcePath: body(subject, action, `"resource":{"type":"unit"}`), actionPath: body(subject, resource)} {
				if r := k.post(t, path, body).wants(t, 200); r.header.Get("Content-Type") != "application/json" || r.json == nil {
					t.Errorf("%s: %v %s", path, r.header, r.body)
				}
			}
		}},
		{"10.1.1", "the body MUST be a JSON object", func(t *testing.T) {
			for _, path := range []string{evaluationPath, evaluationsPath, subjectPath, resourcePath, actionPath} {
				bad(path, ` `, `[]`, `"x"`, `1`, `null`, `{`, mine+`x`, mine+mine, `{"subject"}`, "\xef\xbb\xbf"+mine)(t)
			}
		}},
		{"10.1.1", "a required attribute that is missing MUST be a Bad Request", bad(evaluationPath, `{}`, body(subject, action), body(subject, resource), body(action, resource))},
		{"10.1.1", "unknown members MUST be ignored, everywhere", func(t *testing.T) {
			k.post(t, evaluationPath, `{"x":[{"y":1}],"subject":{"type":"officer","id":"`+considers+`","name":"z"},"action":{"name":"consider","verb":1},`+
				`"resource":{"type":"unit","id":"TH-12","owner":{}},"context":{"ip":"::1"},"evaluations_semantic":"?"}`).wants(t, 200).says(t, "decision", true)
			if got := decisions(t, k.post(t, evaluationsPath, body(subject, action, `"evaluations":[{"resource":{"type":"unit","id":"TH-12"},"id":"first","evaluations":[1]}]`, `"note":0`))); got != "true" {
				t.Error(got)
			}
		}},
		{"10.1.1", "the order of members MUST NOT matter", func(t *testing.T) {
			k.post(t, evaluationPath, `{"context":{},"resource":{"id":"TH-12","type":"unit"},"action":{"name":"consider"},"subject":{"properties":{},"id":"`+considers+`","type":"officer"}}`).
				wants(t, 200).says(t, "decision", true)
			if got := decisions(t, k.post(t, evaluationsPath, `{"evaluations":[{}],"options":{},"resource":{"id":"TH-12","type":"unit"},"action":{"name":"consider"},`+subject+`}`)); got != "true" {
				t.Error(got)
			}
		}},
		{"10.1.2", "an error has its status and a message", func(t *testing.T) {
			for _, r := range []reply{k.post(t, evaluationPath, `{}`).wants(t, 400), k.post(t, evaluationPath, mine, "Authorization", "").wants(t, 401)} {
				if strings.TrimSpace(r.body) == "" || !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain") {
					t.Errorf("%v %q", r.header, r.body)
				}
			}
		}},
		{"10.1.2", "a denial is no error: 200 with a false", func(t *testing.T) {
			k.post(t, evaluationPath, asks(stranger, "approve", "unit", "NONE")).wants(t, 200).says(t, "decision", false)
		}},
		{"10.1.3", "the identifier of a request MUST come back, in every answer", func(t *testing.T) {
			id := "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
			for _, name := range []string{id, "any string, such as this", considers} {
				for want, r := range map[int]reply{
					200: k.post(t, evaluationPath, mine, "X-Request-ID", name), 400: k.post(t, evaluationPath, "{", "X-Request-ID", name),
					401: k.post(t, evaluationPath, mine, "X-Request-ID", name, "Authorization", "Bearer x"), 404: k.post(t, root+"x", mine, "X-Request-ID", name),
					405: k.send(t, http.MethodGet, evaluationPath, "", "X-Request-ID", name), 415: k.post(t, evaluationPath, mine, "X-Request-ID", name, "Content-Type", "text/plain"),
				} {
					if r.wants(t, want).header.Get("X-Request-ID") != name {
						t.Errorf("%d: %q came back for %q", want, r.header.Get("X-Request-ID"), name)
					}
				}
			}
			if r := k.post(t, evaluationPath, mine); r.header.Get("X-Request-ID") == "" {
				t.Error("a request without an identifier gets none to ask about it")
			}
		}},
		{"11.3", "who does not authenticate MUST get 401 and SHOULD get WWW-Authenticate", func(t *testing.T) {
			for value, want := range map[string]string{
				"": `Bearer realm="sitthi"`, "Basic eDp5": `Bearer realm="sitthi"`, "Bearer": "invalid_token", "Bearer x": "invalid_token", "Bearer " + k.token + "x": "invalid_token",
			} {
				for _, path := range []string{evaluationPath, evaluationsPath, subjectPath, resourcePath, actionPath} {
					if r := k.post(t, path, mine, "Authorization", value).wants(t, 401); !strings.Contains(r.header.Get("WWW-Authenticate"), want) {
						t.Errorf("%q: %v", value, r.header)
					}
				}
			}
			k.post(t, evaluationPath, mine, "Authorization", "bearer "+k.token).wants(t, 200)
		}},
		{"11.5", "JSON SHOULD be I-JSON: UTF-8, no unpaired surrogate, no member twice", func(t *testing.T) {
			bad(evaluationPath, strings.Replace(mine, considers, "\xff", 1), strings.Replace(mine, considers, `\ud800`, 1),
				body(subject, action, resource, resource), body(subject, action, `"resource":{"type":"unit","id":"TH-12","id":"TH-13"}`),
				body(subject, action, resource, `"x":{"a":1,"a":2}`), body(subject, action, `"resource":{"type":"unit","id":"TH-12","\u0069d":"TH-13"}`))(t)
		}},
		{"11.5", "names are told apart by case", func(t *testing.T) {
			bad(evaluationPath, strings.Replace(mine, `"subject"`, `"Subject"`, 1), strings.Replace(mine, `"id"`, `"ID"`, 1))(t)
		}},
		{"11.7", "requests SHOULD be bounded in size, number and depth", func(t *testing.T) {
			k.post(t, evaluationPath, strings.Replace(mine, considers, strings.Repeat("1", bodyLimit), 1)).wants(t, http.StatusRequestEntityTooLarge)
			many := func(n int) string {
				return body(subject, action, resource, `"evaluations":[`+strings.Repeat("{},", n-1)+`{}]`)
			}
			if r := k.post(t, evaluationsPath, many(mostEvaluations)).wants(t, 200); r.count("evaluations") != mostEvaluations {
				t.Error(r.count("evaluations"))
			}
			bad(evaluationsPath, many(mostEvaluations+1))(t)
			bad(evaluationPath, body(subject, action, resource, `"context":`+strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)))(t)
		}},
		{"11.9", "metadata may be cached, answers not", func(t *testing.T) {
			if r := k.send(t, http.MethodGet, metadataPath, ""); !strings.Contains(r.header.Get("Cache-Control"), "max-age=") {
				t.Error(r.header)
			}
			if r := k.post(t, evaluationPath, mine); r.header.Get("Cache-Control") != "no-store" {
				t.Error(r.header)
			}
		}},
	} {
		t.Run("§"+c.section+" "+c.must, c.test)
	}
}

func equalSets(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
