# Relay's development commands; `make` lists them. They need make and Python 3.11 or newer. All tools
# are installed into .relay/, from locks with hashes, and again only when a lock changes.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# Python finds itself by PATH, also if make runs without an environment.
export PATH := $(or $(PATH),/usr/local/bin:/usr/bin:/bin)

PYTHON ?= python3
# Targets are relative paths: the clone's path may contain a space, which separates words in make.
TOOLS := .relay
BIN := $(TOOLS)/venv/bin
SAM := $(TOOLS)/sam/bin/sam
FETCHED_UV := $(TOOLS)/uv/bin/uv
export UV := $(CURDIR)/$(FETCHED_UV)

# No downloaded Python, no telemetry, the machine's own certificates.
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := 1
export SAM_CLI_TELEMETRY := 0
export PYTHONPATH := shared:cli:.

PYTHON_FACTS := $(shell "$(PYTHON)" -c 'import sys; v = sys.version_info; print("%d.%d" % v[:2], v >= (3, 11))' 2>/dev/null)
PYTHON_VERSION := $(word 1,$(PYTHON_FACTS))
PYTHON_FITS := $(word 2,$(PYTHON_FACTS))
# One file per environment marks it as complete, and names its Python.
READY := ready-$(PYTHON_VERSION)

##@ Run

.PHONY: demo
demo: environments ## Run the whole path once on this machine; SOURCE=kind for a tool's webhook, INPUT=file.jsonl for your own data, FORGE=1 to install with Forge
	@"$(BIN)/python" -m infra.local.demo $(if $(INPUT),--input "$(INPUT)") $(if $(FORGE),--forge) \
	  $(if $(SOURCE),--source "$(SOURCE)")

.PHONY: up
up: environments ## Start the stack and keep it running; .relay/stack.json has its URLs
	@"$(BIN)/python" -m infra.local.up

.PHONY: down
down: ## Stop the stack of `make up`
	@if [ -x "$(BIN)/python" ]; then "$(BIN)/python" -m infra.local.down; else echo "Nothing is up."; fi

##@ Test

# One process more than there are cores, because the tests of the stack, which share one, often wait.
SIDE_BY_SIDE = --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) -p tests.e2e.side_by_side

.PHONY: test
test: environments ## Run all tests: unit, integration, end to end on the stack
	@"$(BIN)/pytest" $(SIDE_BY_SIDE) $(ARGS)

.PHONY: test-quick
test-quick: $(TOOLS)/venv/$(READY) ## Run the tests that need no stack
	@"$(BIN)/pytest" $(SIDE_BY_SIDE) --ignore=tests/e2e --ignore=tests/deploy \
	  --ignore=tests/tooling/test_chaos.py $(ARGS)

.PHONY: chaos
chaos: environments ## Kill functions, fail, repeat and reorder calls, and check that nothing is lost; SEED=n, ENTITIES=n, SITES=n
	@"$(BIN)/python" -m infra.chaos --seed "$(SEED)" --entities "$(ENTITIES)" --sites "$(SITES)" $(ARGS)

.PHONY: check
check: environments ## Check format, lint, types, templates, the OpenAPI document, the Forge manifest
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/ruff" check .
	@"$(BIN)/mypy"
	@"$(BIN)/python" -m infra.openapi --check
	@"$(BIN)/python" -m infra.forge
	@$(AWS_OFF) "$(SAM)" validate --lint
	@"$(BIN)/python" -m infra.guard
	@echo "All checks passed."

.PHONY: format
format: $(TOOLS)/venv/$(READY) ## Format the code and apply lint's fixes
	@"$(BIN)/ruff" check --fix .
	@"$(BIN)/ruff" format .

##@ Measure

BENCH = "$(BIN)/python" -m infra.bench

.PHONY: bench
bench: environments $(TOOLS)/bench/$(READY) ## Run all benchmarks, and write docs/performance.md; ARGS=--small only shows that they run
	@$(BENCH) $(ARGS)

bench-%: environments $(TOOLS)/bench/$(READY)
	@$(BENCH) $* $(ARGS)

##@ AWS

# Checking the template needs a region's name, but no account.
AWS_OFF := AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

