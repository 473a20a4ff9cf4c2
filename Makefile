# `make demo` trains a real model on real data; `make test` lints, type-checks and runs every test.
# Both make their own .venv and need nothing but Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# One BLAS thread a worker: two test processes on two cores, each with its own pool, would fight over them.
TEST_ENV := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: demo test test-long lint types unit bench docs docs-run docs-compare docs-generated docs-accuracy clean

demo: $(VENV)/demo.stamp
	$(BIN)/python examples/demo.py

test: lint types unit

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/test.stamp
	$(BIN)/mypy

unit: $(VENV)/test.stamp
	$(TEST_ENV) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not long"

test-long: $(VENV)/test.stamp
	$(TEST_ENV) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

bench: $(VENV)/bench.stamp
	$(TEST_ENV) $(BIN)/python -m benchmarks

docs: $(VENV)/docs.stamp
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/site
	@echo "The site is in build/site: open build/site/index.html, no server needed."

# Runs every page and puts what its code prints and draws into it.
docs-run: $(VENV)/test.stamp
	$(BIN)/python -m docs.tools.pages --write

# Do the tables for newcomers from PyTorch, JAX and autograd say the truth? Needs those (extra `bench`).
docs-compare: $(VENV)/bench.stamp
	$(BIN)/python -m docs.tools.compare

docs-generated: $(VENV)/test.stamp
	$(BIN)/python -m docs.generate

docs-accuracy: $(VENV)/test.stamp
	$(TEST_ENV) $(BIN)/python -m docs.accuracy

$(VENV)/demo.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[demo]"
	touch $@

$(VENV)/test.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@ $(VENV)/demo.stamp

$(VENV)/docs.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[docs]"
	touch $@

$(VENV)/bench.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
