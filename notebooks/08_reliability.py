# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: jupytext,kernelspec,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reliability
#
# **How far can a reader trust the machinery behind the numbers?** It was given hostile files, killed
# at random moments, changed by one error at a time and trained again with other seeds. What happened
# stands below, read from the files that these trials left.
#
# *In:* the result store, nothing else. *Takes* seconds. The trials themselves: `make fuzz`,
# `make faults`, `make mutants`, `make licences`, `make advisories`.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project
trials_dir = "results"  # the result store whose folder holds/ has the trials
configs_dir = "configs"  # the grids whose seeds are compared

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import paths
from ferbook.paper import table
from ferbook.paper.chapters.reliability import prose, tables
from ferbook.results import store, study

os.chdir(paths.project_root())

# %% tags=["hide-input"]
runs = store.load_all(results_dir)
grids = [
    study.read_study(f"{configs_dir}/{name}.yml")
    for name in ("paper_changes", "ours_changes", "leak")
]
grid_runs = [run for grid in grids for run in study.of_study(grid, runs)]
repeated = [run for run in runs if run.study in study.FINALS] + grid_runs
names = ("fuzz", "faults", "forgeries", "mutants", "advisories")
jobs = {name: {} for name in names} | store.load_facts(trials_dir, "reliability")
licences = store.load_licences(trials_dir)
table.Notice(synthetic=any(run.is_synthetic for run in runs))

# %% [markdown]
# ## Hostile files
#
# Real files were cut, flipped, repeated, packed anew and filled with other values, and put before
# every reader of the project ({numref}`tab-fuzz`): {glue:text}`reliability_files:,` files for
# {glue:text}`reliability_readers` readers. A file must be refused in words that name it, or give a result
# that passes the checks of its kind, within seconds, within a bound on memory, and without any file
# being written. {glue:text}`reliability_files_other` did anything else.

# %% tags=["hide-input"]
tables.fuzz_table(jobs["fuzz"])

# %% [markdown]
# Before these trials, some did. A pickle could ask for tens of gigabytes by naming a high memo
# number, a YAML file of a few lines could stand for more text than any memory holds, compressed
# arrays could unpack without end, and a damaged `run.json` ended in a traceback when a table was
# made of it. All are refused now, each with a test.
#
# ## Killed at random
#
# {glue:text}`reliability_kills` kills by `SIGKILL`, of the process and all its children, in
# {glue:text}`reliability_restarts` trials of the stages in {numref}`tab-faults`. After each, no run in the
# store claimed to be finished that was not; {glue:text}`reliability_restarts_same` of
# {glue:text}`reliability_restarts` restarts ended as the same stage ended when left alone: the same bytes
# of predictions, the same outputs of the notebook, the same pages.

# %% tags=["hide-input"]
tables.faults_table(jobs["faults"])

# %% [markdown]
# Tests do the rest on every change: a full disk, a folder that may not be written to, a missing
# kernel, a notebook that fails in its middle, two pipelines started at once in one checkout. Each
# ends in a line that says what is the matter, and leaves what was there before.
#
# ## Forged on purpose
#
# {glue:text}`reliability_forgeries` forgeries were made in copies of this repository, one at a time:
# numbers of the store, text and outputs of executed notebooks, pixels of figures, the README, the
# released model. The forger renews every manifest and stamp with the project's own functions.
# `ferbook verify` finds {glue:text}`reliability_forgeries_found` ({numref}`tab-forgeries`). It cannot
# find what agrees with itself throughout: predictions that were replaced before everything was
# scored, executed and signed anew. Whoever can rewrite the whole repository can do that, and no check
# inside it helps; a signed tag, or the hash of a copy that was deposited elsewhere, does.

# %% tags=["hide-input"]
tables.forgeries_table(jobs["forgeries"])

# %% [markdown]
# ## Would the tests notice?
#
# {glue:text}`reliability_mutants` versions of {glue:text}`reliability_modules` modules, each with one operator,
# number, condition or return value exchanged, ran before the tests of their module;
# {glue:text}`reliability_mutants_noticed` were noticed ({numref}`tab-mutants`). {numref}`tab-survivors`
# lists the rest. A module that is not in the table was **not run**.

# %% tags=["hide-input"]
tables.mutants_table(jobs["mutants"])

# %% tags=["hide-input"]
tables.survivors_table(jobs["mutants"])

# %% [markdown]
# ## What chance does
#
# The same recipe with another seed has another split, other initial weights, another order and
# other augmentation. {numref}`tab-seeds` shows how far apart such runs end; pooled over these
# recipes the standard deviation is {glue:text}`reliability_seed_noise:.2f` points. A difference between
# two recipes says something if it is beyond twice what seeds alone give ({numref}`tab-noise`).
# McNemar's test, which compares two trained networks and not two recipes, also finds differences
# between two seeds of one recipe.

# %% tags=["hide-input"]
tables.seeds_table(repeated)

# %% tags=["hide-input"]
tables.differences_table(grids, grid_runs)

# %% [markdown]
# ## What it is made of
#
# The lock file pins {glue:text}`reliability_packages` packages by version and SHA-256
# ({numref}`tab-licences`); weights, models of others and votes are pinned by SHA-256 as well.
# {glue:text}`reliability_copyleft` of the packages states a licence of the GPL family: docutils, which
# offers its parts under several licences, the GPL among them for one file that the book does not use.
# No module opens a connection when it is imported, and no test may: a hook refuses it.
#
# `make advisories` asks for known vulnerabilities of the locked packages. It got an answer for
# {glue:text}`reliability_audited` of them, of which {glue:text}`reliability_vulnerable` had one;
# {glue:text}`reliability_not_audited` could not be looked up, since the package index used here serves no
# advisories. Where the first number is nought, this check counts as **not run**.

# %% tags=["hide-input"]
tables.licence_table(licences)

# %% [markdown]
# ## Summary and limits
#
# Not tried: a power cut (the files are flushed to disk before they are renamed, but no machine was
# switched off), a file system that lies about it, several machines at work in one checkout, other
# operating systems than Linux, deterministic training on a GPU (there is a switch, and no GPU here).
# Fuzzing was by chance and not guided by coverage, and the models of others are not read by us but
# by TensorFlow and onnxruntime. The few recipes with several seeds are short runs of a small
# network; what seeds do to the full runs is not known.

# %% tags=["remove-cell"]
noise = tables.seed_noise(grid_runs)
for key, value in prose.reliability_numbers(jobs, licences["kind"].tolist(), noise).items():
    glue(key, value, display=False)
