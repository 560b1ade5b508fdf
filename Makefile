# Everything a person or a CI machine runs; `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test run check format docs lock bench bench-pipelines monkey crash fuzz clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

# The stamp is newer than the locks only when the environment holds exactly what they name.
$(VENV)/.stamp: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Pipewright needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV) || { echo "Could not make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@printf '%s\n' "$(CURDIR)" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pipewright.pth"
	@printf '#!/bin/sh\nexec "$(CURDIR)/$(BIN)/python" -m bot "$$@"\n' > $(BIN)/pipewright && chmod +x $(BIN)/pipewright
	@touch $@

setup: $(VENV)/.stamp ## make the environment (every other target does this first)

demo: setup ## play the whole story on loopback (ARGS="--once" ends after it)
	@$(BIN)/pipewright demo $(ARGS)

test: setup ## run the tests
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

run: setup ## serve with the settings of .env
	@$(BIN)/pipewright serve $(ARGS)

check: setup ## format, lint, types, import contract, tests: what CI runs
	@$(BIN)/ruff format --check bot bench tests
	@$(BIN)/ruff check bot bench tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.secrets.find_secrets
	@$(MAKE) --no-print-directory test

format: setup ## rewrite the code as the formatter wants it
	@$(BIN)/ruff format bot bench tests
	@$(BIN)/ruff check --fix bot bench tests

docs: setup ## write docs/reference.md from the program
	@$(BIN)/python -m bot.cli.reference docs/reference.md

lock: ## make both lock files again (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements-dev.lock

bench: setup ## measure: one table beside floors of the same run (ARGS=--write keeps it), then each part in depth
	@$(BIN)/python -m bench.table $(ARGS)
	@$(BIN)/python -m bench.speed
	@$(BIN)/python -m bench.history
	@$(BIN)/python -m bench.turns
	@$(BIN)/python -m bench.retrieval
	@$(BIN)/python -m bench.flood
	@$(BIN)/python -m bench.simulation

bench-pipelines: setup ## measure the pipelines for CORPUS=DIR of checkouts (FACTS=TSV, ARGS="--run --mutate --out DIR")
	@$(BIN)/python -m bench.pipelines "$(CORPUS)" $(if $(FACTS),--facts "$(FACTS)") $(ARGS)

monkey: setup ## let a model that does anything at all take 10 000 turns (TURNS=N for more or fewer, PIPEWRIGHT_MONKEY_SEED=N for others)
	@PIPEWRIGHT_MONKEY_TURNS=$(or $(TURNS),10000) $(BIN)/python -m pytest tests/stories/test_story_monkey.py -n0 -s $(ARGS)

crash: setup ## kill the bot at every boundary between two effects and compare how it ends (ARGS="--story merged --every 10")
	@$(BIN)/python -m tests.crash $(ARGS)

fuzz: setup ## send 100 000 odd webhooks, and as much to every reader (EXAMPLES=N for more or fewer)
	@PIPEWRIGHT_FUZZ_EXAMPLES=$(or $(EXAMPLES),100000) $(BIN)/python -m pytest tests/fuzz -n0 -s --durations=0 $(ARGS)

clean: ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
