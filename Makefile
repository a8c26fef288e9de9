# The only commands anyone must know. Each does its own set-up on a machine
# with Go, Node and make; what is already there is left alone.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.7.0

# Nothing here may rewrite go.mod on the side, whatever the user's settings.
export GOFLAGS = -mod=readonly

# The second build: stand-ins for the clock and the outside, for tests alone.
HOOKS = -tags testhooks

help:
	@echo 'make run     build Sitthi and serve it with demo data on http://localhost:8080 (folder ./var)'
	@echo 'make test    run all tests, on SQLite and PostgreSQL and in a browser'
	@echo 'make check   all that must hold before a change is handed in: lint, tests, race'
	@echo 'make bench   run the benchmarks'
	@echo 'make bench-peers   hold Sitthi against OpenFGA, which is fetched and built for it'

run: build
	bin/sitthi serve --demo

build: assets
	go build -o bin/sitthi ./cmd/sitthi

# A failed browser test leaves a picture of the page in tmp/_artifacts.
test: assets
	scripts/setup-tests
	@mkdir -p tmp
	scripts/test-postgres go test -artifacts -outputdir $(CURDIR)/tmp -timeout 40m ./...

# .ci/run runs `make test` and then these two.
check: lint race

lint: assets
	@echo 'gofmt'; bad=$$(find . -name node_modules -prune -o -name '*.go' -print | xargs gofmt -l); \
		test -z "$$bad" || { echo "not formatted: $$bad"; exit 1; }
	go vet ./...
	go vet $(HOOKS) ./...
	go run $(STATICCHECK) ./...
	go run $(STATICCHECK) $(HOOKS) ./...
	go mod tidy -diff
	go -C bench vet ./...
	go -C bench run $(STATICCHECK) ./...
	go -C bench mod tidy -diff
	@echo 'go tool templ generate'; before=$$($(VIEWS)); go tool templ generate -log-level warn; \
		test "$$before" = "$$($(VIEWS))" || { echo 'views were not generated anew after a .templ changed: look at git status'; exit 1; }

# Sums instead of git diff, so that the check also serves on uncommitted work.
VIEWS = find . -name node_modules -prune -o -name '*_templ.go' -print | sort | xargs -r sha256sum

# With the hooks built in, so that both builds have run the tests. Left out are the tales and looks in the browser, which
# `make test` has run: there nearly all the work is Chromium's, where the race detector sees nothing. So is the walk through
# every page, one request after the other.
BROWSING = ^(TestManual|TestEveryPageIsWellMade|TestEveryPageInTheDark|TestLooks|TestLogLooks|Test.*InABrowser)$$
race: assets
	scripts/setup-tests
	@mkdir -p tmp
	scripts/test-postgres go test $(HOOKS) -race -shuffle=on -skip '$(BROWSING)' -artifacts -outputdir $(CURDIR)/tmp -timeout 40m ./...

# One package after the other, on a PostgreSQL that writes safely. The table at the end says which goals are met.
bench: assets
	scripts/setup-tests
	@mkdir -p tmp
	@rm -f tmp/bench.tsv
	@status=0; SITTHI_TEST_DURABLE=on SITTHI_TEST_BENCH_TABLE=$(CURDIR)/tmp/bench.tsv scripts/test-postgres \
		go test -p 1 -run '^$$' -bench . -benchtime 3s -benchmem -timeout 40m \
		$$(grep -rl --include='*_test.go' --exclude-dir=node_modules --exclude-dir=bench '^func Benchmark' . | xargs -r -n 1 dirname | sort -u) || status=$$?; \
		SITTHI_TEST_BENCH_TABLE=$(CURDIR)/tmp/bench.tsv go -C bench test -run '^$$' -bench . -benchtime 3s ./inprocess || status=$$?; \
		scripts/bench-table tmp/bench.tsv && exit $$status

# OpenFGA is built from its module and runs as a server of its own, on SQLite and on PostgreSQL, beside the program itself.
# bench/README.md tells how each is set up.
OPENFGA = github.com/openfga/openfga/cmd/openfga@v1.22.1
bench-peers: assets
	scripts/setup-tests
	@mkdir -p tmp
	@rm -f tmp/bench-peers.tsv
	GOBIN=$(CURDIR)/tmp/openfga go install $(OPENFGA)
	go build -o tmp/openfga/sitthi ./cmd/sitthi
	@status=0; SITTHI_TEST_DURABLE=on SITTHI_TEST_BENCH_TABLE=$(CURDIR)/tmp/bench-peers.tsv SITTHI_TEST_PEERS=$(CURDIR)/tmp/openfga \
		scripts/test-postgres go -C bench test -run '^$$' -bench . -benchtime 10x -timeout 40m ./openfga || status=$$?; \
		scripts/bench-table tmp/bench-peers.tsv && exit $$status

# Fonts for the pages and axe-core for the tests, from npm.
assets: node_modules/.assets

node_modules/.assets: package-lock.json scripts/vendor.mjs
	@command -v go >/dev/null || { echo 'Go is missing: see https://go.dev/doc/install (version in go.mod)'; exit 1; }
	@command -v npm >/dev/null || { echo 'Node is missing: see https://nodejs.org (version 20 or newer)'; exit 1; }
	npm ci --no-audit --no-fund
	node scripts/vendor.mjs
	@touch $@

.PHONY: help run build test check lint race bench bench-peers assets
