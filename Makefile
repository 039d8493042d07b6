# All it takes is make and Python 3.11 or later; everything else is installed into .venv.
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c requirements.lock

.DEFAULT_GOAL := help
.PHONY: help run test bench bench-peers mutants docs sbom audit clean chromium postgres node
.NOTPARALLEL:
# With it, every start compiles our modules anew: 0.2 s each, 6 s a worker of the tests.
unexport PYTHONDONTWRITEBYTECODE

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run: .venv/installed ## serve on http://127.0.0.1:8050, with sample data when there is no other
	@$(BIN)/spendscope serve --with-sample

# What computes on one core alone (types) runs beside the tests, which wait now and then.
# A worker takes a whole file, as its tests share what it set up; two take the browser's. By number
# of tests these, a minute or more a test, would come last, and one worker would end long after the
# others: tests/conftest.py says in which order they come, and how many workers `auto` are.
test: .venv/tests-installed chromium postgres node ## everything CI runs: lint, import contracts, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.together $(AGAIN) "$(BIN)/lint-imports" "$(BIN)/mypy" \
		"SUMS=1 $(BIN)/pytest -q -p no:cacheprovider $(SUMMED) $(UNASKED)" \
		"ENGINE=postgresql $(BIN)/pytest -q -p no:cacheprovider $(ENGINES)" \
		"ENGINE=clickhouse $(BIN)/pytest -q -p no:cacheprovider $(CLICKHOUSE)" \
		"$(BIN)/pytest -n auto --dist loadgroup --no-loadscope-reorder"

# On CI a test that fails is asked once more, by itself: what holds then failed of how busy the machine was.
AGAIN = $(if $(CI),--again "$(BIN)/pytest --last-failed --last-failed-no-failures none")

# Asked once more of stores that answer from sums alone (tests/always_summed.py).
RIGHTS := $(addprefix tests/access/test_rights.py::test_, the_query_opens_nothing answers_kept_for_one_reader_never_reach_another readers_at_the_same_moment_never_mix every_preset_is_narrowed_alike)
SUMMED := $(addprefix tests/,query/test_query.py query/test_metrics.py events/test_merging.py analytics/test_numbers.py::test_the_query_gives_the_oracles_rows_and_totals) $(RIGHTS)
# These read rows, never an answer: sums make no difference to them.
UNASKED := $(addprefix --deselect=tests/events/test_merging.py::test_, the_doors_of_litellm_in_any_order the_store_knows_neither_order_nor_batches logs_and_telemetry_in_either_order tellings_make_the_same_event_in_any_order)
# What senders post over HTTP, and what real inputs come to.
RECEIVED := $(addprefix tests/receive/,test_any_engine.py $(addprefix test_receive_otlp.py::test_,spans_come_in_both_encodings_and_are_answered_in_theirs what_is_rejected_is_counted_and_said a_keys_bonds_hold_for_spans recorded_exports_are_taken_as_they_were_sent) $(addprefix test_receive.py::test_,every_form_is_counted_and_a_second_time_adds_nothing a_bad_event_of_a_list_costs_nothing_but_itself what_arrived_is_seen_at_once the_report_sums_what_it_took)) tests/field/test_one_store.py
# What every engine says: asked once more of PostgreSQL (tests/other_engine.py).
ENGINES := $(addprefix tests/,query/test_query.py query/test_metrics.py events/test_merging.py::test_the_store_knows_neither_order_nor_batches prices/test_repricing.py people/test_forgetting.py ingest/test_retention.py engines/test_dialect.py::test_an_engine_compiles_every_construct engines/test_session_sums.py engines/test_shared_ids.py analytics/test_numbers.py::test_the_query_gives_the_oracles_rows_and_totals) $(RIGHTS) $(RECEIVED) tests/field/test_field.py::test_it_comes_out_right --deselect=tests/prices/test_repricing.py::test_no_public_rate_is_too_large_to_count_with
# The same of ClickHouse, whose every write is slow for so few events: a part of it.
CLICKHOUSE := $(addprefix tests/,query/test_query.py query/test_metrics.py prices/test_repricing.py people/test_forgetting.py ingest/test_retention.py engines/test_dialect.py::test_an_engine_compiles_every_construct engines/test_session_sums.py engines/test_shared_ids.py analytics/test_numbers.py::test_the_query_gives_the_oracles_rows_and_totals access/test_rights.py::test_the_query_opens_nothing) $(RECEIVED) $(addprefix --deselect=tests/,prices/test_repricing.py::test_no_public_rate_is_too_large_to_count_with prices/test_repricing.py::test_sql_counts_as_python_does[1] prices/test_repricing.py::test_sql_counts_as_python_does[2] engines/test_shared_ids.py::test_copies_and_telemetry_are_one_use_in_any_order)

bench: .venv/tests-installed ## measure server and browser; QUICK=1: small sizes, for a quick look
	@$(BIN)/python -m tests.bench $(BENCH)

