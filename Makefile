# Everything a developer, CI or a newcomer runs. It needs Python 3.11 or newer and make; `make` alone tells what there is.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# What develops and tests, and the part of it that the services and the command line need to run.
LOCK := requirements/lock.txt
RUNTIME := requirements/runtime.txt
# What makes the wheel, in the image's build.
BUILD := requirements/build.txt
STAMP := $(VENV)/.installed
SEEDS ?= 300
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
# More arguments for pytest, such as: make test ARGS="-k gateway -n 0"
ARGS ?=

# Where the environment forbids to keep compiled modules (many containers do), each of the processes that a test run
# starts would compile all of them anew. They are kept beside the downloads then, not in the tree.
ifdef PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.cache/bytecode
unexport PYTHONDONTWRITEBYTECODE
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install install-runtime demo run test check k8s-check sbom format simulate drill grafana-check bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Create .venv and install what the lock file names (every other target does it when needed)

install-runtime: ## Install what the services and `tandem` need, and nothing else, into .venv-runtime
	@test -x $(VENV)-runtime/bin/python || $(PYTHON) -m venv $(VENV)-runtime
	@$(VENV)-runtime/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(RUNTIME)

demo: $(STAMP) ## Bring the whole stack up on this machine, play the story of README, check it
	@$(RUN) -m deploy.local.demo

run: $(STAMP) ## Bring the whole stack up and keep it up; writes .run/stack.json
	@$(RUN) -m deploy.local.run

test: $(STAMP) ## Run all tests, on real Kafka and Postgres
	@$(RUN) -m pytest -n 2 --dist worksteal $(ARGS)

check: $(STAMP) ## Check format, lint, types, import rules and Kubernetes manifests
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/hadolint Dockerfile
	@$(RUN) -m deploy.k8s.checks.quick

k8s-check: $(STAMP) ## Prove the manifests on a real API server: the cluster that KUBECONFIG names
	@$(RUN) -m deploy.k8s.checks.cluster

sbom: $(STAMP) ## List what the image has of Python, as CycloneDX: build/sbom.cdx.json
	@mkdir -p build
	@$(RUN) -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible --output-format JSON \
		--output-file build/sbom.cdx.json $(RUNTIME)

format: $(STAMP) ## Format the code, and mend what ruff can mend
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

simulate: $(STAMP) ## Run the whole system on virtual time with SEEDS=300 different fates
	@$(RUN) -m tests.simulation --seeds $(SEEDS)

drill: $(STAMP) ## Cause every alert, see it fire, explained and ended (NAME=KafkaAway: one; NAME=healthy MINUTES=10: none)
	@$(RUN) -m deploy.drills $(NAME) $(if $(MINUTES),--minutes $(MINUTES))

grafana-check: $(STAMP) ## Hold the dashboards against Grafana's own types (needs npm)
	@$(RUN) -m deploy.monitoring.check_grafana

bench: $(STAMP) ## Measure this machine on real Kafka and Postgres; writes docs/bench.md
	@$(RUN) -m tests.bench

lock: $(STAMP) ## Write both lock files anew from pyproject.toml (UPGRADE=1: with the newest versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --output-file $(LOCK) pyproject.toml
	$(COMPILE) --constraint $(LOCK) --output-file $(RUNTIME) pyproject.toml
	$(RUN) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(COMPILE) --constraint $(LOCK) --output-file $(BUILD) -

clean: ## Remove what was built or left running data behind; downloads in .cache stay
	rm -rf $(VENV) $(VENV)-runtime .run build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(STAMP): $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tandem needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what $(LOCK) names into $(VENV)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@touch $@
