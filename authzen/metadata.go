package authzen

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// metadata writes where the door's services are (§9). A parameter without a value is left out, as it must be.
func metadata(public *url.URL) ([]byte, error) {
	base := strings.TrimSuffix(public.String(), "/")
	text, err := json.Marshal(struct {
		Identifier  string `json:"policy_decision_point"`
		Evaluation  string `json:"access_evaluation_endpoint"`
		Evaluations string `json:"access_evaluations_endpoint"`
		Subject     string `json:"search_subject_endpoint"`
		Resource    string `json:"search_resource_endpoint"`
		Action      string `json:"search_action_endpoint"`
	}{base, base + evaluationPath, base + evaluationsPath, base + subjectPath, base + resourcePath, base + actionPath})
	if err != nil {
		return nil, fmt.Errorf("write metadata: %w", err)
	}
	return text, nil
}
