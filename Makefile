# Targets mirror the README. Everything is installed into .venv from a lock: requirements.lock,
# requirements-gpu.lock where there is an NVIDIA card, requirements-read.lock to check what is in
# results/, requirements-book.lock to render the book.
#   make paper [PROFILE=quick|laptop|gpu] [DATA=archive.zip|folder|fer2013.csv] [ALLOW_CPU=1]
#   make study [STUDY=ours_changes] [DATA=archive.zip|folder|fer2013.csv]
#   make bench DATA=archive.zip|folder|fer2013.csv
PYTHON ?= python3
PROFILE ?= quick
STUDY ?= ours_changes
DATA ?=
CORES ?= 2
# Empty: without CUDA. For a profile of a GPU a card is looked for; GPU=1 or GPU= decides otherwise.
GPU ?= $(if $(filter gpu%,$(PROFILE)),$(if $(wildcard /dev/nvidia0 /dev/dxg),1))
ALLOW_CPU ?=
BIN := .venv/bin
ALONE := $(BIN)/python -m ferbook.core.lock .pipeline.lock
# The workflow takes this lock itself; how it starts is in workflow/profiles/default.
SNAKEMAKE := PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) --resources gpu=1
# What is installed for more is enough for less.
READY := $(if $(GPU),.venv/ready-gpu,$(firstword $(wildcard .venv/ready .venv/ready-gpu) .venv/ready))
READY_TO_READ := $(firstword $(wildcard .venv/ready .venv/ready-gpu) .venv/ready-read)
READY_TO_RENDER := $(firstword $(wildcard .venv/ready .venv/ready-gpu .venv/ready-read) .venv/ready-book)

paper: $(READY)  ## execute every notebook under PROFILE, then render the book
	@$(if $(filter gpu%,$(PROFILE)),$(BIN)/ferbook device configs/$(PROFILE).yml $(if $(ALLOW_CPU),--allow-cpu))
	@$(SNAKEMAKE) --config profile=$(PROFILE) data="$(DATA)" allow_cpu=$(ALLOW_CPU)
	$(call show,$(PROFILE))

book: $(READY_TO_RENDER)  ## render the published book from what is committed
	@$(SNAKEMAKE) -- published
	$(call show,published)

pdf: $(READY)  ## the published book as _build/ferbook.pdf; needs Chromium
	@$(SNAKEMAKE) -- _build/ferbook.pdf

publish: $(READY)  ## make the notebooks executed under PROFILE the published ones
	$(ALONE) $(BIN)/python -m ferbook.paper.staging publish _build/$(PROFILE)/executed book/executed

archive: $(READY)  ## what a library takes, of the last commit: _build/ferbook-VERSION.zip
	$(BIN)/python -m ferbook.paper.archive _build

study: $(READY)  ## train every run of configs/STUDY.yml that results/ does not hold
	@$(SNAKEMAKE) --config study=$(STUDY) data="$(DATA)" -- study

queue: $(READY) configs/queue.txt  ## train what configs/queue.txt lists and results/ does not hold
	@grep -v '^#' configs/queue.txt | while read -r kind config; do \
		$(BIN)/ferbook train configs/$$config.yml $(if $(DATA),--data "$(DATA)") \
			$$(test $$kind = final && echo --final) || exit 1; \
	done

verify: $(READY_TO_READ)  ## recompute what the book shows from results/, and compare
	$(BIN)/ferbook verify

manifest: $(READY)  ## accept what is in results/ now: write its SHA-256 anew
	$(BIN)/ferbook verify --renew-manifest

bench: $(READY)  ## measure all of results/bench anew, alone on the machine; TORCH, PEERS: their Pythons
	$(BIN)/python -m benchmarks --fresh $(if $(TORCH),--torch $(TORCH)) \
		$(if $(PEERS),--peers $(PEERS)) $(if $(DATA),--data "$(DATA)")

lab: $(READY)  ## JupyterLab on the paired notebooks
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) \
		--config=workflow/lab.py --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks

test: $(READY)  ## the whole test suite
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports
	$(BIN)/python -m pytest --numprocesses $(CORES)

# The trials behind the chapter Reliability; each writes to results/reliability. An hour in all.
fuzz: $(READY)  ## hostile files before every reader
	$(BIN)/python -m trials.fuzz --into results

