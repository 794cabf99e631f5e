# What a developer types. Every target does the set-up it needs, once; `make help` explains them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Stamps live inside the environment they speak of: whoever removes one removes the other.
STAMPS := $(VENV)/stamps
RUST := Cargo.toml Cargo.lock $(shell find crates bench/bare -name '*.rs' -o -name Cargo.toml)
# The native module is no part of the workspace's tests: it links only inside Python.
CARGO_TEST := cargo test --locked --quiet --workspace --exclude hubbub-python
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# It ends with 5 where arguments leave nothing to run.
PROOF := $(BIN)/pytest --durations=12 -o faulthandler_timeout=600 tests/torture tests/chaos

# What is marked so: first what has bounds in time, each alone; then the rest, so many side by side.
define proof
rm -rf reports/torture; \
ended=0; \
$(PROOF) -m "$(1) and not unhurried" $(ARGS) || (($$? == 5)) || ended=1; \
$(PROOF) -m "$(1) and unhurried" --numprocesses $(2) --maxprocesses 4 --dist worksteal $(ARGS) || (($$? == 5)) || ended=1; \
$(BIN)/python -m tests.torture.figures reports/torture docs/reliability.md; \
exit $$ended
endef

FUZZ_SECONDS ?= 1800
SECONDS ?= 900
ARGS ?=

export PATH := $(CURDIR)/$(BIN):$(PATH)

# Set-up

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (make PYTHON=python3.13 …)"; exit 1; }
	@command -v cargo >/dev/null || { echo "Rust is needed: cargo was not found"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv is needed (on Debian: apt install python3-venv)"; exit 1; }
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements/run.txt $(STAMPS)/venv
	@$(PIP) install --require-hashes -r $<
	@touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/run
	@$(PIP) install --require-hashes -r $<
	@touch $@

$(STAMPS)/native: $(RUST) pyproject.toml $(STAMPS)/run
	@echo "building the native module (release; the first time takes a minute or two)"
	@MATURIN_PEP517_ARGS=--locked $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Programs that real-server and browser tests talk to; see the script for where this does nothing.
$(STAMPS)/debian: .ci/debian-packages $(STAMPS)/venv
	@.ci/debian-packages
	@touch $@

# The TypeScript floor and the clients it stands on.
$(STAMPS)/client: client/package.json client/package-lock.json $(STAMPS)/venv
	@command -v npm >/dev/null || { echo "Node.js with npm is needed"; exit 1; }
	@cd client && npm ci --silent --no-audit --no-fund
	@touch $@

# The chat's page, built into the package: it is shipped, but not kept in the repository.
$(STAMPS)/page: $(STAMPS)/client $(shell find client/apps client/src -type f)
	@cd client && npm run --silent build
	@touch $@

.PHONY: setup
setup: $(STAMPS)/dev $(STAMPS)/native $(STAMPS)/page $(STAMPS)/debian ## Do all set-up, and nothing else

# Daily

.PHONY: run
run: $(STAMPS)/native $(STAMPS)/page ## Serve the chat at http://127.0.0.1:8000/ (by IRC, too: make run ARGS="--app-config irc.enabled=true")
	@exec $(BIN)/hubbub run hubbub.bridges.chat:app $(ARGS)

.PHONY: test
test: setup ## Run every test, Rust and Python
	@$(CARGO_TEST)
	@cd client && npm test --silent
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

.PHONY: check
check: lint test ## All that CI asks of a change: format, lint, types, import contracts, tests

.PHONY: lint
lint: setup ## Format, lint, types and import contracts, without changing a file
	@cargo fmt --all --check
	@cargo fmt --manifest-path fuzz/Cargo.toml --check
	@cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports
	@cd client && npm run --silent lint

.PHONY: format
format: $(STAMPS)/dev ## Format Rust and Python in place, and mend what the linters can
	@cargo fmt --all
	@cargo fmt --manifest-path fuzz/Cargo.toml
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

# Proofs

.PHONY: conformance
conformance: setup ## Run Autobahn's 517 cases and write docs/conformance.md (through TLS: make conformance ARGS=--tls)
	@$(BIN)/python -m tests.conformance.autobahn --reports reports/conformance --summary docs/conformance.md $(ARGS)

.PHONY: conformance-irc
conformance-irc: setup ## Run irctest, a copy of which is in IRCTEST=FOLDER, against the IRC front; writes docs/irc-conformance.md
	@$(BIN)/python -m tests.conformance.irc $(IRCTEST) $(ARGS)

.PHONY: torture
torture: setup ## Attack a server under load, within bounds (docs/reliability.md); nine minutes
	@$(call proof,torture,4)

.PHONY: drills
drills: setup ## Crowds, cuts and kills for the hub, the chat and its bridges (docs/reliability.md); five minutes
	@$(call proof,drill,auto)

.PHONY: soak
soak: setup ## Churn for SECONDS (default 900), and judge whether memory or latency rise; writes docs/reliability.md
	@$(BIN)/python -m tests.soak $(SECONDS) $(ARGS)
	@$(BIN)/python -m tests.torture.figures reports/soak.json docs/reliability.md

.PHONY: fuzz
fuzz: $(STAMPS)/native ## Fuzz each target for FUZZ_SECONDS (default 1800)
	@fuzz/run $(FUZZ_SECONDS)
	@$(BIN)/python fuzz/irc.py $(FUZZ_SECONDS)

# Figures

.PHONY: bench
bench: setup ## Measure ours against the bare epoll server (docs/performance.md)
	@$(BIN)/python -m bench.run $(ARGS)

.PHONY: bench-peers
bench-peers: setup ## Measure ours against servers from the registries; writes bench/results/
	@$(BIN)/python -m bench.peers $(ARGS)

.PHONY: bench-hub
bench-hub: setup ## Measure the hub beside a plain fan-out, and two threads beside one; writes bench/results/
	@$(BIN)/python -m bench.hub $(ARGS)

.PHONY: bench-http
bench-http: setup ## Measure HTTP, ours beside uvicorn and granian: a small answer and files; writes bench/results/
	@$(BIN)/python -m bench.http $(ARGS)

# House-keeping

.PHONY: lock
lock: $(STAMPS)/dev ## Renew the locked versions of all Python packages from pyproject.toml
	@requirements/renew $(BIN)

.PHONY: docs
docs: $(STAMPS)/native ## Write docs/configuration.md and docs/hubbub.toml anew from the declared settings
	@$(BIN)/hubbub config reference > docs/configuration.md
	@$(BIN)/hubbub config example > docs/hubbub.toml

.PHONY: clean
clean: ## Remove all that was built or installed
	rm -rf $(VENV) .stamps client/node_modules python/hubbub/apps/chat/static target fuzz/target dist reports .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find python tests examples bench -name __pycache__ -prune -exec rm -rf {} + -o -name '*.so' -delete

.PHONY: help
help: ## Explain every target
	@echo "make TARGET, where TARGET is one of"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14 | sed 's/^/  /'
