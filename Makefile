# One command for each thing a person does here. `make help` lists them.
# Everything is installed into .venv from the hashed locks; nothing is configured.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What tests need from Debian: a browser, a library that its driver is linked with, two tools that look at PDFs, curl
# and openssl, which the how-tos use and the tests of the how-tos run, and strace, which sees what is fsynced.
DEBIAN_PACKAGES := chromium curl libatomic1 openssl qpdf poppler-utils strace
# Both cores; PostgreSQL and Redis are started by the tests, one of each for a worker process.
PYTEST_WORKERS ?= 2
BULK_LINES ?= 10000000

.DEFAULT_GOAL := help
.PHONY: help run test check lint prove prove-bulk prove-spark security sbom mutants bench docs screenshots lock openapi reference clean install install-dev system-packages

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: install  ## start everything on this machine, show a first interpretation, keep serving
	@$(BIN)/python -m labinterp up

test: install-dev system-packages  ## all tests: unit, knowledge, golden, property, contract, workers, browser
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadgroup

check: install-dev lint test  ## everything CI checks

lint: install-dev  ## format, lint, types, import contracts, dependencies, knowledge schemas and sources
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/bandit -q -c pyproject.toml -r app.py labinterp workers
	$(BIN)/python -m labinterp knowledge check

prove: install-dev system-packages  ## the long proofs that `make check` runs in a short form
	HYPOTHESIS_PROFILE=prove $(BIN)/pytest -n $(PYTEST_WORKERS) tests/properties tests/unit/formats tests/contract/test_schemathesis.py -p no:randomly --timeout 3600
	REPEAT=20 CHAOS_PANELS=510 POWER_CUTS=200 $(BIN)/pytest tests/workers -p no:randomly --timeout 3600
	PAGES=all $(BIN)/pytest tests/e2e -p no:randomly --timeout 3600
	RANDOM_PANELS=1000000 $(BIN)/pytest -n 0 tests/unit/interpretation/test_quick_answers.py -p no:randomly
	$(MAKE) prove-bulk prove-spark
	$(MAKE) mutants

prove-bulk: install-dev  ## ten million lines in flat memory, killed five times at random; fewer: BULK_LINES=200000
	$(BIN)/python -m benchmarks.broken_off --lines $(BULK_LINES)

prove-spark: build/spark  ## the record batches on a cluster of two workers of PySpark; needs Java 17
	PYTHONPATH=build/spark $(BIN)/python -m benchmarks.spark_cluster

security: install-dev  ## faults in the code, secrets in files, known faults of libraries; without a network: OSV_SNAPSHOT=all.zip
	$(BIN)/bandit -q -c pyproject.toml -r app.py labinterp workers
	$(BIN)/pytest -q -n 0 tests/contract/test_no_secrets.py tests/contract/test_asvs.py
	@if [ -n "$(OSV_SNAPSHOT)" ]; then $(BIN)/python -m tests.known_faults "$(OSV_SNAPSHOT)"; \
	else for lock in requirements.lock requirements-dev.lock; do \
	  said=$$($(BIN)/pip-audit --strict -s osv --no-deps --disable-pip --progress-spinner off -r $$lock 2>&1) && echo "$$said" \
	  || { case "$$said" in *Traceback*) echo "Nobody could be asked. Give a copy of OSV's archive: OSV_SNAPSHOT=all.zip";; *) echo "$$said";; esac; exit 1; }; \
	done; fi

sbom: install-dev  ## what production installs: build/sbom.cdx.json (CycloneDX), and build/licences.md
	rm -rf build/production && $(PYTHON) -m venv build/production
	build/production/bin/pip install -q --require-hashes -r requirements.lock
	$(BIN)/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --of JSON -o build/sbom.cdx.json build/production/bin/python
	$(BIN)/pip-licenses --python build/production/bin/python --from mixed --with-urls --format markdown --output-file build/licences.md
	rm -rf build/production

mutants: install-dev  ## break the core on purpose, count what tests notice; a slice: MUTANTS="labinterp.model.units"
	$(BIN)/mutmut run --max-children $(PYTEST_WORKERS) "labinterp.model.codes*"
	$(BIN)/python -m benchmarks.trying --seconds 4 $(MUTANTS)
	$(BIN)/python -m benchmarks.mutants

bench: install-dev build/bench  ## measure, each figure as a ratio with its yardstick in the same run; BENCH="--only bulking", "--write"
	PYTHONPATH=build/bench $(BIN)/python -m benchmarks --json build/bench.json $(BENCH)

docs: install-dev  ## build the documentation site into site/, strictly
	$(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

screenshots: install-dev system-packages  ## take the pictures of README and docs anew, of the real service
	$(BIN)/python -m tests.screenshots docs/images

lock: install-dev  ## resolve requirements*.txt anew into the hashed locks
	for name in requirements requirements-dev requirements-arrow requirements-spark requirements-bench; do \
	  $(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url --custom-compile-command "make lock" $$name.txt -o $$name.lock || exit 1; \
	done

openapi: install-dev  ## write docs/reference/openapi.json from the code
	$(BIN)/python -m labinterp.api.document > docs/reference/openapi.json.new
	mv docs/reference/openapi.json.new docs/reference/openapi.json

reference: install-dev  ## write docs/reference/knowledge from reference_ranges/
	$(BIN)/python -m labinterp knowledge reference docs/reference/knowledge

clean:  ## remove what was built; the data directory stays
	rm -rf $(VENV) site build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# What only measuring and one proof need, beside .venv, so that no other command meets it.
build/bench build/spark: build/%: requirements-%.lock | $(VENV)/.installed-dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade --target $@ -r $<
	@touch $@

$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing the tools into $(VENV) (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.installed

system-packages:
	@missing=""; for tool in curl openssl qpdf pdftoppm strace; do command -v $$tool >/dev/null || missing=yes; done; \
	ls /usr/lib*/*/libatomic.so.1 2>/dev/null | grep -q . || missing=yes; \
	if [ -z "$$CHROMIUM" ]; then command -v chromium >/dev/null || missing=yes; fi; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	install="apt-get install -y --no-install-recommends $(DEBIAN_PACKAGES)"; \
	if [ "$$(id -u)" = 0 ]; then sudo=""; elif sudo -n true 2>/dev/null; then sudo="sudo"; else \
	  echo "Tests need Debian packages. Run once:  sudo apt-get update && sudo $$install"; exit 1; fi; \
	echo "Installing $(DEBIAN_PACKAGES) ..."; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo $$install -qq >/dev/null
