package openfga

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fga "github.com/openfga/api/proto/openfga/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"sitthi/bench/world"
	"sitthi/grant"
	"sitthi/internal/clock"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/person"
)

// start starts a server and ends it with the benchmark, or before that by calling stop.
func start(b *testing.B, command *exec.Cmd) (stop func()) {
	b.Helper()
	world.OK(b, command.Start())
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		world.OK(b, command.Process.Signal(interrupt))
		var exit *exec.ExitError
		if err := command.Wait(); err != nil && !errors.As(err, &exit) {
			b.Error(err)
		}
	}
	b.Cleanup(stop)
	return stop
}

// run runs a command to its end and answers what it printed.
func run(b *testing.B, name string, args ...string) string {
	b.Helper()
	command := exec.CommandContext(b.Context(), name, args...)
	var trouble strings.Builder
	command.Stderr = &trouble
	out, err := command.Output()
	if err != nil {
		b.Fatalf("%s %v: %v\n%s", name, args, err, trouble.String())
	}
	return strings.TrimSpace(string(out))
}

// sitthi is the program, as it is built and served, or the bare endpoint in its place.
type sitthi struct {
	lanes
	process *os.Process
}

// serveSitthi fills a database with the department and serves it.
func serveSitthi(b *testing.B, binary, database string) (*world.World, sitthi) {
	b.Helper()
	keys := filepath.Join(b.TempDir(), "keys.json")
	at := []string{"--database", database, "--keys", keys}
	run(b, binary, append([]string{"migrate"}, at...)...)
	db, err := store.Open(b.Context(), store.Options{URL: database, Clock: clock.System{}})
	world.OK(b, err)
	ring, err := seal.Load(keys, false)
	world.OK(b, err)
	w := world.New(b, db, person.NewRoll(ring))
	world.OK(b, db.Close())
	token := run(b, binary, append([]string{"token", "create", "--name", "bench", "--units", "all", "--actions", "all"}, at...)...)
	command := exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--log-level", "error"}, at...)...)
	host := listening(b, command)
	return w, sitthi{lanes{host: host, token: token}, command.Process}
}

// listening starts a program and answers where it says that it listens.
func listening(b *testing.B, command *exec.Cmd) (host string) {
	b.Helper()
	out, err := command.StdoutPipe()
	world.OK(b, err)
	start(b, command)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if after, ok := strings.CutPrefix(lines.Text(), "listening on http://"); ok {
			return after
		}
	}
	b.Fatal("the program did not say where it listens")
	return ""
}

// peer is a server of OpenFGA with the department in it, twice.
type peer struct {
	fga.OpenFGAServiceClient
	lanes
	process *os.Process
	dated   department
	undated department
}

// department is what a store of OpenFGA holds.
type department struct {
	store, model string
	dates        bool // begin and end are conditions of each right
}

// inForce is the condition on a right that has dates, in the language of OpenFGA's conditions.
const inForce = "now >= begins && now < ends"

// servePeer loads the department into a database of OpenFGA's own, has it analysed, and serves it as its documentation
// advises for production: without playground, logging little.
func servePeer(b *testing.B, binary string, w *world.World, engine, uri string, analyse func()) peer {
	b.Helper()
	data := []string{"--datastore-engine", engine, "--datastore-uri", uri}
	run(b, binary, append([]string{"migrate"}, data...)...)
	p, stop := connect(b, binary, data)
	dated, undated := p.load(b, w, true), p.load(b, w, false)
	stop()
	analyse()
	again, _ := connect(b, binary, data)
	again.dated, again.undated = dated, undated
	return again
}

func connect(b *testing.B, binary string, flags []string) (peer, func()) {
	b.Helper()
	host, direct := free(b), free(b)
	command := exec.Command(binary, append([]string{"run", "--http-addr", host, "--grpc-addr", direct,
		"--playground-enabled=false", "--metrics-enabled=false", "--log-level", "error"}, flags...)...)
	stop := start(b, command)
	conn, err := grpc.NewClient(direct, grpc.WithTransportCredentials(insecure.NewCredentials()))
	world.OK(b, err)
	b.Cleanup(func() { world.OK(b, conn.Close()) })
	p := peer{OpenFGAServiceClient: fga.NewOpenFGAServiceClient(conn), lanes: lanes{host: host}, process: command.Process}
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	_, err = p.ListStores(ctx, &fga.ListStoresRequest{}, grpc.WaitForReady(true))
	world.OK(b, err)
	return p, stop
}

// free answers an address of this machine that nobody listens on.
func free(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	world.OK(b, err)
	defer func() { world.OK(b, l.Close()) }()
	return l.Addr().String()
}

