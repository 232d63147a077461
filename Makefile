# Tools are pinned here, once.
GOFUMPT     := go run mvdan.cc/gofumpt@v0.12.0
NFPM        := go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
GOVULNCHECK := go run golang.org/x/vuln/cmd/govulncheck@v1.1.4
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
HELM        := go run helm.sh/helm/v3/cmd/helm@v3.16.4
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DATA        ?= .licet
FUZZTIME    ?= 10s
PKG         ?= ./authz
TESTS       ?= ./policy/...,./authz/...

# The files of authz that decide.
FILES       ?= $(if $(filter ./authz,$(PKG)),$(addsuffix .go,address binary column combine compile condition context date decide key \
               match numeric pattern places principal strings template truth))

.PHONY: run demo build test race check lint fmt fuzz mutate bench bench-cluster gen compat soak crashes cluster powercut arm64 deps test-deps vuln man deb image helm

run: deps build ## start the server with the embedded store
	bin/licet serve --data $(DATA)

demo: deps build ## the stories of the README, with the real AWS CLI
	demo/demo.sh
	examples/image-resize/walk.sh

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/licet ./cmd/licet

test: deps test-deps build ## everything: the engine fuzzed, then unit tests with the race detector, conformance suites, real clients
	scripts/fuzz.sh $(FUZZTIME) policy authz
	CGO_ENABLED=1 go test -race -timeout 18m ./...

race: test

compat: deps test-deps build
	go test ./compat/...

soak: deps test-deps build ## ten minutes of everything that can go wrong in a function; `make test` has a short form
	LICET_SOAK=10m go test ./compat -run 'TestSoak$$' -count 1 -timeout 20m

crashes: deps test-deps build ## more than 10,000 events, ten times kill -9, and none may be lost; `make test` has a short form
	LICET_EVENTS=16000 LICET_KILLS=10 go test ./compat -run 'TestNothingAcknowledgedIsLost$$' -count 1 -timeout 40m -v

cluster: deps test-deps build ## three nodes over one database, and faults for ten minutes; `make test` has each fault once
	LICET_CLUSTER=$${LICET_CLUSTER:-10m} go test ./compat -run 'TestCluster$$' -count 1 -timeout 60m -v

powercut: deps test-deps ## what a loss of power may leave of a data directory, in 1,000 ways for each engine, and for a server
	LICET_POWERCUTS=1000 go test ./internal/powercut ./cmd/licet -run 'TestPowerCuts' -count 1 -timeout 60m -v

arm64: ## the sandboxes' suites on arm64, which qemu emulates: needs root, and some minutes
	@scripts/deps.sh cpio mmdebstrap qemu-system-arm
	scripts/arm64.sh internal/sandbox/linux internal/sandbox/native

check: lint test demo ## what CI runs, and the linters

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not formatted:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	GOOS=darwin go vet ./...
	$(STATICCHECK) ./...

fmt:
	$(GOFUMPT) -w $$(git ls-files '*.go' | grep -v 'api/')

fuzz: ## each fuzz target for FUZZTIME
	scripts/fuzz.sh $(FUZZTIME)

mutate: ## change FILES of PKG in one place after another; TESTS must notice. MUTATE=-v and the like are the tool's flags
	nice go run ./tools/mutate -tests $(TESTS) -files "$(FILES)" $(MUTATE) $(PKG)

bench: deps build
	go run ./bench

bench-cluster: deps build ## three servers over one PostgreSQL beside one, and what operations cost
	@scripts/deps.sh postgresql
	go run ./bench -only cluster
	go run ./bench -only costs

# What is shipped is built by a Go whose library has no known vulnerability that licet meets, whichever is installed.
deb image vuln: export GOTOOLCHAIN := go1.26.10

vuln: ## known vulnerabilities of what licet is made from, by Go's database, which is a module like others
	$(GOVULNCHECK) -db "file://$$(go mod download -json golang.org/x/vulndb@latest | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p')/data/osv" ./...

man: build ## manual pages and completions, in dist/
	rm -rf dist/man dist/completions && mkdir -p dist/man dist/completions
	bin/licet manual dist/man && gzip -9n dist/man/*.1
	bin/licet completion bash > dist/completions/licet.bash
	bin/licet completion zsh > dist/completions/_licet
	bin/licet completion fish > dist/completions/licet.fish

deb: man ## a Debian package, in dist/
	VERSION=$(if $(filter v%,$(VERSION)),$(patsubst v%,%,$(VERSION)),0.0.0~$(VERSION)) ARCH=$(shell go env GOARCH) $(NFPM) package --config packaging/nfpm.yaml --packager deb --target dist/

image: build ## an OCI image layout, in dist/image, without Docker
	@scripts/deps.sh mmdebstrap
	packaging/image.sh

helm: ## the chart, as strictly as helm can, and what it makes with every value set
	$(HELM) lint --strict packaging/helm/licet
	$(HELM) template demo packaging/helm/licet --set tlsSecret=tls,data.storageClass=fast,nodeSelector.disk=fast --set 'adminFrom={10.0.0.0/8}' > /dev/null

gen: ## generated packages and the tables of AWS's actions and managed policies
	go run ./tools/awsapi
	go run ./tools/awsdata

deps:
	@scripts/deps.sh crun awscli python3 python3-boto3 nodejs

test-deps: # gcc is for the race detector, ruby is put into a container image, chromium looks at the console, clusters of PostgreSQL are the tests' own, iproute2 makes the networks of nodes, strace records what a loss of power may undo
	@scripts/deps.sh runc npm gcc ruby chromium postgresql iproute2 strace
	@test compat/node_modules/.package-lock.json -nt compat/package-lock.json || npm --prefix compat ci --ignore-scripts --no-audit --no-fund --silent
