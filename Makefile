# make demo    see it work on this machine, without any account          ARGS="--once --json" is passed on
# make test    everything that must hold: lint, types, floors, tests     ARGS="tests/mail -k charset" narrows the tests
# Both make .venv from the committed locks the first time; afterwards they start at once.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint format scenarios bench faults crashes simulate mutations lock clean

PY ?= python3
UV ?= uv
ARGS ?=
BIN := .venv/bin
# pip tells of every configured folder that is missing: noise here. What is said goes to standard error, so that
# `make -s demo ARGS="--once --json"` leaves the JSON alone on standard output.
CALM := 2>&1 | { grep -v 'is ignored: it is neither a file nor a directory' || true; } >&2
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1  /p' Makefile | awk -F'  ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

demo: .venv/ready-run ## see it work on this machine, without any account (ARGS="--once --json")
	@$(BIN)/mailbridge demo $(ARGS)

test: lint ## check everything: lint, types, floors, tests (ARGS="tests/mail -k charset")
	@echo "Tests, three at a time (some only wait):"
	@$(BIN)/python -m pytest -q -n 3 --dist worksteal $(ARGS)

coverage: .venv/ready-dev ## run the tests and tell which lines none of them reaches (a third slower)
	@$(BIN)/python -m pytest -q -n 3 --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

lint: .venv/ready-dev ## lint, format, types, floors
	@echo "Style (ruff):" && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "Types (mypy):" && $(BIN)/mypy
	@echo "Floors (import-linter):" && $(BIN)/lint-imports --no-logo

format: .venv/ready-dev ## put the files into the house's style
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

scenarios: .venv/ready-dev ## run the acceptance scenarios and list all 94 with their outcome
	@$(BIN)/python tests/support/scenarios.py $(ARGS)

bench: .venv/ready-dev ## measure, beside the peers
	@$(BIN)/python -m bench $(ARGS)

faults: .venv/ready-dev ## strike every call with every fault that can befall it (ARGS='--cell "comment on a page" late')
	@PYTHONPATH=tests $(BIN)/python -m faults.matrix $(ARGS)

crashes: .venv/ready-dev ## kill the daemon before and after every request and every commit (ARGS="--every 10")
	@$(BIN)/python tests/faults/crashes.py $(ARGS)

simulate: .venv/ready-run ## play a company's days from seeds, faults and crashes included (ARGS="--seeds 1..100")
	@$(BIN)/mailbridge simulate $(ARGS)

mutations: .venv/ready-dev ## take ten protections out, one by one, and see the simulator find it (ARGS="epoch claim")
	@$(BIN)/python tests/support/mutations.py $(ARGS)

lock: ## for maintainers, needs uv: write both locks anew (ARGS=--upgrade takes the newest of everything)
	$(UV) pip compile pyproject.toml --group build --extra postgres -o requirements.lock $(LOCK)
	$(UV) pip compile pyproject.toml --all-extras -c requirements.lock -o requirements-dev.lock $(LOCK)
LOCK = $(ARGS) --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

clean: ## remove the environment and what the tools left
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* dist

.venv/ready-run: requirements.lock pyproject.toml
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "This needs Python 3.11 or newer as $(PY). Name another one: make PY=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making .venv with $$($(PY) --version) ..." >&2; $(PY) -m venv .venv; }
	@echo "Installing what mailbridge needs, from requirements.lock ..." >&2
	@$(PIP) --require-hashes -r requirements.lock $(CALM)
	@$(PIP) --no-deps --no-build-isolation -e . $(CALM)
	@touch $@

.venv/ready-dev: .venv/ready-run requirements-dev.lock
	@echo "Installing the tools for development, from requirements-dev.lock ..." >&2
	@$(PIP) --require-hashes -r requirements-dev.lock $(CALM)
	@touch $@
