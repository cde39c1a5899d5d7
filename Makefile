# `make up` and `make test` are the two commands to know; `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
# Containers often forbid Python to keep what it compiled; each preview would then compile the SDKs of Pulumi anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
RUN := $(VENV)/bin/python
SANDBOX := $(RUN) -m sandbox
READY := $(VENV)/.ready
REQUIREMENTS := requirements-dev.txt

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# One environment for program, tests and sandbox; made again when a pin changes.
$(READY): $(REQUIREMENTS) components/pyproject.toml
	@echo "… Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14), "Python 3.11 to 3.13 is needed, this is " + sys.version.split()[0] + "; name another one with make PYTHON=python3.12 …"'
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV) || { echo "python3 cannot make environments here; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/uv pip install --quiet -r $(REQUIREMENTS)
	@touch $@

.PHONY: up
up: $(READY) ## everything: sandbox, adoption, pulumi up -s prod, ten messages
	@$(SANDBOX) up

.PHONY: incident
# DRIVER=1.50 shows it as it is since driver 1.49, which says the cause in its log instead of the claim's event.
incident: $(READY) ## the incident; `make up` corrects it
	@$(SANDBOX) incident $(if $(DRIVER),--driver $(DRIVER))

.PHONY: adopt
adopt: $(READY) ## import once what the account and the cluster already have
	@$(SANDBOX) adopt

.PHONY: preview
preview: $(READY) ## pulumi preview --diff of the prod stack
	@$(SANDBOX) preview

.PHONY: status
status: $(READY) ## what runs where, and what is simulated
	@$(SANDBOX) status

.PHONY: shell
shell: $(READY) ## a shell with kubectl, pulumi and aws configured
	@$(SANDBOX) shell

.PHONY: logs
logs: $(READY) ## the logs of every process and pod
	@$(SANDBOX) logs

.PHONY: down
down: $(READY) ## remove the sandbox: no process, namespace, mount or cgroup stays
	@$(SANDBOX) down

.PHONY: lint
lint: $(READY) ## ruff, ty, actionlint and zizmor
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ty check --quiet .
# Without the linters of scripts that a machine may or may not have: the same answer everywhere.
	@actionlint=$$($(RUN) -m sandbox.cache.linters) && $$actionlint -shellcheck= -pyflakes=
	@$(VENV)/bin/zizmor --offline --quiet --persona=pedantic .github

.PHONY: docs
docs: $(READY) ## the documentation as a site, in build/site
	@$(RUN) -m scripts.docs_site

.PHONY: check
# One process more than there are processors: the tests of the scripts mostly wait.
check: lint ## the quick loop: lint, types, unit tests, the pods' scripts
	@$(RUN) -m pytest -q -n $$(($$(nproc) + 1)) --dist worksteal tests/unit tests/scripts

.PHONY: unit
unit: $(READY) ## the unit tests alone
	@$(RUN) -m pytest -q -n $$(nproc) --dist worksteal tests/unit

.PHONY: test
test: lint ## everything: lint, types, unit, contract, Go and end-to-end tests
	@HYPOTHESIS_PROFILE=thorough $(RUN) -m pytest --durations=20 --durations-min=5 tests

.PHONY: oldest
# The tests' own packages have lower bounds too: the lowest resolution would take their first releases.
oldest: $(READY) ## the unit tests with the oldest packages that the library accepts
	@rm -rf .venv-oldest && $(VENV)/bin/uv venv --quiet --python $(RUN) .venv-oldest
	@$(VENV)/bin/uv pip install --quiet --python .venv-oldest --resolution lowest-direct \
	  --editable './components[eks,cli]' --requirement tests/oldest-requirements.in
# Tests of the sandbox and of its stand-ins need the locked versions.
	@.venv-oldest/bin/python -m pytest -q -n $$(nproc) --dist worksteal tests/unit \
	  $(foreach sandbox,aws_provider kubernetes_provider eks_provider random_provider provider_base cache,--ignore-glob='tests/unit/test_$(sandbox)*')

.PHONY: bench
bench: $(READY) ## measure previews and updates: medians and ratios
	@$(SANDBOX) bench

.PHONY: format
format: $(READY) ## ruff format and safe fixes
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

.PHONY: reference
reference: $(READY) ## generate components/schema.json and components/README.md from the library
	@$(RUN) -m tests.unit.harness.reference

.PHONY: cache
# PARTS=image-rocketmq-5.4.0 builds one part, also such as only that asks for.
cache: $(READY) ## build and download what the sandbox needs, nothing else
	@$(RUN) -m sandbox.cache $(PARTS)

.PHONY: keys
keys: $(READY) ## the keys that a RocketMQ version knows, from its jars: make keys VERSION=5.5.0
	@$(RUN) -m scripts.rocketmq_keys $(VERSION)

.PHONY: cache-clean
cache-clean: $(READY) ## delete what was built and downloaded
	@$(SANDBOX) cache-clean

.PHONY: cache-prune
# LIST=1 only says what it would drop.
cache-prune: $(READY) ## delete what only older pins need from the cache
	@$(SANDBOX) cache-prune $(if $(LIST),--list)

.PHONY: pins
pins: $(READY) ## move Pulumi's CLI and SDKs to one version: make pins PULUMI=3.260.0
	@$(RUN) -m scripts.pins $(PULUMI)
	@$(MAKE) --no-print-directory lock

.PHONY: lock
lock: $(READY) ## compile the pinned requirement files again
	@for name in requirements requirements-dev; do \
	  $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate $$name.in -o $$name.txt; \
	done
# For the plugin and the pipelines: the same versions with hashes, so that pip takes no other file.
	@grep -v '^-e ' requirements.txt > .lock-constraints.txt
	@$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate --generate-hashes \
	  --constraint .lock-constraints.txt --extra eks --extra cli components/pyproject.toml components/build-requirements.in \
	  -o components/requirements.txt
	@rm .lock-constraints.txt
