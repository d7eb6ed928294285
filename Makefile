# Needs Python >= 3.11 and make; everything else is set up in .venv/ and build/ on first use.
PYTHON ?= python3
ENVIRONMENT ?= all
RUN := .venv/bin
DEV := .venv/.millrace-stamp
EMULATOR := build/emulator-venv/.millrace-stamp
SCAN := build/scan-venv/.millrace-stamp
FAST := tests/unit tests/contracts tests/house -m "not emulator and not terraform" --hypothesis-profile=fast

.DEFAULT_GOAL := help
.PHONY: help setup build up down demo test test-static test-fast fuzz e2e scan lint fmt schemas release-schemas openapi privileges lock bench-images bench-ingest bench-orders soak-orders soak-telemetry bench-replay bench-detect bench-worst clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV) $(EMULATOR) ## Make the virtual environments (every other target does so itself)

$(DEV): requirements/dev.txt requirements/terraform.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -m millrace.setup

$(EMULATOR): requirements/emulator.txt $(DEV)
	@$(PYTHON) -m millrace.setup --emulator

build: $(DEV) ## Build the zips of every environment, or of ENVIRONMENT=dev
	@$(RUN)/millrace build --environment $(ENVIRONMENT)

up: setup ## Start local AWS and apply environments/local to it
	@$(RUN)/millrace up

down: $(DEV) ## Stop local AWS and remove what it wrote
	@$(RUN)/millrace down

demo: setup ## Render photographs, follow orders, and write a page that shows it
	@$(RUN)/millrace demo

test: lint ## Run every check and every test, local AWS included
	@$(MAKE) --no-print-directory -j 2 test-static e2e

test-static: setup ## Run the tests that need no local AWS
	$(RUN)/pytest -q -n 2 --ignore=tests/e2e --ignore=tests/fuzz

test-fast: setup ## Run the tests that need no AWS of any kind and no Terraform
	$(RUN)/pytest -q -n 2 $(FAST)

e2e: setup ## Run the tests on local AWS
	$(RUN)/pytest -q -n 0 tests/e2e

fuzz: setup ## Try every decoder with made-up input, MILLRACE_FUZZ_RUNS times each
	$(RUN)/pytest -q -n 2 --hypothesis-profile=fuzz tests/fuzz

$(SCAN): requirements/scan.txt $(DEV)
	@$(PYTHON) -m millrace.setup --scan

scan: setup $(SCAN) ## Run checkov over the modules and over the plan of prod
	@$(RUN)/python -m tests.terraform.scan

lint: setup ## Check style, types and the format of Terraform
	$(RUN)/ruff check . && $(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/python -m millrace.terraform fmt -check -recursive

fmt: $(DEV) ## Format Python and Terraform
	$(RUN)/ruff check --fix . && $(RUN)/ruff format .
	$(RUN)/python -m millrace.terraform fmt -recursive

schemas: $(DEV) ## Write the JSON Schemas and the catalogue of the events anew
	@$(RUN)/python -m lambdas.contracts.schema
	@$(RUN)/python -m millrace.event_catalogue

release-schemas: $(DEV) ## Hold later events to the schemas of today, which a release publishes
	@$(RUN)/python -m millrace.compatibility --release

openapi: $(DEV) ## Write the description of the HTTP API anew
	@$(RUN)/python -m millrace.openapi

privileges: setup ## Record anew what each function does on AWS
	MILLRACE_WRITE_PRIVILEGES=1 $(RUN)/pytest -q -n 2 tests/integration

lock: $(DEV) ## Pin the requirements anew; UPGRADE=--upgrade takes newer versions
	$(RUN)/python -m millrace.lock $(UPGRADE)

bench-images: $(DEV) ## Measure the renderer side by side with its peers
	$(RUN)/python -m benchmarks.images

bench-orders: setup ## Measure what an order takes: requests, writes, time and dollars
	$(RUN)/python -m benchmarks.orders

bench-ingest: $(DEV) ## Measure the ingest of telemetry beside its peers, and part by part
	$(RUN)/python -m benchmarks.ingest
	$(RUN)/python -m benchmarks.ingest_parts

soak-orders: setup ## Place 10,000 orders on local AWS while everything goes wrong
	MILLRACE_SOAK_ORDERS=10000 $(RUN)/pytest -q -n 0 tests/e2e/test_orders.py -k many_orders

soak-telemetry: setup ## Send 1,000,000 records of 5,000 devices on local AWS, faults included
	MILLRACE_SOAK_RECORDS=1000000 $(RUN)/pytest -q -n 0 tests/e2e/test_telemetry.py

bench-replay: setup ## Measure the rebuilding of a projection
	$(RUN)/python -m benchmarks.replay

bench-detect: $(DEV) ## Measure what the detectors find; NAB=folder adds the Numenta benchmark
	$(RUN)/python -m benchmarks.detect $(if $(NAB),--nab "$(NAB)")

bench-worst: $(DEV) ## Measure what the worst input known of costs each decoder
	$(RUN)/python -m benchmarks.worst_cases

clean: ## Stop local AWS and remove all that was made
	@if [ -x $(RUN)/millrace ]; then $(RUN)/millrace down; fi
	rm -rf build .venv
