# Everything a developer or a planner does, one word each. Needs Python 3.11 or later and make; the rest is set up in .venv.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint types pytest bench docs constraints clean

## demo: set up, run the shipped plan of Leicester, Leicestershire and Rutland 1,000 times, then serve both plans with an invented year
demo: $(READY)
	$(BIN)/bettercare run llr-stp-2016 --runs 1000 --out out/llr-stp-2016
	@echo
	$(BIN)/bettercare serve --demo --store out/demo.db $(DEMO_OPTIONS)

## test: everything .ci/run checks: style, types, tests and the examples in the documents
test: lint types pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

pytest: $(READY)
	$(BIN)/pytest -n 2

## bench: the speed and memory of the model and of its row-level mode, beside a peer and a limit
bench: $(READY)
	$(BIN)/python benchmarks/run.py

## docs: write the pages that are made from the code
docs: $(READY)
	$(BIN)/python -m bettercare.plan.format_page docs/plan-format.md
	$(BIN)/python -m bettercare.flow.format_page docs/flow-format.md

## constraints: pin what is installed, with hashes and without addresses, from pyproject.toml
constraints:
	$(PYTHON) -m venv .venv/pins && .venv/pins/bin/pip install --quiet pip-tools
	.venv/pins/bin/pip-compile --quiet --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header \
		--strip-extras --all-build-deps --extra test --output-file constraints.txt pyproject.toml

$(READY): pyproject.toml constraints.txt package.json package-lock.json hatch_build.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf .venv out build dist
