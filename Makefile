# Every target sets up what it needs from nothing, then does its job; a second call is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA := $(or $(GALLERIA_DATA),.galleria)
PAGE := router/server/explorer
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
ROLE ?= customer

.DEFAULT_GOAL := help
.PHONY: help setup up seed events rebuild token reset test coverage faults life fuzz lint fmt bench bench-router bench-orders bench-workers bench-memory bench-overload bench-features bench-feature-costs bench-share bench-check bench-composition bench-services bench-planning bench-planning-times lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.ready .venv-mongodb/.ready $(PAGE)/dist/.ready ## install everything the other targets need

up: setup ## run the whole mall: database, NATS, five services, router (Ctrl-C stops it)
	@exec $(BIN)/python -m stack up

seed: $(VENV)/.ready ## fill empty databases of a running mall with the demo shop
	@$(BIN)/python -m stack run mall seed

events: $(VENV)/.ready ## list the events that no handler could take: make events, then make events RETRY=1
	@$(BIN)/python -m stack run mall events $(if $(RETRY),retry,dead)

token: $(VENV)/.ready ## print a development token: make -s token ROLE=customer|staff
	@GALLERIA_DATA="$(DATA)" $(BIN)/mall token --role $(ROLE)

rebuild: $(VENV)/.ready ## learn the recommendations anew from the whole stream of a running mall
	@$(BIN)/python -m stack run mall rebuild recommendations

reset: ## forget all data, keys and passwords of the mall
	rm -rf "$(DATA)"

test: setup ## run all tests, with real processes, database, NATS and browser
	@$(BIN)/python -m pytest --numprocesses 2

# Apart from `test`: tracing each branch doubles the CPU time of tests that are Python alone.
coverage: setup ## run all tests, and tell which lines and branches none of them came to
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term

faults: setup ## kill and pause everything at random under a load of orders, then audit it: make faults KILLS=200 SEED=7
	@$(BIN)/python -m tests.faults $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

life: $(VENV)/.ready ## tell random stories of an order's life, and audit every cent and piece: make life STORIES=2500
	@GALLERIA_LIFE_EXAMPLES=$(or $(STORIES),2500) $(BIN)/pytest -q tests/life

lint: $(VENV)/.ready ## ruff, mypy strict, and the arrows between the houses
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fmt: $(VENV)/.ready ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

fuzz: $(VENV)/.ready ## compare the router with one server over random graphs, until it is stopped or finds a difference
	@$(BIN)/python -m tests.differential.fuzz

bench: bench-router bench-orders bench-workers bench-memory bench-composition bench-services ## every benchmark: the router, the composer and the services

bench-router: setup ## compare the router with its peers, side by side in one run
	@$(BIN)/python -m bench

bench-orders: setup ## our own order query over the five services, through the router and by hand
	@$(BIN)/python -m bench.orders

bench-workers: setup ## two worker processes beside one
	@$(BIN)/python -m bench.workers

bench-memory: setup ## what 10,000 cached operations weigh, and whether memory stays flat under load: make bench-memory MINUTES=60
	@$(BIN)/python -m bench.memory --minutes $(or $(MINUTES),5)

bench-overload: setup ## twice the load that the router can carry for five minutes, and a subgraph that hangs
	@$(BIN)/python -m bench.overload

bench-features: setup ## everything on that a public router has, beside everything off
	@$(BIN)/python -m bench.features

bench-feature-costs: setup ## the CPU time that each section of a public router's settings costs, in one process
	@$(BIN)/python -m bench.feature_costs

bench-share: setup ## which share of the ceiling the router is, by CPU time in one process
	@$(BIN)/python -m bench.in_process_share

bench-check: setup ## compare the CPU time of a request with that of another version: make bench-check BASE=main
	@$(BIN)/python -m bench.check $(BASE)

bench-composition: $(VENV)/.ready ## compare the composer with the reference composer on generated subgraphs
	@$(BIN)/python -m bench.composition

bench-services: setup ## measure each service alone: throughput, latencies, and where its time goes
	@$(BIN)/python -m bench.services

bench-planning: $(VENV)/.ready ## compare our plans with @apollo/query-planner's over the shared composition cases
	@$(BIN)/python -m bench.planning

bench-planning-times: $(VENV)/.ready ## measure how long our plans take: uncached, cached, the hardest, and under attack
	@$(BIN)/python -m bench.planning.times

# Extras stay in the locks: older pips look for the newest release of `name[extra]` and then miss its hash.
lock: $(VENV)/.ready ## resolve the dependencies of pyproject.toml anew, with hashes
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --no-strip-extras --upgrade --universal --extra otel --extra valkey --generate-hashes --no-header --no-emit-index-url -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --no-strip-extras --upgrade --universal --extra dev -c requirements.lock --generate-hashes --no-header --no-emit-index-url -o requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --no-strip-extras --upgrade --universal --group build -c requirements-dev.lock --generate-hashes --no-header --no-emit-index-url -o requirements-build.lock

clean: ## remove what setup made
	rm -rf $(VENV) .venv-mongodb $(PAGE)/dist $(PAGE)/node_modules

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Galleria needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": set PYTHON=python3.12")'
	@echo "setting up $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements-dev.lock >&2
	@$(PIP) --no-deps --no-build-isolation --editable . >&2
	@touch $@

# GPL-2.0, so in an environment of its own, run as a process and never imported. GALLERIA_MONGODB_URL replaces it.
.venv-mongodb/.ready: requirements-mongodb.lock
ifeq ($(GALLERIA_MONGODB_URL)$(GALLERIA_MONGODB_BIN),)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info < (3, 14) else "The embedded database has no wheels for Python 3.14 and newer: set PYTHON=python3.13, or GALLERIA_MONGODB_URL to a MongoDB 8 of your own")'
	@echo "setting up .venv-mongodb (the embedded database)" >&2
	@$(PYTHON) -m venv .venv-mongodb
	@PIP_DISABLE_PIP_VERSION_CHECK=1 .venv-mongodb/bin/python -m pip install --quiet --require-hashes -r requirements-mongodb.lock >&2
	@touch $@
endif

$(PAGE)/dist/.ready: $(wildcard $(PAGE)/package-lock.json $(PAGE)/*.html $(PAGE)/*.js $(PAGE)/src/* $(PAGE)/src/*/*)
	@if ! command -v npm >/dev/null 2>&1; then \
	  echo "no Node here: the explorer page will load its packages from a public CDN" >&2; \
	elif echo "building the explorer page" >&2; cd $(PAGE) && npm ci --no-audit --no-fund --loglevel=error >&2 && npm run build --silent >&2; then \
	  touch dist/.ready; \
	elif [ -n "$$CI" ]; then exit 1; \
	else echo "the page was not built (see above): it will load its packages from a public CDN" >&2; fi
