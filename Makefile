# make demo     a company to look at, in a browser         PORT=8123  DB=postgres  COST=fifo
# make test     every test                                 TESTS=tests/storage  JOBS=2
# make check    ruff, mypy --strict, the rules of the architecture
# make bench    figures against the floor                  make screens   screenshots of every page
# make lock     recompile the lock files                   make vendor    fetch the vendored web files again
# make clean    remove what the above left behind, the demo's data included

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench screens lock vendor clean install install-dev

PORT ?= 8000
DB ?=
COST ?=
DATA ?= data/demo
JOBS ?= 2
TESTS ?= tests

BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

help:
	@sed -n 's/^# make/make/p' Makefile

install:
	@sh tools/bootstrap.sh requirements.lock

install-dev:
	@sh tools/bootstrap.sh requirements-dev.lock

# PostgreSQL for the demo comes with the development dependencies.
demo: $(if $(filter postgres,$(DB)),install-dev,install)
	STOCKLOOM_DATA_DIR=$(DATA) $(BIN)/stockloom demo --port $(PORT) $(if $(DB),--database $(DB)) $(if $(COST),--cost $(COST))

test: install-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(TESTS)

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install-dev
	$(BIN)/python -m bench

screens: install-dev
	$(BIN)/python -m tools.screens

# The second file is compiled against the first, so that both hold the same versions.
lock: install-dev
	$(COMPILE) pyproject.toml tools/build.in -o requirements.lock
	$(COMPILE) --extra dev -c requirements.lock pyproject.toml tools/build.in -o requirements-dev.lock

vendor: install-dev
	$(BIN)/python -m tools.vendor

clean:
	rm -rf $(DATA) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis bench/out
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
