# The ways in. Each target installs what it needs first; nothing has to be set up before.

.DEFAULT_GOAL := help
.PHONY: help setup check test soak-engine exactness fuzz soak-media chaos demo up down benchmarks simulate

RUN := .venv/bin
TOGETHER := $(addprefix tests/,media core storage store benchmarks api cli client dashboards docs \
  fuzz hardware)

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Install everything into .venv/
	@uv=$$(scripts/bootstrap) && echo "== installing into .venv/ what uv.lock names" && \
	  "$$uv" sync --locked --quiet && echo "== $$($(RUN)/python --version) with $$($(RUN)/ray --version)" && \
	  $(RUN)/python -m ffrtmp_ray.compiled.build

check: setup ## Lint, format, types, and who imports whom
	@echo "== ruff check" && $(RUN)/ruff check
	@echo "== ruff format --check" && $(RUN)/ruff format --check
	@echo "== mypy" && $(RUN)/mypy
	@echo "== lint-imports" && $(RUN)/lint-imports --no-logo

test: setup ## Run all tests
	@echo "== getting the programs that tests need" && scripts/install-test-services
	@echo "== pytest: all that needs no Ray; a process for each CPU, four at most" && \
	  $(RUN)/pytest $(TOGETHER) -n auto --maxprocesses 4 --dist worksteal
	@echo "== pytest: the engine once more, as Python, in which it runs where it is not compiled" && \
	  FFRTMP_ENGINE=python $(RUN)/pytest tests/core -n auto --maxprocesses 4 --dist worksteal
	@echo "== pytest: the rest, with real Ray, which needs the machine for itself" && \
	  $(RUN)/pytest $(addprefix --ignore=,$(TOGETHER))

soak-engine: setup ## Put the engine through 200,000 steps of all that can happen, in any order
	@$(RUN)/python -m tests.soak_engine

exactness: setup ## Cut every clip into 2, 3 and 7 chunks, and compare each pixel with the uncut encode
	@$(RUN)/pytest tests/media/test_chunk_exactness.py tests/media/test_chunk_rates.py --every-clip

fuzz: setup ## Run a job with each of 500 damaged clips; FUZZ="--help"
	@$(RUN)/python -m tests.fuzz $(FUZZ)

soak-media: setup ## Transcode a film of two hours, twice, and show that memory stays flat
	@$(RUN)/pytest -m long -s tests/cluster/local/test_farm_two_hours.py

chaos: setup ## Kill what runs, for minutes, under 60 jobs on three nodes; CHAOS="--help"
	@$(RUN)/python -m tests.chaos $(CHAOS) && $(RUN)/pytest -m long --ignore tests/cluster/local/test_farm_two_hours.py

demo: setup ## Transcode real footage on a cluster of this one machine
	@uv=$$(scripts/bootstrap) && PATH="$$(dirname "$$uv"):$$PATH" $(RUN)/ffrtmp demo

up: setup ## Start the farm on this machine
	@$(RUN)/ffrtmp up

down: ## End what `make up` has started
	@$(RUN)/ffrtmp down

benchmarks: setup ## Measure: the overhead of a job, submissions a second, the latency of the API, a restart
	@$(RUN)/python -m benchmarks.overhead
	@$(RUN)/python -m benchmarks.submissions
	@$(RUN)/python -m benchmarks.api_latency
	@$(RUN)/python -m benchmarks.restart

simulate: setup ## Simulate farms of thousands of workers under the engine and under a plain queue
	@$(RUN)/python -m benchmarks.simulate