// load writes the model and the rights, a hundred tuples at a time, which is the most that one write takes: with dates every
// right that is open, without them those that hold now.
func (p *peer) load(b *testing.B, w *world.World, dates bool) department {
	b.Helper()
	ctx := b.Context()
	made, err := p.CreateStore(ctx, &fga.CreateStoreRequest{Name: "department"})
	world.OK(b, err)
	d := department{store: made.GetId(), dates: dates}
	model, err := p.WriteAuthorizationModel(ctx, d.types())
	world.OK(b, err)
	d.model = model.GetAuthorizationModelId()
	var tuples []*fga.TupleKey
	for unit, groups := range w.Groups {
		for _, group := range groups {
			tuples = append(tuples, &fga.TupleKey{User: object(grant.Place{Unit: unit}), Relation: "parent", Object: object(grant.Place{Unit: unit, Team: group})})
		}
	}
	for _, r := range w.Open {
		t := tuple(r.Right)
		key := &fga.TupleKey{User: t.User, Relation: t.Relation, Object: t.Object}
		switch {
		case dates:
			// What has no end ends in the last year that a date can tell.
			until := r.Until
			if until.IsZero() {
				until = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
			}
			key.Condition = &fga.RelationshipCondition{Name: "in_force", Context: moments(b, "begins", r.From, "ends", until)}
		case !w.Allowed(r.Right):
			continue
		}
		tuples = append(tuples, key)
	}
	b.Logf("%d tuples", len(tuples))
	const most = 100
	for len(tuples) > 0 {
		n := min(most, len(tuples))
		_, err := p.Write(ctx, &fga.WriteRequest{StoreId: d.store, AuthorizationModelId: d.model, Writes: &fga.WriteRequestWrites{TupleKeys: tuples[:n]}})
		world.OK(b, err)
		tuples = tuples[n:]
	}
	return d
}

// moments makes the context of a condition: names and times in turn.
func moments(b testing.TB, pairs ...any) *structpb.Struct {
	b.Helper()
	fields := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i].(string)] = pairs[i+1].(time.Time).UTC().Format(time.RFC3339Nano)
	}
	made, err := structpb.NewStruct(fields)
	world.OK(b, err)
	return made
}

// types is the model: who may act in a unit may act in its groups. With dates each right has the condition in_force.
//
//	type unit
//	  relations
//	    define consider: [officer with in_force]
//	type group
//	  relations
//	    define parent: [unit]
//	    define consider: [officer with in_force] or consider from parent
//	condition in_force(now: timestamp, begins: timestamp, ends: timestamp) { now >= begins && now < ends }
func (d department) types() *fga.WriteAuthorizationModelRequest {
	request := &fga.WriteAuthorizationModelRequest{StoreId: d.store, SchemaVersion: "1.1"}
	officer := &fga.RelationReference{Type: "officer"}
	if d.dates {
		moment := &fga.ConditionParamTypeRef{TypeName: fga.ConditionParamTypeRef_TYPE_NAME_TIMESTAMP}
		officer.Condition = "in_force"
		request.Conditions = map[string]*fga.Condition{officer.Condition: {Name: officer.Condition, Expression: inForce,
			Parameters: map[string]*fga.ConditionParamTypeRef{"now": moment, "begins": moment, "ends": moment}}}
	}
	self := &fga.Userset{Userset: &fga.Userset_This{This: &fga.DirectUserset{}}}
	directly := func(who *fga.RelationReference) *fga.RelationMetadata {
		return &fga.RelationMetadata{DirectlyRelatedUserTypes: []*fga.RelationReference{who}}
	}
	unit := &fga.TypeDefinition{Type: "unit", Relations: map[string]*fga.Userset{}, Metadata: &fga.Metadata{Relations: map[string]*fga.RelationMetadata{}}}
	group := &fga.TypeDefinition{Type: "group", Relations: map[string]*fga.Userset{"parent": self},
		Metadata: &fga.Metadata{Relations: map[string]*fga.RelationMetadata{"parent": directly(&fga.RelationReference{Type: "unit"})}}}
	for _, row := range grant.Levels {
		unit.Relations[row.Code], unit.Metadata.Relations[row.Code] = self, directly(officer)
		above := &fga.Userset{Userset: &fga.Userset_TupleToUserset{TupleToUserset: &fga.TupleToUserset{
			Tupleset: &fga.ObjectRelation{Relation: "parent"}, ComputedUserset: &fga.ObjectRelation{Relation: row.Code}}}}
		group.Relations[row.Code] = &fga.Userset{Userset: &fga.Userset_Union{Union: &fga.Usersets{Child: []*fga.Userset{self, above}}}}
		group.Metadata.Relations[row.Code] = directly(officer)
	}
	request.TypeDefinitions = []*fga.TypeDefinition{{Type: "officer"}, unit, group}
	return request
}

// object is a place as a tuple names it.
func object(at grant.Place) string {
	if at.Team == "" {
		return "unit:" + at.Unit
	}
	return "group:" + at.Unit + "/" + at.Team
}