# SAM CLI hides the layers' warning in its output, so it is repeated at the end.
RUNTIMES = 3.13 3.14
COMPILED = for version in $(RUNTIMES); do \
	    ls .aws-sam/build/Arm64Layer/python/relay/__pycache__/*.cpython-$${version/./}.pyc >/dev/null 2>&1 \
	    || echo "WARNING: The layers are not compiled for the runtime python$$version, because there is no" \
	    "Python $$version here: its cold starts take three times as long."; done

.PHONY: build
build: $(TOOLS)/sam/$(READY) ## Build the deployment package into .aws-sam/
	@"$(SAM)" build
	@$(COMPILED)

.PHONY: deploy
deploy: build ## Build and deploy with your AWS credentials; ARGS="…" goes to sam deploy
	@"$(SAM)" deploy $(ARGS)
	@$(COMPILED)

.PHONY: api-key
api-key: STACK ?= relay
api-key: $(TOOLS)/venv/$(READY) ## Make an API key in a deployed stack; STACK=name, WORKSPACE=id, or ALL_WORKSPACES=1
	@"$(BIN)/python" -m infra.api_key --stack "$(STACK)" \
	  $(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(if $(filter 1,$(ALL_WORKSPACES)),--all-workspaces)

##@ Keep

.PHONY: pictures
pictures: environments ## Draw the documents' pictures again, from a stack with the demo's data; needs Chromium
	@"$(BIN)/python" -m infra.pictures

# A lock names packages, versions and hashes, but no package index.
COMPILE := "$(UV)" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate

.PHONY: lock
lock: $(FETCHED_UV) ## Update the locks; ARGS=--upgrade for newer versions
	@$(COMPILE) $(ARGS) pyproject.toml --output-file shared/requirements.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra cli --group dev --constraint shared/requirements.txt \
	  --output-file requirements/dev.txt
	@for group in bench ministack sam uv; do \
	  $(COMPILE) $(ARGS) --group $$group --output-file requirements/$$group.txt; done

.PHONY: openapi
openapi: $(TOOLS)/venv/$(READY) ## Update docs/openapi.json from the template and the models
	@"$(BIN)/python" -m infra.openapi

.PHONY: page-theme
page-theme: $(TOOLS)/venv/$(READY) ## Update the theme of the page inside Jira from Atlassian's design tokens; needs npm
	@"$(BIN)/python" -m infra.page_theme

.PHONY: clean
clean: down ## Remove all installed tools and builds
	@rm -rf .relay .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# --- The environments, in parallel, because most of the time is spent on downloads. ---

.PHONY: environments
environments: $(FETCHED_UV)
	@$(MAKE) --silent -j3 $(foreach name,venv ministack sam,$(TOOLS)/$(name)/$(READY))

# The index's answers may contain its host, so they go to a log.
FETCH_FAILED = { echo "Could not fetch the packages of $(1)." \
  "Check the network and its access to a Python package index. The full error is in $(2)." >&2; exit 1; }

.PHONY: python
python:
	@[ "$(PYTHON_FITS)" = True ] || { echo "Relay needs Python 3.11 or newer, but" \
	  "'$(PYTHON)' is $(or $(PYTHON_VERSION),missing)." \
	  "Name another one: make PYTHON=/path/to/python3.12" >&2; exit 1; }

$(FETCHED_UV): requirements/uv.txt | python
	@mkdir -p "$(TOOLS)/log"
	@echo "Fetching uv …"
	@"$(PYTHON)" -m venv "$(TOOLS)/uv" >"$(TOOLS)/log/uv.log" 2>&1 || { \
	  echo "'$(PYTHON)' can't make a virtual environment. On Debian and Ubuntu, install the package" \
	  "python3-venv. The full error is in .relay/log/uv.log." >&2; exit 1; }
	@"$(TOOLS)/uv/bin/python" -m pip install --disable-pip-version-check --no-input \
	  --require-hashes --only-binary :all: --requirement requirements/uv.txt \
	  >"$(TOOLS)/log/uv.log" 2>&1 || $(call FETCH_FAILED,uv,.relay/log/uv.log)
	@touch "$@"

LOCK_OF_bench := requirements/bench.txt
LOCK_OF_venv := requirements/dev.txt
LOCK_OF_ministack := requirements/ministack.txt
LOCK_OF_sam := requirements/sam.txt

# The `relay` command, editable. uv builds it itself, so nothing is downloaded.
INSTALL_venv = "$(UV)" pip install --quiet --offline --no-deps --python "$(BIN)/python" --editable .
$(TOOLS)/venv/$(READY): pyproject.toml

define ENVIRONMENT
$(TOOLS)/$(1)/$(READY): $(LOCK_OF_$(1)) | python $(FETCHED_UV)
	@mkdir -p "$(TOOLS)/log"
	@echo "Fetching the packages of $(LOCK_OF_$(1)) …"
	@{ [ -e "$(TOOLS)/$(1)/$(READY)" ] \
	    || "$(UV)" venv --quiet --clear --relocatable --python "$(PYTHON)" "$(TOOLS)/$(1)"; \
	  "$(UV)" pip sync --require-hashes --python "$(TOOLS)/$(1)/bin/python" $(LOCK_OF_$(1)) \
	    && $(or $(INSTALL_$(1)),:); \
	  } >"$(TOOLS)/log/$(1).log" 2>&1 || $$(call FETCH_FAILED,$(LOCK_OF_$(1)),.relay/log/$(1).log)
	@touch "$$@"
endef
$(foreach name,bench venv ministack sam,$(eval $(call ENVIRONMENT,$(name))))
