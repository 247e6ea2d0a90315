# Everything runs in .venv, which `make install` makes from the pinned requirements; every target below does so by itself.

# The first Python that really runs and has what a venv needs; a shim of a version manager may exist and yet fail. The
# distribution's own comes first: it was built with profile-guided optimisation, and what a version manager compiled at
# home mostly was not, which makes plain Python take half as long again (docs/performance.md).
PYTHON ?= $(shell for name in /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 \
  python3.13 python3.12 python3.11 python3; do \
  "$$name" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
  && command -v "$$name" && break; done)

BIN := .venv/bin
STAMP := .venv/installed
# Not compiled ahead: that takes as long as the rest of the installation, and most of it is never imported.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
TESTS ?=
# Of bench, overload and soak, such as BENCH="--workers 2".
BENCH ?=
# What the heavy tests throw their dice with, and how long their campaign goes on; empty means what CI runs.
SEED ?=
SECONDS ?=
# Tests wait more than they work, for processes, time limits and locks; each of the side-by-side runs has servers of its own.
PARALLEL ?= -n 3 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install demo dev bench overload soak test torture check format proto lock

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv and install the pinned dependencies and kapda itself.

$(STAMP): requirements/runtime.txt requirements/dev.txt hatch_build.py
	@test -n "$(PYTHON)" || { echo "kapda needs Python 3.11, 3.12 or 3.13 with venv: make PYTHON=/path/to/python"; exit 1; }
	@echo "installing into .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## Start everything on free ports, drive purchases through it, check the promises.
	@$(BIN)/kapda demo

dev: $(STAMP) ## Start everything and keep it running; Ctrl-C stops it.
	@$(BIN)/kapda dev

bench: $(STAMP) ## Measure everything against its bar and the machine's floors, some minutes long.
	@$(BIN)/python -m benchmarks --save $(BENCH)

overload: $(STAMP) ## Let four times as many come as can be served, and see what becomes of them.
	@$(BIN)/python -m benchmarks.overload --save $(BENCH)

soak: $(STAMP) ## Buy steadily for ten minutes, and see whether anything grows.
	@$(BIN)/python -m benchmarks.soak --save $(BENCH)

test: $(STAMP) ## Run the tests, or some: make test TESTS="tests/domain -k money".
	@$(BIN)/pytest $(PARALLEL) $(TESTS)

torture: $(STAMP) ## Run the heavy tests that make test leaves out: make torture SEED=7 SECONDS=3600 TESTS=tests/torture.
	@KAPDA_TORTURE_SEED=$(SEED) KAPDA_TORTURE_SECONDS=$(SECONDS) $(BIN)/pytest -m torture $(TESTS)

check: $(STAMP) ## Run the linters, the type checker, the architecture's and the contract's rules, the secret scan.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.protos check
	$(BIN)/python -m tools.access_table check
	$(BIN)/deptry src --config requirements/deptry.toml
	$(BIN)/python -m tools.secret_scan

format: $(STAMP) ## Format the code and fix what can be fixed by itself.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

proto: $(STAMP) ## Generate the code of the contract and the table of who may call what anew.
	$(BIN)/python -m tools.protos generate
	$(BIN)/python -m tools.access_table generate

lock: $(STAMP) ## Pin the newest versions that requirements/*.in allow.
	$(COMPILE) --upgrade requirements/runtime.in -o requirements/runtime.txt
	$(COMPILE) --upgrade -c requirements/runtime.txt requirements/dev.in -o requirements/dev.txt
