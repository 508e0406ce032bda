# Targets mirror the README. Everything is installed into .venv from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin

test: .venv/ready  ## the whole test suite
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/python -m pytest

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(grep -o '^uv==[^ ]*' requirements.lock)"
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

lock:  ## resolve pyproject.toml anew into requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --extra lite --extra book --extra dev pyproject.toml -o requirements.lock

.PHONY: test lock
