# Targets mirror the README. Everything is installed into .venv from requirements.lock.
#   make paper [PROFILE=quick|laptop|gpu] [DATA=archive.zip|folder|fer2013.csv]
#   make study [STUDY=ours_changes] [DATA=archive.zip|folder|fer2013.csv]
PYTHON ?= python3
PROFILE ?= quick
STUDY ?= ours_changes
DATA ?=
CORES ?= 2
BIN := .venv/bin
ALONE := $(BIN)/python -m ferbook.core.lock .pipeline.lock
# The workflow takes this lock itself; how it starts is in workflow/profiles/default.
SNAKEMAKE := PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES)

paper: .venv/ready  ## execute every notebook under PROFILE, then render the book
	$(SNAKEMAKE) --config profile=$(PROFILE) data="$(DATA)"
	$(call show,$(PROFILE))

book: .venv/ready  ## render the published book from what is committed
	$(SNAKEMAKE) -- published
	$(call show,published)

pdf: .venv/ready  ## the published book as _build/ferbook.pdf; needs Chromium
	$(SNAKEMAKE) -- _build/ferbook.pdf

publish: .venv/ready  ## make the notebooks executed under PROFILE the published ones
	$(ALONE) $(BIN)/python -m ferbook.paper.staging publish _build/$(PROFILE)/executed book/executed

study: .venv/ready  ## train every run of the grid configs/STUDY.yml that results/ does not hold
	$(SNAKEMAKE) --config study=$(STUDY) data="$(DATA)" -- study

queue: .venv/ready  ## train what configs/queue.txt lists and results/ does not hold
	@grep -v '^#' configs/queue.txt | while read -r kind config; do \
		$(BIN)/ferbook train configs/$$config.yml $(if $(DATA),--data "$(DATA)") \
			$$(test $$kind = final && echo --final) || exit 1; \
	done

verify: .venv/ready  ## recompute what the book shows from results/, and compare
	$(BIN)/ferbook verify

manifest: .venv/ready  ## accept what is in results/ now: write its SHA-256 anew
	$(BIN)/ferbook verify --renew-manifest

bench: .venv/ready  ## measure all of results/bench anew, alone on the machine; TORCH: its Python
	$(BIN)/python -m benchmarks --fresh $(if $(TORCH),--torch $(TORCH))

lab: .venv/ready  ## JupyterLab on the paired notebooks
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --notebook-dir=. notebooks

test: .venv/ready  ## the whole test suite
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports
	$(BIN)/python -m pytest

# The trials behind the chapter Reliability; each writes to results/reliability. An hour in all.
fuzz: .venv/ready  ## hostile files before every reader
	$(BIN)/python -m trials.fuzz --into results

faults: .venv/ready  ## kill -9 at random moments, restart, compare
	$(BIN)/python -m trials.faults --into results

forgeries: .venv/ready  ## one forgery at a time, and whether verify finds it
	$(BIN)/python -m trials.forgeries --into results

stress: fuzz faults forgeries  ## the same, odd files and killed pipelines beside
	$(BIN)/python -m pytest -q tests/test_verify.py tests/test_files.py \
		tests/test_store.py tests/test_faults.py

mutants: .venv/ready  ## one small error at a time in four modules, before their tests
	$(BIN)/python -m trials.mutants --into results

licences: .venv/ready  ## the licence of every locked package
	$(BIN)/python -m trials.licences requirements.lock results/reliability/licences.csv

advisories: .venv/ready  ## known vulnerabilities of the locked packages; asks the index
	$(BIN)/uv tool run pip-audit==2.10.1 --disable-pip --require-hashes -r requirements.lock \
		-f json -o results/reliability/advisories.json

coverage: .venv/ready  ## the test suite, and which lines it never reaches
	$(BIN)/python -m pytest --cov=ferbook --cov-report=term-missing:skip-covered

lock: .venv/ready  ## resolve pyproject.toml anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --extra lite --extra export --extra book --extra cluster --extra dev pyproject.toml -o requirements.lock

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	awk '/^[^ ]/ { of_uv = /^uv==/ } of_uv' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

clean:  ## delete what was built; checkpoints in runs/ and results/ stay
	$(if $(wildcard $(BIN)/ready),$(ALONE)) rm -rf _build .snakemake

define show
	rm -rf _build/html && cp -r _build/$(1)/html _build/html
	@echo "The book is at _build/html/index.html"
endef

.PHONY: paper book pdf publish study queue verify manifest bench lab test \
	fuzz faults forgeries stress mutants licences advisories coverage lock clean
