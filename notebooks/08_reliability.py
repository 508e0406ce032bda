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
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reliability
#
# **Of {glue:text}`reliability_files:,` hostile files, {glue:text}`reliability_files_other` were mishandled;
# {glue:text}`reliability_trials_same` of {glue:text}`reliability_trials` trials with {glue:text}`reliability_kills`
# kills in all ended like an undisturbed execution; the tests detect {glue:text}`reliability_mutants_noticed` of
# {glue:text}`reliability_mutants` planted errors.** The numbers in this book are only as trustworthy as the programs
# that computed them, so this chapter tries to break those programs.
#
# *Input:* the result store, nothing else. *Run time:* seconds. The stress tests themselves: `make fuzz`,
# `make bounds`, `make faults`, `make coverage`, `make mutants`, `make licences`, `make advisories`.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project
trials_dir = "results"  # the result store whose folder reliability/ has the stress tests

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import paths
from ferbook.core.parameters import settle
from ferbook.paper import table
from ferbook.paper.chapters.reliability import prose, tables
from ferbook.results import measurements, store

os.chdir(paths.project_root())
settle(globals(), "08_reliability")

# %% tags=["hide-input"]
names = ("fuzz", "bounds", "faults", "forgeries", "coverage", "mutants", "advisories")
jobs = {name: {} for name in names} | measurements.load_facts(trials_dir, "reliability")
licences = measurements.load_licences(trials_dir)
table.Notice(synthetic=store.load_dataset(results_dir)["name"] == "synthetic")

# %% [markdown]
# ## Hostile files
#
# Real files were cut, repacked, given flipped and repeated bytes and filled with other values, and then passed
# to every reader of the project ({numref}`tab-fuzz`): {glue:text}`reliability_files:,` files for
# {glue:text}`reliability_readers` readers. A file must either be rejected with an error that names it, or be
# read and pass the checks of its kind, within seconds, within a bound on memory, and without any file
# being written. {glue:text}`reliability_files_other` files ended in any other way.

# %% tags=["hide-input"]
tables.fuzz_table(jobs["fuzz"])

# %% [markdown]
# Before these tests, some did. A pickle could request tens of gigabytes by naming a high memo
# number, a YAML file of a few lines could expand to more text than any memory holds, compressed
# arrays could unpack without end, and a damaged `run.json` ended in a traceback when a table was
# made from it. All of these are now rejected, each with a test.
#
# ## Bounded work
#
# {glue:text}`reliability_bounds` inputs were made to take as much time and memory as possible and given to the
# commands that do not train ({numref}`tab-bounds`). The slowest answer took
# {glue:text}`reliability_bounds_seconds:.0f` seconds, the largest process
# {glue:text}`reliability_bounds_megabytes:,` MB; the bounds are
# {glue:text}`reliability_bounds_seconds_allowed` seconds and
# {glue:text}`reliability_bounds_megabytes_allowed:,` MB. Before this test, a table in one line and a video of
# huge frames took several times as much memory, and a model read from a pipe never returned.

# %% tags=["hide-input"]
tables.bounds_table(jobs["bounds"])

# %% [markdown]
# ## Killed at random
#
# In each of {glue:text}`reliability_trials` trials of the stages in {numref}`tab-faults`, a process and all its
# children were to be killed by `SIGKILL` at one or two random moments, and then started again. Some had ended before
# their moment came; {glue:text}`reliability_kills` kills hit. None left an unfinished run marked as finished in the
# store. {glue:text}`reliability_trials_same` of {glue:text}`reliability_trials` trials ended exactly like an
# undisturbed execution: the same bytes of predictions, the same outputs of the notebook, the same pages.

# %% tags=["hide-input"]
tables.faults_table(jobs["faults"])

# %% [markdown]
# Tests cover the rest on every change: a full disk, a read-only folder, a missing
# kernel, a notebook that fails halfway, two pipelines started at once in one checkout. Each
# ends with a message that names the cause and leaves earlier files unchanged.
#
# ## Forgeries
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
# ## Do the tests detect errors?
#
# {numref}`tab-coverage` states how much of each package the test suite executes. That a line was executed
# does not mean that an error in it would be noticed, so errors were planted:
# {glue:text}`reliability_mutants` versions of {glue:text}`reliability_modules` modules, each with one small change, such
# as of an operator, a number, a condition or a return value, were run against the tests of their module;
# {glue:text}`reliability_mutants_noticed` were detected ({numref}`tab-mutants`). {numref}`tab-survivors`
# lists the others. Modules that are not in the table were **not run**.

# %% tags=["hide-input"]
tables.coverage_table(jobs["coverage"])

# %% tags=["hide-input"]
tables.mutants_table(jobs["mutants"])

# %% tags=["hide-input"]
tables.survivors_table(jobs["mutants"])

# %% [markdown]
# ## Dependencies
#
# The lock file pins {glue:text}`reliability_packages` packages by version and SHA-256
# ({numref}`tab-licences`); weights, third-party models and votes are pinned by SHA-256 as well.
# {glue:text}`reliability_copyleft` of the packages state a license of the GPL family: docutils, which
# offers its parts under several licenses, the GPL among them for one file that the book does not use,
# and swh.model, which `make archive` alone uses and only developers install.
# No module opens a connection when it is imported, and a hook blocks every connection during the tests.
#
# `make advisories` looks up known vulnerabilities of the locked packages:
# {glue:text}`reliability_advisories`

# %% tags=["hide-input"]
tables.licence_table(licences)

# %% [markdown]
# ## Limits
#
# Not tested: a power cut (files are flushed to disk before they are renamed, but no machine was
# switched off), a file system that reports unfinished writes as done, several machines working in one
# checkout, operating systems other than Linux, and deterministic training on a GPU (there is a switch, and no
# GPU here). Fuzzing was random and not guided by coverage. Third-party models are read by TensorFlow and
# onnxruntime, not by our readers.
#
# ```{admonition} What we found
# :class: tip
# - {glue:text}`reliability_files:,` hostile files were read correctly or rejected with a clear message, with
#   {glue:text}`reliability_files_other` exceptions.
# - {glue:text}`reliability_trials_same` of {glue:text}`reliability_trials` trials with {glue:text}`reliability_kills`
#   kills ended like an undisturbed execution; tests detected {glue:text}`reliability_mutants_noticed` of
#   {glue:text}`reliability_mutants` planted errors.
# ```

# %% tags=["remove-cell"]
for key, value in prose.reliability_numbers(jobs, licences["kind"].tolist()).items():
    glue(key, value, display=False)
