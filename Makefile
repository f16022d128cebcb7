# Everything here works with Go, make and git alone. Outside programs (PostgreSQL,
# Redis, Postfix, …) are used by the tests where they are on PATH.
GO      ?= go
BIN     := bin/art34
PKGS    := ./...
FUZZTIME ?= 20s
# The outside programs that some tests need.
WANTED  := redis-server postgres postfix chromium qpdf pdftotext pdffonts pdftoppm dmtxread python3 curl
# Debian keeps servers off the PATH of ordinary users.
export PATH := $(PATH):/usr/sbin:$(lastword $(sort $(wildcard /usr/lib/postgresql/*/bin)))

.DEFAULT_GOAL := help
.PHONY: help build demo test bench lint fuzz clean

help: ## list what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/art34
	@mkdir -p bin
	$(GO) build -o $(BIN) ./cmd/art34

demo: build ## the whole story on sample data, nothing installed, in a minute
	./$(BIN) demo

test: ## vet, and every test; says which outside programs are missing
	$(GO) vet $(PKGS)
	$(GO) test -timeout 40m $(PKGS)
	@missing=; for p in $(WANTED); do command -v $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "note: not on PATH, so the tests that need them were skipped:$$missing"; \
	else echo "note: every outside program was there; nothing was skipped for want of one"; fi

bench: build ## the figures this program is measured by, beside their targets
	$(GO) test -run '^$$' -bench '^BenchmarkTargets$$' -benchtime 1x -timeout 180m ./cmd/art34

lint: ## gofmt, vet, and golangci-lint where it is installed
	@out=$$(gofmt -l cmd pipeline templates fixtures); if [ -n "$$out" ]; then echo "not gofmt-ed:"; echo "$$out"; exit 1; fi
	$(GO) vet $(PKGS)
	@if command -v golangci-lint >/dev/null 2>&1; then golangci-lint run; else echo "note: golangci-lint is not installed; gofmt and vet only"; fi

fuzz: ## every fuzz target for FUZZTIME (20s) each
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
	  for t in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' $$f); do \
	    echo "== $$t ($$(dirname $$f))"; $(GO) test -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); \
	  done; done

clean: ## remove what was built
	rm -rf bin
