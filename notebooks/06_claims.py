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
# # Claims
#
# **Which statements of the original hold?** Every one that can be checked is listed below with a
# grade that a program gave, from the result store and from arithmetic. Nobody graded by hand.
#
# *In:* the result store and the ledger `book/claims.yml`. *Takes* seconds.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.claims import ledger
from ferbook.core import paths
from ferbook.paper import plots, table
from ferbook.paper.chapters.claims import prose, tables

os.chdir(paths.project_root())
plots.use_style()

# %% tags=["hide-input"]
evidence = ledger.gather(results_dir, "book/original.yml")
graded = [(c, ledger.grade(c, evidence)) for c in ledger.read_claims("book/claims.yml")]
table.Notice(synthetic=evidence.dataset["name"] == "synthetic")

# %% [markdown]
# ## What the grades mean
#
# | grade | given when |
# |---|---|
# | reproduced | our number, rounded as printed, is the original's; or the statement holds |
# | within tolerance | it differs by no more than the tolerance that the ledger states |
# | contradicted | a count or arithmetic excludes it, whatever a training run may give |
# | not reproduced | an experiment of ours gives something else |
# | not run | no experiment in the store bears on it; the reason stands beside |
#
# A score is graded by a run of the original's own configuration and by no other. Statements
# about the recipe (which classes are hard, how the curves look) are graded by the recipe's run
# on another backbone where there is none of the original's, and the evidence names it.

# %% tags=["hide-input"]
tables.grade_table([verdict for _, verdict in graded])

# %% [markdown]
# Of {glue:text}`claims_total` claims, {glue:text}`claims_reproduced` are reproduced,
# {glue:text}`claims_within_tolerance` within tolerance, {glue:text}`claims_contradicted`
# contradicted, {glue:text}`claims_not_reproduced` not reproduced, and
# {glue:text}`claims_not_run` wait for a run that this book could not make.
#
# ## The ledger
#
# Search it, filter by a column, follow the evidence to the table or figure that shows it.

# %% tags=["hide-input"]
tables.claims_table(graded)

# %% [markdown]
# ## Summary and limits
#
# The printed numbers are taken from the paper's tables; its other statements are given in our
# words. The commands `ferbook claims` and `ferbook audit book/original.yml` print the same grades.
# A run of the original's configuration, dropped into the result store, turns "not run" into an
# answer.

# %% tags=["remove-cell"]
for key, value in prose.claim_numbers([verdict for _, verdict in graded]).items():
    glue(key, value, display=False)
