# Every target sets up what it needs by itself, and is quick when that is already there.
SHELL := bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
export LDA_MODELS_DIR ?= $(CURDIR)/.cache/models

VLLM_VENV ?= .venv-vllm
VLLM_STAMP := $(VLLM_VENV)/.ready

.PHONY: help setup demo test setup-vllm test-vllm bench-vllm lint format types imports docs bench clean
.DEFAULT_GOAL := help

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[local,eval,write,serve,postgres,langchain,llama-index,otel,site,dev]'
	touch $@

setup: $(STAMP) ## Make the environment

demo: $(STAMP) ## Summarize the example book with the embedded engine
	$(BIN)/lda summarize examples/novella.epub --engine embedded --model smollm2-135m --words 200 --database .cache/demo.db

test: $(STAMP) ## Run the whole suite, the small real model included
	$(BIN)/python -m pytest -n auto --dist worksteal

$(VLLM_STAMP): pyproject.toml constraints-vllm.txt tests/vllm/environment.py
	$(PYTHON) tests/vllm/environment.py $(VLLM_VENV)
	touch $@

setup-vllm: $(VLLM_STAMP) ## Make the environment of test-vllm

# A server or an engine is started by the first test that needs it, within the time of that test.
test-vllm: $(VLLM_STAMP) ## Run engines against real vLLM, in an environment of its own
	$(VLLM_VENV)/bin/python -m pytest tests/vllm --timeout=900

bench-vllm: $(VLLM_STAMP) ## Run the benchmark against real vLLM
	$(VLLM_VENV)/bin/python -m benchmarks vllm_pipeline

lint: $(STAMP) ## Lint and check formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## Check types, strictly
	$(BIN)/pyright

imports: $(STAMP) ## Check that imports point down
	$(BIN)/lint-imports

docs: $(STAMP) ## Build the pages into build/site; what is generated of them is python docs/generate.py's
	$(BIN)/python docs/generate.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

bench: $(STAMP) ## Run the benchmarks; tables go to docs/benchmarks.md
	$(BIN)/python -m benchmarks

clean: ## Remove what the targets made
	rm -rf $(VENV) $(VLLM_VENV) .cache build dist .pytest_cache .ruff_cache .hypothesis