bench-peers: .venv/tests-installed ## the same questions to LiteLLM's tables, Langfuse's, pandas, Superset; PEERS="--events 100000"
	@$(BIN)/python -m tests.bench.peers $(PEERS)

# Superset in an environment of its own, with what its package leaves open or takes too new.
build/superset/installed: .venv/bin/python
	@echo "Installing Apache Superset into build/superset (minutes) ..."
	@$(PYTHON) -m venv build/superset
	@build/superset/bin/python -m pip install -qq --disable-pip-version-check apache-superset==6.1.0 Flask-Caching==2.3.1 rich cachetools psycopg2-binary duckdb-engine==0.17.0
	@touch $@

mutants: .venv/tests-installed ## break the core line by line and see that the tests notice (a quarter of an hour or so)
	@$(BIN)/python -m tests.mutants $(MUTANTS)

docs: .venv/installed ## write the definitions in docs/users.md anew, from the declarations
	@$(BIN)/python -m docs.definitions

sbom: .venv/tests-installed ## write sbom.json: all that is installed, as CycloneDX
	@$(BIN)/cyclonedx-py environment --no-validate --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.json $(BIN)/python

# Where OSV cannot be asked, nobody knows: that is said, and stops nothing.
AUDIT := pip-audit==2.9.0
OSV := https://api.osv.dev/v1/query
ASK_OSV := import urllib.request as u; u.urlopen(u.Request('$(OSV)', b'{"package": {"name": "pip", "ecosystem": "PyPI"}}'), timeout=10)

audit: .venv/bin/python ## look for known weaknesses in what is locked, where the internet can be reached
	@$(BIN)/python -c "$(subst ",\",$(ASK_OSV))" 2>/dev/null || { echo "Nobody looked for known weaknesses: $(OSV) cannot be reached."; exit 0; }; \
	test -x .venv/audit/bin/pip-audit || { $(BIN)/python -m venv .venv/audit && .venv/audit/bin/python -m pip install -qq --disable-pip-version-check $(AUDIT); } && \
	.venv/audit/bin/pip-audit --vulnerability-service osv --disable-pip --no-deps -r requirements.lock

clean: ## remove .venv, builds and caches; the data in var stays
	rm -rf .venv build *.egg-info .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so a second run starts at once.
.venv/installed: .venv/bin/python pyproject.toml setup.py requirements.lock
	@echo "Installing the locked dependencies into .venv (a minute or so) ..."
	@$(INSTALL) -e .
	@touch $@

# ClickHouse's own engine, 0.6 GB, for tests alone. Without what it says it needs (pyarrow): nothing
# here uses that, and pandas would do otherwise with it than where Spendscope runs.
CHDB := chdb-core==26.9.0

.venv/tests-installed: .venv/bin/python pyproject.toml setup.py requirements.lock
	@echo "Installing the locked dependencies and the test tools into .venv (a minute or so) ..."
	@$(INSTALL) -e ".[test]"
	@$(INSTALL) --no-deps $(CHDB)
	@touch $@ .venv/installed

PYTHON = $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Spendscope needs Python 3.11 or later: install it and run make again." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# What the browser tests drive; tests/browser/driver.py looks for the same names.
HAVE_CHROMIUM = for name in chromium-headless-shell chromium chromium-browser google-chrome; do "$$name" --version >/dev/null 2>&1 && exit 0; done
WANT_CHROMIUM = { echo "The browser tests need Chromium: install it as chromium-headless-shell, chromium, chromium-browser or google-chrome." >&2; exit 1; }

# A sixth of the browser's time is for windows that nobody sees: Debian has a Chromium without them.
# Where it is not to be had at once, any other serves.
APT_SOON := apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10
APT_HEADLESS := $(APT_SOON) install -y chromium-headless-shell fonts-dejavu-core

chromium:
	@command -v chromium-headless-shell >/dev/null && exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		echo "Looking for Chromium's headless shell for the browser tests ..."; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ $(APT_HEADLESS) || { $(APT_SOON) update && $(APT_HEADLESS); }; } >/dev/null 2>&1; \
	fi; \
	$(HAVE_CHROMIUM); \
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

# What tests/npm.py and tests/oidc/provider.py look for: they install packages of npm, each by its lock file. Those of
# Debian 12 (Node.js 18.20, npm 9.2) are new enough.
HAVE_NODE = npm --version >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null && exit 0
WANT_NODE = { echo "The tests of sign-in by an identity provider need Node.js 18 or later with npm: install both." >&2; exit 1; }

node:
	@$(HAVE_NODE); \
	test "$$(id -u)" = 0 && command -v apt-get >/dev/null || $(WANT_NODE); \
	echo "Installing Node.js for the tests of identity providers ..."; \
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; } >/dev/null || $(WANT_NODE); \
	$(HAVE_NODE); $(WANT_NODE)
