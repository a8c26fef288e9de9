package authzen

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// description is what the tests need of the OpenAPI description.
type description struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		RequestBody struct{ Content map[string]media }            `json:"requestBody"`
		Responses   map[string]struct{ Content map[string]media } `json:"responses"`
	} `json:"paths"`
}

type media struct {
	Schema   map[string]any                             `json:"schema"`
	Examples map[string]struct{ Value json.RawMessage } `json:"examples"`
}

// described reads the description as it is served, to everyone.
func described(t *testing.T, k *kit) (d description, check func(t *testing.T, where string, text []byte)) {
	t.Helper()
	r := k.send(t, http.MethodGet, openAPIPath, "", "Authorization", "").wants(t, http.StatusOK)
	if err := json.Unmarshal([]byte(r.body), &d); err != nil {
		t.Fatal(err)
	}
	whole := must(jsonschema.UnmarshalJSON(strings.NewReader(r.body)))(t)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	return d, func(t *testing.T, where string, text []byte) {
		t.Helper()
		schema := must(compiler.Compile("openapi.json#" + where))(t)
		value := must(jsonschema.UnmarshalJSON(bytes.NewReader(text)))(t)
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v\n%s", where, err, text)
		}
	}
}

// within writes a JSON pointer.
func within(steps ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1", " ", "%20")
	var pointer strings.Builder
	for _, step := range steps {
		pointer.WriteString("/" + escape.Replace(step))
	}
	return pointer.String()
}

// TestOpenAPIDescribesTheRoutes compares the routes of the description with those that answer.
func TestOpenAPIDescribesTheRoutes(t *testing.T) {
	k := newKit(t)
	d, _ := described(t, k)
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Error(d.OpenAPI)
	}
	var got []string
	for path, methods := range d.Paths {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
			if r := k.send(t, strings.ToUpper(method), path, "{}"); r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed {
				t.Errorf("%s %s is described and answers %d", method, path, r.status)
			}
		}
	}
	var want []string
	for pattern := range k.door.routes() {
		want = append(want, pattern)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("described are %v, served are %v", got, want)
	}
}

// TestOpenAPIExamples holds each example to its schema, sends those of requests, and holds what comes back to the
// schema of the answer.
func TestOpenAPIExamples(t *testing.T) {
	k := newKit(t)
	d, fits := described(t, k)
	examples := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			for status, response := range op.Responses {
				for _, e := range response.Content["application/json"].Examples {
					fits(t, within("paths", path, method, "responses", status, "content", "application/json", "schema"), e.Value)
					examples++
				}
			}
			answer := within("paths", path, method, "responses", "200", "content", "application/json", "schema")
			if method == "get" {
				fits(t, answer, []byte(k.send(t, http.MethodGet, path, "").wants(t, http.StatusOK).body))
				continue
			}
			for name, e := range op.RequestBody.Content["application/json"].Examples {
				fits(t, within("paths", path, method, "requestBody", "content", "application/json", "schema"), e.Value)
				r := k.post(t, path, string(e.Value))
				if r.status != http.StatusOK {
					t.Errorf("%s, %s: %d %s", path, name, r.status, r.body)
					continue
				}
				fits(t, answer, []byte(r.body))
				examples++
			}
		}
	}
	if examples < 12 {
		t.Errorf("only %d examples", examples)
	}
}

// TestOpenAPIKnowsEveryReason has every reason that can be answered in the description, and no other.
func TestOpenAPIKnowsEveryReason(t *testing.T) {
	var d struct {
		Components struct {
			Schemas map[string]struct{ Enum []reason }
		}
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	var want []reason
	for r := range words {
		want = append(want, r)
	}
	got := d.Components.Schemas["Reason"].Enum
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("described are %v, given are %v", got, want)
	}
}
