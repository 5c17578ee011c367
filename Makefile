# Everything runs in .venv, which scripts/bootstrap.sh makes and fills from requirements/*.txt.
# Variables: PORT_BASE (run), SEEDS and FIRST_SEED (simulate), ROUNDS (chaos), FUZZ (fuzz), PYTHON
# (the Python to make .venv of), PYTEST (further words for pytest).

PORT_BASE ?= 8080
SEEDS ?= 200
FIRST_SEED ?= 0
ROUNDS ?= 10
FUZZ ?= 100000
PYTEST ?=
BIN := .venv/bin

export PYTHON
# Compiled code is kept: processes under test are started by the hundred.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test lint format types imports simulate chaos fuzz bench screenshots lock clean runtime dev

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: runtime ## start the local world: emulator and services (PORT_BASE=8080)
	@exec $(BIN)/zhongkong up --port-base $(PORT_BASE)

test: dev lint types imports ## everything that must hold: lint, types, import rules, tests
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(PYTEST)

lint: dev ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: dev ## rewrite the code as ruff formats it
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

types: dev ## mypy --strict on code and tests
	@$(BIN)/mypy

imports: dev ## who may import whom
	@$(BIN)/lint-imports --no-logo

simulate: dev ## the rotator on virtual time (SEEDS=200 FIRST_SEED=0)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first-seed $(FIRST_SEED)

chaos: dev ## processes and Redis killed under load, again and again (ROUNDS=10)
	@CHAOS_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -n 2 --dist loadfile tests/chaos $(PYTEST)

fuzz: dev ## hostile requests to a gateway (FUZZ=100000)
	@FUZZ=$(FUZZ) $(BIN)/python -m pytest -n 0 -s tests/callback_gateway/fuzz $(PYTEST)

bench: dev ## ratios against a bare aiohttp handler
	@$(BIN)/python -m tests.bench

screenshots: dev ## the pictures of the READMEs anew, from a running local world
	@$(BIN)/python scripts/screenshots.py

lock: dev ## choose package versions anew and write requirements/*.txt
	@sh scripts/lock.sh $(BIN)/uv

clean: ## remove .venv, caches and what the local world stored
	@rm -rf .venv var/local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info tests/sdk/node/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@sh scripts/bootstrap.sh runtime

dev:
	@sh scripts/bootstrap.sh dev
