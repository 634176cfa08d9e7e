# Each target sets up what it needs by itself: python3 (3.11 or newer) and make are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo serve-demo test check lab-test kubernetes-test bench build openapi settings-table requirements clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 26

demo: $(READY) ## show on a simulator what heketipy does
	@$(BIN)/heketipy demo

serve-demo: $(READY) ## the same, and go on serving on port 8080
	@$(BIN)/heketipy demo --serve

test: $(READY) ## run the tests, on SQLite and on PostgreSQL
	$(PYTEST) -n $(WORKERS) --dist worksteal

check: $(READY) ## look for mistakes without running: format, types, layers, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m heketipy.db.check
	$(PYTEST) -q tests/project tests/config/test_table.py tests/api/test_openapi.py

lab-test: $(READY) ## run against real GlusterFS nodes, virtual machines on this one (root, half an hour)
	tests/lab/run

kubernetes-test: $(READY) ## run Kubernetes' own provisioner against the server (needs Go)
	$(PYTEST) -o addopts="-p no:cacheprovider --ignore=tests/lab" tests/kubernetes

bench: $(READY) ## measure: HEKETI_BIN=/path adds a heketi, BENCH=--full takes longer, BENCH=--lab needs real nodes
	$(BIN)/python -m bench $(BENCH)

build: $(READY) ## make the wheel, install it into an empty environment, and start the server from there
	rm -rf dist build/wheel
	$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation --wheel-dir dist .
	$(PYTHON) -m venv --clear build/wheel
	build/wheel/bin/python -m pip install -q --require-hashes -r requirements/server.txt
	build/wheel/bin/python -m pip install -q --no-deps --no-index dist/*.whl
	$(BIN)/python tests/project/try_installed.py build/wheel/bin

openapi: $(READY) ## renew the golden OpenAPI document
	$(BIN)/python -m heketipy.api.document openapi/heketipy.json

settings-table: $(READY) ## renew the table of settings in the README
	$(BIN)/python -m heketipy.config.table README.md

requirements: ## pin new dependencies; with UPGRADE=1 the newest versions of all
	$(PYTHON) -m venv build/tools
	build/tools/bin/python -m pip install -q uv
	build/tools/bin/uv pip compile $(PIN) pyproject.toml --all-extras -o requirements/server.txt
	build/tools/bin/uv pip compile $(PIN) pyproject.toml --all-extras --group dev -c requirements/server.txt -o requirements/dev.txt
	build/tools/bin/uv pip compile $(PIN) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
PIN := -q $(if $(UPGRADE),--upgrade) --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

clean: ## remove everything that was made here
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements/dev.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "heketipy needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; \
	  echo "Name another one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt -r requirements/build.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