bounds: $(READY)  ## inputs made to cost much, before the command line
	$(BIN)/python -m trials.bounds --into results

faults: $(READY)  ## kill -9 at random moments, restart, compare
	$(BIN)/python -m trials.faults --into results

forgeries: $(READY)  ## one forgery at a time, and whether verify finds it
	$(BIN)/python -m trials.forgeries --into results

stress: fuzz bounds faults forgeries  ## the same, odd files and killed pipelines beside
	$(BIN)/python -m pytest -q tests/test_verify.py tests/test_files.py \
		tests/test_store.py tests/test_faults.py

mutants: $(READY)  ## one small error at a time, before the tests of its module
	$(BIN)/python -m trials.mutants --into results

licences: $(READY)  ## the license of every locked package
	$(BIN)/python -m trials.licences requirements.lock results/reliability/licences.csv

advisories: $(READY)  ## known vulnerabilities of the locked packages; asks the index
	$(BIN)/uv tool run pip-audit==2.10.1 --disable-pip --require-hashes -r requirements.lock \
		-f json -o results/reliability/advisories.json

coverage: $(READY)  ## the test suite, and which lines and branches it reaches
	$(BIN)/python -m pytest --numprocesses $(CORES) --cov=ferbook --cov-branch \
		--cov-report=term-missing:skip-covered --cov-report=json:_build/coverage.json
	$(BIN)/python -m trials.coverage _build/coverage.json --into results

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate
FULL := pyproject.toml --extra book --extra install --extra compare --extra lite --extra export \
	--extra cluster --extra dev

lock: $(READY)  ## resolve pyproject.toml anew into the four locks
	$(COMPILE) -o requirements.lock $(FULL) --extra train
	cp requirements.lock requirements-gpu.lock  # which holds the same versions, and CUDA
	cp requirements.lock requirements-read.lock
	cp requirements.lock requirements-book.lock
	$(COMPILE) -o requirements-gpu.lock $(FULL) --extra gpu
	$(COMPILE) -o requirements-read.lock --group read
	$(COMPILE) -o requirements-book.lock --group render

.venv/ready: requirements.lock pyproject.toml
	$(call install,$<,everything but CUDA,--compile-bytecode)

.venv/ready-gpu: requirements-gpu.lock pyproject.toml
	$(call install,$<,everything with CUDA for the NVIDIA card,--compile-bytecode)

.venv/ready-read: requirements-read.lock pyproject.toml
	$(call install,$<,what checks results/ and executes the chapters that read it)

# The installers leave again: they are an eighth of it.
.venv/ready-book: requirements-book.lock pyproject.toml
	$(call install,$<,what renders the book)
	@$(BIN)/uv pip uninstall --quiet --python $(BIN)/python pip uv

# The first argument is the lock, the second says what is in it, the third goes to uv: the tests start
# hundreds of processes, each of which would compile TensorFlow where Python may not write.
define install
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit( \
		"error: Python 3.11, 3.12 or 3.13 is needed. Give one: make PYTHON=python3.12")'
	@echo "installing $(1): $(2); the log: .venv/install.log"; begin=$$(date +%s); \
	$(PYTHON) -m venv .venv && { \
		awk '/^[^ ]/ { of_uv = /^uv==/ } of_uv' $(1) > .venv/uv.txt && \
		$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r .venv/uv.txt && \
		$(BIN)/uv pip sync --python $(BIN)/python --require-hashes $(3) $(1) && \
		$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable . ; \
	} > .venv/install.log 2>&1 || { tail -8 .venv/install.log; echo "error: see .venv/install.log"; exit 1; }; \
	echo "installed in $$(($$(date +%s) - begin)) s"
	@rm -f .venv/ready* && touch $@
endef

help:  ## what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

clean:  ## delete what was built; checkpoints in runs/ and results/ stay
	$(if $(wildcard .venv/ready .venv/ready-gpu),$(ALONE)) rm -rf _build .snakemake

define show
	@rm -rf _build/html && cp -r _build/$(1)/html _build/html
	@echo "The book is at _build/html/index.html"
endef

.PHONY: paper book pdf publish archive study queue verify manifest bench lab test \
	fuzz bounds faults forgeries stress mutants licences advisories coverage lock help clean
