# Targets mirror the README. Everything is installed into .venv from requirements.lock.
#   make paper [PROFILE=quick|laptop|gpu] [DATA=archive.zip|folder|fer2013.csv]
#   make study [STUDY=ablations] [DATA=archive.zip|folder|fer2013.csv]
PYTHON ?= python3
PROFILE ?= quick
STUDY ?= ablations
DATA ?=
CORES ?= 2
BIN := .venv/bin
SNAKEMAKE := PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) --rerun-triggers mtime params

paper: .venv/ready  ## execute every notebook under PROFILE, then render the book
	$(SNAKEMAKE) --config profile=$(PROFILE) data="$(DATA)"
	$(call show,$(PROFILE))

book: .venv/ready  ## render the published book from what is committed
	$(SNAKEMAKE) -- published
	$(call show,published)

publish: .venv/ready  ## make the notebooks executed under PROFILE the published ones
	$(BIN)/python -m ferbook.book publish _build/$(PROFILE)/executed book/executed

study: .venv/ready  ## train every run of the grid configs/STUDY.yml that results/ does not hold
	$(SNAKEMAKE) --config study=$(STUDY) data="$(DATA)" -- study

bench: .venv/ready  ## measure all of results/bench anew, alone on the machine; TORCH: its Python
	$(BIN)/python -m ferbook bench --fresh $(if $(TORCH),--torch $(TORCH))

lab: .venv/ready  ## JupyterLab on the paired notebooks
	$(BIN)/jupyter lab --notebook-dir=. notebooks

test: .venv/ready  ## the whole test suite
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/python -m pytest

lock: .venv/ready  ## resolve pyproject.toml anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --extra lite --extra export --extra book --extra cluster --extra dev pyproject.toml -o requirements.lock

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(grep -o '^uv==[^ ]*' requirements.lock)"
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

clean:  ## delete what was built; checkpoints in runs/ and results/ stay
	rm -rf _build .snakemake

define show
	rm -rf _build/html && cp -r _build/$(1)/html _build/html
	@echo "The book is at _build/html/index.html"
endef

.PHONY: paper book publish study bench lab test lock clean
