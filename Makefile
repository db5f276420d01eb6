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
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-config \
	--no-emit-package google-calendar-simulator

.PHONY: help run demo-data test test-under-load coverage check audit docs format messages wheel \
	screenshots soak mutants bench lock setup setup-dev clean \
	check-lint check-front-end check-types check-imports check-migrations check-licences

help:
	@echo "make run        set up and run Sophiie with its demo (PORT, SIMULATOR_PORT)"
	@echo "make test       set up and run every test (WORKERS=2, DATE='2027-04-03 20:00', ARGS='-n0 tests/…')"
	@echo "make test-under-load  the same with two busy loops beside it"
	@echo "make coverage   which lines and branches the tests pass through (ARGS)"
	@echo "make check      lint (Python, scripts, styles, templates), types, import rules,"
	@echo "                migrations in step, licences"
	@echo "make docs       the documents as a site in build/docs; fails on a broken link"
	@echo "make wheel      the packages sophiie and google-calendar-simulator in build/dist"
	@echo "make audit      known vulnerabilities of all dependencies (needs the network)"
	@echo "make bench      benchmarks, as tables and JSON"
	@echo "make demo-data  make the demo's business, people and appointments"
	@echo "make screenshots  retake the pictures of README and help"
	@echo "make soak       run the convergence machine for long (MINUTES=30)"
	@echo "make mutants    put small defects into critical modules; list those that no test notices"
	@echo "                (MINUTES=30, MODULES=sync/due.py, ARGS='--seed 7 --afresh')"
	@echo "make messages   gather the texts to translate into the .po files"
	@echo "make lock       pin all requirements again, with hashes, and package-lock.json"

# `exec`, so that a signal for make's child reaches the program and not a shell around it.
run: setup
	@exec $(BIN)/sophiie demo

demo-data: setup
	@$(BIN)/sophiie demo-data

# ARGS: options for pytest. DATE: sets every clock (see docs/how-to/testing.md). WORKERS: more than
# cores, because half of the time of tests is waiting for processes, for pages and for Google.
# Bytecode is kept even where the environment says not to: every process that a test starts would
# compile all of our sources anew.
WORKERS ?= 4
PYTEST = env PYTHONDONTWRITEBYTECODE= tools/at_date.sh "$(DATE)" \
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test: setup-dev
	@tools/find_browser.sh
	$(PYTEST)

test-under-load: setup-dev
	@tools/find_browser.sh
	tools/under_load.sh $(PYTEST)

# Counts in the tests' process and its threads, not in the processes that tests start.
coverage: setup-dev
	@tools/find_browser.sh
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage report --skip-covered
	$(BIN)/coverage html

# One target for each tool, so that .pre-commit-config.yaml runs the same commands.
CHECKS = check-lint check-front-end check-types check-imports check-migrations check-licences

check: $(CHECKS)

check-lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-types: setup-dev
	$(BIN)/mypy

check-imports: setup-dev
	$(BIN)/lint-imports

check-migrations: setup-dev
	$(BIN)/python tools/check_migrations.py

check-front-end: setup-dev
	$(BIN)/djlint --lint --quiet src/sophiie/web/templates
	tools/npm.sh exec --offline -- biome check --error-on-warnings

check-licences: setup-dev
	$(BIN)/pip-licenses --packages $(RUN_PACKAGES) >/dev/null

# Looks every version up in the advisory databases. Needs the network, so `check` leaves it out.
audit: .venv/.audit
	$(BIN)/pip-audit --disable-pip --require-hashes --progress-spinner off \
		-r requirements/run.txt -r requirements/dev.txt
	tools/npm.sh audit

wheel: setup
	@$(BIN)/python tools/build_wheels.py

docs: .venv/.docs
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet docs build/docs
	@echo "Open build/docs/index.html"

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	tools/npm.sh exec --offline -- biome check --write

screenshots: setup-dev
	@tools/find_browser.sh
	$(BIN)/python tools/screenshots.py

RUN_PACKAGES = $(shell sed -n 's/^\([a-z0-9-]*\).*==.*/\1/p' requirements/run.txt)

MINUTES ?= 30
soak: setup-dev
	@$(BIN)/python tools/soak.py --minutes $(MINUTES)

# MODULES: files or folders of src/sophiie; by default the critical packages. See docs/how-to/testing.md.
mutants: setup-dev
	@$(BIN)/python tools/mutants.py --minutes $(MINUTES) $(ARGS) $(MODULES)

bench: setup-dev .venv/.bench
	@for script in bench/*.py; do $(BIN)/python $$script || exit 1; done

MESSAGES = $(patsubst %.po,%.mo,$(wildcard src/sophiie/locale/*/LC_MESSAGES/django.po))

setup: .venv/.run src/sophiie/web/static/vendor/.vendored $(MESSAGES)

setup-dev: .venv/.dev tests/vendor/.vendored $(MESSAGES)

.venv/.python:
	@$(PYTHON) tools/make_venv.py

.venv/.run: .venv/.python requirements/run.txt pyproject.toml simulator/pyproject.toml
	@echo "Installing what Sophiie needs to run (about a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . --editable ./simulator
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@echo "Installing what the tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.audit .venv/.bench .venv/.docs: .venv/.%: .venv/.dev requirements/%.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	@touch $@

NPM_CI = tools/npm.sh ci --ignore-scripts --no-audit --no-fund --loglevel=error

src/sophiie/web/static/vendor/.vendored: package-lock.json tools/vendor_frontend.py | .venv/.python
	@echo "Installing the front-end parts ..."
	@$(NPM_CI) --omit=dev
	@$(BIN)/python tools/vendor_frontend.py
	@touch $@

# The same parts, what tests load beside them, and the linter.
tests/vendor/.vendored: package-lock.json tools/vendor_frontend.py | .venv/.python
	@echo "Installing the front-end parts, and what checks them ..."
	@$(NPM_CI)
	@$(BIN)/python tools/vendor_frontend.py
	@touch src/sophiie/web/static/vendor/.vendored $@

%.mo: %.po tools/translations.py | .venv/.run
	@$(BIN)/python tools/translations.py compile

messages: setup-dev
	$(BIN)/python tools/translations.py extract

lock: setup-dev
	$(LOCK) pyproject.toml requirements/run.in -o requirements/run.txt
	$(LOCK) -c requirements/run.txt pyproject.toml requirements/dev.in -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt requirements/audit.in -o requirements/audit.txt
	$(LOCK) -c requirements/dev.txt requirements/bench.in -o requirements/bench.txt
	$(LOCK) -c requirements/dev.txt requirements/docs.in -o requirements/docs.txt
	$(LOCK) requirements/node.in -o requirements/node.txt
	tools/npm.sh install --ignore-scripts --package-lock-only --no-audit --no-fund

clean:
	rm -rf .venv node_modules src/sophiie/web/static/vendor tests/vendor build src/*.egg-info simulator/src/*.egg-info
