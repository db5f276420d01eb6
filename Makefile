# `make run` and `make test` set up all they need from a fresh clone.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PORT ?= 8000
SIMULATOR_PORT ?= 8001
PYTHON ?= python3
SOPHIIE_DATA_DIR ?= $(CURDIR)/var
export PORT SIMULATOR_PORT SOPHIIE_DATA_DIR

BIN = .venv/bin
LOCK = $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-config

.PHONY: help run demo-data test test-under-load check audit format messages screenshots soak mutants bench lock setup setup-dev clean

help:
	@echo "make run        set up and run Sophiie with its demo (PORT, SIMULATOR_PORT)"
	@echo "make test       set up and run every test (DATE='2027-04-03 20:00', ARGS='-n0 tests/…')"
	@echo "make test-under-load  the same with two busy loops beside it"
	@echo "make check      lint, types, import rules, migrations in step, licences"
	@echo "make audit      known vulnerabilities of what is used (needs the network)"
	@echo "make bench      benchmarks, as tables and JSON"
	@echo "make demo-data  make the demo's business, people and appointments"
	@echo "make screenshots  take the pictures of README and help anew"
	@echo "make soak       the convergence machine for long (MINUTES=30)"
	@echo "make mutants    small defects in critical modules, and which of them no test notices (MINUTES=30, MODULES=sync/due.py)"
	@echo "make messages   gather the texts to be translated into the .po files"
	@echo "make lock       make the hashed requirement files and package-lock.json anew"

# `exec`, so that a signal for make's child reaches the program and not a shell around it.
run: setup
	@exec $(BIN)/sophiie demo

demo-data: setup
	@$(BIN)/sophiie demo-data

# ARGS: more words for pytest. DATE: with every clock set to it (see docs/testing.md).
PYTEST = tools/at_date.sh "$(DATE)" \
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test: setup-dev
	@tools/find_browser.sh
	$(PYTEST)

test-under-load: setup-dev
	@tools/find_browser.sh
	tools/under_load.sh $(PYTEST)

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python tools/check_migrations.py
	$(BIN)/pip-licenses --packages $(RUN_PACKAGES) >/dev/null

# What is known to be wrong with a version. Asks over the network, so it is no part of `check`.
audit: .venv/.audit
	$(BIN)/pip-audit --disable-pip --require-hashes --progress-spinner off \
		-r requirements/run.txt -r requirements/dev.txt
	tools/npm.sh audit

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: setup-dev
	@tools/find_browser.sh
	$(BIN)/python tools/screenshots.py

RUN_PACKAGES = $(shell sed -n 's/^\([a-z0-9-]*\).*==.*/\1/p' requirements/run.txt)

MINUTES ?= 30
soak: setup-dev
	@$(BIN)/python tools/soak.py --minutes $(MINUTES)

# MODULES: files or folders of src/sophiie; without it the critical packages. See docs/testing.md.
mutants: setup-dev
	@$(BIN)/python tools/mutants.py --minutes $(MINUTES) $(MODULES)

bench: setup-dev .venv/.bench
	@for script in bench/*.py; do $(BIN)/python $$script || exit 1; done

MESSAGES = $(patsubst %.po,%.mo,$(wildcard src/sophiie/locale/*/LC_MESSAGES/django.po))

setup: .venv/.run src/sophiie/web/static/vendor/.vendored $(MESSAGES)

setup-dev: .venv/.dev src/sophiie/web/static/vendor/.vendored $(MESSAGES)

.venv/.python:
	@$(PYTHON) tools/make_venv.py

.venv/.run: .venv/.python requirements/run.txt pyproject.toml
	@echo "Installing what Sophiie needs to run (about a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@echo "Installing what the tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.audit .venv/.bench: .venv/.%: .venv/.dev requirements/%.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	@touch $@

src/sophiie/web/static/vendor/.vendored: package-lock.json tools/vendor_frontend.py | .venv/.python
	@echo "Installing the front-end parts ..."
	@tools/npm.sh ci --ignore-scripts --no-audit --no-fund --silent
	@$(BIN)/python tools/vendor_frontend.py
	@touch $@

%.mo: %.po tools/translations.py | .venv/.run
	@$(BIN)/python tools/translations.py compile

messages: setup-dev
	$(BIN)/python tools/translations.py extract

lock: setup-dev
	$(LOCK) requirements/run.in -o requirements/run.txt
	$(LOCK) -c requirements/run.txt requirements/dev.in -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt requirements/audit.in -o requirements/audit.txt
	$(LOCK) -c requirements/dev.txt requirements/bench.in -o requirements/bench.txt
	$(LOCK) requirements/node.in -o requirements/node.txt
	tools/npm.sh install --ignore-scripts --package-lock-only --no-audit --no-fund

clean:
	rm -rf .venv node_modules src/sophiie/web/static/vendor tests/vendor build src/*.egg-info
