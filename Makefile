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
help: ## list the commands
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
up: $(READY) ## start the sandbox, adopt, pulumi up -s prod, send ten messages
	@$(SANDBOX) up

.PHONY: incident
# DRIVER=1.50 shows it as it is since driver 1.49, which says the cause in its log instead of the claim's event.
incident: $(READY) ## reproduce the original failure; `make up` fixes it
	@$(SANDBOX) incident $(if $(DRIVER),--driver $(DRIVER))

.PHONY: break
# FAULT=oidc-provider-missing; without it: the list.
break: $(READY) ## make a fault that keeps claims Pending, for the doctor: make break FAULT=role-missing
	@$(SANDBOX) break $(or $(FAULT),--list)

.PHONY: mend
mend: $(READY) ## take back the faults of `make break`
	@$(SANDBOX) mend $(FAULT)

.PHONY: adopt
adopt: $(READY) ## import the existing resources of account and cluster
	@$(SANDBOX) adopt

.PHONY: preview
preview: $(READY) ## run pulumi preview --diff of the prod stack
	@$(SANDBOX) preview

.PHONY: status
# ARGS="--watch" repeats it. Both commands exit with 1 if something is broken or at risk, and with 2 if not all could be read.
status: $(READY) ## run eks-rocketmq status: roles, replication, volumes, the next risk
	@$(SANDBOX) status $(ARGS)

.PHONY: doctor
doctor: $(READY) ## run eks-rocketmq doctor: why claims are Pending
	@$(SANDBOX) doctor $(ARGS)

.PHONY: processes
processes: $(READY) ## show processes, nodes, pods, claims and the parts of Pulumi
	@$(SANDBOX) processes

.PHONY: shell
shell: $(READY) ## open a shell with kubectl, pulumi and aws configured
	@$(SANDBOX) shell

.PHONY: logs
logs: $(READY) ## show the logs of all processes and pods
	@$(SANDBOX) logs

.PHONY: down
down: $(READY) ## remove the sandbox: processes, namespaces, mounts, cgroups
	@$(SANDBOX) down

.PHONY: lint
lint: $(READY) ## run ruff, ty, actionlint and zizmor
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ty check --quiet .
# Without the linters of scripts that a machine may or may not have: the same answer everywhere.
	@actionlint=$$($(RUN) -m sandbox.cache.linters) && $$actionlint -shellcheck= -pyflakes=
	@$(VENV)/bin/zizmor --offline --quiet --persona=pedantic .github

.PHONY: docs
docs: $(READY) ## build the documentation as a site, in build/site
	@$(RUN) -m scripts.docs_site

.PHONY: check
# CASES=20 runs more of each parametrized test, CASES= all. `make unit` and `make test` always run all.
CASES := 3
# More processes than processors: the tests of the scripts mostly wait.
check: lint ## run lint, types, unit tests and the pods' scripts, with 3 cases of each parametrized test
	@$(RUN) -m pytest -q -n $$(($$(nproc) + 3)) --dist worksteal $(if $(CASES),--cases $(CASES)) tests/unit tests/scripts

.PHONY: unit
unit: $(READY) ## run the unit tests
	@$(RUN) -m pytest -q -n $$(nproc) --dist worksteal tests/unit

.PHONY: test
# Two processes, see tests/shared_machine.py.
test: lint ## run all checks: lint, types, unit, contract, Go and end-to-end tests
	@$(RUN) -m sandbox.cache
	@HYPOTHESIS_PROFILE=thorough $(RUN) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder --durations=20 --durations-min=5 -m "not long" tests

.PHONY: faults
# FAULTS="-k killed" selects; `python -m tests.faults --help` runs one fault without the agent or with other keys.
faults: $(READY) ## run all faults under load, print a table, write build/faults/faults.json and faults.svg
	@$(RUN) -m sandbox.cache
	@$(RUN) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder --durations=0 --durations-min=5 tests/faults $(FAULTS)

.PHONY: oldest
# The tests' own packages have lower bounds too: the lowest resolution would take their first releases.
oldest: $(READY) ## run the unit tests with the oldest supported packages
	@rm -rf .venv-oldest && $(VENV)/bin/uv venv --quiet --python $(RUN) .venv-oldest
	@$(VENV)/bin/uv pip install --quiet --python .venv-oldest --resolution lowest-direct \
	  --editable './components[eks,cli]' --requirement tests/oldest-requirements.in
# Tests of the sandbox and of its stand-ins need the locked versions.
	@.venv-oldest/bin/python -m pytest -q -n $$(nproc) --dist worksteal tests/unit \
	  --ignore=tests/unit/sandbox

.PHONY: bench
bench: $(READY) ## measure startup, commands, unit tests and previews
	@$(SANDBOX) bench

.PHONY: bench-rocketmq
bench-rocketmq: $(READY) ## measure throughput, latency and memory of RocketMQ by durability profile, and starts after a kill
	@$(RUN) -m tests.faults.throughput
	@$(RUN) -m tests.faults.recovery

.PHONY: idle
idle: $(READY) ## measure the processor time of RocketMQ at rest, by role and thread
	@$(SANDBOX) idle

.PHONY: format
format: $(READY) ## run ruff format and safe fixes
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

.PHONY: reference
reference: $(READY) ## write the schemas, the reference pages and the keys of Pulumi.yaml from the library
	@$(RUN) -m tests.unit.harness.reference
	@$(RUN) -m scripts.stack_reference
	@$(RUN) -m scripts.doctor_reference
	@$(RUN) -m tests.faults.results_page

.PHONY: cache
# PARTS=image-rocketmq-5.4.0 builds one part, also such as only that asks for.
cache: $(READY) ## build and download the programs and images of the sandbox
	@$(RUN) -m sandbox.cache $(PARTS)

.PHONY: keys
keys: $(READY) ## write the keys of a RocketMQ version from its jars: make keys VERSION=5.5.0
	@$(RUN) -m scripts.rocketmq_keys $(VERSION)

.PHONY: cache-clean
cache-clean: $(READY) ## remove everything that was built and downloaded
	@$(SANDBOX) cache-clean

.PHONY: cache-prune
# LIST=1 only says what it would drop.
cache-prune: $(READY) ## remove cache entries of older pins
	@$(SANDBOX) cache-prune $(if $(LIST),--list)

.PHONY: agent
agent: $(READY) ## build the agent of the JVMs from its Java source
	@$(RUN) -m scripts.agent_jar

.PHONY: pins
pins: $(READY) ## set one version of Pulumi's CLI and SDKs: make pins PULUMI=3.260.0
	@$(RUN) -m scripts.pins $(PULUMI)
	@$(MAKE) --no-print-directory lock

.PHONY: lock
lock: $(READY) ## compile the pinned requirement files
	@for name in requirements requirements-dev; do \
	  $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate $$name.in -o $$name.txt; \
	done
# For the plugin and the pipelines: the same versions with hashes, so that pip takes no other file.
	@grep -v '^-e ' requirements.txt > .lock-constraints.txt
	@$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate --generate-hashes \
	  --constraint .lock-constraints.txt --extra eks --extra cli components/pyproject.toml components/build-requirements.in \
	  -o components/requirements.txt
	@rm .lock-constraints.txt
