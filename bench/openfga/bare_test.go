package openfga

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/go-json-experiment/json"

	"sitthi/bench/world"
)

// bareRights names a file of rights; when it is set this program is the bare endpoint, and nothing else.
const bareRights = "SITTHI_TEST_BARE"

// TestMain runs the benchmark, or the bare endpoint for it in a process of its own, as the others have.
func TestMain(m *testing.M) {
	file := os.Getenv(bareRights)
	if file == "" {
		os.Exit(m.Run())
	}
	if err := bare(file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveBare starts the limit of what a server of Go's net/http can do: it reads the question, looks the answer up in one map, and
// writes it. There are no dates, tokens, reasons, log or metrics.
func serveBare(b *testing.B, w *world.World) sitthi {
	b.Helper()
	var rights []bareQuestion
	for _, r := range w.Rights {
		places := []string{""}
		if r.At.Team == "" {
			places = append(places, w.Groups[r.At.Unit]...)
		} else {
			places[0] = r.At.Team
		}
		for _, group := range places {
			at := r
			at.At.Team = group
			var q bareQuestion
			world.OK(b, json.Unmarshal(evaluation(nil, at), &q))
			rights = append(rights, q)
		}
	}
	text, err := json.Marshal(rights)
	world.OK(b, err)
	file := b.TempDir() + "/rights.json"
	world.OK(b, os.WriteFile(file, text, 0o600))
	self, err := os.Executable()
	world.OK(b, err)
	command := exec.Command(self)
	command.Env = append(os.Environ(), bareRights+"="+file)
	return sitthi{lanes{host: listening(b, command)}, command.Process}
}

type bareThing struct {
	ID string `json:"id"`
}

type bareQuestion struct {
	Subject bareThing `json:"subject"`
	Action  struct {
		Name string `json:"name"`
	} `json:"action"`
	Resource bareThing `json:"resource"`
}

func bare(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var rights []bareQuestion
	if err := json.Unmarshal(text, &rights); err != nil {
		return err
	}
	holding := make(map[bareQuestion]bool, len(rights))
	for _, r := range rights {
		holding[r] = true
	}
	mux := http.NewServeMux()
	answer(mux, "POST /access/v1/evaluation", func(q bareQuestion) any { return decision{holding[q]} })
	answer(mux, "POST /access/v1/evaluations", func(list struct {
		Evaluations []bareQuestion `json:"evaluations"`
	}) any {
		all := make([]decision, len(list.Evaluations))
		for i, q := range list.Evaluations {
			all[i].Decision = holding[q]
		}
		return map[string]any{"evaluations": all}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on http://" + l.Addr().String())
	return http.Serve(l, mux)
}

// answer serves what f makes of a question.
func answer[Q any](mux *http.ServeMux, pattern string, f func(Q) any) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var q Q
		if err == nil {
			err = json.Unmarshal(body, &q)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := json.Marshal(f(q))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write(out); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	})
}
