# Every target that a person or CI calls. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
AUDIT_VENV := .venv-audit
DEPLOY_VENV := .venv-deploy
BIN := $(VENV)/bin
MEMBERS := libs/pagerpal_common services/ingest services/incidents services/escalator services/notifier services/web services/standalone
PYPROJECTS := $(addsuffix /pyproject.toml,$(MEMBERS))
EDITABLE := $(foreach member,$(MEMBERS),--editable ./$(member))
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup run distributed check format test test-deploy lock sbom audit clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

run: $(VENV)/.runtime ## Everything in one process on http://127.0.0.1:8000 (PORT), state in .pagerpal
	@exec $(BIN)/python -m pagerpal_standalone

distributed: $(VENV)/.runtime ## Five processes on PAGERPAL_DATABASE_URL and PAGERPAL_AMQP_URL, behind one port
	@exec $(BIN)/python -m pagerpal_standalone.distributed

setup: $(VENV)/.dev ## Install everything that development and the tests need

check: $(VENV)/.dev ## Style, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## Rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: $(VENV)/.dev ## Every check that CI runs
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/test.sh

test-deploy: $(VENV)/.dev $(DEPLOY_VENV)/.tools ## What is under deploy/: schemas, compose, the image's steps, the edge, a roll-out
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/test_deploy.sh

lock: $(VENV)/.dev ## Rebuild the lock files from the pyprojects
	scripts/freeze.sh

sbom: $(VENV)/.runtime ## A software bill of materials: dist/pagerpal.cdx.json (CycloneDX)
	@$(BIN)/python scripts/sbom.py

audit: $(VENV)/.runtime $(AUDIT_VENV)/.audit ## Look for known vulnerabilities; needs to reach an advisory service
	@$(BIN)/python scripts/audit.py

clean: ## Remove what the other targets made, but not the data in .pagerpal
	rm -rf $(VENV) $(AUDIT_VENV) $(DEPLOY_VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "PagerPal needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml $(PYPROJECTS) | $(VENV)/bin/python
	@echo "Installing PagerPal into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation $(EDITABLE)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(AUDIT_VENV)/.audit: requirements-audit.lock
	@$(PYTHON) -m venv $(AUDIT_VENV)
	@$(AUDIT_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-audit.lock
	@touch $@

$(DEPLOY_VENV)/.tools: requirements-deploy.lock tests/deploy/custom_resources/package-lock.json
	@PYTHON=$(PYTHON) scripts/deploy_tools.sh
