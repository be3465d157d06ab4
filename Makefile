SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
# The Lambda's Python; the newest one at hand up to it runs the zip here.
LAMBDA_PYTHON := 3.13
LOCAL_PYTHON = $(shell scripts/find_python.sh $(LAMBDA_PYTHON) 3.11)
SOURCES := $(shell find audit_record subscription_transformer -name '*.py' -o -name '*.json')
RULES ?=
ZIP_FLAGS = $(if $(RULES),--rules $(RULES))
PACKAGES := audit_record chatbot_audit emitter subscription_transformer

.PHONY: help
help: ## Show these texts
	@grep -hE '^[a-zA-Z_/.-]+:.*## ' $(MAKEFILE_LIST) | \
	  awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

.PHONY: setup
setup: .makecache/setup build/lambda-runtime/ready ## Install what the project needs, into .venv

.makecache/setup: pyproject.toml constraints.txt scripts/setup.sh
	scripts/setup.sh $(VENV)
	mkdir -p $(@D) && touch $@

build/lambda-runtime/ready: .makecache/setup scripts/setup_lambda_runtime.sh
	scripts/setup_lambda_runtime.sh $(LAMBDA_PYTHON) $(@D)
	touch $@

.PHONY: build
build: build/transformer.zip build/transformer-arm64.zip build/transformer-x86_64.zip wheel ## Build the wheel and the Lambda's zips

.PHONY: wheel
wheel: .makecache/setup
	$(PYTHON) -m build --wheel --no-isolation --outdir dist . >/dev/null
	@ls dist/*.whl

.PHONY: FORCE
.makecache/rules: FORCE
	@mkdir -p $(@D); echo '$(RULES)' | cmp -s - $@ || echo '$(RULES)' > $@

build/transformer-%.zip: $(SOURCES) $(RULES) .makecache/rules .makecache/setup scripts/build_transformer.py scripts/transformer-requirements.txt
	$(PYTHON) scripts/build_transformer.py --python $(LAMBDA_PYTHON) --machine $* --output $@ $(ZIP_FLAGS)

build/transformer.zip: $(SOURCES) $(RULES) .makecache/rules build/lambda-runtime/ready scripts/build_transformer.py scripts/transformer-requirements.txt
	$(PYTHON) scripts/build_transformer.py --python "$$(cat build/lambda-runtime/version)" --output $@ $(ZIP_FLAGS)

.PHONY: demo
demo: setup build/transformer.zip ## Run the main job: from a bot's question to the analyst's answer
	$(PYTHON) -m examples.demo

.PHONY: sandbox
sandbox: setup build/transformer.zip ## Run the whole pipeline on this machine, for your own bot
	$(VENV)/bin/chatbot-audit sandbox

.PHONY: generate
generate: setup ## Write the files that are made from the field table
	$(PYTHON) scripts/generate.py

.PHONY: fmt
fmt: setup ## Format the code
	$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

.PHONY: lint
lint: setup ## Check style, names and the arrows between packages
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/codespell

.PHONY: types
types: setup ## Check types
	$(VENV)/bin/mypy

.PHONY: test
test: setup ## Run the unit, property and contract tests
	$(PYTHON) -m pytest tests/unit tests/property tests/contract

.PHONY: test-integration
test-integration: setup build/transformer.zip ## Run the tests through the sandbox
	$(PYTHON) -m pytest tests/integration

.PHONY: test-packaging
test-packaging: setup build ## Test the wheel, the zips and the documents
	$(PYTHON) -m pytest tests/packaging

.PHONY: docs-check
docs-check: setup ## Check that generated files are current
	$(PYTHON) scripts/generate.py --check

.PHONY: fuzz
fuzz: setup ## Fuzz the transformer and the emitter for a minute each
	$(PYTHON) -m tests.fuzz.fuzz_transformer -max_total_time=60 -max_len=8192 -verbosity=0
	$(PYTHON) -m tests.fuzz.fuzz_emitter -max_total_time=60 -max_len=8192 -verbosity=0

.PHONY: bench
bench: setup ## Measure emitter and transformer against their bars; wants a quiet machine
	$(PYTHON) -m benchmarks.bench_emitter
	$(PYTHON) -m benchmarks.bench_transformer

.PHONY: coverage
coverage: setup build ## Measure branch coverage of all tests
	$(PYTHON) -m coverage run -m pytest -m 'not terraform'
	$(PYTHON) -m coverage report --skip-covered

.PHONY: tf-fmt
tf-fmt: ## Format the Terraform code
	terraform fmt -recursive infra/terraform

.PHONY: tf-validate
tf-validate: setup build/transformer-arm64.zip ## Validate every Terraform module and example
	$(PYTHON) -m scripts.tf_check fmt validate

.PHONY: tf-test
tf-test: setup build/transformer-arm64.zip ## Run the Terraform tests with a mocked provider
	$(PYTHON) -m scripts.tf_check test

.PHONY: tf-check
tf-check: setup build/transformer-arm64.zip build/transformer.zip ## Pass all that tests the deployment
	$(PYTHON) -m scripts.tf_check

.PHONY: tf-apply-local
tf-apply-local: ## Apply the Splunk example to an imitated AWS on this machine, and destroy it
	scripts/tf_apply_local.sh

.PHONY: check
check: lint types docs-check build ## Pass all tests that need Python alone
	$(PYTHON) -m pytest -m 'not terraform'

.PHONY: check-all
check-all: check fuzz tf-check ## Pass all tests there are

.PHONY: clean
clean: ## Remove what was built and installed
	rm -rf build dist .makecache .sandbox .venv
