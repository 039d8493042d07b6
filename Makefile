# All it takes is make and Python 3.11 or later; everything else is installed into .venv.
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c requirements.lock

.DEFAULT_GOAL := help
.PHONY: help run test bench mutants docs sbom clean chromium postgres node
.NOTPARALLEL:
# With it, every start compiles our modules anew: 0.2 s each, 6 s a worker of the tests.
unexport PYTHONDONTWRITEBYTECODE

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run: .venv/installed ## serve on http://127.0.0.1:8050, with sample data when there is no other
	@$(BIN)/spendscope serve --with-sample

# A worker takes a whole file, as its tests share what it set up; two take the browser's. By number
# of tests these, a minute or more a test, would come last, and one worker would end long after the
# others: tests/conftest.py says in which order they come, and how many workers `auto` are.
test: .venv/tests-installed chromium postgres node ## everything CI runs: lint, import contracts, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadgroup --no-loadscope-reorder
	SUMS=1 $(BIN)/pytest -n auto --dist loadgroup --no-loadscope-reorder -q $(SUMMED) $(UNASKED)

# Asked once more of stores that answer from sums alone (tests/always_summed.py).
RIGHTS := $(addprefix tests/access/test_rights.py::test_, the_query_opens_nothing answers_kept_for_one_reader_never_reach_another readers_at_the_same_moment_never_mix every_preset_is_narrowed_alike)
SUMMED := $(addprefix tests/,query/test_query.py query/test_metrics.py events/test_merging.py analytics/test_numbers.py::test_the_query_gives_the_oracles_rows_and_totals) $(RIGHTS)
# These read rows, never an answer: sums make no difference to them.
UNASKED := $(addprefix --deselect=tests/events/test_merging.py::test_, the_doors_of_litellm_in_any_order the_store_knows_neither_order_nor_batches logs_and_telemetry_in_either_order tellings_make_the_same_event_in_any_order)

bench: .venv/tests-installed ## measure server and browser; QUICK=1: small sizes, for a quick look
	@$(BIN)/python -m tests.bench $(BENCH)

mutants: .venv/tests-installed ## break the core line by line and see that the tests notice (a quarter of an hour or so)
	@$(BIN)/python -m tests.mutants $(MUTANTS)

docs: .venv/installed ## write the definitions in docs/users.md anew, from the declarations
	@$(BIN)/python -m docs.definitions

sbom: .venv/tests-installed ## write sbom.json: all that is installed, as CycloneDX
	@$(BIN)/cyclonedx-py environment --no-validate --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.json $(BIN)/python

clean: ## remove .venv, builds and caches; the data in var stays
	rm -rf .venv build *.egg-info .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so a second run starts at once.
.venv/installed: .venv/bin/python pyproject.toml setup.py requirements.lock
	@echo "Installing the locked dependencies into .venv (a minute or so) ..."
	@$(INSTALL) -e .
	@touch $@

.venv/tests-installed: .venv/bin/python pyproject.toml setup.py requirements.lock
	@echo "Installing the locked dependencies and the test tools into .venv (a minute or so) ..."
	@$(INSTALL) -e ".[test]"
	@touch $@ .venv/installed

PYTHON = $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Spendscope needs Python 3.11 or later: install it and run make again." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# What the browser tests drive; tests/browser/test_way_in.py looks for the same names.
HAVE_CHROMIUM = for name in chromium chromium-browser google-chrome; do "$$name" --version >/dev/null 2>&1 && exit 0; done
WANT_CHROMIUM = { echo "The browser tests need Chromium: install it as chromium, chromium-browser or google-chrome." >&2; exit 1; }

chromium:
	@$(HAVE_CHROMIUM); \
	test "$$(id -u)" = 0 && command -v apt-get >/dev/null || $(WANT_CHROMIUM); \
	echo "Installing Chromium for the browser tests ..."; \
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core; } >/dev/null || $(WANT_CHROMIUM); \
	$(HAVE_CHROMIUM); $(WANT_CHROMIUM)

# What tests/postgres.py looks for: the programs of a server, not a server that runs.
HAVE_POSTGRES = for bin in /usr/lib/postgresql/*/bin $$(dirname "$$(command -v postgres || echo /nowhere/)"); do test -x "$$bin/initdb" && test -x "$$bin/postgres" && exit 0; done
WANT_POSTGRES = { echo "The tests of LiteLLM's database need PostgreSQL: install its server (initdb, postgres, psql)." >&2; exit 1; }

postgres:
	@$(HAVE_POSTGRES); \
	test "$$(id -u)" = 0 && command -v apt-get >/dev/null || $(WANT_POSTGRES); \
	echo "Installing PostgreSQL for the tests of LiteLLM's database ..."; \
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null || $(WANT_POSTGRES); \
	$(HAVE_POSTGRES); $(WANT_POSTGRES)

# What tests/npm.py and tests/oidc/provider.py look for: they install packages of npm, each by its lock file.
HAVE_NODE = npm --version >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null && exit 0
WANT_NODE = { echo "The tests of sign-in by an identity provider need Node.js 18 or later with npm: install both." >&2; exit 1; }

node:
	@$(HAVE_NODE); \
	test "$$(id -u)" = 0 && command -v apt-get >/dev/null || $(WANT_NODE); \
	echo "Installing Node.js for the tests of identity providers ..."; \
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; } >/dev/null || $(WANT_NODE); \
	$(HAVE_NODE); $(WANT_NODE)
